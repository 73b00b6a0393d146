"""Splits of a corpus: the part that each clip belongs to, by its speaker, and never a speaker in two parts.

A clip without a speaker belongs to the part of the recording that `budew corpus segment` cut it from.
Speakers and recordings of the corpus are listed with their part, and so is each clip that has neither, unless
there are too many of those. What is not listed is placed by a hash of the seed and its name, so that clips
that are added later keep to one part a speaker, too. Speakers are compared by name alone: two corpora that
share a name share its part, which costs nothing, while the opposite could put a voice into training and test.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isclose
from pathlib import Path
from typing import Any

from pydantic import Field

from budew.corpora.clip import Clip
from budew.corpora.sources import read
from budew.corpora.text_files import check_file
from budew.errors import CorpusError, InputError, SettingsError
from budew.io.addresses import without_secrets
from budew.io.files import whole_file
from budew.io.settings import Settings, validated
from budew.jobs.job import OnFailed
from budew.randomness import generator
from budew.version import __version__

CHECKED = 1_000
"""Clips of a corpus that are checked before a job: all of them would take as long as the job itself."""
KINDS = ("speaker", "recording", "clip")
"""Kinds of groups whose clips stay together, in the order of precedence."""


@dataclass(frozen=True)
class Splits:
    """Parts of a corpus and their speakers, recordings and clips.

    Attributes:
        seed: decides the parts, together with the corpus.
        shares: share of the clips of each part, by its name; they add up to 1.
        speakers: the part of each speaker.
        clips: the part of each clip that has neither speaker nor recording, by its id.
        recordings: the part of each recording with clips that have no speaker.
        lists_clips: False where clips with neither were too many to be listed.

    Raises:
        InputError: invalid shares, or a part without a share.

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
        """Return whether the part of a clip was decided when the corpus was split, not by hash now."""
        kind, name = group_of(clip)
        return name in self.listed(kind) or (kind == "clip" and not self.lists_clips)

    def listed(self, kind: str) -> Mapping[str, str]:
        """Return the parts of the speakers, recordings or clips, by one of `KINDS`."""
        parts: Mapping[str, str] = getattr(self, f"{kind}s")
        return parts

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that decides the part of a clip."""
        decisive = [self.seed, dict(self.shares), *(dict(self.listed(kind)) for kind in KINDS)]
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def group_of(clip: Clip) -> tuple[str, str]:
    """Return kind (one of `KINDS`) and name of the group that a clip belongs to, all in one part."""
    if clip.speaker:
        return "speaker", clip.speaker
    place = clip.metadata.get("segment")
    recording = place.get("recording") if isinstance(place, Mapping) else None
    return ("recording", recording) if recording and isinstance(recording, str) else ("clip", clip.id)


def check_part(splits: Splits, part: str) -> None:
    """Raise `InputError` unless there is such a part."""
    if part not in splits.shares:
        raise InputError(f"there is no part {part!r}: there are {', '.join(splits.shares)}")


def check_shares(shares: Mapping[str, float]) -> None:
    """Raise `InputError` unless there are two parts or more and their shares add up to 1."""
    if len(shares) < 2:
        raise InputError("a split has two parts or more: give each a share above 0")
    if not all(0 < share < 1 for share in shares.values()) or not isclose(sum(shares.values()), 1):
        given = ", ".join(f"{name} {share:g}" for name, share in shares.items())
        raise InputError(f"the shares {given} add up to {sum(shares.values()):g}, not 1: correct one")


def part_by_hash(shares: Mapping[str, float], seed: int, kind: str, name: str) -> str:
    """Return a part drawn with the shares as probabilities; the same part for the same arguments."""
    place = generator("split", seed, kind, ascii(name)).random()
    *earlier, last = shares
    for part in earlier:
        place -= shares[part]
        if place < 0:
            return part
    return last


class SplitsFile(Settings):
    """Contents of a splits file; names are listed by part."""

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
    """Write splits as JSON, with a report for those who read it."""
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
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        json.dump(contents, file, ensure_ascii=False, indent=1)
        file.write("\n")


def read_splits(path: Path) -> Splits:
    """Read what `write_splits` wrote, maybe edited by hand.

    Raises:
        SettingsError: it is no splits file, or puts a speaker into two parts; names what is wrong.
        CorpusError: there is no such file.

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
    """Yield the clips of one part, in their order.

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
    """Job that keeps the clips of one part unchanged.

    Attributes:
        splits: of the corpus.
        part: such as "train".

    Example:
        >>> job = Select(Splits(0, {"train": 0.5, "test": 0.5}, {"anna": "test"}), "test")
        >>> [clip.id for clip in job.run(iter([Clip("a", b"", "wav", speaker="anna")]), print)]
        ['a']
    """

    splits: Splits
    part: str
    name: str = "select"

    def __post_init__(self) -> None:
        check_part(self.splits, self.part)

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the output."""
        return {"part": self.part, "splits": self.splits.digest}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Yield the clips of the part."""
        return select_part(clips, self.splits, self.part)


def unknown_to(splits: Splits, corpus: str | Path) -> str:
    """Return how many of the first 1,000 clips the splits do not list, as a sentence; "" if they list all.

    Items that cannot be read are skipped: the job reports them.

    Raises:
        CorpusError: there is no such corpus, or the splits list no clip of it.
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
