"""Settings that contradict each other are refused, by the names of their fields."""

import pytest

from budew.errors import SettingsError
from budew.io.settings import load
from budew.segmentation import SegmentSettings


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("exit_threshold=0.6", "exit_threshold 0.6 is above threshold 0.5"),
        ("pad=.nan", "pad"),
        ("min_seconds=31", "max_seconds 30 without pad 0.1 on both sides is shorter than 31 s"),
        ("max_seconds=0.6 max_pause=0.1 min_seconds=0", "is shorter than 0.5 s"),
        ("max_seconds=601", "max_seconds"),
        ("max_pause=31", "max_pause 31 is longer than max_seconds 30"),
        ("max_clipped=1.1", "max_clipped"),
        ("languages=[en,'']", "languages"),
    ],
)
def test_settings_that_no_clip_can_meet_are_refused(change, named):
    with pytest.raises(SettingsError, match=rf"^settings: .*{named}"):
        load(SegmentSettings, changes=change.split())


def test_the_limits_themselves_are_accepted():
    SegmentSettings(max_seconds=600, min_seconds=599.8, exit_threshold=0.5, max_clipped=1.0)
    SegmentSettings(max_seconds=0.75, max_pause=0.75, min_seconds=0, pad=0.125, bits=24)


@pytest.mark.parametrize(("threshold", "exit"), [(0.5, 0.35), (0.1, 0.01), (0.005, 0.005)])
def test_the_exit_threshold_follows_the_threshold(threshold, exit):
    assert SegmentSettings(threshold=threshold).exit == pytest.approx(exit)


def test_clips_have_a_second_to_thirty_and_pauses_to_half_a_second_unless_told_otherwise():
    assert SegmentSettings() == SegmentSettings(
        min_seconds=1.0, max_seconds=30.0, pad=0.1, max_pause=0.5, min_speech=0.25, threshold=0.5, bits=16
    )
