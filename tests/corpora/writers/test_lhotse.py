"""Lhotse itself opens the manifests and loads all samples."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from budew.audio.samples import decode
from budew.corpora import Clip
from budew.corpora.writers import write_lhotse
from budew.errors import CorpusError

lhotse = pytest.importorskip("lhotse")


def cuts(folder):
    recordings = lhotse.load_manifest(folder / "recordings.jsonl.gz").with_path_prefix(folder)
    supervisions = lhotse.load_manifest(folder / "supervisions.jsonl.gz")
    return list(lhotse.CutSet.from_manifests(recordings=recordings, supervisions=supervisions))


def test_lhotse_opens_every_clip_with_its_samples_and_fields(tmp_path, clips):
    assert write_lhotse(tmp_path / "out", clips) == len(clips)
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
    write_lhotse(tmp_path / "out", [Clip("a", path, path.suffix[1:])])
    assert (tmp_path / "out" / "audio" / "a.flac").is_file()
    (cut,) = cuts(tmp_path / "out")
    assert np.abs(cut.load_audio()[0] - decode(path, sampling_rate=48_000).samples).max() < 1 / 2**14


def test_a_flac_of_unknown_length_has_its_true_one(tmp_path, voice):
    path = voice("a.flac", seconds=0.5)
    audio = bytearray(path.read_bytes())
    audio[21] &= 0xF0  # the 36 bits of STREAMINFO that count the samples
    audio[22:26] = bytes(4)
    path.write_bytes(audio)
    write_lhotse(tmp_path / "out", [Clip("a", path, "flac")])
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
    write_lhotse(tmp_path / "out", [replace(clips[0], metadata={"metadata": evil, **evil})])
    (cut,) = cuts(tmp_path / "out")
    assert isinstance(cut.supervisions[0].custom["metadata"], str)


def test_audio_that_cannot_be_decoded_is_told(tmp_path, clips):
    errors: list[CorpusError] = []
    noise = replace(clips[0], id="noise", audio=b"no audio at all")
    assert write_lhotse(tmp_path / "out", [noise, clips[0]], on_bad=errors.append) == 1
    assert "clip 'noise': this is not audio that can be decoded" in str(errors[0])


def test_clips_need_no_transcript(tmp_path, clips):
    write_lhotse(tmp_path / "out", [replace(clips[0], transcript=None)])
    assert cuts(tmp_path / "out")[0].supervisions[0].text is None
    assert soundfile.info(tmp_path / "out" / "audio" / "anna" / "01.flac").frames == 4_800


def test_the_packed_manifests_hold_no_time(tmp_path, clips):
    write_lhotse(tmp_path / "out", clips)
    for name in ("recordings", "supervisions"):
        header = (tmp_path / "out" / f"{name}.jsonl.gz").read_bytes()[:10]
        assert (header[3], header[4:8]) == (0, bytes(4))
