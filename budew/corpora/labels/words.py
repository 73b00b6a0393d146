"""Labels in words. Emotions: a name of the taxonomy, an alias of one, or any text that a caption could hold.

A bare name or word ("anger", "sad", "Hopelessness") is moderate, ½, as in a caption; in a text, intensity
words count as they do there ("very sad" is strong, "slightly amused" slight). See `budew.captions.parse`.
"neutral" says that there are none. What names no emotion is listed as not understood.

Columns such as `gender`, `age` and `accent` give traits, with the words of Common Voice too. Numbers in them
(years of age, an arousal) are not read, as their scales are not known: they are listed as not understood, and
stay in the metadata like all other columns.
"""

from collections.abc import Mapping
from typing import Any

from budew.captions.parse import parse
from budew.corpora.known_names import form, unread
from budew.corpora.labels.scores import number_in
from budew.errors import InputError
from budew.taxonomy import LEVELS, find_attribute, find_emotion, trait

LONGEST_TEXT = 20_000
"""Characters of a text that are read."""
NUMBER = "a number on an unknown scale"
_SAID = LEVELS[2]


def emotions_in(text: str) -> dict[str, float]:
    """Return the emotions that a text names → intensity; empty where it names none."""
    name = find_emotion(text)
    return {name: _SAID} if name else dict(parse(text[:LONGEST_TEXT].replace("_", " ")).emotions)


def describe_words(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a row with the emotions that a field of it names as a profile; None where none does."""
    for key in form("words")["under"]:
        found: dict[str, float] = {}
        judged = False
        for text in _texts(row.get(key)):
            said = emotions_in(text)
            judged = judged or bool(said) or _is_none(text)
            found |= {name: max(level, found.get(name, 0.0)) for name, level in said.items()}
        if judged:
            profile_from = {"form": "words", "field": key}
            return {**row, "profile": {"emotions": found}, "profile_from": profile_from}
    return None


def with_speaker(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose profile has the traits in its columns, too.

    A profile that is made of them alone does not know the emotions. Traits that are there already stay. What
    is not understood is listed under `not_understood`: column → text.
    """
    traits: dict[str, str] = {}
    odd = {key: NUMBER for key, value in row.items() if number_in(value) is not None and find_attribute(key)}
    for name, columns in form("speaker")["columns"].items():
        for column in (column for column in columns if isinstance(row.get(column), str)):
            word = _word(name, row[column])
            if word is not None:
                traits.setdefault(name, word)
            elif column not in odd and not _is_no_accent(name, row[column]):
                odd |= unread(column, row[column])
    if row.get("profile") is None or _form(row) == "words":
        odd |= _words_not_understood(row)
    unknown = {"not_understood": odd} if odd else {}
    return {**row, **(_described(row, traits) if traits else {}), **unknown}


def _word(name: str, text: str) -> str | None:
    """Return the word of the taxonomy for a text; None where it is unknown or not understood."""
    said = text.strip().casefold()
    if said in form("speaker")["unknown"] or _is_no_accent(name, text):
        return None
    word = trait_value(name, form("speaker")["words"].get(name, {}).get(said, text.strip()))
    return None if word is None else str(word)


def trait_value(name: str, value: str | float) -> str | float | None:
    """Return the value of a trait as the taxonomy has it; None for one that it does not know."""
    try:
        return trait(name, value)[1]
    except InputError:
        return None


def _is_no_accent(name: str, text: str) -> bool:
    return name == "accent" and text.strip().casefold() in form("talent")["no_accent"]


def _form(row: Mapping[str, Any]) -> str | None:
    note = row.get("profile_from")
    return note.get("form") if isinstance(note, Mapping) else None


def _described(row: Mapping[str, Any], traits: Mapping[str, str]) -> dict[str, Any]:
    profile = row.get("profile") or {"emotions": None}
    profile_from = row.get("profile_from") if row.get("profile") else {"form": "speaker"}
    return {
        "profile": {**profile, "traits": {**traits, **(profile.get("traits") or {})}},
        "profile_from": profile_from,
    }


def _words_not_understood(row: Mapping[str, Any]) -> dict[str, str]:
    """Return, for each field for words, the first of its texts that names no emotion."""
    found: dict[str, str] = {}
    for key in form("words")["under"]:
        odd = (text for text in _texts(row.get(key)) if not emotions_in(text) and not _is_none(text))
        found |= unread(key, next(odd, ""))
    return found


def _texts(said: Any) -> list[str]:
    return [text for text in (said if isinstance(said, list) else [said]) if isinstance(text, str)]


def _is_none(text: str) -> bool:
    return text.strip().casefold() in form("words")["none"]
