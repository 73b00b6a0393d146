"""Settings that contradict each other are refused in one sentence."""

import pytest

from budew.errors import CorpusError
from budew.segmentation import Cuts


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"threshold": 0.0}, "--threshold 0: give more than 0"),
        ({"threshold": 1.0}, "--threshold 1: give more than 0"),
        ({"threshold": float("nan")}, "--threshold nan: give"),
        ({"exit_threshold": 0.6}, "exit_threshold 0.6: give 0 to --threshold 0.5"),
        ({"min_seconds": -1.0}, "--min -1: give 0 s or more"),
        ({"pad": float("nan")}, "--pad nan: give 0 s or more"),
        ({"min_seconds": 31.0}, "--max 30 without --pad 0.1 on both sides is shorter than --min 31"),
        ({"max_seconds": 0.3, "max_pause": 0.1}, "--pad 0.1 on both sides is shorter than --min 1"),
        ({"max_seconds": 0.3, "max_pause": 0.1, "min_seconds": 0}, "is shorter than 0.5 s: give"),
        ({"max_seconds": 1e9}, "--max 1e+09: give at most 600 s"),
        ({"max_seconds": float("nan")}, "--max nan: give at most 600 s"),
        ({"pad": 15.0}, "--max 30 without --pad 15 on both sides is shorter"),
        ({"max_pause": 31.0}, "--max-pause 31 is longer than --max 30"),
    ],
)
def test_settings_that_no_clip_can_meet_are_refused_by_the_names_of_their_options(wrong, said):
    with pytest.raises(CorpusError) as caught:
        Cuts(**wrong)
    assert str(caught.value).startswith("clips cannot be cut like this: ")
    assert said in str(caught.value)
    assert "Cuts(" not in str(caught.value)


@pytest.mark.parametrize(("threshold", "exit"), [(0.5, 0.35), (0.1, 0.01), (0.005, 0.005)])
def test_the_exit_threshold_follows_the_threshold(threshold, exit):
    assert Cuts(threshold=threshold).exit == pytest.approx(exit)
