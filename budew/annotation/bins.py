"""Bin edges of a measured corpus, and traits of its clips and speakers by them, such as "fast".

`describe_measured` gives each clip of a measured corpus the traits of its measures. The edges are those of a
file, if it exists, otherwise quantiles of the corpus, written there: the same file makes the words of several
corpora comparable. Traits of the speaker are equal in all clips of a speaker, those of the utterance are not:
pitch counts as the mean over the speaker's clips, as in dataspeech.

Each clip records the source of every part of its profile (`sources`), and its own traits where others
replaced them (`own_traits`), so that describing a corpus again gives the same.
"""

import hashlib
import json
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from math import isfinite
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from budew.corpora.clip import OWN_TRAITS, SOURCES, Clip, profile_parts
from budew.corpora.data_card import RECORDS
from budew.corpora.shards import read_shard, write_shard
from budew.corpora.text_files import read_json_object
from budew.errors import JobError
from budew.io.files import claimed, write_json
from budew.io.resources import packaged_table
from budew.io.settings import Settings, validated
from budew.jobs.job_folder import JOB, read_record, shard_path, write_record
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, TRAITS
from budew.taxonomy.rating_scales import from_intensity

FEWEST = 20
"""Fewest clips of a group (a gender, a language) that gets its own edges."""
ALL = ""  # name of the group of all clips
BINS = "bins.json"
"""Default file of bin edges, in the folder of the measured corpus."""
MEASURED, OF_SPEAKER = "measure", "speaker"
"""Sources of traits that this module sets."""
_HERE = (MEASURED, OF_SPEAKER)
_DIGITS = 3
Row = tuple[float, float, float, float]  # edges of a measure in one group, not decreasing
Traits = Mapping[str, str | float]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of `bins.yaml`: which trait a measure sets, by `words` or by `levels` of a voice attribute.

    Values of the low bins need a number below `low_below`, those of the high bins one above `high_above`.
    """

    measure: str
    trait: str
    levels: Sequence[float] = ()
    words: Sequence[str | None] = ()
    group: str = ALL
    of_speaker: bool = False
    low_below: float = float("inf")
    high_above: float = float("-inf")

    def value(self, number: float, row: Row) -> str | float | None:
        """Return the value of the trait for a measured number and edges; None if the bin has no word.

        A number equal to an edge belongs to the bin nearer to the middle.
        """
        place = middle = len(row) // 2
        if number < self.low_below:
            place -= sum(number < edge for edge in row[:middle])
        if number > self.high_above:
            place += sum(number > edge for edge in row[middle:])
        if self.words:
            return self.words[place]
        return from_intensity(self.levels[place], ATTRIBUTES[self.trait].scale)


class Bins(Settings):
    """Bin edges of a corpus, the content of a JSON file.

    `corpus` and `clips` are the folder and the number of the measured clips. `rows` ("edges" in the file)
    maps measure → group, `ALL` or a name such as "female" → four increasing numbers.
    """

    corpus: str = ""
    clips: int = 0
    rows: Mapping[str, Mapping[str, Row]] = Field(alias="edges")

    @field_validator("rows")
    @classmethod
    def _rise(cls, rows: Mapping[str, Mapping[str, Row]]) -> Mapping[str, Mapping[str, Row]]:
        for name, groups in rows.items():
            known = any(rule.measure == name for rule in rules())
            if not known or any(list(row) != sorted(row) for row in groups.values()):
                raise ValueError(f"{name[:40]!r} is not a known measure, or its edges do not increase")
        return rows

    def traits(self, measures: Mapping[str, float], groups: Mapping[str, str]) -> dict[str, str | float]:
        """Return trait → value for measures; `groups` has the gender and the language of the clip."""
        found: dict[str, str | float | None] = {}
        for rule in rules():
            edges = self.rows.get(rule.measure, {})
            row = edges.get(groups.get(rule.group, ALL), edges.get(ALL))
            if rule.measure in measures and row and rule.trait not in found:
                found[rule.trait] = rule.value(measures[rule.measure], row)
        return {name: value for name, value in found.items() if value is not None}


Speakers = Mapping[str, Mapping[str, str | float]]
"""Speaker → trait or measure → its value: the most frequent word, or the mean."""


def speakers_of(clips: Iterable[Clip]) -> Speakers:
    """Return the traits and measures of the speakers of clips."""
    values: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for clip in clips:
        known = {**measures_of(clip), **_traits(clip)}
        for name in _of_speaker() if clip.speaker else ():
            if name in known:
                values[str(clip.speaker)][name].append(known[name])
    return {speaker: {name: _typical(one) for name, one in rows.items()} for speaker, rows in values.items()}


def _typical(values: Sequence[Any]) -> str | float:
    """Return the mean of numbers, or the most frequent word, of equally frequent ones the first by name."""
    if isinstance(values[0], float):
        return round(fmean(values), _DIGITS)
    counts = Counter(values)
    return str(min(counts, key=lambda word: (-counts[word], word)))


def describe_measured(
    folder: str | Path,
    bins: str | Path | None = None,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Bins, bool]:
    """Give the clips of a measured corpus the traits of their measures and of their speakers, in place.

    If it is interrupted, call it again: the result is that of an undisturbed call.

    Args:
        folder: output folder of the job `measure`.
        bins: file of bin edges; if it does not exist, those of this corpus are written there. None:
            `bins.json` in the folder.
        overwrite: whether measures replace traits that a clip has from elsewhere; if not, these are kept.
        progress: called with the number of shards that are done, and of all.

    Returns:
        The bins, and whether they were computed from this corpus.

    Raises:
        JobError: another run is using the folder.
        SettingsError: `bins` is not a file of bin edges.
    """
    folder = Path(folder)
    path = folder / BINS if bins is None else Path(bins)
    busy = JobError(f"another run is running in {folder}: wait for it, or end it first")
    with claimed(folder / JOB, busy):
        names = sorted(
            file.relative_to(folder / RECORDS).with_suffix("").as_posix()
            for file in (folder / RECORDS).rglob("*.json")
        )
        speakers = speakers_of(_clips(folder, names))
        is_new = not path.exists()
        edges = _computed(folder, names, speakers) if is_new else read_bins(path)
        if is_new:
            write_json(path, edges.model_dump(by_alias=True))
        digest = _digest(edges.rows, overwrite, speakers)
        for done, name in enumerate(names, start=1):
            describe = partial(with_measured_traits, bins=edges, speakers=speakers, overwrite=overwrite)
            _describe_shard(folder, name, digest, describe)
            if progress:
                progress(done, len(names))
    return edges, is_new


def with_measured_traits(clip: Clip, bins: Bins, speakers: Speakers, overwrite: bool = False) -> Clip:
    """Return a clip with the traits of its measures and of its speaker; see `describe_measured`."""
    clip = without_measured_traits(clip)
    own, of_speaker = _traits(clip), speakers.get(clip.speaker or "", {})
    speaker = {name: value for name, value in of_speaker.items() if name in _table()["of_speaker"]}
    measured = bins.traits(_measures(clip, speakers), _groups(clip, speakers))
    measured = {name: value for name, value in measured.items() if overwrite or name not in own}
    traits = {**own, **measured, **speaker}
    profile = _with_traits(clip.profile, traits)
    if profile.is_withheld or not (traits or clip.profile):
        return clip
    sources = _sources_of(clip)
    sources |= dict.fromkeys((name for name in speaker if own.get(name) != speaker[name]), OF_SPEAKER)
    sources |= dict.fromkeys(measured, MEASURED)
    replaced = {name: value for name, value in own.items() if traits[name] != value}
    metadata = {**clip.metadata, SOURCES: sources} | ({OWN_TRAITS: replaced} if replaced else {})
    return replace(clip, profile=profile, metadata=metadata)


def without_measured_traits(clip: Clip) -> Clip:
    """Return a clip without the traits that `with_measured_traits` gave it."""
    sources = clip.metadata.get(SOURCES)
    if clip.profile is None or not isinstance(sources, Mapping):
        return clip
    kept = {name: value for name, value in _traits(clip).items() if sources.get(name) not in _HERE}
    metadata = {name: value for name, value in clip.metadata.items() if name not in (SOURCES, OWN_TRAITS)}
    profile = _with_traits(clip.profile, {**kept, **clip.metadata.get(OWN_TRAITS, {})})
    return replace(clip, profile=profile if profile_parts(profile) else None, metadata=metadata)


def _with_traits(profile: VoiceProfile | None, traits: Traits) -> VoiceProfile:
    before = profile or VoiceProfile(None)
    return VoiceProfile(before.emotions, before.bursts, traits, before.rated)


def read_bins(path: str | Path) -> Bins:
    """Read a file of bin edges; raise SettingsError or CorpusError if it is not one."""
    return validated(Bins, read_json_object(Path(path)), name=str(path))


def measures_of(clip: Clip) -> dict[str, float]:
    """Return the measures of a clip that set traits, name → number; empty if it was not measured."""
    numbers = ((rule.measure, clip.metadata.get(rule.measure)) for rule in rules())
    return {
        name: float(value)
        for name, value in numbers
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    }


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules of `bins.yaml`; for a trait, the first rule whose measure a clip has is used."""
    return tuple(Rule(**row) for row in _table()["measures"])


@cache
def _of_speaker() -> tuple[str, ...]:
    """Return the names of the traits and measures that count for the whole speaker."""
    return (*_table()["of_speaker"], *(rule.measure for rule in rules() if rule.of_speaker))


def _traits(clip: Clip) -> dict[str, str | float]:
    return dict(clip.profile.traits) if clip.profile else {}


def _measures(clip: Clip, speakers: Speakers) -> dict[str, float]:
    """Return the measures of a clip, those of the speaker as means over the speaker's clips."""
    measures, speaker = measures_of(clip), speakers.get(clip.speaker or "", {})
    means = {name: float(value) for name, value in speaker.items() if name not in TRAITS}
    return {**measures, **means}


def _groups(clip: Clip, speakers: Speakers) -> dict[str, str]:
    """Return the groups of a clip: the language, and "female" or "male" by the traits; `ALL` if unknown."""
    traits = {**_traits(clip), **speakers.get(clip.speaker or "", {})}
    number = float(traits.get("Gender", 0.0))
    word = traits.get("gender", ALL if abs(number) < 1 else "female" if number > 0 else "male")
    language = (clip.language or "").partition("-")[0].lower()
    return {ALL: ALL, "gender": str(word) if word in ("female", "male") else ALL, "language": language}


def _clips(folder: Path, names: Sequence[str]) -> Iterator[Clip]:
    """Yield the clips of shards as they were before they were described."""
    for path in (shard_path(folder, name) for name in names):
        if path.exists():
            yield from map(without_measured_traits, read_shard(path))


def _computed(folder: Path, names: Sequence[str], speakers: Speakers) -> Bins:
    """Compute bin edges: quantiles of each measure over all clips and each group."""
    values: dict[str, dict[str, array[float]]] = defaultdict(lambda: defaultdict(lambda: array("d")))
    clips = 0
    for clip in _clips(folder, names):
        clips += 1
        measures, groups = _measures(clip, speakers), _groups(clip, speakers)
        for rule in rules():
            if rule.measure in measures:
                for group in {ALL, groups[rule.group]}:
                    values[rule.measure][group].append(measures[rule.measure])
    rows = {
        name: {
            group: [round(edge, _DIGITS) for edge in np.quantile(numbers, _table()["quantiles"]).tolist()]
            for group, numbers in sorted(groups.items())
            if group == ALL or len(numbers) >= FEWEST
        }
        for name, groups in values.items()
    }
    return validated(Bins, {"corpus": str(folder), "clips": clips, "edges": rows}, name=str(folder))


def _describe_shard(folder: Path, name: str, digest: str, describe: Callable[[Clip], Clip]) -> None:
    """Rewrite a shard and then its record, unless the record has the digest."""
    record, path = read_record(folder, name), shard_path(folder, name)
    if record is None or not record.clips or record.made_by.get("traits") == digest:
        return
    write_shard(path, map(describe, read_shard(path)))
    made_by = {**record.made_by, "traits": digest}
    write_record(folder, name, replace(record, bytes=path.stat().st_size, made_by=made_by))


def _sources_of(clip: Clip) -> dict[str, str]:
    """Return the source of each part of the profile of a clip that was not described, from its metadata."""
    if clip.profile is None:
        return {}
    made_by = clip.metadata.get("annotated_by")
    is_by_model = any(caption.kind == "model" for caption in clip.captions)
    source = "model" if is_by_model else "labels"
    source = str(made_by.get("by", source)) if isinstance(made_by, Mapping) else source
    return dict.fromkeys(profile_parts(clip.profile), source)


def _digest(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = packaged_table(__package__, "bins")
    return table
