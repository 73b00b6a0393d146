"""The page for raters on its real server, in a real browser; requests that no page sends."""

import re
import signal
import socket
import subprocess
import sys
from itertools import islice

import httpx
import krippendorff
import pytest
from PIL import Image
from starlette.testclient import TestClient

from budew.app import RatingPages
from budew.corpora import read, write_shard
from budew.corpora.media import IMAGE
from budew.curation import RatingStudy, rating_statistics, read_ratings
from budew.io.resources import data_folder
from budew.statistics.agreement import rating_matrix
from tests.browsing import WIDTHS, chromium

RATED = 6
"""Clips of the study in the browser; two are repeated."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    shard = tmp_path_factory.mktemp("corpus") / "clips.tar"
    write_shard(shard, islice(read(data_folder("demo_clips")), RATED))
    return shard


def by_id(source, **options):
    return {clip.id: clip for clip in read(source, **options)}


class Server:
    """`budew app --rate` as a process."""

    def __init__(self, folder, corpus):
        (folder / "raters.txt").write_text("anna\nben\n")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        self.folder, self.command = folder, [sys.executable, "-m", "budew", "app", "--rate", str(corpus)]
        self.command += ["--raters", "raters.txt", "--repeats", "0.34", "--port", port]

    def start(self):
        self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=subprocess.PIPE, text=True)
        self.addresses = dict(self.process.stdout.readline().strip().split(": ") for _ in range(4))
        with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
            assert client.get(self.addresses["overview"]).status_code == 200

    def end(self, sign):
        self.process.send_signal(sign)
        self.process.communicate()


@pytest.fixture
def server(tmp_path, corpus):
    server = Server(tmp_path, corpus)
    try:
        server.start()
        yield server
    finally:
        server.end(signal.SIGKILL)


def test_two_raters_at_once_lose_nothing_when_the_server_is_killed(server, corpus, tmp_path):
    given = {"anna": [], "ben": []}
    with chromium() as browser:
        pages = {name: browser.new_context().new_page() for name in given}
        for name, page in pages.items():
            page.goto(server.addresses[name])
        assert pages["anna"].evaluate("document.querySelector('audio').duration") > 1
        for number in range(RATED + 2):
            if number == 3:
                server.end(signal.SIGKILL)
                server.start()
            for name, value in (("anna", number % 3), ("ben", (number + (number % 4 == 0)) % 3)):
                given[name].append((pages[name].locator("legend").inner_text(), value))
                pages[name].keyboard.press(str(value))
                pages[name].get_by_text(f"{number + 1} of 8 clips saved").wait_for()
        assert all(page.get_by_text("all answers are saved").is_visible() for page in pages.values())
        overview = pages["anna"]
        overview.goto(server.addresses["overview"])
        shown = overview.locator("table").last.locator("tr").last.inner_text().split()
        for width in WIDTHS:
            overview.set_viewport_size({"width": width, "height": 900})
            document = "document.documentElement"
            assert overview.evaluate(f"{document}.scrollWidth <= {document}.clientWidth")
        with overview.expect_download() as download:
            overview.get_by_role("link", name="Download").click()
        download.value.save_as(tmp_path / "ratings.csv")
    study = RatingStudy(tmp_path / "answers.sqlite", by_id(corpus), list(given), repeats=0.34)
    expected = {
        (name, task.item, emotion, value / 2)
        for name, answers in given.items()
        for task, (emotion, value) in zip(study.tasks(name), answers, strict=True)
        if not task.repeat
    }
    ratings = list(read_ratings(tmp_path / "ratings.csv"))
    assert {(one.rater, one.item, one.emotion, one.value) for one in ratings} == expected
    assert len(ratings) == len(expected) == 2 * RATED
    columns = zip(*((one.item, one.rater, one.value) for one in ratings), strict=True)
    alpha = krippendorff.alpha(reliability_data=rating_matrix(*columns), level_of_measurement="interval")
    assert rating_statistics(ratings).all.alpha == pytest.approx(alpha, abs=1e-12)
    assert shown[:2] == ["all", "12"]
    assert float(shown[-1]) == pytest.approx(alpha, abs=0.0051)


def tasks_shown(client, path="/rate/anna"):
    page = client.get(path).text
    return page, re.search(r'name="task" value="(\w+)"', page)[1]


@pytest.fixture
def client(tmp_path, corpus):
    study = RatingStudy(tmp_path / "a.sqlite", by_id(corpus), ["anna", "ben"], "Awe,Fear", "0-7")
    pages = RatingPages(study)
    with TestClient(pages.app()) as client:
        client.overview = pages.overview
        yield client


def test_only_complete_answers_to_own_questions_are_saved(client):
    page, task = tasks_shown(client)
    assert page.count("not present") == page.count("intensely present") == 2
    assert page.count('<input type="radio"') == 16
    answers = {"task": task, "Awe": "7", "Fear": "0"}
    wrong = [{"task": task}, {**answers, "task": "0"}, {**answers, "Fear": "8"}, {**answers, "Fear": ""}]
    wrong += [{**answers, "Anger": "1"}, {"task": task, "Awe": "7"}, {**answers, "Fear": "9" * 100_000}]
    for form in wrong:
        assert client.post("/rate/anna", data=form).status_code == 400
    without_end = client.post("/rate/anna", content=(b"x" * 10_000 for _ in range(100)))
    assert "longer" in without_end.text
    assert tasks_shown(client)[1] == task
    assert "1 of 7 clips saved" in client.post("/rate/anna", data=answers).text
    assert client.get(f"{client.overview}ratings.csv").text.splitlines()[1].endswith(",anna,Awe,7,0-7")
    client.post("/rate/anna", data={**answers, "skip": "yes"})  # an earlier clip cannot be judged after all
    assert client.get(f"{client.overview}ratings.csv").text.splitlines()[1:] == []
    assert tasks_shown(client, "/rate/anna?at=0")[1] == task


def test_only_raters_and_those_who_know_the_address_of_the_overview_have_a_page(client):
    assert client.get("/rate/ben").status_code == client.get(client.overview).status_code == 200
    assert client.get("/rate/eve").status_code == 400
    assert client.get("/").status_code == client.get("/ratings.csv").status_code == 404


def test_names_of_clips_are_not_shown(client, corpus):
    assert not any(clip.id in client.get("/rate/anna").text for clip in read(corpus))


def test_images_are_shown_and_a_damaged_one_can_be_skipped(tmp_path):
    Image.new("RGB", (32, 32), "red").save(tmp_path / "face.png")
    (tmp_path / "bad.png").write_bytes(b"\x89PNG")
    study = RatingStudy(tmp_path / "a.sqlite", by_id(tmp_path, media=IMAGE), ["a"], "all", repeats=0)
    client = TestClient(RatingPages(study).app())
    for task in study.tasks("a"):
        page, key = tasks_shown(client, "/rate/a")
        assert page.count("<legend>") == 40
        assert ("data:image/png" in page) == (task.item == "face")
        assert ("cannot be read as an image" in page) == (task.item == "bad")
        client.post("/rate/a", data={"task": key, "skip": "yes"})
    assert "Thank you" in client.get("/rate/a").text
