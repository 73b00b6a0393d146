"""Long recordings are cut at their pauses, and what is captioned of one is kept."""

from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest
import soundfile

from budew.audio.samples import decode
from budew.corpora import read
from budew.inference import Captioner
from budew.inference.captioned_recording import NO_SPEECH
from budew.inference.file_captioning import caption_files
from budew.inference.resume_file import open_resume_file
from budew.io.resources import data_folder
from budew.segmentation import SegmentSettings
from budew.segmentation.recording import cut_recording

RATE = 44_100


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Six bundled clips with two seconds of silence before each and after the last."""
    pause, parts = np.zeros(2 * 16_000, np.float32), []
    for clip in list(read(data_folder("demo_clips") / "clips.tar"))[:6]:
        parts += [pause, decode(clip.audio).samples]
    samples = np.concatenate([*parts, pause])
    path = tmp_path_factory.mktemp("film") / "film.flac"
    soundfile.write(path, np.repeat(samples[:, None], 2, axis=1), 16_000)
    return path, samples


@pytest.fixture(scope="module")
def speech():
    return Captioner.from_pretrained(device="cpu", windows="speech", num_beams=1, batch_size=3)


def test_windows_are_the_stretches_of_speech_and_tile_the_recording(film, speech):
    path, samples = film
    result = speech(path)
    found = [(window.start, window.end) for window in result.windows if window.text != NO_SPEECH]
    ends = []
    cuts = SegmentSettings(max_seconds=speech.backend.window_seconds, max_pause=1.0)
    pieces = cut_recording(path, cuts, name="film", on_end=lambda *end: ends.append(end), sounds=True)
    assert found == [piece.span for piece in pieces]
    spoken = cut_recording(path, cuts, name="film", on_end=lambda *_: None)
    assert {piece.span for piece in spoken} <= {*found}
    assert len(found) >= 5
    assert result.windows[0].start == 0
    assert result.duration == ends[0][0] == pytest.approx(len(samples) / 16_000)
    assert all(one.end == other.start for one, other in pairwise(result.windows))
    assert len({window.text for window in result.windows}) > 3


def test_what_fits_in_one_window_is_not_cut(film, speech):
    (clip, *_) = read(data_folder("demo_clips") / "clips.tar")
    assert len(speech(clip.audio).windows) == 1


def test_a_laugh_between_sentences_is_captioned_and_a_click_or_long_noise_or_quiet_is_not(speech, tmp_path):
    rng, quiet = np.random.default_rng(0), np.zeros(16_000, np.float32)
    clip = decode(next(read(data_folder("demo_clips") / "clips.tar")).audio).samples
    level = clip.std()

    def noise(seconds, level):
        return rng.normal(0, level, round(seconds * 16_000)).astype(np.float32)

    laugh, hum, breath, click = noise(1.5, level), noise(12, level), noise(2, level / 50), noise(0.4, level)
    sounds = (laugh, hum, breath, click)
    parts = [part for sound in sounds for part in (clip, quiet, sound, quiet)] + [clip]
    ends = np.cumsum([len(part) for part in parts]) / 16_000
    soundfile.write(tmp_path / "talk.wav", np.concatenate(parts), 16_000)
    windows = speech(tmp_path / "talk.wav").windows
    middles = {
        name: ends[place] - len(parts[place]) / 32_000
        for name, place in (("laugh", 2), ("hum", 6), ("breath", 10), ("click", 14))
    }
    texts = {
        name: next(one.text for one in windows if one.start <= middle < one.end)
        for name, middle in middles.items()
    }
    assert texts["laugh"] != NO_SPEECH
    assert texts["hum"] == texts["breath"] == texts["click"] == NO_SPEECH
    cuts = SegmentSettings(max_seconds=30)
    pieces = cut_recording(tmp_path / "talk.wav", cuts, name="", on_end=lambda *_: None, sounds=True)
    assert not any(piece.span[0] <= middles["hum"] < piece.span[1] for piece in pieces)
    assert all(one.end == other.start for one, other in pairwise(windows))


def test_without_speech_there_is_one_empty_window(speech, tmp_path):
    soundfile.write(tmp_path / "hum.wav", np.sin(np.arange(20 * 16_000)) * 0.1, 16_000)
    result = speech(tmp_path / "hum.wav")
    assert (result.caption, result.emotions, result.duration) == (NO_SPEECH, {}, 20)


def test_windows_that_are_kept_are_not_captioned_again(film, speech, monkeypatch, tmp_path):
    path, _ = film
    with suppress(KeyboardInterrupt), open_resume_file(tmp_path / "out", {}) as resume:
        (whole,) = caption_files(speech, [path], resume=resume)
        raise KeyboardInterrupt
    with_sound = [window for window in whole.windows if not window.silent]
    captioned, write = [], speech.backend.write
    monkeypatch.setattr(
        speech.backend, "write", lambda batch, asked: captioned.append(batch) or write(batch, asked)
    )
    with open_resume_file(tmp_path / "out", {}) as resume:
        assert len(resume.texts) == len(with_sound)
        for place in list(resume.texts)[-2:]:
            del resume.texts[place]
        assert list(caption_files(speech, [path], resume=resume)) == [whole]
    assert sum(len(batch.windows) for batch in captioned) == 2
