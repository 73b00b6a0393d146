"""The over-used phrases of paraphrases as a list that the next rewriting is told not to use."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from budew.captions.lint.corpus import Overused
from budew.files import whole_file


def banned_phrases(overused: Iterable[Overused]) -> tuple[str, ...]:
    """Return over-used phrases, the most frequent first, each run of words once.

    A formula of six words is over-used as three phrases of four; the first of them is enough to ban it.
    """
    kept: list[tuple[str, ...]] = []
    for found in overused:
        words = tuple(found.phrase.split())
        if not any(_overlap(words, other) for other in kept):
            kept.append(words)
    return tuple(" ".join(words) for words in kept)


def write_ban(overused: Iterable[Overused], path: Path) -> tuple[str, ...]:
    """Write the phrases as YAML, `phrases: […]`, replacing what is at `path`, and return them."""
    phrases = banned_phrases(overused)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        yaml.safe_dump({"phrases": list(phrases)}, file, allow_unicode=True, sort_keys=False, width=1000)
    return phrases


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Tell whether most of two phrases is the same run of words."""
    return bool(set(_runs(one)) & set(_runs(other)))


def _runs(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Give the runs of more than half of the words."""
    length = len(words) // 2 + 1
    return (words[at : at + length] for at in range(len(words) - length + 1))
