"""Labels in words. Emotions: a name of the taxonomy, an alias of one, a code, or any text of a caption.

A bare name or word ("anger", "sad", "Hopelessness") or a short code (`hap`, see `forms.yaml`) is moderate, ½,
as in a caption; in a text, intensity words count as they do there ("very sad" is strong, "slightly amused"
slight). An intensity beside one emotion replaces its own.

Labels rate the emotions that they name, and those of the whole set of labels where that is known (a
`ClassLabel` of Hugging Face): nothing is known of the others. "neutral" says that no emotion is present, and
rates all. Words that name no emotion are listed as not understood, and so are numbers under a misspelt name.

Columns such as `gender`, `age` and `accent` give traits, with the words of Common Voice too; ages in years
("34", "30s", "20-29") their group. Other numbers (an arousal) are not read, as their scales are not known:
they are listed as not understood, and stay in the metadata like all other columns.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from budew.captions.parse import parse
from budew.corpora.column_names import LONGEST_UNREAD, label_layout, not_understood, number_in
from budew.errors import InputError
from budew.taxonomy import (
    ATTRIBUTES,
    EMOTIONS,
    LEVELS,
    LONGEST_NAME,
    age_group,
    find_attribute,
    find_emotion,
    misspelt_emotion,
    trait,
)

LONGEST_TEXT = 20_000
"""Characters of a text that are read."""
NUMBER = "a number on an unknown scale"
NAMELESS = "a number without a name"
_MAYBE = "a number: is it"
_AGE = re.compile(
    r"(?P<first>\d{1,3})(?:\.0+)?\s*(?:(?P<decade>'?s)|\+|(?:-|–|to)\s*(?P<last>\d{1,3}))?"
    r"\s*(?:years?(?: old)?|y/?o?)?"
)
_DECADE = 10
_WORD = re.compile(r"[^\W_]+")
Classes = Mapping[str, Sequence[str]]
"""The names of all labels of a column, by column."""


def emotions_in(text: str) -> dict[str, float]:
    """Return the emotions that a text names → intensity; empty where it names none."""
    name = find_emotion(text)
    return {name: LEVELS[2]} if name else dict(parse(codes_as_words(text[:LONGEST_TEXT])).emotions)


def is_neutral(text: str) -> bool:
    """Return whether a label says that there is no emotion."""
    return codes_as_words(text[:LONGEST_NAME]).strip().casefold() in label_layout("words")["none"]


@lru_cache(maxsize=4096)
def named_emotion(name: str) -> str | None:
    """Return the one emotion that the name of a column or class stands for; None where it is not one."""
    found = emotions_in(name) if len(name) <= LONGEST_NAME else {}
    return next(iter(found)) if len(found) == 1 else None


def codes_as_words(text: str) -> str:
    """Return a text with spaces for underscores; one of nothing but codes in words ("hap;ang")."""
    words, codes = _WORD.findall(text.casefold()), label_layout("words")["codes"]
    if words and all(word in codes for word in words):
        return ", ".join(codes[word] for word in words)
    return text.replace("_", " ")


def describe_words(row: Mapping[str, Any], classes: Classes | None = None) -> dict[str, Any] | None:
    """Return a row with the emotions that a field of it names as a profile; None where none does."""
    for key, texts in _labels(row):
        read = {text[:60]: emotions_in(text) for text in texts}
        if not any(read.values()) and not any(map(is_neutral, texts)):
            continue
        found: dict[str, float] = {}
        for said in read.values():
            found |= {name: max(level, found.get(name, 0.0)) for name, level in said.items()}
        level = _intensity(row)
        if len(found) == 1 and level is not None:
            found = dict.fromkeys(found, level)
        others = set(map(named_emotion, (classes or {}).get(key, ())))
        rated = [name for name in EMOTIONS if name in found or name in others]
        profile = {"emotions": found, "rated": rated} if found else {"emotions": {}}
        return {
            **row,
            "profile": profile,
            "profile_from": {"form": "words", "field": key, "read_as": read},
        }
    return None


def _labels(row: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield columns of labels with their texts; those of any kind if each text names one emotion."""
    for key in label_layout("words")["under"]:
        yield key, _texts(row.get(key))
    for key in label_layout("words")["perhaps"]:
        texts = _texts(row.get(key))
        if all(named_emotion(text) or is_neutral(text) for text in texts):
            yield key, texts


def _intensity(row: Mapping[str, Any]) -> float | None:
    levels: Mapping[str, float] = label_layout("words")["levels"]
    words = (row.get(key) for key in label_layout("words")["intensity"])
    known = (levels.get(word.strip().casefold()) for word in words if isinstance(word, str))
    return next((level for level in known if level is not None), None)


def with_speaker(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose profile has the traits in its columns, too.

    A profile that is made of them alone does not know the emotions. Traits that are there already stay. What
    is not understood is listed under `not_understood`: column → text.
    """
    traits: dict[str, str] = {}
    odd = _numbers_not_understood(row)
    for name, columns in label_layout("speaker")["columns"].items():
        for column, text in ((column, _text(row, name, column)) for column in columns):
            word = None if text is None else trait_word(name, text)
            if word is not None:
                traits.setdefault(name, word)
                odd.pop(column, None)
            elif text is not None and column not in odd and not _is_no_accent(name, text):
                odd |= not_understood(column, text)
    if row.get("profile") is None or _form(row) == "words":
        odd |= _words_not_understood(row)
    unknown = {"not_understood": odd} if odd else {}
    return {**row, **(_described(row, traits) if traits else {}), **unknown}


def _text(row: Mapping[str, Any], name: str, column: str) -> str | None:
    """Return the text of a column with a trait, and the digits of an age in years; None for all else.

    A number of at most 6 may be the voice attribute Age, where there are scores or other attributes.
    """
    value = row.get(column)
    number = number_in(value)
    if number is None:
        return value if isinstance(value, str) else None
    if name != "age" or not number.is_integer():
        return None
    has_scores = _form(row) not in (None, "words") or any(
        find_attribute(key) for key in row if key != column and number_in(row[key]) is not None
    )
    return None if has_scores and number <= ATTRIBUTES["Age"].scale.high else str(int(number))


def trait_word(name: str, text: str) -> str | None:
    """Return the word of the taxonomy for a text; None where it is unknown or not understood.

    An age may be a number of years, a decade or a range: "34", "30s", "20-29", "60+".
    """
    said = text.strip().casefold()
    if said in label_layout("speaker")["unknown"] or _is_no_accent(name, text):
        return None
    if name == "age" and (age := age_in(said)) is not None:
        return age
    word = trait_value(name, label_layout("speaker")["words"].get(name, {}).get(said, text.strip()))
    return None if word is None else str(word)


def age_in(text: str) -> str | None:
    """Return the age group of years, of a decade or of the middle of a range; None for anything else."""
    found = _AGE.fullmatch(text)
    if found is None or not int(found["first"]):  # 0 stands for unknown
        return None
    first, decade, last = int(found["first"]), found["decade"], found["last"]
    end = first + _DECADE - 1 if decade else int(last or first)
    return age_group((first + end + 1) // 2)


def trait_value(name: str, value: str | float) -> str | float | None:
    """Return the value of a trait as the taxonomy has it; None for one that it does not know."""
    try:
        return trait(name, value)[1]
    except InputError:
        return None


def _is_no_accent(name: str, text: str) -> bool:
    return name == "accent" and text.strip().casefold() in label_layout("talent")["no_accent"]


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


def _numbers_not_understood(row: Mapping[str, Any]) -> dict[str, str]:
    """Return columns of numbers: voice attributes, labels, and what may be an emotion."""
    inner = (row[name] for name in label_layout("scores")["under"] if isinstance(row.get(name), Mapping))
    odd: dict[str, str] = {}
    for key, value in ((str(key), value) for held in (row, *inner) for key, value in held.items()):
        if number_in(value) is None:
            continue
        if find_attribute(key) or (key in label_layout("words")["intensity"] and _form(row) == "words"):
            odd[key] = NUMBER
        elif key in label_layout("words")["under"] and not isinstance(value, str):
            odd[key] = NAMELESS
        elif nearest := named_emotion(key) or misspelt_emotion(key):
            odd[key] = f"{_MAYBE} {nearest}?"
    return odd


def odd_labels(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yield the labels of emotions that the metadata of a clip lists as not understood."""
    listed = metadata.get("not_understood")
    for column, text in listed.items() if isinstance(listed, Mapping) else ():
        said = str(text)[:LONGEST_UNREAD]
        if column in label_layout("words")["under"]:
            nearest = None if said == NAMELESS else misspelt_emotion(said)
            yield f"{column}: {said}" + (f" (nearest: {nearest})" if nearest else "")
        elif said.startswith(_MAYBE) or column in label_layout("words")["intensity"]:
            yield f"{column}: {said}"


def _words_not_understood(row: Mapping[str, Any]) -> dict[str, str]:
    """Return, for each field for words, the first of its texts that names no emotion."""
    found: dict[str, str] = {}
    for key in label_layout("words")["under"]:
        odd = (text for text in _texts(row.get(key)) if not emotions_in(text) and not is_neutral(text))
        found |= not_understood(key, next(odd, ""))
    return found


def _texts(said: Any) -> list[str]:
    return [text for text in (said if isinstance(said, list) else [said]) if isinstance(text, str)]
