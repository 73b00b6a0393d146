"""Settings that contradict each other are refused in one sentence."""

import pytest

from budew.corpora.errors import CorpusError
from budew.segmentation import Cuts


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0.0},
        {"threshold": 1.0},
        {"threshold": float("nan")},
        {"exit_threshold": 0.6},
        {"min_seconds": -1.0},
        {"pad": float("nan")},
        {"min_seconds": 31.0},
        {"max_seconds": 0.3},
        {"max_seconds": 1e9},
        {"max_seconds": float("nan")},
        {"pad": 15.0},
        {"max_pause": 31.0},
    ],
)
def test_settings_that_no_clip_can_meet_are_refused(wrong):
    with pytest.raises(CorpusError, match=r"cannot be cut like this: .* Cuts"):
        Cuts(**wrong)


@pytest.mark.parametrize(("threshold", "exit"), [(0.5, 0.35), (0.1, 0.01), (0.005, 0.005)])
def test_the_exit_threshold_follows_the_threshold(threshold, exit):
    assert Cuts(threshold=threshold).exit == pytest.approx(exit)
