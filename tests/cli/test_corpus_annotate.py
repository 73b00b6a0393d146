"""Measurement, thresholds, heads and labels on the command line, as jobs of the runner."""

import json

import numpy as np
import pytest

from budew.annotation.head_annotator import AnnotateByHeads
from budew.corpora import Caption, Clip, read, write_shard
from budew.profile import VoiceProfile
from tests.annotation.sounds import clip_of


@pytest.fixture
def measured(tmp_path):
    rates = np.random.default_rng(1).normal(4, 1, 30)
    clips = [
        Clip(str(number), b"x", "mp3", metadata={"measured": {"nuclei_rate": float(rate)}})
        for number, rate in enumerate(rates)
    ]
    write_shard(tmp_path / "measured.tar", clips)
    return tmp_path / "measured.tar"


def test_thresholds_across_languages_are_computed_from_all_clips(budew, tmp_path):
    clips = [
        Clip(f"{number}", b"x", "mp3", language=("de", "en")[number % 2], metadata={"measured": values})
        for number in range(60)
        for values in [{"syllable_rate": 3 + number / 60 + number % 2, "pitch_median": 100.0 + number}]
    ]
    write_shard(tmp_path / "measured.tar", clips)
    found = {}
    for option in ("--by-language", "--across-languages", "--across-genders"):
        arguments = ("corpus", "thresholds", tmp_path / "measured.tar", "--json", tmp_path / "b.json", option)
        assert budew(*arguments).status == 0
        found[option] = json.loads((tmp_path / "b.json").read_text())["thresholds"]
    assert set(found["--by-language"]["syllable_rate"]) == {"", "de", "en"}
    assert found["--across-languages"]["syllable_rate"] == {"": found["--by-language"]["syllable_rate"][""]}
    assert set(found["--across-genders"]["syllable_rate"]) == {"", "de", "en"}


def test_bad_items_are_reported_and_the_rest_counted(budew, measured, tmp_path):
    measured.write_bytes(measured.read_bytes()[:-12_000])
    outcome = budew("corpus", "thresholds", measured, "--json", tmp_path / "thresholds.json")
    assert outcome.status == 1
    assert "truncated" in outcome.err
    assert (tmp_path / "thresholds.json").exists()


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


def test_measured_traits_are_annotated_and_rendered(budew, tmp_path):
    rng = np.random.default_rng(1)
    for number in range(24):
        clip = Clip(f"c{number:02}", voice_of(rng.uniform(0.1, 0.3), seed=number), "wav")
        write_shard(tmp_path / f"in/{number}.tar", [clip])
    measured, annotated, captioned = (tmp_path / name for name in ("measured", "annotated", "captioned"))
    assert budew("corpus", "measure", tmp_path / "in", measured, "--workers", "0").status == 0
    assert budew("corpus", "thresholds", measured, "--json", tmp_path / "thresholds.json").status == 0
    options = ("--thresholds", tmp_path / "thresholds.json", "--workers", "0")
    outcome = budew("corpus", "annotate", "measures", measured, annotated, *options)
    assert outcome.status == 0, outcome.err
    pitches = [clip.profile.traits["High-Pitched_vs._Low-Pitched"] for clip in read(annotated)]
    assert [sum(pitch < 2 for pitch in pitches), sum(pitch > 2 for pitch in pitches)] == [8, 8]
    assert budew("corpus", "render", annotated, captioned, "--workers", "0").status == 0
    said = " ".join(caption.text for clip in read(captioned) for caption in clip.captions)
    assert "high-pitched" in said
    assert "low-pitched" in said


def test_captions_become_profiles(budew, tmp_path):
    write_shard(tmp_path / "a.tar", [Clip("a", b"x", "mp3", captions=(Caption("A strongly sad woman."),))])
    outcome = budew("corpus", "annotate", "labels", tmp_path / "a.tar", tmp_path / "out", "--workers", "0")
    assert outcome.status == 0, outcome.err
    (clip,) = read(tmp_path / "out")
    assert clip.profile == VoiceProfile({"Sadness": 0.75}, (), {"gender": "female"})
