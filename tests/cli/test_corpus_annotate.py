"""Measurement, heads and labels on the command line, as jobs of the runner."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from budew.annotation.head_annotator import AnnotateByHeads
from budew.corpora import Caption, Clip, read, write_shard
from budew.profile import VoiceProfile
from tests.annotation.sounds import clip_of


def voice_of(level: float, *, seed: int) -> bytes:
    rng, time = np.random.default_rng(seed), np.arange(16_000) / 16_000
    sound = level * np.sin(2 * np.pi * rng.uniform(100, 250) * time) * np.sin(2 * np.pi * 3 * time)
    return clip_of(sound + rng.normal(0, 0.004, len(time))).audio


@pytest.fixture
def loud_and_quiet(tmp_path):
    """Forty speakers, half of them loud and angry."""
    clips = [
        Clip(
            f"c{number:02}",
            voice_of(0.4 if number % 2 else 0.02, seed=number),
            "wav",
            speaker=f"s{number}",
            profile=VoiceProfile({"Anger": 0.9 if number % 2 else 0.0}),
        )
        for number in range(60)
    ]
    write_shard(tmp_path / "train.tar", clips)
    return tmp_path / "train.tar"


def test_heads_are_trained_and_annotate_as_those_of_the_library(
    budew, loud_and_quiet, whisper_folder, tmp_path
):
    heads = tmp_path / "heads"
    outcome = budew("train-heads", loud_and_quiet, heads, "--encoder", whisper_folder)
    assert outcome.status == 0, outcome.err
    assert "Anger" in outcome.out
    assert "heads: 1, clips: 60, too rare: 54" in outcome.out
    assert "and 49 more (see heads.json). One needs 20 clips with it for training and 5 of" in outcome.out
    assert (heads / "model_Anger_best.pth").is_file()
    assert json.loads((heads / "heads.json").read_text())["encoder"] == str(whisper_folder)
    again = budew("train-heads", loud_and_quiet, heads, "--encoder", whisper_folder)
    assert again.status == 1
    assert "exists already" in again.err
    out = tmp_path / "out"
    outcome = budew("corpus", "annotate", "heads", loud_and_quiet, out, "--heads", heads, "--device", "cpu")
    assert outcome.status == 0, outcome.err
    made = list(read(out))
    assert made == list(AnnotateByHeads(heads, device="cpu").run(read(loud_and_quiet), print))
    angry = [clip.metadata["heads"]["Anger"] for clip in made]
    assert min(angry[1::2]) > max(angry[::2])
    missing = budew("corpus", "annotate", "heads", loud_and_quiet, tmp_path / "b", "--heads", tmp_path / "no")
    assert missing.status == 1
    assert "no such folder: download the heads" in missing.err


def test_heads_are_trained_in_two_stages_on_corpora_with_weights(
    budew, loud_and_quiet, whisper_folder, tmp_path
):
    outcome = budew(
        *("train-heads", loud_and_quiet, tmp_path / "heads", "--encoder", whisper_folder),
        *("--expert", f"{loud_and_quiet}=2.5", "--expert", loud_and_quiet.parent),
    )
    assert outcome.status == 0, outcome.err
    assert "on weak labels" in outcome.out
    assert "on expert labels" in outcome.out
    assert "heads: 1, clips: 180, too rare: 54" in outcome.out
    stages = json.loads((tmp_path / "heads/heads.json").read_text())["stages"]
    weights = {str(loud_and_quiet): 2.5, str(loud_and_quiet.parent): 1.0}
    assert (stages["weak"]["corpora"], stages["expert"]["corpora"]) == ({str(loud_and_quiet): 1.0}, weights)


def test_a_corpus_is_measured_selected_rendered_and_exported(budew, tmp_path):
    rng = np.random.default_rng(1)
    for number in range(24):
        audio = voice_of(rng.uniform(0.1, 0.3), seed=number)
        clip = Clip(f"c{number:02}", audio, "wav", transcript="ba" if number else None)
        write_shard(tmp_path / f"in/{number}.tar", [clip])
    write_shard(tmp_path / "in/silent.tar", [clip_of(np.zeros(16_000, np.float32), "silent")])
    measured, chosen, captioned = (tmp_path / name for name in ("measured", "chosen", "captioned"))
    outcome = budew("corpus", "measure", tmp_path / "in", measured, "--workers", "0")
    assert outcome.status == 0, outcome.err
    pitches = [clip.profile.traits["High-Pitched_vs._Low-Pitched"] for clip in read(measured) if clip.profile]
    assert [sum(pitch < 2 for pitch in pitches), sum(pitch > 2 for pitch in pitches)] == [8, 8]
    # The same command has nothing to do; another corpus can have the same bins, and another file other ones.
    assert "0 done now" in budew("corpus", "measure", tmp_path / "in", measured, "--workers", "0").out
    again = ("corpus", "measure", tmp_path / "in/3.tar", tmp_path / "again", "--workers", "0")
    assert budew(*again, "--bins", measured / "bins.json").status == 0
    (one,) = read(tmp_path / "again")
    assert one.profile == next(clip.profile for clip in read(measured) if clip.id == "c03")
    (tmp_path / "wrong.json").write_text("{}")
    assert budew(*again, "--bins", tmp_path / "wrong.json").status == 1
    where = ("--where", "utterance_pitch_mean > 150 and speaking_rate > 0", "--workers", "0")
    outcome = budew("corpus", "select", measured, chosen, *where)
    assert outcome.status == 0, outcome.err
    clips = list(read(chosen))
    assert all(clip.metadata["utterance_pitch_mean"] > 150 for clip in clips)
    assert 5 < len(clips) < 20
    outcome = budew("corpus", "select", measured, tmp_path / "none", "--where", "snrr > 150")
    assert outcome.status == 1
    assert "perhaps 'snr'" in outcome.err
    assert "utterance_pitch_mean" in outcome.err
    assert budew("corpus", "render", chosen, captioned, "--workers", "0", "--per-clip", "3").status == 0
    said = " ".join(caption.text for clip in read(captioned) for caption in clip.captions)
    assert "high-pitched" in said
    outcome = budew("corpus", "export", captioned, tmp_path / "parler", "--to", "parler")
    assert outcome.status == 0, outcome.err
    rows = pq.read_table(tmp_path / "parler/data").to_pylist()
    assert all(row["utterance_pitch_mean"] > 150 and row["snr"] and row["loudness"] < 0 for row in rows)
    assert {row["speaking_rate"] for row in rows} <= {
        "moderate speed",
        "quite fast",
        "quite slowly",
        "very fast",
    }


def test_captions_become_profiles(budew, tmp_path):
    write_shard(tmp_path / "a.tar", [Clip("a", b"x", "mp3", captions=(Caption("A strongly sad woman."),))])
    outcome = budew("corpus", "annotate", "labels", tmp_path / "a.tar", tmp_path / "out", "--workers", "0")
    assert outcome.status == 0, outcome.err
    (clip,) = read(tmp_path / "out")
    assert clip.profile == VoiceProfile({"Sadness": 0.75}, (), {"gender": "female"})
