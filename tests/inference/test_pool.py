import pytest

from budew.captions import parse
from budew.inference.pool import pool
from budew.inference.result import SILENCE, WindowCaption
from budew.profile import VoiceProfile


def _window(start: float, end: float, profile: VoiceProfile, text: str = "a voice") -> WindowCaption:
    return WindowCaption(start, end, text, profile)


def test_one_window_gives_its_own_profile():
    profile = VoiceProfile({"Anger": 0.75}, (), {"gender": "female"})
    assert pool([_window(0, 8, profile)]) == profile


def test_intensities_are_weighted_by_seconds():
    angry, calm = VoiceProfile({"Anger": 1.0}), VoiceProfile({"Contentment": 0.5})
    pooled = pool([_window(0, 6, angry), _window(6, 8, calm)])
    assert pooled.emotions == pytest.approx({"Anger": 0.75, "Contentment": 0.125})


def test_silence_does_not_calm_a_cry():
    cry = VoiceProfile({"Distress": 1.0})
    silence = [_window(start, start + 8, VoiceProfile(), SILENCE) for start in range(8, 800, 8)]
    assert pool([_window(0, 8, cry), *silence]) == cry


def test_nothing_but_silence_is_the_empty_profile():
    assert pool([_window(0, 8, VoiceProfile(), SILENCE)] * 2) == VoiceProfile()


def test_many_equal_windows_never_leave_the_range():
    profile = VoiceProfile({"Anger": 1.0, "Fear": 0.25})
    pooled = pool([_window(start / 10, start / 10 + 0.1, profile) for start in range(1_000)])
    assert pooled.emotions["Anger"] <= 1
    assert pooled.emotions == pytest.approx(profile.emotions)


def test_the_word_that_holds_longest_wins_and_bursts_add_up():
    from budew.taxonomy import BURSTS

    first = VoiceProfile({}, [BURSTS[3]], {"gender": "male"})
    second = VoiceProfile({}, [BURSTS[0]], {"gender": "female", "age": "adult"})
    pooled = pool([_window(0, 3, first), _window(3, 8, second), _window(8, 9, first)])
    assert pooled.traits == {"gender": "female", "age": "adult"}
    assert pooled.bursts == (BURSTS[0], BURSTS[3])


def test_the_mark_of_silence_parses_to_nothing():
    assert parse(SILENCE).profile == VoiceProfile()
