"""`budew caption --record`: a recording is captioned as its file is, and written only where asked for."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from budew.audio import microphone
from budew.errors import InputError

RATE = 22_050


@pytest.fixture
def recorded(monkeypatch):
    """The numbers of frames that were recorded from a device that hears a tone."""
    asked = []

    def rec(frames, *, samplerate, channels, dtype, blocking):
        assert (samplerate, channels, dtype, blocking) == (RATE, 1, "float32", True)
        asked.append(frames)
        return (0.3 * np.sin(2 * np.pi * 150 * np.arange(frames) / RATE)).astype(np.float32)[:, None]

    device = microphone.Microphone("a device", RATE, SimpleNamespace(rec=rec, PortAudioError=OSError))
    monkeypatch.setattr("budew.audio.find_microphone", lambda: device)
    return asked


@pytest.fixture
def caption(budew, whisper_folder, tmp_path, monkeypatch):
    """`caption(…)` runs the command with a tiny checkpoint, in an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return lambda *given: budew("caption", *given, "--model", whisper_folder, "--windows", "fixed")


def test_a_recording_is_captioned_and_nothing_is_written(caption, recorded, tmp_path):
    outcome = caption("--record", 3, "--format", "jsonl")
    record = json.loads(outcome.out)
    assert (outcome.status, recorded) == (0, [3 * RATE])
    assert (record["source"], len(record["windows"])) == ("microphone", 2)
    assert record["duration"] == pytest.approx(3, abs=0.01)
    assert "id" not in record
    assert "budew: recording 3 s from a device: speak now\n" in outcome.err
    assert not list((tmp_path / "here").iterdir())


@pytest.mark.parametrize("name", ["voice.wav", "new/voice.flac"])
def test_a_recording_that_is_kept_has_the_captions_of_its_file(caption, recorded, name):
    here = caption("--record", 3, "--keep", name, "--format", "json", "--scores")
    assert soundfile.info(name).frames == 3 * RATE
    assert soundfile.info(name).samplerate == RATE
    assert caption(name, "--format", "json", "--scores").out == here.out


def test_captions_go_to_a_file_and_a_page_has_the_sound(caption, recorded, tmp_path):
    outcome = caption("--record", 1, "--format", "html", "-o", "page.html")
    assert "page: file://" in outcome.out
    assert "data:audio/mpeg" in (tmp_path / "here" / "page.html").read_text()
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["page.html"]


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        (("--record", 1, "a.wav"), 2, "either PATH or --record"),
        (("a.wav", "--keep", "b.wav"), 2, "--keep requires --record"),
        (("--record", 1, "--keep", "a.mp3"), 1, "a.mp3: a recording is written as .wav or .flac"),
        (("--record", 1, "--keep", "a.wav", "-o", "a.wav"), 1, "two outputs have the same file"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_recorded(caption, recorded, given, status, message):
    outcome = caption(*given)
    assert (outcome.status, recorded) == (status, [])
    assert message in " ".join(outcome.err.split())


def test_a_missing_microphone_is_reported_before_the_checkpoint_is_loaded(budew, monkeypatch):
    def fail():
        raise InputError("there is no microphone")

    monkeypatch.setattr("budew.audio.find_microphone", fail)
    outcome = budew("caption", "--record", 1, "--model", "no/such/folder")
    assert (outcome.status, outcome.err) == (1, "budew: there is no microphone\n")
