"""Parse labels in words: emotions, and the gender, age and accent of the speaker.

The label of an emotion is a name in the taxonomy, an alias, a short code (`hap`, see `forms.yaml`), or any
text that could be in a caption. A bare name or word ("anger", "sad", "Hopelessness") or a code is moderate
(½); words of intensity count as in captions ("very sad" is strong, "slightly amused" is slight). If a row has
one emotion and a column with its intensity ("high", "mildly present"), that intensity is used.

The emotions that a label names are rated, and if the whole set of labels is known (a `ClassLabel` of Hugging
Face), the emotions of all these labels; other emotions are unrated. "neutral" means that all emotions are
rated absent. Words that name no emotion, and numbers under a misspelt name, are listed as not understood.

Columns such as `gender`, `age` and `accent` become traits, also with the words of Common Voice; ages in years
("34", "30s", "20-29") become age groups. Other numbers, such as an arousal, are not used, because their
scales are unknown: they are listed as not understood, and stay in the metadata like all other columns.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from budew.captions.parse import parse
from budew.corpora.column_names import LONGEST_UNREAD, answer_in, label_layout, not_understood, number_in
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
"""Number of characters of a text that are parsed; the rest is ignored."""
NUMBER = "a number on an unknown scale"
"""Message in `not_understood` for the number of a voice attribute or intensity."""
NAMELESS = "a number without a name"
"""Message in `not_understood` for the number of a class whose name is unknown."""
_MAYBE = "a number: is it"
_AGE = re.compile(
    r"(?P<first>\d{1,3})(?:\.0+)?\s*(?:(?P<decade>'?s)|\+|(?:-|–|to)\s*(?P<last>\d{1,3}))?"
    r"\s*(?:years?(?: old)?|y/?o?)?"
)
_DECADE = 10
_WORD = re.compile(r"[^\W_]+")
Classes = Mapping[str, Sequence[str]]
"""Column → names of all its labels."""


def emotions_in(text: str) -> dict[str, float]:
    """Return {emotion: intensity} for the emotions that a text names; {} if it names none."""
    name = find_emotion(text)
    return {name: LEVELS[2]} if name else dict(parse(codes_as_words(text[:LONGEST_TEXT])).emotions)


def is_neutral(text: str) -> bool:
    """Return whether a label means that no emotion is present, such as "neutral"."""
    return codes_as_words(text[:LONGEST_NAME]).strip().casefold() in label_layout("words")["none"]


@lru_cache(maxsize=4096)
def named_emotion(name: str) -> str | None:
    """Return the emotion that the name of a column or class means; None if it means none or several."""
    found = emotions_in(name) if len(name) <= LONGEST_NAME else {}
    return next(iter(found)) if len(found) == 1 else None


def codes_as_words(text: str) -> str:
    """Replace underscores in a text by spaces, or if it only has codes ("hap;ang"), the codes by words."""
    words, codes = _WORD.findall(text.casefold()), label_layout("words")["codes"]
    if words and all(word in codes for word in words):
        return ", ".join(codes[word] for word in words)
    return text.replace("_", " ")


def describe_words(row: Mapping[str, Any], classes: Classes | None = None) -> dict[str, Any] | None:
    """Add a profile with the emotions that a field of the row names; None if no field names any.

    Emotions in the names of all labels of this field (`classes`) are rated, too.

    Example:
        >>> describe_words({"emotion": "very sad"})["profile"]
        {'emotions': {'Sadness': 0.75}, 'rated': ['Sadness']}
    """
    layout = label_layout("words")
    for field in (*layout["under"], *layout["perhaps"]):
        texts = _texts(row.get(field))
        if field in layout["perhaps"] and not all(named_emotion(one) or is_neutral(one) for one in texts):
            continue  # these fields may have other content: they are used if each text names one emotion
        read_as = {text[:60]: emotions_in(text) for text in texts}
        if not any(read_as.values()) and not any(map(is_neutral, texts)):
            continue
        emotions: dict[str, float] = {}
        for name, level in chain.from_iterable(found.items() for found in read_as.values()):
            emotions[name] = max(level, emotions.get(name, 0.0))
        words = (row.get(column) for column in layout["intensity"])
        written = (word.strip().casefold() for word in words if isinstance(word, str))
        levels = (layout["levels"].get(word, answer_in(word)) for word in written)
        intensity = next((level for level in levels if level is not None), None)
        if len(emotions) == 1 and intensity is not None:
            emotions = dict.fromkeys(emotions, intensity)
        others = set(map(named_emotion, (classes or {}).get(field, ())))
        rated = [name for name in EMOTIONS if name in emotions or name in others]
        profile = {"emotions": emotions, "rated": rated} if emotions else {"emotions": {}}
        profile_from = {"form": "words", "field": field, "read_as": read_as}
        return {**row, "profile": profile, "profile_from": profile_from}
    return None


def with_speaker(row: Mapping[str, Any]) -> dict[str, Any]:
    """Add the traits in the columns of a row (gender, age, accent, …) to its profile.

    Traits that the profile has already are kept. If the row had no profile, all emotions of the new one are
    unrated. Labels that are not understood are listed in `not_understood`: column → text.
    """
    traits: dict[str, str] = {}
    unclear = _unclear_numbers(row)
    for name, columns in label_layout("speaker")["columns"].items():
        for column in columns:
            text = _trait_text(row, name, column)
            word = None if text is None else trait_word(name, text)
            if word is not None:
                traits.setdefault(name, word)
                unclear.pop(column, None)
            elif text is not None and column not in unclear and not _is_no_accent(name, text):
                unclear |= not_understood(column, text)
    if row.get("profile") is None or _form(row) == "words":
        for field in label_layout("words")["under"]:
            others = (one for one in _texts(row.get(field)) if not emotions_in(one) and not is_neutral(one))
            unclear |= not_understood(field, next(others, ""))
    described = dict(row)
    if traits:
        profile = row.get("profile") or {"emotions": None}
        described["profile"] = {**profile, "traits": {**traits, **(profile.get("traits") or {})}}
        described["profile_from"] = row.get("profile_from") if row.get("profile") else {"form": "speaker"}
    if unclear:
        described["not_understood"] = unclear
    return described


def trait_word(name: str, text: str) -> str | None:
    """Return the word of the taxonomy for the text of a trait; None if it is unknown or not understood.

    An age may be a number of years, a decade or a range: "34", "30s", "20-29", "60+".
    """
    folded = text.strip().casefold()
    if folded in label_layout("speaker")["unknown"] or _is_no_accent(name, text):
        return None
    age = age_in(folded) if name == "age" else None
    if age is not None:
        return age
    word = trait_value(name, label_layout("speaker")["words"].get(name, {}).get(folded, text.strip()))
    return None if word is None else str(word)


def age_in(text: str) -> str | None:
    """Return the age group of a number of years, a decade or a range (its middle); None for other texts."""
    found = _AGE.fullmatch(text)
    if found is None or not int(found["first"]):  # 0 stands for unknown
        return None
    first = int(found["first"])
    last = first + _DECADE - 1 if found["decade"] else int(found["last"] or first)
    return age_group((first + last + 1) // 2)


def trait_value(name: str, value: str | float) -> str | float | None:
    """Return the value of a trait as it is in the taxonomy; None if the taxonomy does not have it."""
    try:
        return trait(name, value)[1]
    except InputError:
        return None


def odd_labels(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yield the emotion labels that are listed as not understood in the metadata, as "column: text"."""
    listed = metadata.get("not_understood")
    layout = label_layout("words")
    for column, value in listed.items() if isinstance(listed, Mapping) else ():
        text = str(value)[:LONGEST_UNREAD]
        if column in layout["under"]:
            nearest = None if text == NAMELESS else misspelt_emotion(text)
            yield f"{column}: {text}" + (f" (nearest: {nearest})" if nearest else "")
        elif text.startswith(_MAYBE) or column in layout["intensity"]:
            yield f"{column}: {text}"


def _trait_text(row: Mapping[str, Any], name: str, column: str) -> str | None:
    """Return the text of a column with a trait, or an age in years as text; None for other values.

    In a row with scores or voice attributes, a number of at most 6 is the voice attribute Age, not an age.
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


def _is_no_accent(name: str, text: str) -> bool:
    return name == "accent" and text.strip().casefold() in label_layout("talent")["no_accent"]


def _form(row: Mapping[str, Any]) -> str | None:
    """Return the name of the layout of labels from which the profile of a row was made; None if unknown."""
    profile_from = row.get("profile_from")
    return profile_from.get("form") if isinstance(profile_from, Mapping) else None


def _unclear_numbers(row: Mapping[str, Any]) -> dict[str, str]:
    """Return {column: message} for columns of numbers: voice attributes, labels, and possible emotions."""
    layout = label_layout("words")
    inner = (row[name] for name in label_layout("scores")["under"] if isinstance(row.get(name), Mapping))
    unclear: dict[str, str] = {}
    for key, value in ((str(key), value) for held in (row, *inner) for key, value in held.items()):
        if number_in(value) is None:
            continue
        if find_attribute(key) or (key in layout["intensity"] and _form(row) == "words"):
            unclear[key] = NUMBER
        elif key in layout["under"] and not isinstance(value, str):
            unclear[key] = NAMELESS
        elif nearest := named_emotion(key) or misspelt_emotion(key):
            unclear[key] = f"{_MAYBE} {nearest}?"
    return unclear


def _texts(value: Any) -> list[str]:
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
