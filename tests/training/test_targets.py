"""What is learned says what is known of a clip, in the style and of the parts that its prompt asks for."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.captions import expressible, parse, render
from budew.errors import InputError
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, EMOTIONS, LEVELS
from budew.training.targets import TargetSettings, draw_target, read_scalars, scalars

LEVELLED = st.dictionaries(st.sampled_from(EMOTIONS), st.sampled_from(LEVELS[1:]), min_size=1, max_size=4)
PROFILES = st.builds(
    VoiceProfile,
    LEVELLED,
    st.lists(st.sampled_from(BURSTS), max_size=2, unique=True),
    st.just({"gender": "female"}),
)
SEEDS = st.integers(0, 2**31)


@given(
    st.dictionaries(st.sampled_from(EMOTIONS), st.floats(0, 1)),
    st.sets(st.sampled_from(EMOTIONS), min_size=1),
)
def test_scalars_round_trip_and_distinguish_unrated_from_absent(emotions, rated):
    profile = VoiceProfile(emotions, rated=tuple(name for name in EMOTIONS if name in rated))
    found = read_scalars(scalars(profile))
    assert list(~np.isnan(found)) == [name in rated for name in EMOTIONS]
    assert np.nan_to_num(np.abs(found - profile.vector())).max() <= 0.0101


@pytest.mark.parametrize(
    "text",
    [
        "",
        "An angry voice.",
        "0 " * 39,
        "0 " * 41,
        *(f"{odd} " + "0 " * 39 for odd in ("6", "-1", "1e0", "٣", "0.25", "nan")),
    ],
)
def test_a_text_without_40_numbers_is_malformed(text):
    with pytest.raises(InputError):
        read_scalars(text)


@settings(max_examples=200, deadline=None)
@given(PROFILES, SEEDS)
def test_a_prompted_caption_has_the_parts_that_are_asked_for_and_no_others(profile, seed):
    target = draw_target(profile, (), TargetSettings(kind="template", prompts=1), random.Random(seed))
    style, parts = target.prompt.split(", ")
    said, whole = parse(target.text).profile, expressible(profile)
    assert said.emotions == (whole.emotions if parts in ("all", "emotions") else {})
    assert said.bursts == (whole.bursts if parts in ("all", "bursts") else ())
    assert bool(said.traits) == (parts in ("all", "speaker"))
    assert style in ("prose", "short", "tags")
    assert target.text.endswith(".") or style == "tags" or not target.text.endswith(",")


@settings(deadline=None)
@given(PROFILES, SEEDS)
def test_the_same_generator_draws_the_same_target(profile, seed):
    kinds = [TargetSettings(kind=kind, prompts=0.5) for kind in ("template", "mixed", "scalars")]
    one, other = (
        [draw_target(profile, ("An angry voice.",), kind, random.Random(seed)) for kind in kinds]
        for _ in range(2)
    )
    assert one == other


def test_each_kind_of_target_has_its_sources():
    profile, written = VoiceProfile({"Anger": 0.5}), ("Somebody fumes.", "What a rage.")
    drawn = {
        kind: {
            draw_target(profile, written, TargetSettings(kind=kind), random.Random(n)).text for n in range(60)
        }
        for kind in ("template", "paraphrase", "mixed")
    }
    assert drawn["paraphrase"] == set(written)
    assert not drawn["template"] & set(written)
    assert drawn["mixed"] & set(written)
    assert drawn["mixed"] - set(written)


def test_captions_have_the_frames_and_the_wording_of_the_settings():
    profile = VoiceProfile({"Anger": 0.5})
    plain_tags = TargetSettings(kind="template", frames=("tags",), wording="plain")
    possible = {render(profile, seed=seed, frame="tags", wording="plain") for seed in range(300)}
    drawn = {draw_target(profile, (), plain_tags, random.Random(seed)).text for seed in range(40)}
    assert drawn <= possible


def test_unrated_emotions_are_not_in_a_caption():
    profile = VoiceProfile({"Anger": 0.5, "Fear": 0.5}, rated=("Anger",))
    for seed in range(40):
        text = draw_target(profile, (), TargetSettings(kind="template"), random.Random(seed)).text
        assert set(parse(text).emotions) == {"Anger"}


@pytest.mark.parametrize("kind", ["template", "paraphrase", "mixed", "scalars"])
def test_a_clip_without_content_has_no_target(kind):
    with pytest.raises(InputError):
        draw_target(None, (), TargetSettings(kind=kind), random.Random(0))
