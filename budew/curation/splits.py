"""Splits of a corpus into parts, such as training and test. All clips of a speaker are in the same part.

Clips without a speaker that `budew corpus segment` cut from the same recording are in the same part, too.
A splits file lists the part of each speaker and recording, and of each clip that has neither, unless there
are too many of these. For speakers, recordings and clips that are not listed, such as those added later, a
hash of the seed and the name decides the part. Speakers are compared by name alone, so two speakers with the
same name in two corpora are in the same part: otherwise a voice could be in training and in test.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import islice
from math import isclose
from pathlib import Path
from typing import Any

from pydantic import Field

from budew.corpora.clip import Clip
from budew.corpora.sources import read
from budew.corpora.text_files import check_file
from budew.curation.where import parse_condition
from budew.errors import CorpusError, InputError, SettingsError
from budew.io.addresses import without_secrets
from budew.io.files import write_json
from budew.io.settings import Settings, validated
from budew.jobs.job import OnFailed, each
from budew.randomness import generator
from budew.version import __version__

CHECKED = 1_000
"""Number of clips that are compared with the splits before a job: all would take as long as the job."""
KINDS = ("speaker", "recording", "clip")
"""Kinds of groups of clips, from most to least important: a clip with a speaker is grouped by speaker."""


@dataclass(frozen=True)
class Splits:
    """Parts of a corpus, such as "train" and "test", with their speakers, recordings and clips.

    Attributes:
        seed: seed of the split; also decides the part of clips that are not listed.
        shares: name of each part → its share of the clips; the shares add up to 1.
        speakers: speaker → part.
        clips: id of a clip with neither speaker nor recording → part.
        recordings: recording with clips without a speaker → part.
        lists_clips: False if clips with neither speaker nor recording were too many to be listed.

    Raises:
        InputError: the shares are invalid, or a speaker, recording or clip is in a part without a share.

    Example:
        >>> splits = Splits(seed=0, shares={"train": 0.8, "test": 0.2}, speakers={"anna": "test"})
        >>> splits.part_of(Clip("clip", b"", "wav", speaker="anna"))
        'test'
    """

    seed: int
    shares: Mapping[str, float]
    speakers: Mapping[str, str] = field(default_factory=dict)
    clips: Mapping[str, str] = field(default_factory=dict)
    recordings: Mapping[str, str] = field(default_factory=dict)
    lists_clips: bool = True

    def __post_init__(self) -> None:
        check_shares(self.shares)
        for kind in KINDS:
            for part in set(self.listed(kind).values()):
                check_part(self, part)

    def part_of(self, clip: Clip) -> str:
        """Return the name of the part that a clip belongs to."""
        kind, name = group_of(clip)
        return self.listed(kind).get(name) or part_by_hash(self.shares, self.seed, kind, name)

    def knows(self, clip: Clip) -> bool:
        """Return False if a clip was added after the corpus was split, so that a hash decides its part."""
        kind, name = group_of(clip)
        return name in self.listed(kind) or (kind == "clip" and not self.lists_clips)

    def listed(self, kind: str) -> Mapping[str, str]:
        """Return `speakers`, `recordings` or `clips` for the kind "speaker", "recording" or "clip"."""
        parts: Mapping[str, str] = getattr(self, f"{kind}s")
        return parts

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the seed, the shares and the lists, as hexadecimal text."""
        decisive = [self.seed, dict(self.shares), *(dict(self.listed(kind)) for kind in KINDS)]
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def group_of(clip: Clip) -> tuple[str, str]:
    """Return the group of a clip, whose clips are all in the same part: kind (one of `KINDS`) and name."""
    if clip.speaker:
        return "speaker", clip.speaker
    place = clip.metadata.get("segment")
    recording = place.get("recording") if isinstance(place, Mapping) else None
    return ("recording", recording) if recording and isinstance(recording, str) else ("clip", clip.id)


def check_part(splits: Splits, part: str) -> None:
    """Raise `InputError` if the splits have no part of this name."""
    if part not in splits.shares:
        raise InputError(f"there is no part {part!r}: use one of {', '.join(splits.shares)}")


def check_shares(shares: Mapping[str, float]) -> None:
    """Raise `InputError` unless there are at least two parts, with shares above 0 that add up to 1."""
    if len(shares) < 2:
        raise InputError("a split has two parts or more: give each a share above 0")
    given = ", ".join(f"{name} {share:g}" for name, share in shares.items())
    if not all(0 < share < 1 for share in shares.values()):
        raise InputError(f"each share must be above 0 and below 1, not {given}")
    if not isclose(sum(shares.values()), 1):
        raise InputError(f"the shares {given} add up to {sum(shares.values()):g}, not 1: correct one")


def part_by_hash(shares: Mapping[str, float], seed: int, kind: str, name: str) -> str:
    """Choose the part of a group, see `group_of`, by a hash: over many groups as often as its share."""
    place = generator("split", seed, kind, ascii(name)).random()
    *earlier, last = shares
    for part in earlier:
        place -= shares[part]
        if place < 0:
            return part
    return last


class SplitsFile(Settings):
    """Schema of a splits file. `speakers`, `recordings` and `clips` list the names or ids in each part."""

    made_by: str = ""
    version: str = ""
    seed: int
    shares: dict[str, float]
    lists_clips: bool = True
    report: dict[str, Any] = Field(default_factory=dict)
    speakers: dict[str, tuple[str, ...]]
    recordings: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    clips: dict[str, tuple[str, ...]]


def write_splits(path: Path, splits: Splits, report: Mapping[str, Any] | None = None) -> None:
    """Write splits as JSON. `report` is stored for human readers; `read_splits` ignores it."""
    contents = {
        "made_by": "budew corpus split",
        "version": __version__,
        "seed": splits.seed,
        "shares": dict(splits.shares),
        "lists_clips": splits.lists_clips,
        "report": dict(report or {}),
    }
    for kind in KINDS:
        members: dict[str, list[str]] = {part: [] for part in splits.shares}
        for name, part in sorted(splits.listed(kind).items()):
            members[part].append(name)
        contents[f"{kind}s"] = members
    write_json(path, contents)


def read_splits(path: Path) -> Splits:
    """Read a splits file that `write_splits` wrote. It may have been edited by hand.

    Raises:
        SettingsError: the file is not a splits file, or lists a name in two parts.
        CorpusError: the file does not exist.

    Example:
        >>> write_splits(Path("splits.json"), Splits(0, {"train": 0.5, "test": 0.5}, {"anna": "test"}))
        >>> read_splits(Path("splits.json")).speakers
        {'anna': 'test'}
    """
    check_file(path)
    try:
        table = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict):
        raise SettingsError(f"{path} is not a splits file: make one with budew corpus split")
    file = validated(SplitsFile, table, name=str(path))
    try:
        listed = {f"{kind}s": _by_name(getattr(file, f"{kind}s")) for kind in KINDS}
        return Splits(file.seed, file.shares, **listed, lists_clips=file.lists_clips)
    except InputError as error:
        raise SettingsError(f"{path}: {error}") from error


def _by_name(listed: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part, names in listed.items():
        for name in names:
            if name in parts:
                raise InputError(f"{name!r} is in the part {parts[name]!r} and in {part!r}: keep one")
            parts[name] = part
    return parts


def select_part(clips: Iterable[Clip], splits: Splits, part: str) -> Iterator[Clip]:
    """Yield the clips that are in `part`, in their order; `InputError` if there is no such part.

    Example:
        >>> splits = Splits(seed=0, shares={"train": 0.8, "test": 0.2}, speakers={"anna": "test"})
        >>> clips = [Clip("a", b"", "wav", speaker="anna"), Clip("b", b"", "wav", speaker="anna")]
        >>> [clip.id for clip in select_part(clips, splits, "test")]
        ['a', 'b']
    """
    check_part(splits, part)
    return (clip for clip in clips if splits.part_of(clip) == part)


@dataclass(frozen=True, slots=True)
class Select:
    """Job that selects clips by the part of a split, by licence, id or a condition, or by several of these.

    Attributes:
        splits: the splits of the corpus; None to select by licence alone.
        part: name of the part, such as "train".
        licenses: licences of the clips to keep, "not stated" for clips without one; all if empty. `*` stands
            for any characters, and `[0-9]` for a digit: "CC-BY-[0-9]*" is not "CC-BY-NC-4.0".
        left_out: ids of clips to leave out, such as those of `find_overlap`; None to select by the others.
        where: condition on the columns of a clip, such as "snr > 20 and Anger > 0.5", see
            `budew.curation.where`; "" to select by the others.
        name: name of the job in reports.

    Raises:
        InputError: there is no such part, the condition is invalid, or nothing to select by is given.

    Example:
        >>> job = Select(Splits(0, {"train": 0.5, "test": 0.5}, {"anna": "test"}), "test")
        >>> [clip.id for clip in job.run(iter([Clip("a", b"", "wav", speaker="anna")]), print)]
        ['a']
    """

    splits: Splits | None = None
    part: str = ""
    licenses: tuple[str, ...] = ()
    left_out: frozenset[str] | None = None
    where: str = ""
    name: str = "select"

    def __post_init__(self) -> None:
        if self.splits is not None:
            check_part(self.splits, self.part)
        elif self.part or not (self.licenses or self.where or self.left_out is not None):
            raise InputError(
                "no clips are selected: give splits and a part of them, licences, --where, or --without"
            )
        if self.where:
            parse_condition(self.where)

    def settings(self) -> Mapping[str, Any]:
        """Return what determines the output, with digests of the splits and of the left out ids."""
        settings: dict[str, Any] = {}
        if self.splits:
            settings |= {"part": self.part, "splits": self.splits.digest}
        if self.licenses:
            settings["licenses"] = list(self.licenses)
        if self.left_out is not None:
            settings["left_out"] = hashlib.sha256("\n".join(sorted(self.left_out)).encode()).hexdigest()
        return settings | ({"where": self.where} if self.where else {})

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Yield the clips of the part that have a licence, fulfil the condition and are not left out."""
        chosen = select_part(clips, self.splits, self.part) if self.splits else clips
        left_out = self.left_out or frozenset()
        licensed = (clip for clip in chosen if _matches(clip.stated_license, self.licenses or ("*",)))
        kept = (clip for clip in licensed if clip.id not in left_out)
        if not self.where:
            return kept
        holds = parse_condition(self.where).holds
        return each(kept, lambda clip: [clip] if holds(clip) else [], failed)


def _matches(license: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(license.casefold(), pattern.casefold()) for pattern in patterns)


def unmatched_licenses(licenses: Iterable[str], corpus: str | Path) -> str:
    """Return a warning about licences that none of the first 1,000 clips of a corpus has, or ""."""
    clips = islice(read(corpus, on_bad=lambda error: None), CHECKED)
    found = Counter(clip.stated_license for clip in clips)
    unmatched = [one for one in licenses if not any(_matches(name, [one]) for name in found)]
    stated = ", ".join(f"{name} {count:,}" for name, count in found.most_common(10))
    what = f"none of the first {found.total():,} clips has the licence {' or '.join(unmatched)}"
    return f"{what}: they have {stated or 'none'}" if unmatched else ""


def unknown_to(splits: Splits, corpus: str | Path) -> str:
    """Check the first 1,000 clips of a corpus against splits, and return a warning about unlisted clips.

    Items that cannot be read are skipped: the job reports them.

    Returns:
        A sentence with the number of unlisted clips; "" if all are listed.

    Raises:
        CorpusError: the corpus does not exist, or the splits list no clip of it.
    """
    checked = unlisted = 0
    speakers: set[str] = set()
    for checked, clip in enumerate(read(corpus, on_bad=lambda error: None), start=1):
        if not splits.knows(clip):
            unlisted += 1
            speakers.update([clip.speaker] if clip.speaker else [])
        if checked >= CHECKED and unlisted < checked:
            break
    if unlisted and unlisted == checked:
        raise CorpusError(
            f"{without_secrets(str(corpus))}: the splits list none of its {checked:,} clips: give those that"
            " budew corpus split made of this corpus"
        )
    what = f"{unlisted:,} of the first {checked:,} clips ({len(speakers):,} unknown speakers)"
    return f"the splits do not list {what}: a hash of the name decides their part" if unlisted else ""
