"""A captioner whose model a server runs: captions in order, and what is refused is a failure of its own."""

import io
import json
import time
from importlib.util import find_spec

import numpy as np
import pytest
import soundfile

from budew.cli import app
from budew.corpora import Clip, read, write_shard
from budew.errors import InputError, JobError
from budew.inference import Captioner
from budew.inference.caption_corpus import CaptionClips
from budew.inference.captioned_recording import FailedRecording
from budew.inference.file_captioning import caption_files
from budew.inference.loading import load_backend
from budew.inference.options import ModelOptions, WritingOptions
from budew.inference.server import CaptionServer, CaptionServerBackend
from budew.io.resources import data_folder
from budew.jobs import run
from tests.chat.conftest import quick_retries, refusal, serve, start  # noqa: F401  # fixtures
from tests.serving import transformers_serve
from tests.trained import TINY_SYNTHETIC

RATE = 16_000


@pytest.fixture
def transcriber(serve):  # noqa: F811
    """A server that says how loud a window is, and refuses one at half of full scale."""

    def transcribe(form, _count):
        samples, rate = soundfile.read(io.BytesIO(form["file"]))
        level = round(float(np.abs(samples).max()), 2)
        time.sleep(0.05 * (1 - level))  # later windows are answered first
        text = {"text": f"A voice of {level} and {len(samples) / rate:.1f} s."}
        return refusal(400, "too loud") if level == 0.5 else (200, {}, json.dumps(text).encode())

    return serve(transcribe)


@pytest.fixture
def settings(transcriber):
    return CaptionServer(base_url=transcriber.url, model="mine", window_seconds=2, retries=0)


def tone(level, seconds=1.0):
    return level * np.sin(np.arange(int(RATE * seconds)) * np.pi / 2).astype(np.float32)


def test_windows_are_captioned_in_order_and_the_form_has_what_was_asked(settings, transcriber):
    captioner = Captioner(CaptionServerBackend(settings), WritingOptions(style="tags", batch_size=4))
    levels = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7]
    done = captioner([tone(level) for level in levels], sampling_rate=RATE)
    assert [one.caption for one in done] == [f"A voice of {level} and 1.0 s." for level in levels]
    (long,) = captioner([tone(0.9, 3)], sampling_rate=RATE)
    assert [window.text for window in long.windows] == [
        "A voice of 0.9 and 2.0 s.",
        "A voice of 0.9 and 1.0 s.",
    ]
    assert transcriber.headers_seen[0]["path"] == "/v1/audio/transcriptions"
    form = transcriber.seen[0]
    assert (form["model"], soundfile.info(io.BytesIO(form["file"])).samplerate) == (b"mine", RATE)
    assert form["prompt"]
    with pytest.raises(InputError):
        Captioner(CaptionServerBackend(settings), WritingOptions(num_beams=2))(tone(0.1), sampling_rate=RATE)
    with pytest.raises(InputError):
        load_backend(ModelOptions("mine", server=settings))
    with pytest.raises(InputError):
        Captioner(load_backend(ModelOptions(server=settings)), WritingOptions(num_samples=2))


def test_a_server_is_no_checkpoint_to_load(settings):
    with pytest.raises(InputError, match="load_backend"):
        Captioner.from_pretrained(server=settings)


def test_what_is_refused_fails_alone_and_a_server_that_is_gone_ends_the_run(settings, transcriber, tmp_path):
    for level in (0.2, 0.5, 0.8):
        soundfile.write(tmp_path / f"{level}.wav", tone(level), RATE)
    captioner = Captioner(load_backend(ModelOptions(server=settings)))
    first, refused, last = caption_files(captioner, [tmp_path])
    assert (first.caption, last.caption) == ("A voice of 0.2 and 1.0 s.", "A voice of 0.8 and 1.0 s.")
    assert isinstance(refused, FailedRecording)
    assert "too loud" in refused.reason
    gone = settings.model_copy(update={"base_url": "http://127.0.0.1:9/v1", "patience": 0.01})
    with pytest.raises(JobError, match=r"127\.0\.0\.1:9"):
        list(caption_files(Captioner(load_backend(ModelOptions(server=gone))), [tmp_path]))


def test_a_corpus_is_captioned_and_a_file_names_the_server(settings, capsys, tmp_path):
    clips = []
    for level in (0.2, 0.5, 0.8):
        file = io.BytesIO()
        soundfile.write(file, tone(level), RATE, format="FLAC")
        clips.append(Clip(f"clip{level}", file.getvalue(), "flac"))
    write_shard(tmp_path / "in" / "a.tar", clips)
    summary = run(CaptionClips(ModelOptions(server=settings)), tmp_path / "in", tmp_path / "out", workers=0)
    assert (summary.clips, summary.failures) == (2, 1)
    assert [clip.captions[0].made_by["model"] for clip in read(tmp_path / "out")] == ["mine", "mine"]
    file = tmp_path / "server.yaml"
    file.write_text(f"base_url: {settings.base_url}\nmodel: mine\nretries: 0\n")
    command = ["corpus", "caption", tmp_path / "in", tmp_path / "again", "--server", file, "--workers", 0]
    assert app([*map(str, command)], standalone_mode=False) == 1
    assert len(list(read(tmp_path / "again"))) == 2
    capsys.readouterr()
    app(["caption", str(tmp_path / "in"), "--server", str(file), "--format", "jsonl"], standalone_mode=False)
    records = map(json.loads, capsys.readouterr().out.splitlines())
    assert ["error" in record for record in records] == [False, True, False]


@pytest.mark.long
@pytest.mark.skipif(find_spec("multipart") is None, reason="transformers serve needs python-multipart")
def test_transformers_serve_writes_what_the_captioner_does(tmp_path):
    model = TINY_SYNTHETIC
    with transformers_serve(model, tmp_path / "log") as url:
        server = CaptionServer(base_url=url, model=str(model), window_seconds=8)
        clips = list(read(data_folder("demo_clips") / "clips.tar"))[:8]
        there = [
            result.caption
            for result in Captioner(load_backend(ModelOptions(server=server))).caption_clips(clips)
        ]
    here = [result.caption for result in Captioner.from_pretrained(device="cpu").caption_clips(clips)]
    assert there == here
