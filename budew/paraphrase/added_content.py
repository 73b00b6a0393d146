"""Added content: what a caption claims beyond a voice and its feelings, such as a cause, an event or a place.

The lexicon and `paraphrase/added_content.yaml` label words. Words of neither may be part of a figure of
speech for the voice: a comparison, or a clause with the voice or a feeling as subject or object.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from budew.captions.lexicon import load_lexicon
from budew.captions.lint.rules import load_rules
from budew.captions.phrases import PERSONAL, Entry, Kind, inflected, spelled_out
from budew.captions.tokens import PhraseTrie, tokenize
from budew.io.resources import data_folder, packaged_yaml

_FIGURE, _COMPARISON, _SIMILE = "uyh", "uyhw", "uyhwno"
"""Labels of words that are added, unless they are in a clause about the voice, after "as a", or "like a"."""


class _Rules(NamedTuple):
    """The data file: labels of words and of kinds of phrases, endings of words, and patterns over labels."""

    words: PhraseTrie[str]
    kinds: Mapping[str, str]
    endings: Mapping[str, tuple[str, ...]]
    patterns: Mapping[str, re.Pattern[str]]
    excused: Sequence[re.Pattern[str]]
    added: Sequence[re.Pattern[str]]
    nouns: frozenset[str]


@cache
def _rules() -> _Rules:
    table, lexicon = packaged_yaml(data_folder("paraphrase") / "added_content.yaml"), load_lexicon()
    words = PhraseTrie("")
    table["plain"] += (*lexicon.known, *load_rules().sounds)
    for section, label in table["labels"].items():
        for phrase in spelled_out(*table[section]):
            for form in (phrase, *(inflected(phrase) if section == "plain" else ())):
                words.setdefault(form, label)
    return _Rules(
        words,
        table["kinds"],
        {name: tuple(endings) for name, endings in table["endings"].items()},
        {name: re.compile(pattern) for name, pattern in table["patterns"].items()},
        [*map(re.compile, table["excused"])],
        [*map(re.compile, table["added"])],
        frozenset(word for row in lexicon.emotions.values() for word in (*row["noun"], *row.get("full", ()))),
    )


def added_content(text: str) -> str:
    """Return the words of a caption that claim more than a voice and its feelings, "" if there are none."""
    tokens, patterns = tokenize(text), _rules().patterns
    labels = _labels(text, tokens)
    if not patterns["suspect"].search(labels):
        return ""
    excused, names_voice, added = "", "N" in labels or "v" in labels, list[str]()
    for match in patterns["clause"].finditer(labels):
        excused = _excused_labels(match[0], excused, names_voice)
        added += [tokens[match.start() + at] for at in sorted(_added_places(match[0], excused))]
    return " ".join(added)


def _excused_labels(clause: str, before: str, names_voice: bool) -> str:
    """Return the labels that a clause excuses, given those that the clause before it excused."""
    mark, patterns = clause[0], _rules().patterns
    if mark == "m":
        return _FIGURE if patterns["own_simile"].match(clause) else _SIMILE
    if mark == "M":
        return _COMPARISON
    if ("w" in before and patterns["in_simile"].match(clause)) or patterns["empty"].match(clause):
        return before
    about_voice = patterns["of_voice"].match(clause) or (names_voice and patterns["pronoun"].match(clause))
    return _FIGURE if about_voice or (before == _FIGURE and patterns["continued"].match(clause)) else ""


def _added_places(clause: str, excused: str) -> set[int]:
    """Return the places of the words of a clause that are added."""
    rules = _rules()
    places = {at for at, label in enumerate(clause) if label in _SIMILE and label not in excused}
    for pattern in rules.excused if places else ():
        for match in pattern.finditer(clause):
            places.difference_update(range(*match.span(1)))
    for pattern in rules.added[:1] if clause[0] in "mM" else rules.added:
        for match in pattern.finditer(clause):
            places.update(range(*match.span(1)))
    return places


def _labels(text: str, tokens: Sequence[str]) -> str:
    """Return one label for each token."""
    rules = _rules()
    labels = ["u"] * len(tokens)
    for first, stop, label in rules.words.scan(tokens):
        if label:
            labels[first:stop] = [label, *("f" if label in "mMck" else label) * (stop - first - 1)]
    for first, stop, entry in load_lexicon().phrases.scan(tokens):
        if label := _label_of(entry, labels[first:stop], tokens[stop - 1]):
            labels[first:stop] = label * (stop - first)
            if label in "NJA" and stop - first > 2 and not {"as", "like"}.isdisjoint(tokens[first:stop]):
                labels[stop - 1] = "m"  # "calm as a lake at dawn"
    names = set() if text.isupper() else {name.lower() for name in rules.patterns["name"].findall(text)}
    for at, word in reversed([*enumerate(tokens)]):
        if word == "s":
            labels[at] = "x"  # of "woman's"
        elif labels[at] == "u":
            labels[at] = "n" if word in names else _label_of_unlisted(word)
        elif word == "as" and rules.patterns["as_noun"].match("".join(labels[at : at + 6])):
            labels[at] = "M"
    as_nouns = rules.patterns["noun"].sub(lambda match: match[0].replace("A", "N"), "".join(labels))
    return as_nouns.replace("A", "J")


def _label_of(entry: Entry, listed: Sequence[str], last: str) -> str:
    """Return the label of a phrase of the lexicon, "" if those of its words by the data file count."""
    rules, kind = _rules(), entry.kind
    if kind is Kind.EMOTION:
        if entry.phrase in rules.nouns or last.endswith(rules.endings["noun"]):
            return "N"
        return "J" if entry.form or last.endswith(rules.endings["adjective"]) else "A"
    if kind is Kind.TRAIT and entry.name in PERSONAL:
        return "" if listed[0] == "o" else "p"
    if kind in (Kind.HEDGE, Kind.INERT) and not {"m", "o", "w", "h"}.isdisjoint(listed):
        return ""
    alone = len(listed) == 1 and (listed[0] not in "uf" or kind is Kind.INERT)
    return "" if alone else rules.kinds.get(kind, "")


def _label_of_unlisted(word: str) -> str:
    endings = _rules().endings
    if not word[0].isalnum():
        return "." if word in ".!?;" else ","
    if word.endswith(endings["manner"]):
        return "f"
    return "y" if word.endswith(endings["verb"]) and not word.endswith("ss") else "u"
