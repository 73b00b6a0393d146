"""Quantile thresholds of a measured corpus, and the job that turns measures into traits, such as "fast".

`corpus_thresholds` reads the measures of all clips, `AnnotateByMeasures` applies the thresholds. Thresholds
are stored as JSON, so that another corpus, or one clip, can be compared with the same ones. Pitch is measured
for each clip, not averaged over its speaker as in dataspeech, because excited speech is higher than usual,
and captions describe this.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, field_validator

from budew.annotation.acoustic_measures import FIELD
from budew.corpora.clip import Clip
from budew.corpora.sources import read
from budew.corpora.text_files import read_json_object
from budew.errors import CorpusError, JobError, OnBad, SettingsError
from budew.io.files import write_json
from budew.io.resources import packaged_table
from budew.io.settings import Settings, validated
from budew.jobs import OnFailed, each
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES
from budew.taxonomy.rating_scales import from_intensity

FEWEST = 20
"""Fewest measured clips of a corpus or a group for which thresholds are computed."""
ALL = ""  # name of the group of all clips
Row = tuple[float, float, float, float]  # thresholds of a measure in one group, increasing


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of `thresholds.yaml`: which trait a measure sets, and the value in each range, from low to high.

    Attributes:
        measure: name of the measure.
        trait: trait that it sets, by `words` or, for a voice attribute, by `levels` in [0, 1].
        group: "gender" or "language" for separate thresholds; `ALL` for none.
        low_below, high_above: values of the low ranges need a number below the first, those of the high
            ranges a number above the second.
    """

    measure: str
    trait: str
    levels: Sequence[float] = ()
    words: Sequence[str | None] = ()
    group: str = ALL
    low_below: float = float("inf")
    high_above: float = float("-inf")

    def value(self, number: float, row: Row) -> str | float | None:
        """Return the value of the trait for a measured number and thresholds; None if the range has no word.

        A number equal to a threshold belongs to the range nearer to the middle.
        """
        middle = len(row) // 2
        place = middle
        if number < self.low_below:
            place -= sum(number < threshold for threshold in row[:middle])
        if number > self.high_above:
            place += sum(number > threshold for threshold in row[middle:])
        if self.words:
            return self.words[place]
        return from_intensity(self.levels[place], ATTRIBUTES[self.trait].scale)


class Thresholds(Settings):
    """Thresholds of a corpus, the content of a JSON file.

    `corpus` and `clips` are the source and the number of the measured clips. `rows` ("thresholds" in the
    file) maps measure → group, `ALL` or a name such as "female" → four increasing numbers.
    """

    corpus: str = ""
    clips: int = 0
    rows: Mapping[str, Mapping[str, Row]] = Field(alias="thresholds")

    @field_validator("rows")
    @classmethod
    def _rise(cls, rows: Mapping[str, Mapping[str, Row]]) -> Mapping[str, Mapping[str, Row]]:
        for name, groups in rows.items():
            known = any(rule.measure == name for rule in rules())
            if not known or any(list(row) != sorted(row) for row in groups.values()):
                raise ValueError(f"{name[:40]!r} is not a known measure, or its thresholds do not increase")
        return rows

    def traits(self, clip: Clip) -> dict[str, str | float | None]:
        """Return trait → value for a measured clip; None as the value in the middle range."""
        measured = measures_of(clip)
        found: dict[str, str | float | None] = {}
        for rule in rules():
            groups = self.rows.get(rule.measure, {})
            row = groups.get(_group(clip, rule), groups.get(ALL))
            if rule.measure in measured and row and rule.trait not in found:
                found[rule.trait] = rule.value(measured[rule.measure], row)
        return found

    def digest(self) -> str:
        """Return a hash of the thresholds, without corpus and number of clips."""
        text = json.dumps(self.model_dump(by_alias=True)["thresholds"], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def write(self, path: Path) -> None:
        """Write the thresholds as JSON."""
        write_json(path, self.model_dump(by_alias=True))


@dataclass(frozen=True, slots=True)
class AnnotateByMeasures:
    """The job `annotate measures`: measured clips → clips with traits.

    Attributes:
        thresholds: file that `budew corpus thresholds` wrote.
        overwrite: whether measures replace traits that a clip has already; if not, these are kept.
    """

    thresholds: str | Path
    overwrite: bool = False
    name: ClassVar[str] = "annotate"

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the output, with a hash of the thresholds."""
        digest = read_thresholds(self.thresholds).digest()
        return {"by": "measures", "thresholds": digest, "overwrite": self.overwrite}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Annotate each clip; clips that were not measured fail."""
        try:
            thresholds = read_thresholds(self.thresholds)
        except (SettingsError, CorpusError, OSError) as error:
            raise JobError(str(error)) from error
        return each(clips, lambda clip: with_traits(clip, thresholds, overwrite=self.overwrite), failed)


def with_traits(clip: Clip, thresholds: Thresholds, *, overwrite: bool = False) -> Clip:
    """Return the clip with the traits of its measures; `overwrite` replaces traits that it has already.

    Raises:
        CorpusError: the clip was not measured.
    """
    if not measures_of(clip):
        raise CorpusError(f"clip {clip.id!r} has no acoustic measures: run budew corpus measure first")
    profile = clip.profile or VoiceProfile(emotions=None)
    traits: dict[str, str | float] = dict(profile.traits)
    for name, value in thresholds.traits(clip).items():
        if overwrite:
            traits.pop(name, None)
        if value is not None:
            traits.setdefault(name, value)
    metadata = {**clip.metadata, "traits_by": {"by": "measures", "thresholds": thresholds.digest()}}
    return replace(clip, profile=replace(profile, traits=traits), metadata=metadata)


def read_thresholds(path: str | Path) -> Thresholds:
    """Read a file of `Thresholds.write`; raise SettingsError or CorpusError if it is not one."""
    return validated(Thresholds, read_json_object(Path(path)), name=str(path))


def corpus_thresholds(
    corpus: str | Path,
    *,
    by_gender: bool = True,
    by_language: bool = True,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> Thresholds:
    """Compute thresholds of a measured corpus: quantiles of each measure over all clips and each group.

    Args:
        corpus: output of `budew corpus measure`, or other measured clips, anything that `budew.read` takes.
        by_gender: whether pitch also gets separate thresholds for each gender.
        by_language: whether the syllable rate also gets separate thresholds for each language.
        on_bad: called with the error of each item that cannot be read; without it the first is raised.
        progress: called with the number of clips read so far.

    Raises:
        CorpusError: fewer than `FEWEST` clips are measured, or the corpus cannot be read.
    """
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    grouped = {"gender": by_gender, "language": by_language}
    count = 0
    for done, clip in enumerate(read(corpus, on_bad=on_bad), start=1):
        measured = measures_of(clip)
        count += bool(measured)
        for rule in rules():
            if rule.measure in measured:
                for group in {ALL, _group(clip, rule) if grouped.get(rule.group) else ALL}:
                    values[rule.measure][group].append(measured[rule.measure])
        if progress:
            progress(done)
    if count < FEWEST:
        raise CorpusError(
            f"{corpus}: {count} clips are measured, at least {FEWEST} are needed: run budew corpus "
            "measure on it, or use the thresholds of another corpus"
        )
    rows = {
        name: {
            group: [round(number, 3) for number in np.quantile(numbers, _table()["quantiles"]).tolist()]
            for group, numbers in sorted(groups.items())
            if len(numbers) >= FEWEST
        }
        for name, groups in values.items()
    }
    return validated(
        Thresholds, {"corpus": str(corpus), "clips": count, "thresholds": rows}, name=str(corpus)
    )


def measures_of(clip: Clip) -> dict[str, float]:
    """Return the measures of a clip, name → number; empty if it was not measured."""
    measured = clip.metadata.get(FIELD)
    items = measured.items() if isinstance(measured, Mapping) else ()
    numbers = ((name, value) for name, value in items if type(value) in (int, float))
    return {name: float(value) for name, value in numbers if isfinite(value)}


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules of `thresholds.yaml`; for a trait, the first rule whose measure a clip has is used."""
    return tuple(Rule(**row) for row in _table()["measures"])


def _group(clip: Clip, rule: Rule) -> str:
    """Return the group of a clip for a rule: its language, or "female" or "male" by its traits."""
    if rule.group == "language":
        return (clip.language or "").partition("-")[0].lower()
    traits: Mapping[str, Any] = clip.profile.traits if clip.profile and rule.group == "gender" else {}
    number = traits.get("Gender", 0.0)
    word = traits.get("gender", ALL if abs(number) < 1 else "female" if number > 0 else "male")
    return word if word in ("female", "male") else ALL


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = packaged_table(__package__, "thresholds")
    return table
