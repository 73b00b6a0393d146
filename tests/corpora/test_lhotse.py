"""Manifests that Lhotse wrote read as clips, whole recordings and parts of them."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from budew.audio.samples import decode
from budew.corpora import Clip, read
from budew.corpora.manifests import named_audio
from budew.errors import CorpusError
from budew.profile import VoiceProfile

lhotse = pytest.importorskip("lhotse")


def check(clips: list[Clip]) -> None:
    first, second, third = clips
    assert [clip.transcript for clip in clips] == ["Hello.", "Oh no.", "Yes."]
    assert [clip.speaker for clip in clips] == ["anna", "ben", None]
    assert first.language == "en"
    assert dict(first.profile.traits) == {"gender": "female"}
    assert dict(second.profile.emotions) == {"Sadness": 0.75}
    assert [clip.duration for clip in clips] == [0.5, 1.0, 0.5]
    ramp = np.linspace(-0.5, 0.5, 32_000)
    assert np.abs(samples(first) - ramp[4_000:12_000]).max() < 1e-4
    assert np.abs(samples(second) + ramp[16_000:]).max() < 1e-4
    assert len(samples(third)) == 8_000
    assert isinstance(third.audio, Path)


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
@pytest.mark.parametrize("name", ["", "my_supervisions_dev", "my_recordings_dev"])
def test_supervisions_read_with_their_recordings(corpus, suffix, name):
    recordings, supervisions, folder = corpus
    recordings.to_file(folder / f"my_recordings_dev.{suffix}")
    supervisions.to_file(folder / f"my_supervisions_dev.{suffix}")
    clips = list(read(folder / f"{name}.{suffix}" if name else folder))
    check(clips)
    assert [clip.id for clip in clips] == ["t-1", "t-2", "s"]


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
def test_cuts_read(corpus, suffix):
    recordings, supervisions, folder = corpus
    cuts = lhotse.CutSet.from_manifests(recordings=recordings, supervisions=supervisions)
    cuts.trim_to_supervisions(keep_overlapping=False).to_file(folder / f"cuts.{suffix}")
    check(list(read(folder / f"cuts.{suffix}")))
    assert set(named_audio(folder / f"cuts.{suffix}")) == {folder / "talk.wav", folder / "short.flac"}


RECORDING = {
    "id": "a",
    "sources": [{"type": "file", "channels": [0], "source": "short.flac"}],
    "sampling_rate": 16_000,
    "num_samples": 8_000,
    "duration": 0.5,
}
SUPERVISION = {"id": "x", "recording_id": "a", "start": 0.0, "duration": 0.5, "channel": 0}


@pytest.mark.parametrize(
    ("recording", "supervision"),
    [
        ({"sources": [{"type": "command", "channels": [0], "source": "touch owned"}]}, {}),
        ({"sources": [{"type": "url", "channels": [0], "source": "https://x.example/a.wav"}]}, {}),
        ({"sources": [{"type": "file", "channels": [0], "source": "../secret.wav"}]}, {}),
        ({"sources": [{"type": "file", "channels": [0], "source": "/etc/passwd"}]}, {}),
        ({"sources": []}, {}),
        ({"sources": None}, {}),
        ({"sampling_rate": "fast"}, {}),
        ({"sampling_rate": 0}, {}),
        ({}, {"recording_id": "b"}),
        ({}, {"start": 5.0}),
        ({}, {"start": -1.0}),
        ({}, {"duration": None}),
        ({}, {"custom": 3}),
        ({}, {"channel": "left"}),
        ({}, {"text": 3}),
    ],
)
def test_a_broken_line_costs_itself_only(corpus, recording, supervision):
    folder = corpus[2]
    rows = [{**RECORDING, **recording}, {**RECORDING, "id": "good"}]
    (folder / "recordings.jsonl").write_text("\n".join(map(json.dumps, rows)))
    rows = [{**SUPERVISION, **supervision}, {**SUPERVISION, "id": "good", "recording_id": "good"}]
    (folder / "supervisions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    errors: list[CorpusError] = []
    clips = list(read(folder / "supervisions.jsonl", on_bad=errors.append))
    assert [clip.id for clip in clips] == ["good"]
    assert len(errors) == 1
    assert "line 1" in str(errors[0])
    assert not Path("owned").exists()


def test_a_profile_replaces_the_gender_but_no_other_field(corpus):
    (corpus[2] / "recordings.jsonl").write_text(json.dumps(RECORDING))
    custom = {"profile": {"emotions": {"Anger": 0.5}}}
    row = {**SUPERVISION, "gender": "F", "speaker": "anna", "language": "German", "custom": custom}
    (corpus[2] / "supervisions.jsonl").write_text(json.dumps(row))
    (clip,) = read(corpus[2] / "supervisions.jsonl")
    assert (clip.speaker, clip.language, clip.profile) == ("anna", "de", VoiceProfile({"Anger": 0.5}))


@pytest.fixture
def corpus(tmp_path: Path):
    """Write `talk.wav` (stereo, a ramp up and one down) and `short.flac`, with supervisions by Lhotse."""
    ramp = np.linspace(-0.5, 0.5, 32_000, dtype=np.float32)
    soundfile.write(tmp_path / "talk.wav", np.stack([ramp, -ramp], axis=1), 16_000)
    soundfile.write(tmp_path / "short.flac", ramp[:8_000], 16_000)
    recordings = [lhotse.Recording.from_file(tmp_path / name) for name in ("talk.wav", "short.flac")]
    anna = {"text": "Hello.", "language": "English", "speaker": "anna", "gender": "F"}
    ben = {"text": "Oh no.", "speaker": "ben", "custom": {"emotion": "very sad"}}
    supervisions = [
        lhotse.SupervisionSegment("t-1", "talk", 0.25, 0.5, channel=0, **anna),
        lhotse.SupervisionSegment("t-2", "talk", 1.0, 1.0, channel=1, **ben),
        lhotse.SupervisionSegment("s", "short", 0.0, 0.5, text="Yes."),
    ]
    sets = lhotse.RecordingSet.from_recordings(recordings), lhotse.SupervisionSet.from_segments(supervisions)
    return *sets, tmp_path


def samples(clip: Clip) -> np.ndarray:
    return decode(clip.audio).samples


def test_whole_recordings_have_all_texts_in_order_or_none(corpus):
    recordings, supervisions, folder = corpus
    recordings.to_file(folder / "recordings.jsonl.gz")
    clips = list(read(folder / "recordings.jsonl.gz"))
    assert [(clip.id, clip.transcript, clip.profile) for clip in clips] == [
        ("talk", None, None),
        ("short", None, None),
    ]
    cuts = lhotse.CutSet.from_manifests(recordings=recordings, supervisions=supervisions)
    cuts.to_file(folder / "cuts.jsonl.gz")
    clips += read(folder)
    assert [clip.transcript for clip in clips[2:]] == ["Hello. Oh no.", "Yes."]
    assert clips[2].speaker is None
    assert [clip.audio for clip in clips] == [folder / "talk.wav", folder / "short.flac"] * 2


def test_a_part_of_what_only_ffmpeg_opens_is_cut_out(corpus, voice):
    folder = corpus[2]
    voice("a.m4a", seconds=1.0)
    source = [{"type": "file", "channels": [0], "source": "a.m4a"}]
    part = {"id": "x", "start": 0.25, "duration": 0.5, "channel": 0, "supervisions": []}
    row = {**part, "recording": {**RECORDING, "sources": source, "duration": 1.0}}
    (folder / "cuts.jsonl").write_text(json.dumps(row))
    (clip,) = read(folder / "cuts.jsonl")
    assert clip.format == "flac"
    assert soundfile.info(io.BytesIO(clip.audio)).frames == 8_000
