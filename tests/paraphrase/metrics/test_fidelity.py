"""Renderings have perfect fidelity; lost, added and moved emotions each lower their own rates."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from budew.captions import expressible, parse, render
from budew.paraphrase.metrics.fidelity import fidelity
from budew.profile import VoiceProfile
from budew.statistics.resampling import Resampling
from budew.taxonomy import EMOTIONS

levels = st.dictionaries(st.sampled_from(EMOTIONS), st.floats(0.13, 1), min_size=1, max_size=4)
profiles = st.lists(levels.map(VoiceProfile), min_size=1, max_size=5)
SAD = VoiceProfile({"Sadness": 0.75})
FEW = Resampling(30)
RATES = ("spearman", "exact", "within_one", "recall", "precision")


def sad(*captions):
    """Captions of one clip that is sad."""
    return [(SAD, caption) for caption in captions]


def by_name(found, name):
    return next(row for row in found.by_emotion if row.emotion == name)


@settings(max_examples=25, deadline=None)
@given(profiles, st.integers(0, 9))
def test_renderings_have_perfect_fidelity(profiles, seed) -> None:
    clips = [[(profile, render(profile, seed=seed + n)) for n in range(2)] for profile in profiles]
    found = fidelity(clips, settings=FEW)
    assert found.captions == 2 * found.clips == 2 * len(profiles)
    for rate in RATES:
        estimate = getattr(found, rate)
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx((1, 1, 1))
    for row in found.by_emotion:
        assert {row.recall, row.precision, row.exact, row.within_one} <= {1.0, None}


def test_rho_is_that_of_scipy_between_profile_and_parse() -> None:
    profile = VoiceProfile({"Sadness": 1, "Fear": 0.5, "Hope/Optimism": 0.3})
    caption = "Very afraid, a bit sad."
    expected = stats.spearmanr(expressible(profile).vector(), parse(caption).vector()).statistic
    assert fidelity([[(profile, caption)]], settings=FEW).spearman.value == pytest.approx(expected)


def test_each_kind_of_error_shows_in_its_rate() -> None:
    exact, moved, far = "Strong sadness.", "Moderate sadness.", "A hint of sadness."
    lost, added = "A voice.", "Strong sadness and strong fear."
    found = fidelity([sad(exact, moved, far, lost, added)], settings=FEW)
    row = by_name(found, "Sadness")
    assert (row.wanted, row.said, row.recall, row.precision) == (5, 4, 0.8, 1.0)
    assert (row.exact, row.within_one) == (2 / 4, 3 / 4)
    fear = by_name(found, "Fear")
    assert (fear.wanted, fear.said, fear.recall, fear.precision) == (0, 1, None, 0)
    assert found.exact.value == pytest.approx(2 / 6)
    assert found.within_one.value == pytest.approx(3 / 6)
    assert found.recall.value == pytest.approx(4 / 5)
    assert found.precision.value == pytest.approx(4 / 5)


def test_captions_without_emotion_count_as_0_and_profiles_without_emotion_not_at_all() -> None:
    assert fidelity([sad("A voice.")], settings=FEW).spearman.value == 0
    neutral = fidelity([[(VoiceProfile(), "A calm man.")], sad(render(SAD))], settings=FEW)
    assert (neutral.without_emotion, neutral.spearman.value) == (1, pytest.approx(1))
    alone = fidelity([[(VoiceProfile(), "A voice.")]], settings=FEW)
    assert alone.spearman.value is alone.exact.value is None
    assert (alone.recall.value, alone.recall.low, alone.recall.high) == (None, None, None)


def test_a_weight_of_n_equals_n_copies_of_a_caption() -> None:
    weighted = fidelity([sad("Strong sadness.", "Fear.")], weights=[[3, 1]], settings=FEW)
    copied = fidelity([sad(*["Strong sadness."] * 3, "Fear.")], settings=FEW)
    assert [getattr(weighted, rate) for rate in RATES] == [getattr(copied, rate) for rate in RATES]
    assert weighted.by_emotion == copied.by_emotion


def test_the_bootstrap_draws_clips_with_all_their_captions() -> None:
    apart = fidelity([sad(text) for text in ["Strong sadness.", "Fear."] * 10])
    together = fidelity([sad("Strong sadness.", "Fear.")] * 10)
    assert apart.recall.value == together.recall.value == 0.5
    assert (together.recall.low, together.recall.high) == (0.5, 0.5)
    assert apart.recall.low is not None
    assert apart.recall.low < 0.4


def test_missing_captions_or_weights_are_refused() -> None:
    for clips, weights in (([[]], None), ([sad("a", "b")], [[1]])):
        with pytest.raises(ValueError, match=r"no captions|shorter"):
            fidelity(clips, weights=weights)
