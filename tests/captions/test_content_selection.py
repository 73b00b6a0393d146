"""The parts of a profile that a caption expresses are those that were selected, the most salient first."""

import pytest

from budew.captions import ContentSelection, expressible, parse, render
from budew.captions.content_selection import SMALLEST_MAX_WORDS, has_content
from budew.errors import InputError
from budew.profile import VoiceProfile

ANGRY = VoiceProfile({"Anger": 1, "Fear": 0.5, "Pride": 0.25})


def test_max_emotions_keeps_the_strongest():
    for seed in range(20):
        kept = parse(render(ANGRY, seed=seed, selection=ContentSelection(max_emotions=2))).emotions
        assert dict(kept) == {"Fear": 0.5, "Anger": 1.0}
    assert expressible(ANGRY, selection=ContentSelection(max_emotions=0)).emotions == {}


def test_the_least_salient_parts_are_left_out_first():
    profile = VoiceProfile(
        {"Anger": 1, "Fear": 0.25},
        ["Chuckle"],
        {
            "gender": "female", "pace": "slow", "Soft_vs._Harsh": -2.0, "Warm_vs._Cold": 1.0,
            "Background_Noise": 3.0,
        },
    )  # fmt: skip
    before = None
    for max_words in range(60, SMALLEST_MAX_WORDS - 1, -1):
        expressed = expressible(profile, selection=ContentSelection(max_words=max_words))
        parts = [*expressed.emotions, *expressed.bursts, *expressed.traits]
        attributes = ["Soft_vs._Harsh", "Warm_vs._Cold", "Background_Noise"]
        order = ["Anger", "gender", "Fear", "Chuckle", "pace", *attributes]
        assert parts
        assert set(parts) == set(order[: len(parts)])
        assert before is None or len(parts) <= before
        before = len(parts)
    assert parts == ["Anger"]


def test_an_accent_is_left_out_only_if_it_would_not_parse_back():
    assert expressible(VoiceProfile(traits={"accent": "Bavarian"})).traits == {"accent": "Bavarian"}
    assert expressible(VoiceProfile(traits={"accent": "deep angry"})).traits == {}


def test_voice_attributes_are_expressed_near_and_at_their_poles_alone():
    expressed = {"Arousal": 4.0, "Soft_vs._Harsh": -1.0}
    profile = VoiceProfile(
        traits={"Arousal": 3.6, "Soft_vs._Harsh": -1.2, "Valence": 0.2, "Age": 5, "Gender": 2}
    )
    assert expressible(profile).traits == expressed


def test_a_caption_without_content_is_recognized():
    assert has_content(VoiceProfile())
    assert has_content(VoiceProfile(None, traits={"gender": "female"}))
    assert not has_content(VoiceProfile(None))
    assert not has_content(VoiceProfile(None, traits={"Gender": 2.0}))
    assert not has_content(ANGRY, ContentSelection(leave_out=["emotions"]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"min_level": float("nan")}, "min_level must be a number from 0 to 1, not nan"),
        ({"min_level": 2}, "min_level must be a number from 0 to 1, not 2"),
        ({"min_level": "0.5"}, "min_level must be a number from 0 to 1, not '0.5'"),
        ({"max_emotions": -1}, "max_emotions must be 0 or more, not -1"),
        ({"max_words": SMALLEST_MAX_WORDS - 1}, "max_words must be 12 or more, not 11"),
        ({"leave_out": "accent"}, r"a list of parts, not 'accent': write \['accent'\]"),
        ({"leave_out": ["loudness"]}, "leave_out has an unknown part 'loudness': use emotions"),
    ],
)
def test_an_invalid_selection_is_rejected_with_the_remedy(wrong, message):
    with pytest.raises(InputError, match=message):
        ContentSelection(**wrong)
