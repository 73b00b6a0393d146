"""Whatever a corpus gives for emotions that were not rated, nothing made of it changes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.captions.salience import Baseline, salient
from budew.corpora import Clip
from budew.curation.corpus_counts import corpus_statistics
from budew.curation.stratified_split import split_corpus
from budew.curation.weights import WeightReport, corpus_balance, weigh
from budew.evaluation import Pair, evaluate
from budew.heads.encoder_states import head_targets
from budew.jobs.render import Render
from budew.profile import VoiceProfile
from budew.statistics.resampling import Resampling
from budew.taxonomy import EMOTIONS
from budew.training.training_model import head_labels

RATED = EMOTIONS[::7]
FEW = Resampling(resamples=5, permutations=3)
intensities = st.dictionaries(st.sampled_from(RATED), st.sampled_from((0.0, 0.2, 0.5, 1.0)), min_size=1)
noise = st.dictionaries(st.sampled_from(sorted(set(EMOTIONS) - set(RATED))), st.floats(0, 1), min_size=1)
corpora = st.lists(st.tuples(intensities, noise), min_size=3, max_size=8)


def clip_of(number: int, rated: dict[str, float], noise: dict[str, float]) -> Clip:
    profile = {"emotions": rated | noise, "rated": list(rated)}
    data = {"profile": profile, "speaker": f"s{number}", "duration": 2.0}
    return Clip.from_dict(data, audio=b"x", format="wav", id=f"c{number}")


def made_of(clips: list[Clip]) -> list[object]:
    """Return what statistics, weights, splits, captions, labels of heads and metrics make of clips."""
    profiles = [clip.profile for clip in clips if clip.profile is not None]
    whole = [Clip("whole", b"x", "wav", speaker="s", profile=VoiceProfile({"Anger": 1.0})), *clips]
    found = corpus_statistics("corpus", whole)
    report = WeightReport(corpus_balance(whole))
    weights = list(weigh(whole, report))
    baseline = Baseline.from_profiles(profiles)
    captions = [clip.captions for clip in Render(seed=3).run(iter(clips), lambda *_: None)]
    guess = VoiceProfile.from_vector(np.linspace(0, 1, len(EMOTIONS)))
    pairs = [Pair(clip.id, clip.profile, guess) for clip in clips if clip.profile is not None]
    return [
        found.to_dict(),
        weights,
        report.to_dict(),
        split_corpus(whole, {"train": 0.5, "test": 0.5}, seed=1),
        captions,
        [salient(profile, baseline) for profile in profiles],
        [np.array(head_targets(profile)).tobytes() for profile in profiles],
        [head_labels(profile, {}).tobytes() for profile in profiles],
        evaluate(pairs, settings=FEW).to_dict(),
    ]


@settings(max_examples=25, deadline=None)
@given(corpora)
def test_values_of_unrated_emotions_change_nothing(
    rows: list[tuple[dict[str, float], dict[str, float]]],
) -> None:
    noisy = [clip_of(number, rated, noise) for number, (rated, noise) in enumerate(rows)]
    clean = [clip_of(number, rated, {}) for number, (rated, _) in enumerate(rows)]
    assert made_of(noisy) == made_of(clean)


def test_one_rated_emotion_a_clip_is_scored_exactly() -> None:
    """Right on every rated emotion is no error, whatever the other 39 are; silence is not."""
    levels = (0.0, 0.5, 1.0)
    clips = [(name, level) for name in EMOTIONS for level in levels]
    references = [VoiceProfile({name: level}, rated=[name]) for name, level in clips]
    right = [VoiceProfile(dict.fromkeys(EMOTIONS, 0.7) | {name: level}) for name, level in clips]
    for predicted, error, correlation in ((right, 0.0, 1.0), ([VoiceProfile()] * len(clips), 5.0, 0.0)):
        pairs = [Pair(f"{n}", *pair) for n, pair in enumerate(zip(references, predicted, strict=True))]
        found = evaluate(pairs, settings=FEW)
        assert found.mean["mae"].value == pytest.approx(error)
        assert found.mean["pearson"].value == pytest.approx(correlation)
        assert {row.rated for row in found.emotions} == {3}
        assert found.mean["top1"].value is None
