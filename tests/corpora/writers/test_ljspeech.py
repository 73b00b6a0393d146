"""LJSpeech's layout as its loaders read it: three fields a line, 16-bit wav files of one rate."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from budew.audio.samples import decode
from budew.corpora.writers import write_ljspeech
from budew.errors import CorpusError


def load(folder: Path) -> list[list[str]]:
    """As torchaudio and the data set's own script do."""
    with (folder / "metadata.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE))


def test_loaders_find_the_texts_and_the_sound(tmp_path, clips):
    assert write_ljspeech(tmp_path / "out", clips[:3], sampling_rate=24_000) == 3
    rows = load(tmp_path / "out")
    assert rows == [line.split("|") for line in (tmp_path / "out" / "metadata.csv").read_text().splitlines()]
    assert [row[1] for row in rows] == ["Grüße, Anna!", '"Two pipes", and a line break', "Yes"]
    for (name, _, _), clip in zip(rows, clips, strict=False):
        path = tmp_path / "out" / "wavs" / f"{name}.wav"
        about = soundfile.info(path)
        assert (about.samplerate, about.channels, about.subtype) == (24_000, 1, "PCM_16")
        samples = soundfile.read(path, dtype="float32")[0]
        assert np.abs(samples - decode(clip.audio, sampling_rate=24_000).samples).max() < 1 / 2**14


def test_the_third_column_is_the_text_spelled_out_where_it_is_known(tmp_path, clips):
    known = replace(clips[0], metadata={"normalized_text": "five\tdollars"}, transcript="$5")
    write_ljspeech(tmp_path / "out", [known, replace(known, id="b", metadata={})])
    assert [row[1:] for row in load(tmp_path / "out")] == [["$5", "five dollars"], ["$5", "$5"]]


@pytest.mark.parametrize("text", [None, "", " \n", "|", "\x00\x1f"])
def test_a_clip_without_text_is_told(tmp_path, clips, text):
    errors: list[CorpusError] = []
    bad = replace(clips[1], transcript=text)
    assert write_ljspeech(tmp_path / "out", [bad, clips[0]], on_bad=errors.append) == 1
    assert [str(error).split(":")[1][:16] for error in errors] in ([" has no transcri"], [" has a transcrip"])


def test_audio_that_breaks_off_is_told_as_its_text_would_not_fit(tmp_path, clips, voice):
    whole = voice("long.flac", seconds=3).read_bytes()
    errors: list[CorpusError] = []
    cut = replace(clips[0], id="cut", audio=whole[: len(whole) // 2])
    assert write_ljspeech(tmp_path / "out", [cut, clips[0]], on_bad=errors.append) == 1
    assert "'cut'" in str(errors[0])
    assert [path.name for path in (tmp_path / "out" / "wavs").iterdir()] == ["anna%2F01.wav"]


def test_loud_sound_is_clipped_and_does_not_wrap_around(tmp_path, clips):
    square = np.where(np.arange(4_000) // 40 % 2, 0.999, -0.999).astype(np.float32)
    soundfile.write(tmp_path / "loud.wav", square, 16_000)
    write_ljspeech(tmp_path / "out", [replace(clips[0], audio=tmp_path / "loud.wav", format="wav")])
    written = soundfile.read(tmp_path / "out" / "wavs" / "anna%2F01.wav")[0]
    wanted = decode(tmp_path / "loud.wav", sampling_rate=22_050).samples
    assert np.abs(wanted).max() > 1.05
    assert np.abs(written - np.clip(wanted, -1, 1)).max() < 1 / 2**14
