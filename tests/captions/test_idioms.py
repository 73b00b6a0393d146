"""Idioms are parsed in all their variants."""

import re
from random import Random

import pytest
import yaml

from budew.captions import load_lexicon, render
from budew.captions.idioms import with_idioms
from budew.captions.items import items_of
from budew.captions.phrases import UNKNOWN, Entry, Form, Kind
from budew.captions.tokens import PhraseTrie, tokenize
from budew.io.resources import data_folder
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, EMOTIONS, LEVELS, emotion

FILE = data_folder("caption_templates") / "idioms" / "en.yaml"
TABLE = {
    "slots": {"her": "(her|his)", "is": "[is|was] [nearly]"},
    "verbs": {"lose": ["loses", "losing", "lost"]},
    "simile": "[as if (she|he)]",
    "emotions": {"Fear": {"strong": "lose* {her} [last] (nerve|cool head); {her} hair {is} on end"}},
}


def meaning(phrases, text):
    found = phrases.scan(tokenize(text))
    return found[0][2] if len(found) == 1 else None


@pytest.fixture(scope="module")
def phrases():
    trie = PhraseTrie(UNKNOWN)
    trie.add("her last nerve", Entry(Kind.INERT))
    return with_idioms(trie, TABLE)


@pytest.mark.parametrize(
    "text",
    ["losing her nerve", "lost his last nerve", "lose his cool head", "her hair on end",
     "his hair was nearly on end", "as if he lost his nerve"],
)  # fmt: skip
def test_a_pattern_stands_for_all_its_variants(phrases, text):
    entry = meaning(phrases, text)
    assert (entry.kind, entry.name, entry.level) == (Kind.EMOTION, "Fear", 0.75)


@pytest.mark.parametrize(
    "text", ["losing her cool", "losing nerve", "hair is on end", "as if lost his nerve"]
)
def test_nothing_else_is_an_idiom(phrases, text):
    assert meaning(phrases, text) is None


def test_phrases_of_the_lexicon_prevail_over_idioms(phrases):
    assert meaning(phrases, "her last nerve").kind is Kind.INERT


def test_every_emotion_has_idioms_with_closed_brackets():
    table = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    assert {emotion(name) for name in table["emotions"]} == set(EMOTIONS)
    for name, row in table["emotions"].items():
        patterns = [part for text in row.values() for part in re.split(r"[;\n]", text) if part.strip()]
        assert len(patterns) >= 25, name
        for pattern in (*patterns, *table["slots"].values(), table["simile"]):
            while (shorter := re.sub(r"\([^()\[\]]*\)|\[[^()\[\]]*\]", "", pattern)) != pattern:
                pattern = shorter
            assert not set(pattern) & set("()[]?"), (name, pattern)


def test_no_rendered_caption_has_an_idiom():
    lexicon, draw = load_lexicon(), Random(0)
    for seed in range(3_000):
        emotions = {name: draw.choice(LEVELS[1:]) for name in draw.sample(EMOTIONS, draw.choice((1, 2)))}
        caption = render(VoiceProfile(emotions, draw.sample(BURSTS, 1), {"pace": "slow"}), seed=seed)
        assert all(
            entry.form is not Form.IDIOM for _, _, entry in items_of(caption, tokenize(caption), lexicon)
        ), caption
