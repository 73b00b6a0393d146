"""Human ratings of items (clips or images), and profiles with the mean over raters.

The intensity of an emotion in a profile is the mean over the raters who rated it, from 0 (absent for all) to
1 (all gave the highest answer). Emotions that nobody rated are unrated.

The answers in a field are one object, a list of flat objects, or a list of objects by rater. In EmoNet-Voice
Bench, `[{'human-1': {'Shame': 1}}, {'human-4': {'Shame': 2}}]`, experts rate one emotion per clip as not,
mildly or intensely present (0, 1, 2), or a voice attribute on its own scale. In EmoNet-Face HQ,
`{'Joy|Elation': 3}`, the group of the emotion comes before its name. Answers may be in words: "mildly
present" is the middle of the scale.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import PurePath
from typing import Any

from budew.corpora.column_names import answer_in, label_layout, number_in, voice_gender
from budew.corpora.labels.scores import declared_scale, intensities, scale_in
from budew.corpora.labels.talent import shard_name
from budew.errors import CorpusError, InputError
from budew.io.strict_json import loads
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, find_attribute, find_emotion
from budew.taxonomy.rating_scales import SCALES, Scale, from_intensity

LONGEST = 65_536
"""Largest number of characters of a field; forty ratings by eight people take some 10,000."""
SCALE = "emonet-voice"
"""Scale of the answers in EmoNet-Voice Bench."""
COLUMN = "label"
"""Column of the answers in EmoNet-Voice Bench."""
_BEGINNING = re.compile(r"""\s*\[\s*\{\s*(?:'[^']{1,200}'|"[^"]{1,200}")\s*:\s*\{""")
Answer = tuple[str, str, float]
"""Rater, canonical name of the emotion or voice attribute, and answer on the scale of the corpus."""


@dataclass(frozen=True, slots=True)
class Rating:
    """One answer of a human rater.

    Attributes:
        item: id of the clip, or name of the image.
        rater: name of the rater, unique in the corpus.
        emotion: canonical name of the rated emotion or voice attribute.
        value: answer as an intensity in [0, 1].

    Example:
        >>> Rating("clip-1", "human-4", "Shame", 0.5).value
        0.5
    """

    item: str
    rater: str
    emotion: str
    value: float


def rated_name(written: str) -> str:
    """Return the canonical name of an emotion or voice attribute, given by any of its names or spellings.

    Raises:
        CorpusError: no emotion and no voice attribute has this name.
    """
    found = find_emotion(written) or find_attribute(written)
    if found is None:
        raise CorpusError(
            f"{written[:80]!r} is neither an emotion nor a voice attribute: use a name of the taxonomy"
        )
    return found


def profile_of(ratings: Iterable[Rating]) -> VoiceProfile:
    """Return the profile of one item, with the mean over raters of each emotion and voice attribute."""
    sums: dict[str, tuple[float, int]] = {}
    for rating in ratings:
        total, count = sums.get(rating.emotion, (0.0, 0))
        sums[rating.emotion] = (total + rating.value, count + 1)
    means = {name: min(1.0, total / count) for name, (total, count) in sums.items()}
    traits = {
        name: from_intensity(mean, ATTRIBUTES[name].scale)
        for name, mean in means.items()
        if name in ATTRIBUTES
    }
    emotions = {name: mean for name, mean in means.items() if name not in ATTRIBUTES}
    return VoiceProfile(emotions, traits=traits, rated=emotions)


def profiles_of(ratings: Iterable[Rating]) -> dict[str, VoiceProfile]:
    """Return {item: profile}, with the mean over raters of each emotion, in the order in which items occur.

    Example:
        >>> ratings = [Rating("clip-1", "anna", "Shame", 0.5), Rating("clip-1", "ben", "Shame", 1.0)]
        >>> dict(profiles_of(ratings)["clip-1"].emotions)
        {'Shame': 0.75}
    """
    of_item: dict[str, list[Rating]] = {}
    for rating in ratings:
        of_item.setdefault(rating.item, []).append(rating)
    return {item: profile_of(some) for item, some in of_item.items()}


def describe_emonet_voice(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Convert a row of EmoNet-Voice Bench to fields of a clip; None for rows of other corpora.

    Raises:
        CorpusError: the label is not a list of ratings from 0 to 2, or has an unknown emotion.
    """
    if not looks_like_answers(row.get(COLUMN)):
        return None
    try:
        scale = declared_scale(scale_in(row) or SCALE)
        ratings = [
            Rating("", rater, name, intensities({name: value}, scale, overshoot=0.0)[name])
            for rater, name, value in answers_in(row[COLUMN], scale=scale)
        ]
    except CorpusError as error:
        raise CorpusError(f"the label cannot be read: {error}") from error
    statements = [{key: value for key, value in asdict(one).items() if key != "item"} for one in ratings]
    raters = len({rating.rater for rating in ratings})
    profile = profile_of(ratings)
    spoken = {**row, **_voice_in_file_name(row)}
    traits = {**profile.traits, **voice_gender(row, spoken.get("speaker"))}
    return {
        **{key: value for key, value in spoken.items() if key != COLUMN},
        "profile": replace(profile, traits=traits).to_dict(),
        "ratings": statements,
        "asked_for": list(dict.fromkeys(rating.emotion for rating in ratings)),
        "profile_from": {"form": "emonet-voice", "scale": scale.name, "raters": raters},
    }


def _voice_in_file_name(row: Mapping[str, Any]) -> dict[str, str]:
    """Return speaker and language in a file name such as `english_alloy_….mp3`, where the row has none."""
    found = shard_name(PurePath(str(row.get("metadata", {}).get("file_name", ""))).stem)
    if found is None or found.voice not in label_layout("talent")["voices"]:
        return {}
    stated = {"speaker": found.voice, "language": found.language}
    return {name: value for name, value in stated.items() if value is not None and not row.get(name)}


def share_in_words(value: Any) -> float | None:
    """Return an answer in words, "yes" and True among them, as a share of its scale; None for others."""
    share = answer_in(value)
    return label_layout("ratings")["words"].get(str(value).strip().casefold()) if share is None else share


def answers_in(value: Any, *, rater: str | None = None, scale: Scale = SCALES[SCALE]) -> list[Answer]:
    """Return the answers in a field, in their order.

    Args:
        value: lists and objects, or a text of them in Python or JSON.
        rater: name of raters that the field does not name; None: they are numbered.
        scale: scale to which answers in words are converted.

    Raises:
        CorpusError: the field has no such answers, an unknown emotion, or an answer that is neither a number
            nor in words.
    """
    found = [
        answer
        for who, answers in answers_by_rater(value, rater=rater)
        for answer in _of_one(answers, who, scale)
    ]
    if not found:
        raise CorpusError(f"{str(value)[:60]!r} contains no rating: correct it, or leave the row out")
    return found


def looks_like_answers(value: Any) -> bool:
    """Return whether a field is a list of objects by rater, or its text, such as `[{'human-1': {…`."""
    if isinstance(value, str):
        return _BEGINNING.match(value[:400]) is not None
    people = value if isinstance(value, list) else []
    return bool(people) and all(
        isinstance(one, Mapping) and any(isinstance(answers, Mapping) for answers in one.values())
        for one in people
    )


def answers_by_rater(value: Any, *, rater: str | None = None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each rater in a field, see `answers_in`, with that rater's answers as they are written.

    An object of answers may have the name of the rater as one of its fields, or be under this name.
    """
    read = plain_values(value) if isinstance(value, str) else value
    keys = label_layout("ratings")["rater"]
    for number, one in enumerate(read if isinstance(read, list | tuple) else [read], 1):
        person = _object(plain_values(one) if isinstance(one, str) else one)
        named = next((str(person[key]) for key in keys if person.get(key) is not None), None)
        who = named or rater or f"rater-{number}"
        inner = {name: answers for name, answers in person.items() if isinstance(answers, Mapping)}
        if named is not None and len(inner) == 1:
            yield who, next(iter(inner.values()))
        elif inner:  # in a table, every row has all raters as keys
            yield from ((str(name), _object(each)) for name, each in person.items() if each is not None)
        else:
            yield who, {name: answer for name, answer in person.items() if name not in keys}


def plain_values(text: str) -> Any:
    """Parse a text of lists, objects, numbers and texts, written in Python or JSON.

    Raises:
        CorpusError: the text is longer than `LONGEST` characters, or has anything else.
    """
    if len(text) > LONGEST:
        raise CorpusError(f"a value of {len(text)} characters is longer than the {LONGEST} allowed")
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        with suppress(InputError):
            return loads(text)  # true, false and null of JSON
        raise CorpusError(f"{text[:60]!r} is not a list of plain values") from error


def _object(answers: Any) -> Mapping[str, Any]:
    if not isinstance(answers, Mapping):
        raise CorpusError(
            f"expected the answers of a rater as an object, such as {{'Shame': 2}}, not {str(answers)[:60]!r}"
        )
    return answers


def _of_one(answers: Mapping[str, Any], rater: str, scale: Scale) -> Iterator[Answer]:
    for written, value in answers.items():
        if value is None:
            continue
        share, number = share_in_words(value), number_in(value)
        if share is not None:
            number = scale.low + share * (scale.high - scale.low)
        elif number is None or isinstance(value, str):
            raise CorpusError(f"{rater} rates {str(written)[:60]!r} as {str(value)[:60]!r}: give a number")
        yield rater, rated_name(str(written).rpartition("|")[2]), number
