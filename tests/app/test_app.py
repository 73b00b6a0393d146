"""The page in a real browser on its real server, and requests that no page sends."""

import http.client
import io
import json
import os
import re
import resource
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import pytest
import soundfile

from budew import Captioner, VoiceProfile, parse
from budew.app import browser_page, server
from budew.audio.samples import decode
from budew.corpora import read
from budew.errors import InputError
from budew.io.resources import data_folder
from tests.browsing import WIDTHS, chromium
from tests.trained import TINY_SYNTHETIC

NAME = TINY_SYNTHETIC.name
LOCAL = {"127.0.0.1", "localhost", None}


def wav(*samples):
    encoded = io.BytesIO()
    soundfile.write(encoded, np.concatenate(samples), 16_000, format="WAV")
    return encoded.getvalue()


@pytest.fixture(scope="module")
def clips():
    """Samples of two bundled clips."""
    found = read(data_folder("demo_clips") / "clips.tar")
    return [decode(clip.audio).samples for clip, _ in zip(found, range(2), strict=False)]


@pytest.fixture(scope="module")
def expected(clips):
    """What the captioner makes of the first clip."""
    return Captioner.from_pretrained(windows="speech")(wav(clips[0]))


@pytest.fixture(scope="module")
def looked_up():
    """The hosts that this process, and so the server, has looked up."""
    hosts, look_up = set(), socket.getaddrinfo

    def recorded(host, *more, **named):
        hosts.add(host)
        return look_up(host, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", recorded)
        yield hosts


@pytest.fixture(scope="module")
def address(looked_up):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with server.serve_app(port=port) as address:
        kept = Path(os.environ["GRADIO_TEMP_DIR"])
        assert kept.is_dir()
        yield address
    assert not kept.exists()


@pytest.fixture(scope="module")
def browser(address, clips, tmp_path_factory):
    heard = tmp_path_factory.mktemp("microphone") / "heard.wav"
    heard.write_bytes(wav(clips[0]))
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with chromium(*fake, f"--use-file-for-fake-audio-capture={heard}") as browser:
        yield browser


@pytest.fixture(scope="module")
def opened(browser, address):
    """The page, with the hosts that it has asked for anything."""
    page, hosts = browser.new_page(), set()
    page.on("request", lambda request: hosts.add(httpx.URL(request.url).host or None))
    page.goto(address)
    page.get_by_role("button", name="Caption", exact=True).wait_for()
    return page, hosts


@pytest.fixture
def page(opened):
    """The page without a recording."""
    page, hosts = opened
    yield page
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for frame in page.frames:
            document = "document.documentElement"
            assert frame.evaluate(f"{document}.scrollWidth <= {document}.clientWidth"), (frame.name, width)
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page.get_by_role("tab", name="Caption").click()
    for clear in page.get_by_role("button", name="Clear").all()[::-1]:  # of the error, and of the recording
        clear.click()
    assert hosts <= LOCAL


def upload(page, name, content):
    page.locator("input[type=file]").first.set_input_files(
        {"name": name, "mimeType": "audio/wav", "buffer": content}
    )
    caption = page.get_by_role("button", name="Caption", exact=True)
    caption.click(trial=True)  # waits until the upload is complete
    caption.press("Enter")


def bars(frame):
    """Return the emotions with bars as long as they are strong."""
    levels = frame.locator(".families .level").evaluate_all(
        "all => all.map(each => [each.querySelector('.name').innerText, "
        "each.querySelector('.meter i').style.width])"
    )
    assert len(levels) == 40
    lengths = {name.replace("\u200b", ""): float(width.rstrip("%")) / 100 for name, width in levels}
    return {name: length for name, length in lengths.items() if length}


def test_the_page_shows_training_data_and_results_of_the_checkpoint(page):
    assert page.get_by_text(f"{NAME} was trained on synthetic speech only").is_visible()
    results = page.get_by_role("button", name=f"Published results of {NAME}")
    results.click()
    page.get_by_text("RAVDESS (en, 24 speakers), unweighted average recall").wait_for(state="visible")
    results.click()


def test_an_upload_becomes_its_caption_with_bars(page, clips, expected):
    upload(page, "clip.wav", wav(clips[0]))
    frame = page.frame_locator("iframe[title=scores]")
    assert frame.locator(".caption").inner_text().strip() == expected.caption
    assert frame.locator(".caption mark").count()
    assert bars(frame) == pytest.approx(expected.emotions, abs=1e-3)
    for word in (*expected.bursts, *map(str, expected.traits.values())):
        assert word in frame.locator(".scores .voice").inner_text()


def test_a_microphone_recording_is_captioned(page):
    page.get_by_role("button", name="Record audio").click()
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Play", exact=True).wait_for()
    page.get_by_role("button", name="Caption", exact=True).click()
    assert page.frame_locator("iframe[title=scores]").locator(".caption").inner_text()
    page.get_by_role("button", name="Clear").click()
    page.locator("iframe").wait_for(state="detached")
    page.get_by_role("button", name="Upload file").click()


def test_a_long_recording_has_a_timeline_that_plays(page, clips):
    upload(page, "long.wav", wav(*clips, *clips))
    frame = page.frame_locator("iframe[title=timeline]")
    second = frame.locator("li button").nth(1)
    second.click()
    frame.locator("li.now").wait_for()
    assert second.get_attribute("aria-current") == "true"
    assert "long.wav" in frame.locator("h1").inner_text()
    assert not frame.locator("body").evaluate("() => window.origin").startswith("http")


@pytest.mark.parametrize("content", [b"this is text", b""])
def test_an_upload_that_is_no_audio_is_one_message_without_server_paths(page, content):
    upload(page, "notes.wav", content)
    toast = page.get_by_test_id("toast-body").last
    assert "notes.wav" in toast.inner_text()
    assert "/" not in toast.inner_text().partition("notes.wav")[0]
    page.get_by_test_id("toast-close").last.click()


def test_a_parsed_caption_is_shown_without_interpreting_markup_or_templates(page):
    text = "{{value}} ${1+1} <b>A young woman</b>, deeply sad, not angry, sobbing."
    page.get_by_role("tab", name="Parse").click()
    page.get_by_role("textbox", name="Caption").fill(text)
    page.get_by_role("button", name="Parse", exact=True).press("Enter")
    frame = page.frame_locator("iframe[title='parsed caption']")
    assert frame.locator(".caption").inner_text().strip() == text
    assert bars(frame) == parse(text).emotions


def test_a_profile_is_rendered_as_captions_that_parse_back_to_it(page):
    page.get_by_role("tab", name="Render").click()
    page.get_by_label("Emotions").fill("Fear")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.get_by_role("group").filter(has_text="Fear").get_by_label("slight").check()
    page.get_by_role("button", name="Render", exact=True).click()
    frame = page.frame_locator("iframe[title='rendered captions']")
    frame.locator(".caption").first.wait_for()
    wanted = VoiceProfile({"Sadness": 0.75, "Fear": 0.25})
    captions = frame.locator(".caption").all_inner_texts()
    assert len(captions) > 1
    assert all(parse(caption).profile == wanted for caption in captions)
    assert bars(frame) == wanted.emotions


def test_the_page_can_reach_no_other_host(page):
    page.evaluate("fetch('http://example.com/').catch(() => 'refused')")


CLIENT = httpx.Client(timeout=60)


def ask(address, function, *values):
    """Send an event as the page does; return the answer's output."""
    session = uuid4().hex
    functions = {one["api_name"]: one["id"] for one in CLIENT.get(f"{address}config").json()["dependencies"]}
    event = {"data": values, "fn_index": functions[function], "session_hash": session}
    joined = CLIENT.post(f"{address}gradio_api/queue/join", json=event)
    assert joined.status_code == 200, joined.text
    query = {"session_hash": session}
    with CLIENT.stream("GET", f"{address}gradio_api/queue/data", params=query) as lines:
        messages = (json.loads(line[5:]) for line in lines.iter_lines() if line.startswith("data:"))
        return next(one["output"] for one in messages if one["msg"] == "process_completed")


def sent(address, name, content):
    (path,) = CLIENT.post(f"{address}gradio_api/upload", files={"files": (name, content)}).json()
    return path


def as_file(path, **more):
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **more}


def test_twenty_users_are_answered_and_the_model_serves_one_at_a_time(address, clips, expected, monkeypatch):
    under_way, together = [], []

    caption_html = browser_page.caption_html

    def watched(*given):
        under_way.append(given)
        together.append(len(under_way))
        done = caption_html(*given)
        under_way.pop()
        return done

    monkeypatch.setattr(browser_page, "caption_html", watched)

    def use(number):
        if number % 2:
            return ask(address, "parsed_html", f"A sad voice, number {number}.")["data"][0]
        file = as_file(sent(address, f"{number}.wav", wav(clips[0])))
        return ask(address, "captioned", file, NAME, "", "")["data"][0]

    with ThreadPoolExecutor(20) as users:
        answers = list(users.map(use, range(20)))
    shown = [re.sub(r"&lt;.*?&gt;", "", answer) for answer in answers]
    assert all(f"number {number}." in shown[number] for number in range(1, 20, 2))
    assert len(set(answers[::2])) == 1
    assert expected.caption in shown[0]
    assert together == [1] * 10


@pytest.mark.parametrize(
    "path",
    [
        "gradio_api/file=/etc/passwd",
        f"gradio_api/file={TINY_SYNTHETIC / 'config.json'}",
        "gradio_api/file=http://example.com/",
        "gradio_api/proxy=http://example.com/",
        "monitoring",
        "assets/..%2f..%2f..%2f..%2fetc/passwd",
    ],
)
def test_nothing_but_the_page_and_its_uploads_is_served(address, looked_up, path):
    assert CLIENT.get(address + path).status_code in (403, 404)
    assert looked_up <= LOCAL


@pytest.mark.parametrize("path", ["/etc/passwd", "http://example.com/<b>.wav"])
@pytest.mark.parametrize("more", [{}, {"is_stream": True}, {"url": "http://example.com/a.wav"}])
def test_only_uploads_are_captioned(address, looked_up, path, more):
    answer = ask(address, "captioned", as_file(path, **more), NAME, "", "")
    assert "data" not in answer
    assert "root:" not in str(answer)
    assert "<" not in str(answer)
    assert looked_up <= LOCAL


def test_the_name_of_an_upload_is_no_path(address):
    kept = Path(os.environ["GRADIO_TEMP_DIR"]).resolve()
    for name in ("../../x.wav", "/x.wav", "..\\x.wav"):
        assert kept in Path(sent(address, name, b"none")).resolve().parents
    answer = ask(address, "captioned", as_file(sent(address, "../<b>x.wav", b"none")), NAME, "", "")
    assert str(kept) not in answer["error"]
    assert "<" not in answer["error"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("upload", {"Content-Length": str(server.LARGEST_UPLOAD + 1)}, 413),
        ("upload", {"Transfer-Encoding": "chunked"}, 411),
        ("queue/join", {"Content-Length": str(server.LARGEST_REQUEST + 1)}, 413),
    ],
)
def test_a_request_that_is_too_large_is_refused_before_it_is_sent(address, path, headers, status):
    url = httpx.URL(address)
    connection = http.client.HTTPConnection(url.host, url.port, timeout=10)
    connection.putrequest("POST", f"/gradio_api/{path}")
    for name, value in {**headers, "Content-Type": "multipart/form-data; boundary=x"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()


def test_too_much_at_once_is_refused(address, monkeypatch):
    monkeypatch.setattr(server, "MOST_UPLOADING", 100)
    assert CLIENT.post(f"{address}gradio_api/upload", files={"files": b"0" * 100}).status_code == 503
    answer = ask(address, "parsed_html", "sad " * browser_page.LONGEST_CAPTION)
    assert "data" not in answer


def test_a_recording_that_is_too_long_is_refused(address, clips, monkeypatch):
    monkeypatch.setattr(browser_page, "LONGEST_RECORDING", 1.0)
    answer = ask(address, "captioned", as_file(sent(address, "x.wav", wav(*clips))), NAME, "", "")
    assert answer["error"].startswith("x.wav: longer")


def test_a_server_without_visitors_sleeps(address):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
    time.sleep(0.5)
    woken = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before
    assert woken < 200  # 10 a second by uvicorn, 40 by gradio; its own intervals would wake it 500 times


def test_a_port_in_use_is_one_sentence(address):
    with pytest.raises(InputError, match="--port"), server.serve_app(port=httpx.URL(address).port):
        pass


def test_the_oldest_uploads_are_deleted_first(tmp_path):
    for age, name in enumerate(("new", "old", "oldest")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(bytes(100))
        os.utime(tmp_path / name / "file", (1000 - age, 1000 - age))
    server.make_room(tmp_path, 250)
    assert not (tmp_path / "oldest/file").exists()
    server.make_room(tmp_path, 250)
    assert sum(file.is_file() for file in tmp_path.rglob("*")) == 2
