"""Map the names and values of corpora to those of clips: columns, labels, languages and numbers.

For example, the column `sentence` is the field `transcript`, the languages `english` and `eng` are `en`, and
`pt_BR` is the BCP 47 tag `pt-BR`. The names are in YAML files beside the code.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

from budew.io.resources import packaged_table

LONGEST_LANGUAGE = 40
"""Largest number of characters in the name of a language."""
LONGEST_UNREAD = 60
"""Labels outside the taxonomy are cut to this many characters in reports."""
_LARGEST = 1e9
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,18})?")
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|[0-9]{3}))?", re.IGNORECASE)


@cache
def names_of_fields() -> Mapping[str, tuple[str, ...]]:
    """Return {field of a clip: usual names of its column, most likely first} (`fields.yaml`)."""
    return {field: tuple(names) for field, names in packaged_table(__package__, "fields").items()}


def columns_of_fields(names: Iterable[str]) -> dict[str, str]:
    """Return {field of a clip: column that has it} for the columns `names`; other fields are left out."""
    columns = set(names)
    found = {}
    for field, usual in names_of_fields().items():
        known = [name for name in usual if name in columns]
        if known:
            found[field] = known[0]
    return found


def in_known_case(columns: Sequence[str]) -> list[str]:
    """Return the column names of a table, in lower case if budew knows them, such as "text" for "Text".

    A name is not changed if the table also has a column with the name in lower case.
    """
    scores, speaker = label_layout("scores"), label_layout("speaker")["columns"]
    labels = (scores["under"], scores["declared"], label_layout("words")["under"], *speaker.values())
    known = set(chain(*names_of_fields().values(), *labels)).difference(columns)
    return [name.lower() if name.lower() in known else name for name in columns]


def with_usual_names(row: Mapping[str, Any]) -> dict[str, Any]:
    """Rename the fields of a clip's JSON from usual names to those of a clip, if their values are valid.

    Audio, id and profile are not renamed.
    """
    found = dict(row)
    for field, usual in names_of_fields().items():
        if field in ("audio", "id", "profile") or row.get(field) is not None:
            continue
        for name in usual:
            if name in found and _fits(field, found[name]):
                value = found.pop(name)
                found[field] = [value] if field == "captions" and isinstance(value, str) else value
                break
    return found


def _fits(field: str, value: Any) -> bool:
    if field in ("duration", "sampling_rate"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) or (field == "captions" and isinstance(value, list))


def in_clip_names(row: Mapping[str, Any]) -> dict[str, Any]:
    """Rename the columns of a row to the fields of a clip, and drop the audio; other columns stay."""
    chosen = columns_of_fields(row)
    audio = chosen.pop("audio", None)
    taken = {audio, *chosen.values()}
    known = {field: row[name] for field, name in chosen.items() if row[name] is not None}
    if isinstance(known.get("captions"), str):
        known["captions"] = [known["captions"]]
    rest = {name: value for name, value in row.items() if name not in taken and value is not None}
    return {**{name: value for name, value in rest.items() if name not in known}, **known}


@cache
def label_layout(name: str) -> Mapping[str, Any]:
    """Return the field names and words of a form of labels: "scores", "words", "speaker", "talent", …

    They are in `forms.yaml`.
    """
    table = packaged_table(__package__, "forms")
    names: Mapping[str, Any] = table[name]
    return names


def voice_gender(row: Mapping[str, Any], speaker: object) -> dict[str, str]:
    """Return the gender of a voice of Got Talent as a trait; {} for others, or if the row states it."""
    is_stated = any(row.get(column) for column in label_layout("speaker")["columns"]["gender"])
    gender = None if is_stated else label_layout("talent")["voices"].get(str(speaker).casefold())
    return {} if gender is None else {"gender": gender}


def not_understood(field: str, text: str) -> dict[str, str]:
    """Return {field: text}, the text cut short, to list a label as not understood.

    {} if the text is empty or means "unknown".
    """
    known = not text.strip() or text.strip().casefold() in label_layout("speaker")["unknown"]
    return {} if known else {field: text.strip()[:LONGEST_UNREAD]}


@cache
def language_names() -> Mapping[str, str]:
    """Return {name or code of a language, case-folded: BCP 47 tag} (`languages.yaml`)."""
    table = packaged_table(__package__, "languages")
    return {name.casefold(): tag for tag, names in table.items() for name in (tag, *names)}


def language_tag(written: str) -> str | None:
    """Return the BCP 47 tag of a language, given as a name, a code or a locale; None if it is unknown.

    Script and region are kept, in their usual case: "zh_hant_tw" becomes "zh-Hant-TW".
    """
    text = " ".join(written[: LONGEST_LANGUAGE + 1].split())
    if len(text) > LONGEST_LANGUAGE:
        return None
    whole = language_names().get(text.casefold().replace("_", " "))
    parts = None if whole else _TAG.fullmatch(text)
    if parts is None:
        return whole
    language, script, region = parts.groups()
    known = language_names().get(language.casefold())
    if known is None:
        return None
    return "-".join(filter(None, (known, script and script.title(), region and region.upper())))


def answer_in(value: Any) -> float | None:
    """Return the answer of a rater in words as a share of the scale; None for anything else.

    Example:
        >>> answer_in("mildly_present"), answer_in("Strongly / Fully Expressed"), answer_in("2")
        (0.5, 1.0, None)
    """
    if not isinstance(value, str) or len(value) > LONGEST_UNREAD:
        return None
    words = re.sub(r"[-_\s]+", " ", value).strip().replace(" / ", "/")
    return label_layout("answers").get(words.casefold())


def number_in(value: Any) -> float | None:
    """Convert a number, or a text with a number, to a float; None if it is neither, or 10⁹ or more."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()  # strips more characters than float() does, such as U+001F
        return float(text) if _NUMBER.fullmatch(text) else None
    return float(value) if isinstance(value, int | float) and abs(value) < _LARGEST else None
