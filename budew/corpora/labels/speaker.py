"""Who speaks, in words: columns such as `gender`, `age` and `accent`, with the words of Common Voice too.

Numbers in such columns (years of age, an arousal) are not read, as their scales are not known. They are
listed as not understood, and stay in the metadata like all other columns.
"""

from collections.abc import Mapping
from typing import Any

from budew.corpora.labels.forms import form, unread
from budew.corpora.labels.scores import number_in
from budew.corpora.labels.words import words_not_understood
from budew.errors import InputError
from budew.taxonomy import find_attribute, trait

NUMBER = "a number on an unknown scale"


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
        odd |= words_not_understood(row)
    unknown = {"not_understood": odd} if odd else {}
    return {**row, **(_described(row, traits) if traits else {}), **unknown}


def _word(name: str, text: str) -> str | None:
    """Return the word of the taxonomy for a text; None where it is unknown or not understood."""
    said = text.strip().casefold()
    if said in form("speaker")["unknown"] or _is_no_accent(name, text):
        return None
    try:
        return str(trait(name, form("speaker")["words"].get(name, {}).get(said, text.strip()))[1])
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
