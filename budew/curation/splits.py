"""Splits of a corpus: which part a clip belongs to, by its speaker, and never a speaker in two parts.

A clip whose speaker is not known goes with the others of its recording, where it was cut from one by
`budew corpus segment`. A speaker of the corpus is listed with its part, and so are a recording and a clip
that has neither, unless there are more than 100,000 of those clips. Whatever is not listed goes where a hash
of the seed and its name puts it: clips that are added later, too, keep to one part a speaker. Speakers are
told apart by name alone, so that two corpora that share a name share a part; that costs nothing, and the
opposite would let a voice into the test.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isclose
from pathlib import Path
from typing import Any

from budew.corpora.clip import Clip
from budew.corpora.errors import check_file
from budew.errors import CorpusError
from budew.files import whole_file
from budew.malformed import fault_in
from budew.randomness import generator
from budew.version import __version__

LARGEST_FILE = 2**30
"""Bytes; a million speakers take about 20 MB."""
KINDS = ("speaker", "recording", "clip")
"""What clips are kept together by; the first that is known of a clip counts."""


@dataclass(frozen=True)
class Splits:
    """Parts of a corpus and who is in them.

    Attributes:
        seed: decides the parts, together with the corpus.
        shares: of the clips that each part is to have, by its name; they add up to 1.
        speakers: the part of each speaker.
        clips: the part of each clip that has neither speaker nor recording, by its id.
        recordings: the part of each recording with clips that have no speaker.
        lists_clips: False where clips with neither were too many to be listed.

    Raises:
        CorpusError: shares that are none, or a part that has none.
    """

    seed: int
    shares: Mapping[str, float]
    speakers: Mapping[str, str] = field(default_factory=dict)
    clips: Mapping[str, str] = field(default_factory=dict)
    recordings: Mapping[str, str] = field(default_factory=dict)
    lists_clips: bool = True

    def __post_init__(self) -> None:
        check_shares(self.shares)
        unknown = {*self.speakers.values(), *self.clips.values(), *self.recordings.values()} - set(
            self.shares
        )
        if unknown:
            raise CorpusError(f"the part {min(unknown)!r} has no share: there are {', '.join(self.shares)}")

    def part_of(self, clip: Clip) -> str:
        """Return the name of the part that a clip belongs to."""
        kind, name = group_of(clip)
        return self._listed(kind).get(name) or part_by_hash(self.shares, self.seed, kind, name)

    def knows(self, clip: Clip) -> bool:
        """Tell whether the part of a clip was decided when the corpus was split, not by hash now."""
        kind, name = group_of(clip)
        return name in self._listed(kind) or (kind == "clip" and not self.lists_clips)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that decides the part of a clip."""
        decisive = [self.seed, dict(self.shares), *(dict(self._listed(kind)) for kind in KINDS)]
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

    def _listed(self, kind: str) -> Mapping[str, str]:
        return {"speaker": self.speakers, "recording": self.recordings, "clip": self.clips}[kind]


def group_of(clip: Clip) -> tuple[str, str]:
    """Return what keeps a clip with others, all in one part: its kind, one of `KINDS`, and its name."""
    if clip.speaker:
        return "speaker", clip.speaker
    place = clip.metadata.get("segment")
    recording = place.get("recording") if isinstance(place, Mapping) else None
    return ("recording", recording) if recording and isinstance(recording, str) else ("clip", clip.id)


def select(clips: Iterable[Clip], splits: Splits, part: str) -> Iterator[Clip]:
    """Pass on the clips of one part, in their order.

    Raises:
        CorpusError: there is no such part.
    """
    check_part(splits, part)
    return (clip for clip in clips if splits.part_of(clip) == part)


def check_part(splits: Splits, part: str) -> None:
    """Raise `CorpusError` unless there is such a part."""
    if part not in splits.shares:
        raise CorpusError(f"there is no part {part!r}: there are {', '.join(splits.shares)}")


def check_shares(shares: Mapping[str, float]) -> None:
    """Raise `CorpusError` unless there are two parts or more and their shares add up to 1."""
    if len(shares) < 2:
        raise CorpusError("a split has two parts or more: give each a share above 0")
    if not all(0 < share < 1 for share in shares.values()) or not isclose(sum(shares.values()), 1):
        told = ", ".join(f"{name} {share:g}" for name, share in shares.items())
        raise CorpusError(f"the shares {told} add up to {sum(shares.values()):g}, not 1: correct one")


def part_by_hash(shares: Mapping[str, float], seed: int, kind: str, name: str) -> str:
    """Return a part by chance, with the shares as probabilities; the same part for the same arguments.

    Args:
        shares: of the parts, adding up to 1.
        seed: another one gives other parts.
        kind: one of `KINDS`.
        name: of the speaker or the recording, or the id of the clip.
    """
    place = generator("split", seed, kind, ascii(name)).random()
    *earlier, last = shares
    for part in earlier:
        place -= shares[part]
        if place < 0:
            return part
    return last


def write_splits(path: Path, splits: Splits, report: Mapping[str, Any] | None = None) -> None:
    """Write splits as JSON, with a report for those who read it.

    Raises:
        OSError: the disk refuses.
    """
    listed = {
        kind: {part: sorted(name for name, at in names.items() if at == part) for part in splits.shares}
        for kind, names in (
            ("speakers", splits.speakers),
            ("recordings", splits.recordings),
            ("clips", splits.clips),
        )
    }
    described = {
        "made_by": "budew corpus split",
        "version": __version__,
        "seed": splits.seed,
        "shares": dict(splits.shares),
        "lists_clips": splits.lists_clips,
        "report": dict(report or {}),
        **listed,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        json.dump(described, file, ensure_ascii=False, indent=1)
        file.write("\n")


def read_splits(path: Path) -> Splits:
    """Read what `write_splits` wrote.

    Raises:
        CorpusError: this is no such file, or it puts a speaker into two parts.
        OSError: the file cannot be read.
    """
    check_file(path)
    with path.open("rb") as file:
        text = file.read(LARGEST_FILE + 1)
    if len(text) > LARGEST_FILE:
        raise CorpusError(f"{path}: larger than {LARGEST_FILE} bytes: give a file of budew corpus split")
    try:
        data = json.loads(text)
        shares = {str(name): float(share) for name, share in data["shares"].items()}
        speakers, clips = (_parts(data[kind]) for kind in ("speakers", "clips"))
        recordings = _parts(data.get("recordings", {}))  # later than the other lists
        listed = data.get("lists_clips") is not False
        return Splits(int(data["seed"]), shares, speakers, clips, recordings, listed)
    except CorpusError as error:
        raise CorpusError(f"{path}: {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise CorpusError(
            f"{path}: these are no splits ({fault_in(error)}): make them with budew corpus split"
        ) from error


def _parts(listed: Mapping[str, Any]) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part, names in listed.items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise CorpusError(f"the part {part!r} is not a list of names: make the file again")
        for name in names:
            if name in parts:
                raise CorpusError(f"{name!r} is in the part {parts[name]!r} and in {part!r}: keep one")
            parts[name] = part
    return parts
