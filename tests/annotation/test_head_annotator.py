"""Annotation by heads: the published computation on every window, whatever else is in the batch."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

from budew.annotation.head_annotator import FAINTEST, AnnotateByHeads, with_scores
from budew.audio.samples import decode
from budew.corpora import Clip
from budew.errors import InputError, JobError
from budew.heads.head_files import CALIBRATION, NOTES
from budew.heads.presence import PresenceCurves
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, EMOTIONS
from tests.heads.conftest import published, save_published

from .sounds import clip_of, vowel

POSITIONS, WIDTH = 50, 32  # of the tiny checkpoint, whose window is 2 s
HEADS = {
    "Awe": ("model_Awe_best.pth", POSITIONS * WIDTH),
    "Hope/Optimism": ("model_Hope_Enthusiasm_Optimism_best.pth", POSITIONS * WIDTH),
    "Arousal": ("model_Arousal_best.pth", 4 * WIDTH),
    "score_speech_quality": ("model_score_speech_quality_best.pth", 4 * WIDTH),
}


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heads")
    for number, (file, inputs) in enumerate(HEADS.values()):
        save_published(published(inputs, seed=number), folder / file, compiled=number % 2 == 1)
    return folder


@pytest.fixture
def job(heads: Path, whisper_folder: Path) -> AnnotateByHeads:
    return AnnotateByHeads(heads, encoder=str(whisper_folder), device="cpu")


def clips() -> list[Clip]:
    """Six clips of different voices and lengths; the last takes three windows."""
    sounds = [vowel(0.4 + 0.3 * number, pitch=100 + 30 * number) for number in range(5)]
    return [clip_of(sound, f"clip-{number}") for number, sound in enumerate([*sounds, vowel(5.2, pitch=180)])]


def published_scores(folder: Path, whisper: Path, samples: np.ndarray) -> dict[str, float]:
    """What the published code gives for one window."""
    model = WhisperForConditionalGeneration.from_pretrained(whisper).eval()
    extractor = WhisperFeatureExtractor.from_pretrained(whisper)
    features = extractor(samples, sampling_rate=16_000, return_tensors="pt").input_features
    found = {}
    with torch.inference_mode():
        states = model.get_encoder()(features).last_hidden_state
        pooled = torch.cat([states.mean(1), states.min(1).values, states.max(1).values, states.std(1)], dim=1)
        for number, (name, (_, inputs)) in enumerate(HEADS.items()):
            taken = states if inputs == POSITIONS * WIDTH else pooled
            found[name] = published(inputs, seed=number)(taken).item()
    return found


def test_scores_are_those_of_the_published_code(job, heads, whisper_folder, run_on):
    (made,) = run_on(job, clips()[2])
    wanted = published_scores(heads, whisper_folder, decode(clips()[2].audio).samples)
    assert made.metadata["heads"] == pytest.approx(wanted, abs=2e-4)


def test_a_long_clip_gets_the_mean_over_its_windows_by_their_seconds(job, heads, whisper_folder, run_on):
    long = clips()[5]
    samples = decode(long.audio).samples
    rows = [
        published_scores(heads, whisper_folder, samples[start : start + 32_000])
        for start in (0, 32_000, 64_000)
    ]
    wanted = {name: np.average([row[name] for row in rows], weights=[2, 2, 1.2]) for name in HEADS}
    (made,) = run_on(job, long)
    assert made.metadata["heads"] == pytest.approx(wanted, abs=2e-4)


def test_scores_do_not_depend_on_the_batch(job, heads, whisper_folder, run_on):
    together = run_on(job, *clips())
    assert [clip.id for clip in together] == [clip.id for clip in clips()]
    for size in (1, 3):
        other = AnnotateByHeads(heads, encoder=str(whisper_folder), device="cpu", batch_size=size)
        for clip, same in zip(together, run_on(other, *clips()), strict=True):
            assert clip.metadata["heads"] == pytest.approx(same.metadata["heads"], abs=1e-3)
    assert run_on(job, *clips()) == together


@pytest.mark.filterwarnings("ignore::budew.errors.BudewWarning")
def test_a_clip_that_cannot_be_decoded_fails_alone(job, run_on, failures):
    good = clips()
    broken = Clip("broken", b"no audio", "mp3")
    cut = Clip("cut", good[0].audio[:60], "wav")
    made = run_on(job, good[0], broken, good[5], cut, good[1])
    assert [clip.id for clip in made] == ["clip-0", "clip-5", "clip-1"]
    assert set(failures) == {"broken", "cut"}
    assert all(id in str(error) for id, error in failures.items())


def test_the_note_names_heads_and_encoder_and_not_the_batch(job, heads, whisper_folder, tmp_path, run_on):
    profile = VoiceProfile({"Anger": 0.5}, ["Chuckle"], {"accent": "Welsh"})
    (made,) = run_on(job, clip_of(vowel(1), "a", profile=profile, metadata={"take": 3}))
    note = made.metadata["annotated_by"]
    assert (made.metadata["take"], made.profile.bursts) == (3, ("Chuckle",))
    assert run_on(job, made) == [made]
    assert json.loads(json.dumps(note)) == note == dataclasses.replace(job, batch_size=3).settings()
    save_published(published(128, seed=9), tmp_path / "model_Awe_best.pth")
    for change in ({"heads": tmp_path}, {"encoder": "owner/other"}):
        assert dataclasses.replace(job, **change).settings() != note


def profile_of(scores, before=None) -> VoiceProfile:
    made = with_scores(Clip("a", b"", "wav", profile=before), scores, {"by": "heads"})
    assert made.metadata["heads"] == scores
    return made.profile


@given(
    st.dictionaries(st.sampled_from(EMOTIONS), st.floats(FAINTEST, 4), max_size=6),
    st.dictionaries(st.sampled_from(sorted(set(ATTRIBUTES) - {"Gender"})), st.floats(0, 1), max_size=4),
)
def test_scores_become_the_intensities_that_they_stand_for(emotions, shares):
    scales = {name: ATTRIBUTES[name].scale for name in shares}
    numbers = {name: scale.low + shares[name] * (scale.high - scale.low) for name, scale in scales.items()}
    profile = profile_of(emotions | numbers)
    assert profile.emotions == pytest.approx({name: s / 4 for name, s in emotions.items()}, abs=1e-4)
    assert profile.traits == pytest.approx(numbers, abs=1e-4)


@pytest.mark.parametrize(
    ("before", "scores", "after"),
    [
        (
            None,
            {"Awe": 4.7, "Valence": -3.7, "quality": 9.0},
            VoiceProfile({"Awe": 1}, (), {"Valence": -3}, ["Awe"]),
        ),
        (None, {"Fear": -0.3, "Pride": 0.49}, VoiceProfile({}, rated=["Fear", "Pride"])),
        (None, {"Arousal": 3.0}, VoiceProfile(None, (), {"Arousal": 3})),
        (VoiceProfile(), {"Arousal": 3.0}, VoiceProfile({}, (), {"Arousal": 3})),
        (VoiceProfile(None, ["Cough"]), {"Awe": 0.0}, VoiceProfile({}, ["Cough"], rated=["Awe"])),
        (
            VoiceProfile({"Awe": 0.5, "Fear": 0.5}, ["Cough"], {"pace": "slow", "Arousal": 1}),
            {"Fear": 0.0, "Arousal": 3.0, "Pride": 2.0},
            VoiceProfile({"Awe": 0.5, "Pride": 0.5}, ["Cough"], {"pace": "slow", "Arousal": 3}),
        ),
    ],
    ids=["ends", "faint", "attributes alone", "known before", "known by a zero", "replaced"],
)
def test_scores_replace_what_they_score_and_all_else_stays(before, scores, after):
    assert profile_of(scores, before) == after


def test_nan_scores_are_refused():
    with pytest.raises(InputError, match="Awe"):
        profile_of({"Awe": float("nan")})


@pytest.mark.parametrize(("number", "word"), [(1.5, "female"), (-1.0, "male"), (0.6, None), (-0.9, None)])
def test_gender_becomes_a_word_when_its_score_is_far_from_zero(number, word):
    assert profile_of({"Gender": number}).traits.get("gender") == word
    known = VoiceProfile({}, (), {"gender": "androgynous"})
    assert profile_of({"Gender": number}, known).traits["gender"] == "androgynous"


def test_heads_for_another_encoder_end_the_job(tmp_path, whisper_folder, run_on):
    save_published(published(1000, seed=1), tmp_path / "model_Awe_best.pth")
    for heads, encoder in ((tmp_path, whisper_folder), (tmp_path / "none", whisper_folder)):
        with pytest.raises(JobError, match=r"numbers|no such folder"):
            run_on(AnnotateByHeads(heads, encoder=str(encoder)), clip_of(vowel(1)))


def test_the_encoder_in_the_notes_is_used_and_another_is_refused(
    heads, whisper_folder, make_whisper, tmp_path, run_on
):
    for file in heads.glob("*.pth"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    noted = AnnotateByHeads(heads, encoder=str(whisper_folder)).settings()["encoder"]
    notes = {"encoder": str(whisper_folder), "encoder_weights": noted}
    (tmp_path / NOTES).write_text(json.dumps(notes))
    assert len(run_on(AnnotateByHeads(tmp_path), clip_of(vowel(1)))) == 1
    other = make_whisper(tmp_path / "other", multilingual=False, seconds=2)
    weights = other / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(JobError, match=f"trained on {whisper_folder}"):
        run_on(AnnotateByHeads(tmp_path, encoder=str(other)), clip_of(vowel(1)))


def test_a_calibration_beside_the_heads_gives_probabilities_of_presence(heads, whisper_folder, tmp_path):
    shutil.copytree(heads, tmp_path / "heads")
    job = AnnotateByHeads(tmp_path / "heads", encoder=str(whisper_folder), device="cpu")
    before, settings = list(job.run(iter(clips()[:2]), pytest.fail)), job.settings()
    curves = PresenceCurves(pooled=(-1.0, 2.0), emotions={"Awe": (-3.0, 40.0)})
    content = {"presence": curves.model_dump(mode="json")}
    (tmp_path / "heads" / CALIBRATION).write_text(json.dumps(content))
    assert job.settings() != settings
    for plain, clip in zip(before, job.run(iter(clips()[:2]), pytest.fail), strict=True):
        scores = plain.metadata["heads"]
        found = {name: min(max(scores[name] / 4, 0), 1) for name in ("Awe", "Hope/Optimism")}
        assert clip.metadata["presence"] == pytest.approx(curves.applied_to(found), abs=1e-4)
        assert "presence" not in plain.metadata
        assert clip.profile == plain.profile
    (tmp_path / "heads" / CALIBRATION).write_text("[]")
    with pytest.raises(JobError, match=r"calibration\.json"):
        list(job.run(iter(clips()), pytest.fail))
