"""Find the clips of a test set that occur in training data, which would make its metrics too good.

Clips are the same if their samples are equal, if they share sound (see `fingerprints`), or if their names are
equal. The test set is held in memory, 0.5 kB per second of audio, and the training data are read once.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from budew.corpora.clip import Clip
from budew.corpora.media import AUDIO
from budew.corpora.sources import Progress, counted, read
from budew.curation.fingerprints import Codes, Lookup, SoundIndex, fingerprint_cache, fingerprints
from budew.errors import CorpusError, OnBad, report
from budew.io.addresses import without_secrets

Reason = Literal["samples", "sound", "name"]
REASONS: tuple[Reason, ...] = ("samples", "sound", "name")
"""Why two clips are the same, from the strongest to the weakest reason."""


def key_of(content: bytes) -> int:
    """Return a hash of 64 bits."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest())


def name_keys(clip: Clip) -> tuple[int, int]:
    """Return hashes of path and name of a clip's file, or of its id, without suffix and in lower case."""
    path = PurePosixPath(str(clip.metadata.get("file_name") or clip.id).replace("\\", "/").casefold())
    path = path.with_suffix("") if AUDIO.owns(path.name) else path
    return key_of(str(path).encode(errors="replace")), key_of(path.name.encode(errors="replace"))


class ClipKeys(NamedTuple):
    """What clips are compared by: `name_keys`, a hash of the samples or the file, and codes of the sound."""

    names: tuple[int, int]
    content: int
    codes: Codes


@dataclass(frozen=True, eq=False)
class KnownClips:
    """Clips among which others are searched.

    Attributes:
        names, contents: keys of each clip, (n, 2) and (n,).
        codes: codes of each clip, or nothing; (n, SKETCH, 2) for sketches.
    """

    names: NDArray[np.uint64]
    contents: NDArray[np.uint64]
    codes: Sequence[Codes] | NDArray[np.uint32] = ()

    @cached_property
    def _lookups(self) -> tuple[Lookup, Lookup, Lookup, SoundIndex]:
        paths, files = self.names.T
        return Lookup(paths), Lookup(files), Lookup(self.contents), SoundIndex(self.codes)

    def find(self, keys: ClipKeys) -> dict[int, Reason]:
        """Return the number of each clip that is the same, with the strongest reason.

        Names are compared without folders if one of them has none.
        """
        paths, files, contents, sounds = self._lookups
        fitting = files if keys.names[0] == keys.names[1] else paths
        found: dict[int, Reason] = dict.fromkeys(fitting.find(keys.names)[1].tolist(), "name")
        found |= dict.fromkeys(sounds.copies(keys.codes), "sound")
        return found | dict.fromkeys(contents.find([keys.content])[1].tolist(), "samples")


@dataclass(slots=True)
class Overlap:
    """Clips of a test set that occur in training data.

    Attributes:
        train, test: paths or addresses of the corpora.
        train_clips, test_clips: number of clips that were compared.
        pairs: (id in the test set, id in the training data, reason), sorted.
        bad: number of items that could not be read or decoded.

    Example:
        >>> found = Overlap("train/", "test/", pairs=[("a", "x", "sound"), ("a", "y", "name")])
        >>> found.reasons
        {'a': 'sound'}
    """

    train: str
    test: str
    train_clips: int = 0
    test_clips: int = 0
    pairs: list[tuple[str, str, Reason]] = field(default_factory=list)
    bad: int = 0

    @property
    def reasons(self) -> dict[str, Reason]:
        """Id of each test clip that occurs in the training data → the strongest reason."""
        return {test: reason for one in REASONS[::-1] for test, _, reason in self.pairs if reason == one}

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a dictionary for JSON."""
        numbers = {name: getattr(self, name) for name in self.__slots__ if name != "pairs"}
        pairs = [{"test": test, "train": train, "by": reason} for test, train, reason in self.pairs]
        return numbers | {"found": len(self.reasons), "by": Counter(self.reasons.values()), "pairs": pairs}


def find_overlap(
    train: str | Path,
    test: str | Path,
    *,
    cache: Path | None = None,
    workers: int = 1,
    on_bad: OnBad | None = None,
    progress: Progress | None = None,
) -> Overlap:
    """Find the clips of a test set that occur in training data.

    Args:
        train, test: anything that `budew.read` takes; copies within a corpus are found if both are the same.
        cache, workers, on_bad, progress: see `find_duplicates`.

    Raises:
        CorpusError: a corpus does not exist, an item cannot be read, or a worker died.
        InputError: the cache cannot be used.

    Example:
        >>> from budew.io.resources import data_folder
        >>> demo = data_folder("demo_clips")
        >>> len(find_overlap(demo, demo / "clips.tar").reasons)
        16
    """
    found = Overlap(without_secrets(str(train)), without_secrets(str(test)))

    def count_bad(error: CorpusError) -> None:
        report(error, on_bad)
        found.bad += 1

    def described(corpus: str | Path) -> Iterator[tuple[str, ClipKeys]]:
        clips = fingerprints(read(corpus, on_bad=count_bad), database, workers=workers, on_bad=count_bad)
        for clip, made in counted(clips, progress):
            yield clip.id, ClipKeys(name_keys(clip), key_of(made.digest), made.codes)

    with fingerprint_cache(cache) as database:
        ids, tested = [list(column) for column in zip(*described(test), strict=True)] or ([], [])
        names = np.array([keys.names for keys in tested], np.uint64).reshape(-1, 2)
        contents = np.array([keys.content for keys in tested], np.uint64)
        known = KnownClips(names, contents, [keys.codes for keys in tested])
        found.test_clips = len(ids)
        for id, keys in described(train):
            found.train_clips += 1
            same = [(ids[number], id, reason) for number, reason in known.find(keys).items()]
            found.pairs += [pair for pair in same if train != test or pair[0] != id]
    found.pairs.sort()
    return found
