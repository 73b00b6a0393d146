"""From what an audio model wrote to a profile, strictly: everything asked for, nothing else, once, in range.

Whatever is wrong is told in sentences that the model can act on, all of it at once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from budew.annotation.schema import SCALE, UNKNOWN
from budew.chat.json_in_text import object_in
from budew.errors import AnswerError
from budew.profile import VoiceProfile
from budew.taxonomy import (
    ATTRIBUTES,
    BURSTS,
    EMOTIONS,
    WORD_TRAITS,
    RangeError,
    TraitError,
    UnknownNameError,
    burst,
    emotion,
    trait,
)
from budew.taxonomy.scales import to_intensity

MOST_PROBLEMS = 20
_LONGEST_PROBLEM = 200


def read_answer(text: str, parts: Sequence[str]) -> VoiceProfile:
    """Return the profile in an answer.

    Args:
        text: what the model wrote: a JSON object with `parts`, prose around it or not.
        parts: what it was asked for, see `budew.annotation.schema.PARTS`.

    Raises:
        AnswerError: with everything that is wrong, one line for each problem.
    """
    data = object_in(text, keys=parts)
    problems = [f"{_shown(name)} is not asked for" for name in data if name not in parts]
    read = {part: _READ[part](data.get(part), problems) for part in parts}
    if problems:
        shown = [problem[:_LONGEST_PROBLEM] for problem in problems[:MOST_PROBLEMS]]
        more = [f"and {len(problems) - MOST_PROBLEMS} more"] * (len(problems) > MOST_PROBLEMS)
        raise AnswerError("\n".join([*shown, *more]))
    return VoiceProfile(
        read["emotions"], read.get("bursts", ()), {**read.get("traits", {}), **read.get("attributes", {})}
    )


def _emotions(value: Any, problems: list[str]) -> dict[str, float]:
    scores = {}
    for name, score in _each_once("emotions", value, EMOTIONS, emotion, problems):
        try:
            scores[name] = to_intensity(score, SCALE)
        except RangeError:
            problems.append(f"emotions: {name} is {_shown(score)}, not a number from 0 to 4")
    return scores


def _bursts(value: Any, problems: list[str]) -> list[str]:
    if not isinstance(value, list):
        problems.append(f"bursts is {_shown(value)}, not a list of names")
        return []
    if len(value) > len(BURSTS):
        problems.append(f"bursts holds {len(value)} names, more than there are")
        return []
    names: list[str] = []
    for given in value:
        try:
            name = burst(given)
        except (UnknownNameError, TypeError) as error:
            problems.append(f"bursts: {_reason(error)}")
            continue
        if name in names:
            problems.append(f"bursts: {name!r} stands there twice")
        names.append(name)
    return names


def _traits(value: Any, problems: list[str]) -> dict[str, str | float]:
    words = {}
    for name, word in _each_once("traits", value, WORD_TRAITS, str, problems):
        if not isinstance(word, str):
            problems.append(f"traits: {name} is {_shown(word)}, not a word")
        elif word.strip().lower() != UNKNOWN:
            words.update(_trait("traits", name, word, problems))
    return words


def _attributes(value: Any, problems: list[str]) -> dict[str, str | float]:
    numbers = {}
    for name, number in _each_once("attributes", value, tuple(ATTRIBUTES), str, problems):
        if isinstance(number, str):
            problems.append(f"attributes: {name} is {_shown(number)}, not a number")
        else:
            numbers.update(_trait("attributes", name, number, problems))
    return numbers


def _trait(part: str, name: str, value: Any, problems: list[str]) -> dict[str, str | float]:
    try:
        return dict([trait(name, value)])
    except (UnknownNameError, RangeError, TraitError) as error:
        problems.append(f"{part}: {name}: {_reason(error)}")
        return {}


def _each_once(
    part: str, value: Any, names: Sequence[str], resolve: Callable[[str], str], problems: list[str]
) -> Iterator[tuple[str, Any]]:
    """Give the fields of a part under their canonical names; tell of those unknown, twice or missing."""
    if not isinstance(value, Mapping):
        problems.append(f"{part} is {_shown(value)}, not an object")
        return
    if len(value) > 2 * len(names):  # finding the nearest name to a wrong one takes time
        problems.append(f"{part} holds {len(value)} names, not {len(names)}")
        return
    seen = set()
    for given, content in value.items():
        try:
            name = resolve(given)
        except UnknownNameError as error:
            problems.append(f"{part}: {_reason(error)}")
            continue
        if name not in names:
            problems.append(f"{part}: {_shown(given)} is not asked for")
        elif name in seen:
            problems.append(f"{part}: {name!r} stands there twice")
        else:
            seen.add(name)
            yield name, content
    missing = [name for name in names if name not in seen]
    if missing:
        problems.append(f"{part}: {', '.join(missing)} missing")


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    text = repr(value)[:60] if isinstance(value, str | int | float) else type(value).__name__
    return {"dict": "an object", "list": "a list"}.get(text, text)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())


_READ: Mapping[str, Callable[[Any, list[str]], Any]] = {
    "emotions": _emotions,
    "bursts": _bursts,
    "traits": _traits,
    "attributes": _attributes,
}
