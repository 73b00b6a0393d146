"""Rendered captions parse back to their profile: every level, burst and trait, in every frame."""

from itertools import product
from random import Random
from typing import get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from budew.captions import ContentSelection, expressible, frame_names, load_lexicon, parse, render
from budew.captions.caption_prompt import STYLES
from budew.captions.content_selection import DEFAULT_MAX_WORDS, SMALLEST_MAX_WORDS
from budew.captions.lexicon import RENDERED_ATTRIBUTES
from budew.captions.phrases import own_levels, shifted
from budew.captions.vocabulary import Wording
from budew.profile import VoiceProfile
from budew.taxonomy import (
    ACCENTS,
    ATTRIBUTES,
    BURSTS,
    CATEGORIES,
    EMOTION_TABLE,
    EMOTIONS,
    LEVEL_NAMES,
    LEVELS,
    RECORDING_TRAITS,
)
from tests.trained import TINY_SYNTHETIC

ODD_ACCENTS = ("Bavarian", "Upper Saxon", "Ülü-Ülü", "deep angry", "tired", "chuckle", "no", "accent", "a")

UNLIMITED = ContentSelection(max_words=10_000)
"""More than any profile takes."""

WHISPER_LABELS = 448 - 4
"""Positions of Whisper's decoder without the four tokens of the prefix."""


def profile_of_everything(level: float) -> VoiceProfile:
    traits = {"gender": "female", "age": "elderly", "accent": "New York", "style": "ASMR"}
    numbers = {name: ATTRIBUTES[name].scale.low for name in RENDERED_ATTRIBUTES}
    return VoiceProfile(dict.fromkeys(EMOTIONS, level), BURSTS, {**traits, **numbers})


profiles = st.builds(
    VoiceProfile,
    st.none() | st.dictionaries(st.sampled_from(EMOTIONS), st.floats(0, 1)),
    st.lists(st.sampled_from(BURSTS), max_size=6),
    st.fixed_dictionaries(
        {},
        optional={
            **{key: st.sampled_from(values) for key, values in {**CATEGORIES, **RECORDING_TRAITS}.items()},
            "accent": st.sampled_from(ACCENTS + ODD_ACCENTS),
            **{name: st.floats(row.scale.low, row.scale.high) for name, row in ATTRIBUTES.items()},
        },
    ),
).filter(lambda profile: not profile.is_withheld)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(profiles, st.integers(), st.sampled_from((None, *frame_names())))
def test_parse_gives_back_what_render_was_given(profile, seed, frame):
    caption = render(profile, seed=seed, frame=frame)
    assert parse(caption).profile == expressible(profile), caption


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    profiles | st.sampled_from(LEVELS[1:]).map(profile_of_everything),
    st.integers(),
    st.sampled_from((None, *frame_names())),
    st.sampled_from(get_args(Wording)),
    st.just(DEFAULT_MAX_WORDS) | st.integers(SMALLEST_MAX_WORDS, 100),
)
def test_a_caption_keeps_to_its_word_budget_and_expresses_what_fits(profile, seed, frame, wording, max_words):
    caption = render(
        profile, seed=seed, frame=frame, wording=wording, selection=ContentSelection(max_words=max_words)
    )
    assert len(caption.split()) <= max_words, caption
    assert parse(caption).profile == expressible(profile, selection=ContentSelection(max_words=max_words)), (
        caption
    )


def test_the_default_budget_keeps_every_caption_within_the_labels_of_whisper():
    tokenizer = Tokenizer.from_file(str(TINY_SYNTHETIC / "tokenizer.json"))
    for style, wording, seed in product(STYLES, get_args(Wording), range(40)):
        profile = profile_of_everything(LEVELS[1 + seed % 4])
        caption = render(profile, seed=seed, style=style, wording=wording)
        assert len(tokenizer.encode(caption).ids) <= WHISPER_LABELS, caption


def test_thousands_of_random_profiles_parse_back_exactly_in_all_frames(random_profile):
    random, frames = Random(2024), frame_names()
    for number in range(3_000):
        profile = random_profile(random)
        caption = render(profile, seed=number, frame=frames[number % len(frames)], selection=UNLIMITED)
        assert parse(caption).profile == profile, caption


def test_a_full_and_an_empty_profile_parse_back_in_every_frame():
    for frame in frame_names():
        assert parse(render(VoiceProfile(), frame=frame)).profile == VoiceProfile()
    for frame, level in product(frame_names(), LEVELS[1:]):
        profile = profile_of_everything(level)
        assert parse(render(profile, seed=3, frame=frame, selection=UNLIMITED)).profile == profile


def test_every_intensity_fits_every_emotion_word():
    lexicon = load_lexicon()
    levels = {LEVELS[LEVEL_NAMES.index(name)]: row for name, row in lexicon.table["intensity"].items()}
    for name, forms in lexicon.emotions.items():
        own = own_levels(forms)
        names = [alias.lower() for alias in EMOTION_TABLE[name].aliases]
        for level, intensity in levels.items():
            behind = intensity["after"][0]
            pairs = [(word, before) for word in forms["noun"] for before in intensity["noun"]]
            pairs += [(word, before) for word in forms["adjective"] for before in intensity["adjective"]]
            stated = {
                word: level if word in names else shifted(own.get(word, 0.5), level) for word, _ in pairs
            }
            for word, before in pairs:
                assert parse(f"{before} {word}").emotions == {name: stated[word]}
            for word in stated:
                assert parse(f"{word} {behind}").emotions == {name: stated[word]}


def test_every_phrase_for_a_burst_names_that_burst_alone():
    for name, phrases in load_lexicon().varied.bursts.items():
        for phrase in phrases:
            parsed = parse(f"Sadness, with {phrase}.")
            assert (parsed.bursts, dict(parsed.emotions)) == ((name,), {"Sadness": 0.5})


def test_every_phrase_for_people_voices_and_what_they_do_parses_as_it_should():
    varied = load_lexicon().varied
    for people in (varied.people, varied.voices):
        assert len(people) == (len(CATEGORIES["gender"]) + 1) * (len(CATEGORIES["age"]) + 1)
        for (gender, age), phrases in people.items():
            traits = {key: word for key, word in (("gender", gender), ("age", age)) if word != "unknown"}
            assert all(parse(f"Sadness, {phrase}.").traits == traits for phrase in phrases), phrases
    forms = (("She {}.", varied.burst_verbs["verb"]), ("Sad, {}.", varied.burst_verbs["participle"]))
    for sentence, verbs in forms:
        for name, phrases in verbs.items():
            for phrase in phrases:
                assert parse(sentence.format(phrase.format("her"))).bursts == (name,), phrase
    for style, phrases in varied.style_tags.items():
        assert all(parse(f"Sad, {phrase}.").traits == {"style": style} for phrase in phrases), phrases
