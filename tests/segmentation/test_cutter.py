"""Whatever the probabilities: clips in order, disjoint, of the right length, with all speech that fits."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.errors import SettingsError
from budew.io.settings import load
from budew.segmentation.cutter import BACKGROUND, MIN_BACKGROUND, Cutter, SpeechSegment
from budew.segmentation.cutter import SegmentSettings as Cuts
from budew.segmentation.voice_activity import FRAME, SAMPLING_RATE

few = settings(max_examples=40, deadline=None)
SECOND = 1 / (FRAME / SAMPLING_RATE)


def cut(probabilities, cuts=None, powers=None) -> list[SpeechSegment]:
    cutter, found = Cutter(cuts or Cuts()), []
    for probability, power in zip(probabilities, powers or [0.01] * len(probabilities), strict=True):
        found += cutter.push(probability, power)
    return [*found, *cutter.finish()]


def frames(*runs: tuple[float, float]) -> list[float]:
    """`frames((1.0, 0.9), (0.5, 0.0))`: a second of speech, half a second of none."""
    return [value for seconds, value in runs for _ in range(round(seconds * SECOND))]


def seconds(stretches: list[SpeechSegment]) -> list[tuple[float, float]]:
    return [(stretch.start / SAMPLING_RATE, stretch.end / SAMPLING_RATE) for stretch in stretches]


runs = st.tuples(st.integers(1, 60), st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0]), st.sampled_from([1, 30]))
recordings = st.lists(runs, max_size=30).map(
    lambda found: [value for length, value, times in found for _ in range(length * times)]
)
"""Runs of sure speech, doubt and silence, of one frame to a minute."""


cuttings = st.builds(
    Cuts,
    pad=st.sampled_from([0.0, 0.01, 0.1, 0.33]),
    min_seconds=st.sampled_from([0.0, 0.5, 1.0]),
    max_seconds=st.sampled_from([2.0, 5.0, 30.0]),
    max_pause=st.sampled_from([0.0, 0.2, 1.0]),
)


@few
@given(recordings, cuttings)
def test_segments_are_ordered_disjoint_short_enough_and_contain_all_speech(probabilities, cuts):
    found = cut(probabilities, cuts)
    assert all(before.end <= after.start for before, after in pairwise(found))
    inside = np.zeros(len(probabilities) * FRAME, bool)
    for stretch in found:
        assert 0 <= stretch.start < stretch.end <= len(probabilities) * FRAME + cuts.pad * SAMPLING_RATE
        assert stretch.end - stretch.start <= cuts.max_seconds * SAMPLING_RATE
        inside[stretch.start : stretch.end] = True
    spoken = np.repeat(np.array(probabilities, float) >= cuts.threshold, FRAME)
    assert inside[spoken].all()


@few
@given(recordings, cuttings)
def test_no_segment_begins_before_earliest_and_memory_is_bounded(probabilities, cuts):
    cutter = Cutter(cuts)
    bound = cuts.max_seconds + cuts.min_seconds + cuts.max_pause + 2 * cuts.pad + 0.1
    for number, probability in enumerate(probabilities, start=1):
        earliest = cutter.earliest
        assert all(stretch.start >= earliest for stretch in cutter.push(probability, 0.01))
        assert cutter.earliest >= earliest
        assert number * FRAME - cutter.earliest <= bound * SAMPLING_RATE
    earliest = cutter.earliest
    assert all(stretch.start >= earliest for stretch in cutter.finish())


def test_padding_is_at_most_half_of_the_pause():
    spoken = frames((1.0, 0.0), (2.0, 1.0), (0.64, 0.0), (2.0, 1.0), (1.0, 0.0))
    first, second = seconds(cut(spoken, Cuts(pad=0.5, max_pause=0.3)))
    assert first == pytest.approx((0.5, 3.32), abs=0.04)
    assert second[0] == pytest.approx(first[1], abs=1e-4)
    assert second[1] == pytest.approx(first[1] + 0.32 + 2 + 0.5, abs=0.04)


@pytest.mark.parametrize(("pause", "pieces"), [(0.32, 1), (0.48, 1), (0.544, 2), (2.0, 2)])
def test_pauses_up_to_the_longest_are_bridged(pause, pieces):
    assert len(cut(frames((2.0, 1.0), (pause, 0.0), (2.0, 1.0)), Cuts(max_pause=0.5))) == pieces


@pytest.mark.parametrize("longest", [1, 16, 1001])
def test_a_pause_of_exactly_the_longest_is_bridged_and_one_frame_more_is_not(longest):
    cuts = Cuts(max_pause=longest / SECOND, max_seconds=60.0)
    for pause, segments in ((longest, 1), (longest + 1, 2)):
        assert len(cut([1.0] * 10 + [0.0] * pause + [1.0] * 10, cuts)) == segments


@pytest.mark.parametrize("frames", [17, 20, 23, 31])
@pytest.mark.parametrize("pad", [0.0, 0.1, 0.2])
def test_speech_of_exactly_the_largest_length_is_not_divided_and_one_frame_more_is(frames, pad):
    cuts = Cuts(max_seconds=round(frames / SECOND + 2 * pad, 3), pad=pad, min_seconds=0.0, max_pause=0.0)
    assert len(cut([1.0] * frames, cuts)) == 1
    assert len(cut([1.0] * (frames + 1), cuts)) == 2


@pytest.mark.parametrize("shortest", [18, 26, 36, 40])
def test_speech_of_twice_the_shortest_length_is_divided_in_the_middle(shortest):
    cuts = Cuts(min_seconds=shortest * (1 / SECOND), max_seconds=(2 * shortest - 1) / SECOND, pad=0.0)
    found = cut([1.0] * (2 * shortest), cuts)
    assert [(segment.start, segment.end) for segment in found] == [
        (0, shortest * FRAME),
        (shortest * FRAME, 2 * shortest * FRAME),
    ]


@pytest.mark.parametrize("pad", [0, 1, 5])
def test_a_segment_is_decided_as_soon_as_the_pause_holds_the_padding_of_both_sides(pad):
    cutter = Cutter(Cuts(pad=pad / SECOND, max_pause=0.0, min_seconds=0.0))
    found = [[*cutter.push(value, 0.01)] for value in [1.0] * 20 + [0.0] * 20]
    assert [number for number, segments in enumerate(found, start=1) if segments] == [20 + max(1, 2 * pad)]


def test_speech_begins_at_the_threshold_and_ends_below_the_exit_threshold():
    assert not cut([0.49] * 50)
    (stretch,) = cut([0.0] * 20 + [0.51] * 10 + [0.36] * 20 + [0.34] * 20, Cuts(pad=0.0))
    assert (stretch.start, stretch.end) == (20 * FRAME, 50 * FRAME)
    (other,) = cut([0.51] * 10 + [0.36] * 20 + [0.0] * 20, Cuts(pad=0.0, exit_threshold=0.4))
    assert other.end == 10 * FRAME


def test_long_speech_is_cut_at_its_longest_pause():
    spoken = frames((4.0, 1.0), (0.1, 0.0), (3.0, 1.0), (0.3, 0.0), (3.5, 1.0), (0.03, 0.0), (4.0, 1.0))
    first, second = seconds(cut(spoken, Cuts(max_seconds=12.0, pad=0.0)))
    assert first == pytest.approx((0.0, 7.1), abs=0.1)
    assert second == pytest.approx((7.4, len(spoken) / SECOND), abs=0.1)


def test_without_a_pause_speech_is_cut_at_the_least_probable_then_quietest_frame():
    least_sure = [1.0] * 400
    least_sure[250] = least_sure[251] = 0.6
    assert cut(least_sure, Cuts(max_seconds=10.0, pad=0.0))[0].end == 251 * FRAME
    quietest = [0.01] * 400
    quietest[270] = quietest[271] = 0.001
    assert cut([1.0] * 400, Cuts(max_seconds=10.0, pad=0.0), quietest)[0].end == 271 * FRAME


def test_frames_that_are_about_as_probable_are_compared_by_their_power():
    probabilities, powers = [1.0] * 400, [0.01] * 400
    probabilities[250] = probabilities[251] = 0.98
    powers[270] = powers[271] = 0.001
    assert cut(probabilities, Cuts(max_seconds=10.0, pad=0.0), powers)[0].end == 271 * FRAME


def test_without_a_pause_speech_is_cut_in_its_later_half():
    early = [1.0] * 400
    early[100:102] = 0.6, 0.6
    assert cut(early, Cuts(max_seconds=10.0, pad=0.0))[0].end > 4.9 * SAMPLING_RATE


def test_a_cut_leaves_enough_for_another_clip():
    spoken = frames((10.2, 1.0))
    ever_quieter = [1 / (1 + frame) for frame in range(len(spoken))]
    found = cut(spoken, Cuts(max_seconds=10.0, min_seconds=3.0, pad=0.0), ever_quieter)
    assert [stretch.end - stretch.start >= 3 * SAMPLING_RATE for stretch in found] == [True, True]


def test_a_late_pause_is_used_if_enough_speech_follows():
    spoken = frames((5.0, 1.0), (0.06, 0.0), (4.5, 1.0), (0.3, 0.0), (5.0, 1.0))
    first, _ = cut(spoken, Cuts(max_seconds=10.0, min_seconds=3.0, pad=0.0))
    assert first.end / SAMPLING_RATE == pytest.approx(9.56, abs=0.04)


def test_speech_and_noise_are_measured_separately():
    spoken = frames((2.0, 0.0), (1.0, 1.0), (0.3, 0.0), (1.0, 1.0), (2.0, 0.0))
    powers = [0.5 if value else 0.002 for value in spoken]
    (stretch,) = cut(spoken, powers=powers)
    assert stretch.speech_power == pytest.approx(0.5)
    assert stretch.noise_power == pytest.approx(0.002)
    assert stretch.speech_seconds == pytest.approx(2.0, abs=0.04)
    assert cut(frames((2.0, 1.0)))[0].noise_power is None


def test_noise_is_that_of_the_last_frames_without_speech_if_they_are_enough():
    powers = [0.5] * BACKGROUND + [0.002] * BACKGROUND + [0.1] * 40
    (segment,) = cut([0.0] * 2 * BACKGROUND + [1.0] * 40, powers=powers)
    assert segment.noise_power == pytest.approx(0.002)
    for quiet, is_known in ((MIN_BACKGROUND - 1, False), (MIN_BACKGROUND, True)):
        (segment,) = cut([0.0] * quiet + [1.0] * 40)
        assert (segment.noise_power is not None) == is_known


@pytest.mark.parametrize(("late", "end"), [(2, 40), (3, 170)])
def test_pauses_are_ranked_by_squared_length_times_position(late, end):
    spoken = [1.0] * 40 + [0.0] * 6 + [1.0] * 124 + [0.0] * late + [1.0] * 200
    assert cut(spoken, Cuts(max_seconds=10.0, min_seconds=1.0, pad=0.0))[0].end == end * FRAME


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
def test_contradictory_settings_are_refused(change, named):
    with pytest.raises(SettingsError, match=rf"^settings: .*{named}"):
        load(Cuts, changes=change.split())


def test_settings_at_their_limits_are_accepted():
    cuts = Cuts(min_seconds=1.0, max_seconds=1.2, pad=0.1, max_pause=1.2, exit_threshold=0.5)
    assert cuts.exit == cuts.threshold


@pytest.mark.parametrize(("threshold", "exit"), [(0.5, 0.35), (0.1, 0.01), (0.005, 0.005)])
def test_the_exit_threshold_follows_the_threshold(threshold, exit):
    assert Cuts(threshold=threshold).exit == pytest.approx(exit)
