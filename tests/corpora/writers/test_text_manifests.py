"""LJSpeech as its loaders read it, and Lhotse's manifests as Lhotse opens them."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from budew.audio.samples import decode
from budew.corpora import Clip, read
from budew.errors import CorpusError
from tests.corpora.conftest import write

lhotse = pytest.importorskip("lhotse")


def load(folder: Path) -> list[list[str]]:
    """As torchaudio and the data set's own script do."""
    with (folder / "metadata.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE))


def test_loaders_find_the_texts_and_the_sound(tmp_path, clips):
    assert write(tmp_path / "out", clips[:3], sampling_rate=24_000, to="ljspeech") == 3
    rows = load(tmp_path / "out")
    assert rows == [line.split("|") for line in (tmp_path / "out" / "metadata.csv").read_text().splitlines()]
    assert [row[1] for row in rows] == ["Grüße, Anna!", '"Two pipes", and a line break', "Yes"]
    for (name, _, _), clip in zip(rows, clips, strict=False):
        path = tmp_path / "out" / "wavs" / f"{name}.wav"
        about = soundfile.info(path)
        assert (about.samplerate, about.channels, about.subtype) == (24_000, 1, "PCM_16")
        samples = soundfile.read(path, dtype="float32")[0]
        assert np.abs(samples - decode(clip.audio, sampling_rate=24_000).samples).max() < 1 / 2**14


def cuts(folder):
    recordings = lhotse.load_manifest(folder / "recordings.jsonl.gz").with_path_prefix(folder)
    supervisions = lhotse.load_manifest(folder / "supervisions.jsonl.gz")
    return list(lhotse.CutSet.from_manifests(recordings=recordings, supervisions=supervisions))


def test_clips_without_words_or_with_truncated_audio_are_reported_by_ljspeech(tmp_path, clips, voice):
    whole = voice("long.flac", seconds=3).read_bytes()
    bad = [replace(clips[1], id=f"{n}!", transcript=text) for n, text in enumerate((None, "", " \n|\x1f"))]
    bad.append(replace(clips[0], id="cut!", audio=whole[: len(whole) // 2]))  # its text would not fit
    errors: list[CorpusError] = []
    assert write(tmp_path / "out", [*bad, clips[0]], on_bad=errors.append, to="ljspeech") == 1
    assert [str(error).split("'")[1] for error in errors] == [clip.id for clip in bad]
    assert [path.name for path in (tmp_path / "out" / "wavs").iterdir()] == ["anna%2F01.wav"]


def test_lhotse_opens_every_clip_with_its_samples_and_fields(tmp_path, clips):
    errors: list[CorpusError] = []
    noise = replace(clips[0], id="noise", audio=b"no audio at all")
    assert write(tmp_path / "out", [noise, *clips], on_bad=errors.append, to="lhotse") == len(clips)
    assert ["clip 'noise': " in str(error) for error in errors] == [True]
    found = cuts(tmp_path / "out")
    assert [cut.recording.id for cut in found] == [clip.id for clip in clips]
    for cut, clip in zip(found, clips, strict=True):
        (said,) = cut.supervisions
        assert (said.text, said.language, said.speaker) == (clip.transcript, clip.language, clip.speaker)
        samples = cut.load_audio()
        assert samples.shape == (cut.num_channels, cut.num_samples)
        lost = abs(samples.shape[1] - len(decode(clip.audio, sampling_rate=cut.sampling_rate).samples))
        assert lost <= 2_400  # what decoders of mp3 and opus add at the ends
        lhotse.validate(cut)
    assert (found[3].num_channels, found[3].supervisions[0].channel) == (2, [0, 1])
    first = found[0].supervisions[0]
    assert (first.gender, first.custom["license"]) == ("female", "CC0-1.0")
    assert first.custom["profile"] == clips[0].profile.to_dict()
    assert [caption["text"] for caption in first.custom["captions"]] == ["A woman, amused.", "Amused."]
    for name in ("recordings", "supervisions"):  # nothing in the packed files depends on the time
        header = (tmp_path / "out" / f"{name}.jsonl.gz").read_bytes()[:10]
        assert (header[3], header[4:8]) == (0, bytes(4))


def test_audio_that_libsndfile_cannot_open_or_measure_becomes_flac(tmp_path, voice):
    paths = [voice(name, seconds=0.5, rate=48_000) for name in ("a.m4a", "b.webm", "c.flac")]
    piped = bytearray(paths[2].read_bytes())
    piped[21] &= 0xF0  # the 36 bits of STREAMINFO that count the samples
    piped[22:26] = bytes(4)
    paths[2].write_bytes(piped)
    write(tmp_path / "out", [Clip(path.stem, path, path.suffix[1:]) for path in paths], to="lhotse")
    for path, cut in zip(paths, cuts(tmp_path / "out"), strict=True):
        assert (tmp_path / "out" / "audio" / f"{path.stem}.flac").is_file()
        samples = cut.load_audio()[0]
        assert len(samples) == cut.num_samples
        assert np.abs(samples - decode(path, sampling_rate=48_000).samples).max() < 1 / 2**14


def test_metadata_cannot_make_lhotse_run_a_command(tmp_path, clips):
    source = {"type": "command", "channels": [0], "source": "touch owned"}
    numbers = {"sampling_rate": 16_000, "num_samples": 1, "duration": 1.0, "width": 1}
    evil = {"id": "x", "sources": [source], **numbers}
    write(tmp_path / "out", [replace(clips[0], metadata={"metadata": evil, **evil})], to="lhotse")
    (cut,) = cuts(tmp_path / "out")
    assert isinstance(cut.supervisions[0].custom["metadata"], str)


@pytest.mark.parametrize("name", ["", "metadata.csv"])
def test_ljspeech_comes_back_with_both_texts_and_its_names(tmp_path, voice, name):
    for number in "12":
        voice(f"source/wavs/LJ001-000{number}.wav", rate=22_050)
    lines = "LJ001-0001|Well, it, now, cost $5.|Well, it, now, cost five dollars.\nLJ001-0002|Yes.|Yes.\n"
    (tmp_path / "source" / "metadata.csv").write_text(lines)
    write(tmp_path / "out", read(tmp_path / "source" / name), to="ljspeech")
    assert (tmp_path / "out" / "metadata.csv").read_text() == lines
    for folder in ("source", "out"):
        assert [(clip.id, clip.transcript, clip.metadata) for clip in read(tmp_path / folder / name)] == [
            ("LJ001-0001", "Well, it, now, cost five dollars.", {"raw_text": "Well, it, now, cost $5."}),
            ("LJ001-0002", "Yes.", {}),
        ]
