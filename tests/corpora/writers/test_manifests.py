"""LJSpeech as its loaders read it, and Lhotse's manifests as Lhotse opens them."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from budew.audio.samples import decode
from budew.corpora import Clip, read
from budew.corpora.writers import write
from budew.errors import CorpusError

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


def test_the_third_column_is_the_text_spelled_out_where_it_is_known(tmp_path, clips):
    known = replace(clips[0], metadata={"normalized_text": "five\tdollars"}, transcript="$5")
    write(tmp_path / "out", [known, replace(known, id="b", metadata={})], to="ljspeech")
    assert [row[1:] for row in load(tmp_path / "out")] == [["$5", "five dollars"], ["$5", "$5"]]


@pytest.mark.parametrize("text", [None, "", " \n", "|", "\x00\x1f"])
def test_a_clip_without_text_is_told(tmp_path, clips, text):
    errors: list[CorpusError] = []
    bad = replace(clips[1], transcript=text)
    assert write(tmp_path / "out", [bad, clips[0]], on_bad=errors.append, to="ljspeech") == 1
    assert [str(error).split(":")[1][:16] for error in errors] in ([" has no transcri"], [" has a transcrip"])


def test_audio_that_breaks_off_is_told_as_its_text_would_not_fit(tmp_path, clips, voice):
    whole = voice("long.flac", seconds=3).read_bytes()
    errors: list[CorpusError] = []
    cut = replace(clips[0], id="cut", audio=whole[: len(whole) // 2])
    assert write(tmp_path / "out", [cut, clips[0]], on_bad=errors.append, to="ljspeech") == 1
    assert "'cut'" in str(errors[0])
    assert [path.name for path in (tmp_path / "out" / "wavs").iterdir()] == ["anna%2F01.wav"]


def test_loud_sound_is_clipped_and_does_not_wrap_around(tmp_path, clips):
    square = np.where(np.arange(4_000) // 40 % 2, 0.999, -0.999).astype(np.float32)
    soundfile.write(tmp_path / "loud.wav", square, 16_000)
    write(tmp_path / "out", [replace(clips[0], audio=tmp_path / "loud.wav", format="wav")], to="ljspeech")
    written = soundfile.read(tmp_path / "out" / "wavs" / "anna%2F01.wav")[0]
    wanted = decode(tmp_path / "loud.wav", sampling_rate=22_050).samples
    assert np.abs(wanted).max() > 1.05
    assert np.abs(written - np.clip(wanted, -1, 1)).max() < 1 / 2**14


def cuts(folder):
    recordings = lhotse.load_manifest(folder / "recordings.jsonl.gz").with_path_prefix(folder)
    supervisions = lhotse.load_manifest(folder / "supervisions.jsonl.gz")
    return list(lhotse.CutSet.from_manifests(recordings=recordings, supervisions=supervisions))


def test_lhotse_opens_every_clip_with_its_samples_and_fields(tmp_path, clips):
    assert write(tmp_path / "out", clips, to="lhotse") == len(clips)
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
    assert first.gender == "female"
    assert first.custom["profile"] == clips[0].profile.to_dict()
    assert [caption["text"] for caption in first.custom["captions"]] == ["A woman, amused.", "Amused."]
    assert first.custom["license"] == "CC0-1.0"


@pytest.mark.parametrize("name", ["a.m4a", "a.webm"])
def test_what_libsndfile_cannot_open_becomes_flac(tmp_path, voice, name):
    path = voice(name, seconds=0.5, rate=48_000)
    write(tmp_path / "out", [Clip("a", path, path.suffix[1:])], to="lhotse")
    assert (tmp_path / "out" / "audio" / "a.flac").is_file()
    (cut,) = cuts(tmp_path / "out")
    assert np.abs(cut.load_audio()[0] - decode(path, sampling_rate=48_000).samples).max() < 1 / 2**14


def test_a_flac_of_unknown_length_has_its_true_one(tmp_path, voice):
    path = voice("a.flac", seconds=0.5)
    audio = bytearray(path.read_bytes())
    audio[21] &= 0xF0  # the 36 bits of STREAMINFO that count the samples
    audio[22:26] = bytes(4)
    path.write_bytes(audio)
    write(tmp_path / "out", [Clip("a", path, "flac")], to="lhotse")
    (cut,) = cuts(tmp_path / "out")
    assert cut.num_samples == 8_000 == cut.load_audio().shape[1]


def test_metadata_cannot_make_lhotse_run_a_command(tmp_path, clips):
    source = {"type": "command", "channels": [0], "source": "touch owned"}
    evil = {
        "id": "x",
        "sources": [source],
        "sampling_rate": 16_000,
        "num_samples": 1,
        "duration": 1.0,
        "width": 1,
    }
    write(tmp_path / "out", [replace(clips[0], metadata={"metadata": evil, **evil})], to="lhotse")
    (cut,) = cuts(tmp_path / "out")
    assert isinstance(cut.supervisions[0].custom["metadata"], str)


def test_audio_that_cannot_be_decoded_is_reported(tmp_path, clips):
    errors: list[CorpusError] = []
    noise = replace(clips[0], id="noise", audio=b"no audio at all")
    assert write(tmp_path / "out", [noise, clips[0]], on_bad=errors.append, to="lhotse") == 1
    assert "clip 'noise': this is not audio that can be decoded" in str(errors[0])


def test_clips_need_no_transcript(tmp_path, clips):
    write(tmp_path / "out", [replace(clips[0], transcript=None)], to="lhotse")
    assert cuts(tmp_path / "out")[0].supervisions[0].text is None
    assert soundfile.info(tmp_path / "out" / "audio" / "anna" / "01.flac").frames == 4_800


def test_the_packed_manifests_hold_no_time(tmp_path, clips):
    write(tmp_path / "out", clips, to="lhotse")
    for name in ("recordings", "supervisions"):
        header = (tmp_path / "out" / f"{name}.jsonl.gz").read_bytes()[:10]
        assert (header[3], header[4:8]) == (0, bytes(4))


LJSPEECH = {"LJ001-0001": ("It cost $5.", "It cost five dollars."), "LJ001-0002": ("Yes.", "Yes.")}


@pytest.mark.parametrize("name", ["", "metadata.csv"])
def test_ljspeech_comes_back_with_both_texts_and_its_names(tmp_path, voice, name):
    source = voice("source/wavs/LJ001-0001.wav", rate=22_050).parent.parent
    voice("source/wavs/LJ001-0002.wav", rate=22_050)
    lines = "".join(f"{id}|{raw}|{normalized}\n" for id, (raw, normalized) in LJSPEECH.items())
    (source / "metadata.csv").write_text(lines)
    clips = list(read(source / name))
    assert {clip.id: clip.transcript for clip in clips} == {id: said for id, (_, said) in LJSPEECH.items()}
    assert [clip.metadata.get("raw_text") for clip in clips] == ["It cost $5.", None]
    write(tmp_path / "out", clips, to="ljspeech")
    assert (tmp_path / "out" / "metadata.csv").read_text() == lines
    again = list(read(tmp_path / "out" / name))
    assert [(clip.id, clip.transcript, clip.metadata) for clip in again] == [
        (clip.id, clip.transcript, clip.metadata) for clip in clips
    ]
