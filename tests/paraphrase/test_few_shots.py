"""Few-shot examples express their profiles exactly and differ; none confuses two emotions."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.captions import expressible, parse
from budew.captions.lint.caption import lint_caption
from budew.paraphrase import load_prompts
from budew.paraphrase.gate import Gate, judge
from budew.paraphrase.prompt_file import FewShotExample, FewShots
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS, LEVELS, emotion_group

PROMPTS = load_prompts()
FEW_SHOTS = PROMPTS.few_shots
EXAMPLES = FEW_SHOTS.examples
ASKED = st.dictionaries(st.sampled_from(EMOTIONS), st.sampled_from(LEVELS[1:]), max_size=5)


def test_every_example_expresses_its_profile_exactly_and_passes_the_gate():
    for example in EXAMPLES:
        source = example.template(PROMPTS.styles[example.style].source_style or "prose")
        assert judge(example.text, example.profile, source=source, gate=Gate(tolerance=0)).reasons == (), (
            example
        )
        assert parse(example.text).profile == expressible(example.profile), example
        assert parse(example.text).unknown == (), example
        assert lint_caption(example.text, example.profile) == (), example


@settings(max_examples=300, deadline=None)
@given(ASKED, st.sampled_from(sorted(PROMPTS.styles)), st.integers(0, 999))
def test_no_shown_example_has_an_emotion_confusable_with_a_requested_one(emotions, style, seed):
    shown = FEW_SHOTS.choose(emotions, style, Random(seed))
    families = {emotion_group(name) for name in emotions}
    near = {name for group in FEW_SHOTS.confusable if set(group) & set(emotions) for name in group}
    for example in shown:
        extra = set(example.profile.emotions) - set(emotions)
        assert not near & extra
        assert not {name for name in extra if emotion_group(name) in families}
    assert len(shown) <= FEW_SHOTS.count
    assert len({id(example.profile) for example in shown}) == len(shown)


def test_shown_examples_share_style_or_emotions_and_vary_with_the_seed():
    of_style, shares = 0, 0
    for name in EMOTIONS:
        for style in PROMPTS.styles:
            shown = FEW_SHOTS.choose([name], style, Random(0))
            assert any(example.style == style for example in shown)
            assert all(example.style == style or name in example.profile.emotions for example in shown)
            of_style += sum(example.style == style for example in shown)
            shares += any(name in example.profile.emotions for example in shown)
    assert of_style >= 0.5 * FEW_SHOTS.count * len(EMOTIONS) * len(PROMPTS.styles)
    assert shares >= 0.9 * len(EMOTIONS) * len(PROMPTS.styles)
    assert len({FEW_SHOTS.choose(["Anger"], "plain", Random(seed)) for seed in range(20)}) > 3


@pytest.mark.parametrize(
    ("first", "second", "best"),
    [
        ((["Anger"], "plain"), (["Fear"], "odd"), 0),  # a shared emotion is worth more than the style
        ((["Anger"], "plain"), (["Anger"], "odd"), 1),  # of the same emotions the style decides
        (
            (["Anger", "Awe", "Relief", "Longing"], "odd"),
            (["Anger"], "odd"),
            1,
        ),  # emotions that nobody asked for count against
        ((["Anger", "Pride", "Awe", "Relief", "Hope/Optimism", "Longing"], "odd"), (["Fear"], "odd"), 0),
    ],
)
def test_the_last_example_that_is_shown_is_the_best(first, second, best):
    shots = [
        FewShotExample(VoiceProfile(dict.fromkeys(names, 0.5)), style, "x")
        for names, style in (first, second)
    ]
    for seed in range(20):
        shown = FewShots(2, tuple(shots)).choose(["Anger"], "odd", Random(seed))
        assert shown[-1] is shots[best]
        assert len(FewShots(1, tuple(shots)).choose(["Anger"], "odd", Random(seed))) == 1
