"""What was measured, binned against the corpus, into traits that captions speak of: fast, monotone, noisy...

Two passes: `corpus_bins` reads the figures of all clips and finds the edges, a job takes them to each clip.
The edges are a JSON file, so that another corpus, or one clip, can be held against the same.

Quantiles are taken where dataspeech cuts the range into equal parts, whose outer ones are nearly empty. Pitch
is that of the clip, not the mean of its speaker as in dataspeech: who is excited is higher than usual, and
captions say so.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from budew.annotation.measure import FIELD
from budew.corpora.clip import Clip
from budew.corpora.sidecar import read_json
from budew.corpora.sources import read
from budew.errors import OnBad
from budew.files import whole_file
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES
from budew.taxonomy.scales import from_intensity

FEWEST = 20
"""Clips of which edges are taken."""
ALL = ""
"""Name of the group of all clips."""

Edges = tuple[float, ...]


class BinsError(ValueError):
    """Edges that cannot be found, or a file that holds none."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of `bins.yaml`: which trait a figure becomes, and its value in each bin from low to high."""

    measure: str
    trait: str
    levels: tuple[float, ...] = ()
    words: tuple[str | None, ...] = ()
    group: str = ALL
    low_below: float = float("inf")
    high_above: float = float("-inf")

    def value(self, number: float, edges: Edges) -> str | float | None:
        """Return the trait of a figure; None where there is no word for it."""
        place = self._bin(number, edges)
        if self.words:
            return self.words[place]
        return from_intensity(self.levels[place], ATTRIBUTES[self.trait].scale)

    def _bin(self, number: float, edges: Edges) -> int:
        """Return the bin, 0 to len(edges); what lies on an edge belongs to the one nearer the middle."""
        middle = len(edges) // 2
        below = sum(number < edge for edge in edges[:middle]) if number < self.low_below else 0
        above = sum(number > edge for edge in edges[middle:]) if number > self.high_above else 0
        return middle - below + above


@dataclass(frozen=True, slots=True)
class Bins:
    """Edges found in a corpus.

    Attributes:
        corpus: where.
        clips: how many of its clips were measured.
        edges: figure → group, `ALL` or such as "female" → four numbers, from low to high.
    """

    corpus: str
    clips: int
    edges: Mapping[str, Mapping[str, Edges]]

    def traits(self, clip: Clip) -> dict[str, str | float | None]:
        """Return what the figures of a clip say of it. None is a trait that is neither one nor the other."""
        measured = figures(clip)
        found: dict[str, str | float | None] = {}
        for rule in rules():
            groups = self.edges.get(rule.measure, {})
            edges = groups.get(_group(clip, rule), groups.get(ALL))
            if rule.measure in measured and edges and rule.trait not in found:
                found[rule.trait] = rule.value(measured[rule.measure], edges)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        edges = {name: {group: list(row) for group, row in rows.items()} for name, rows in self.edges.items()}
        return {"corpus": self.corpus, "clips": self.clips, "edges": edges}

    def write(self, path: str | Path) -> None:
        """Write the edges as JSON; the file appears whole."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with whole_file(Path(path)) as file:
            print(json.dumps(self.to_dict(), indent=1, ensure_ascii=False), file=file)


def read_bins(path: str | Path) -> Bins:
    """Read what `Bins.write` wrote.

    Raises:
        BinsError: it is not such a file, or its edges do not rise.
        CorpusError: it cannot be read, or is no JSON.
    """
    data = read_json(Path(path))
    edges = data.get("edges")
    if not isinstance(edges, dict) or not all(isinstance(rows, dict) for rows in edges.values()):
        raise BinsError(f'{path}: has no "edges": make it by budew corpus bins')
    known = {rule.measure for rule in rules()}
    for name, rows in edges.items():
        for group, row in rows.items():
            if name not in known or not _are_edges(row):
                raise BinsError(
                    f"{path}: {name[:40]!r} of {group[:40]!r} is not {len(_quantiles())} rising numbers of a "
                    "known figure: make it by budew corpus bins"
                )
    clips = data.get("clips")
    read_edges = {name: {group: tuple(row) for group, row in rows.items()} for name, rows in edges.items()}
    return Bins(str(data.get("corpus", "")), clips if isinstance(clips, int) else 0, read_edges)


def corpus_bins(
    corpus: str | Path,
    *,
    by_gender: bool = True,
    by_language: bool = True,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> Bins:
    """Find the edges of a measured corpus: quantiles of each figure, over all clips and in each group.

    Args:
        corpus: what `budew corpus measure` wrote; anything that `budew.read` takes.
        by_gender: find edges of pitch for each gender as well; else a clip is held against all.
        by_language: the same for the rate of syllables and languages.
        on_bad: called with the error of each item that cannot be read; without it the first is raised.
        progress: called with the number of clips that are done.

    Raises:
        BinsError: fewer than `FEWEST` clips have been measured.
        CorpusError: there is no such corpus, or an item of it cannot be read.
    """
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    grouped = {"gender": by_gender, "language": by_language}
    count = 0
    for done, clip in enumerate(read(corpus, on_bad=on_bad), start=1):
        measured = figures(clip)
        count += bool(measured)
        for rule in rules():
            if rule.measure in measured:
                for group in {ALL, _group(clip, rule) if grouped.get(rule.group) else ALL}:
                    values[rule.measure][group].append(measured[rule.measure])
        if progress:
            progress(done)
    if count < FEWEST:
        raise BinsError(
            f"{corpus}: {count} clips are measured, and {FEWEST} at least are needed: run budew corpus "
            "measure on it, or take the bins of another corpus"
        )
    return Bins(str(corpus), count, {name: _edges(groups) for name, groups in values.items()})


def figures(clip: Clip) -> dict[str, float]:
    """Return the figures that `measure` left in a clip; empty where it did not."""
    measured = clip.metadata.get(FIELD)
    if not isinstance(measured, Mapping):
        return {}
    return {name: float(value) for name, value in measured.items() if _is_number(value)}


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules of `bins.yaml`, in order: of two for one trait the first that can be told counts."""
    return tuple(_rule(row) for row in _table()["measures"])


def _rule(row: Mapping[str, Any]) -> Rule:
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
    }
    return Rule(**fields)


def _edges(groups: Mapping[str, list[float]]) -> dict[str, Edges]:
    return {
        group: tuple(round(float(edge), 3) for edge in np.quantile(numbers, _quantiles()))
        for group, numbers in sorted(groups.items())
        if len(numbers) >= FEWEST
    }


def _group(clip: Clip, rule: Rule) -> str:
    if rule.group == "gender":
        return gender(clip.profile)
    if rule.group == "language":
        return (clip.language or "").partition("-")[0].lower()
    return ALL


def gender(profile: VoiceProfile | None) -> str:
    """Return "female" or "male", by the word or else the number of the profile; `ALL` where it is neither."""
    traits: Mapping[str, Any] = {} if profile is None else profile.traits
    if "gender" in traits:
        return traits["gender"] if traits["gender"] in ("female", "male") else ALL
    number = traits.get("Gender", 0.0)
    return ALL if abs(number) < 1 else "female" if number > 0 else "male"


def _quantiles() -> list[float]:
    quantiles: list[float] = _table()["quantiles"]
    return quantiles


def _are_edges(row: Any) -> bool:
    is_row = isinstance(row, list) and len(row) == len(_quantiles()) and all(map(_is_number, row))
    return is_row and all(low <= high for low, high in pairwise(row))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return table
