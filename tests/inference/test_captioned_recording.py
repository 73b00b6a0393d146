import json
from dataclasses import replace

import numpy as np
import pytest

from budew.captions import parse
from budew.inference.captioned_recording import (
    SILENCE,
    CaptionedRecording,
    WindowCaption,
    clock,
    pooled_profile,
    unrated,
    without_stray_letters,
    without_withheld_captions,
)
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS

ANGRY = VoiceProfile({"Anger": 0.75})


def _captioned(*texts: str, warnings: tuple[str, ...] = (), damaged: str | None = None) -> CaptionedRecording:
    windows = tuple(
        WindowCaption(8.0 * place, 8.0 * place + 8, text, VoiceProfile() if text == SILENCE else ANGRY)
        for place, text in enumerate(texts)
    )
    return CaptionedRecording("a.wav", 8.0 * len(texts), windows, ANGRY, warnings, damaged)


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        (["An angry voice."], ["An angry voice."]),
        ([SILENCE, SILENCE], [SILENCE]),
        (
            ["Angry.", SILENCE, SILENCE, "Angry.", "Angry."],
            ["0:00–0:08 Angry.", "0:08–0:24 [silence]", "0:24–0:32 Angry.", "0:32–0:40 Angry."],
        ),
    ],
)
def test_the_caption_lists_windows_and_joins_silent_ones(texts, lines):
    assert _captioned(*texts).caption.splitlines() == lines


def test_the_json_form_is_json_and_has_the_scores():
    captioned = _captioned("Angry.", "Angry.", warnings=("stray letters",), damaged="ends early")
    data = json.loads(json.dumps(captioned.to_dict()))
    assert data["emotions"] == {"Anger": 0.75}
    profile = {"emotions": {"Anger": 0.75}, "bursts": [], "traits": {}}
    assert data["windows"][1] == {"start": 8.0, "end": 16.0, "caption": "Angry.", **profile}
    assert replace(captioned, duration=1 / 3).to_dict()["duration"] == 0.333
    assert (data["warnings"], data["damaged"]) == (["stray letters"], "ends early")
    assert {"windows", "warnings", "damaged"}.isdisjoint(_captioned("Angry.").to_dict())
    vector = captioned.vector()
    assert (vector.shape, vector.dtype, vector.sum()) == ((40,), np.float32, 0.75)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (8, "0:08"), (59.96, "1:00"), (61.25, "1:01.2"), (3_725, "1:02:05"), (10_800, "3:00:00")],
)
def test_times_have_minutes_and_seconds(seconds, text):
    assert clock(seconds) == text


def _window(start: float, end: float, profile: VoiceProfile, text: str = "a voice") -> WindowCaption:
    return WindowCaption(start, end, text, profile)


def test_emotions_are_weighted_by_the_seconds_of_windows_with_sound():
    angry, calm = VoiceProfile({"Anger": 1.0}, (), {"gender": "female"}), VoiceProfile({"Contentment": 0.5})
    assert pooled_profile([_window(0, 8, angry)]) == angry
    pooled = pooled_profile([_window(0, 6, angry), _window(6, 8, calm)])
    assert pooled.emotions == pytest.approx({"Anger": 0.75, "Contentment": 0.125})
    silence = [_window(start, start + 8, parse(SILENCE).profile, SILENCE) for start in range(8, 800, 8)]
    assert pooled_profile([_window(0, 8, angry), *silence]) == angry
    assert pooled_profile(silence) == VoiceProfile()
    equal = pooled_profile([_window(start / 10, start / 10 + 0.1, angry) for start in range(1_000)])
    assert 1 - 1e-6 < equal.emotions["Anger"] <= 1


def test_expected_intensities_are_pooled_as_the_profile_is():
    weak, angry = VoiceProfile({"Anger": 0.05, "Awe": 0.5}), VoiceProfile({"Anger": 1.0})
    sampled = WindowCaption(0, 6, "a voice", VoiceProfile({"Awe": 0.5}), weak)
    result = CaptionedRecording(
        "a", 8, (sampled, _window(6, 8, angry)), pooled_profile([sampled, _window(6, 8, angry)])
    )
    assert result.emotions == pytest.approx({"Anger": 0.25, "Awe": 0.375})
    assert result.expected.emotions == pytest.approx({"Anger": 0.2875, "Awe": 0.375})


def test_numbers_are_averaged_over_the_seconds_that_they_hold():
    low, high, word = ({"Arousal": 1.0}, {"Arousal": 3.0}, {"gender": "male"})
    windows = [(0, 6, low), (6, 8, high), (8, 20, word)]
    pooled = pooled_profile(
        [_window(start, end, VoiceProfile({}, (), traits)) for start, end, traits in windows]
    )
    assert pooled.traits == pytest.approx({"Arousal": 1.5, "gender": "male"})


def test_the_trait_with_the_most_seconds_wins_and_bursts_add_up():
    first = VoiceProfile({}, [BURSTS[3]], {"gender": "male"})
    second = VoiceProfile({}, [BURSTS[0]], {"gender": "female", "age": "adult"})
    pooled = pooled_profile([_window(0, 3, first), _window(3, 8, second), _window(8, 9, first)])
    assert pooled.traits == {"gender": "female", "age": "adult"}
    assert pooled.bursts == (BURSTS[0], BURSTS[3])


@pytest.mark.parametrize(
    ("written", "caption", "removed"),
    [
        ("A B The speaker is calm.", "The speaker is calm.", "A B"),
        ("AB. The speaker is calm.", "The speaker is calm.", "AB."),
        ("TThe speaker is calm.", "The speaker is calm.", "T"),
        ("T Deep, sad voice.", "Deep, sad voice.", "T"),
        ("A A deep voice.", "A deep voice.", "A"),
    ],
)
def test_stray_capitals_are_removed_and_reported(written, caption, removed):
    assert without_stray_letters(written) == (caption, removed)


@pytest.mark.parametrize(
    "caption",
    [
        "A deep voice, amused.",
        "A German woman, weary.",
        "I hear a calm voice.",
        "ASMR-like and intimate.",
        "The speaker is calm.",
        "very warm, slightly slow, relief",
        "An American man shouts in anger.",
        "[silence]",
        "",
    ],
)
def test_a_caption_stays_as_it_is(caption):
    assert without_stray_letters(caption) == (caption, "")


def test_special_tokens_and_control_characters_are_removed():
    written = (
        "<|startoftranscript|><|en|> A calm\n\n voice\x1b[2J, \x00deeply\tsad.\ufffd <|0.00|><|endoftext|>"
    )
    assert without_stray_letters(written)[0] == "A calm voice[2J, deeply sad."


def test_presence_in_a_recording_is_the_largest_of_its_windows_and_goes_with_a_withheld_caption():
    child = VoiceProfile({"Sexual Lust": 0.5}, (), {"age": "child"})
    windows = (
        WindowCaption(0, 8, "Angry.", ANGRY, presence={"Anger": 0.75, "Fear": 0.25}),
        WindowCaption(8, 16, SILENCE, VoiceProfile()),
        WindowCaption(16, 24, "Angry.", ANGRY, presence={"Anger": 0.5, "Fear": 0.5}),
    )
    assert CaptionedRecording("a", 24.0, windows, ANGRY).presence == {"Anger": 0.75, "Fear": 0.5}
    withheld = WindowCaption(0, 8, "A child.", child, presence={"Sexual Lust": 1.0})
    assert without_withheld_captions([withheld])[0].presence is None
    assert unrated(windows[0]).presence is None
