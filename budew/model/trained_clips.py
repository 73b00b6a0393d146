"""Which clips a checkpoint was trained on: a file of fingerprints beside its weights.

A clip takes 24 bytes, or 152 if its sound was fingerprinted. Of more than `MOST_CLIPS`, those with the
smallest hashes are listed.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from budew.curation.fingerprints import NO_CODE, NO_CODES, SKETCH, read_fingerprint
from budew.curation.overlap import REASONS, ClipKeys, KnownClips, Reason, key_of
from budew.errors import AudioError, CheckpointError, first_line

TRAINED_CLIPS = "trained_clips.safetensors"
MOST_CLIPS = 400_000
_TYPES: dict[str, type] = {"names": np.uint64, "contents": np.uint64, "codes": np.uint32}


def write_trained_clips(folder: Path, clips: KnownClips) -> None:
    """Write the fingerprints of the clips that a checkpoint was trained on into its folder."""
    rows = np.unique(clips.contents, return_index=True)[1][:MOST_CLIPS]
    codes = np.asarray(clips.codes)[rows] if len(clips.codes) else np.empty((0, SKETCH, 2))
    arrays = {"names": clips.names[rows], "contents": clips.contents[rows], "codes": codes}
    made: dict[str, NDArray[Any]] = {
        name: np.ascontiguousarray(arrays[name], kind) for name, kind in _TYPES.items()
    }
    (folder / TRAINED_CLIPS).write_bytes(save(made))


def read_trained_clips(folder: Path) -> KnownClips | None:
    """Read the clips that the checkpoint in a folder was trained on; None if it does not say.

    Raises:
        CheckpointError: the file is damaged or too large.
    """
    path = folder / TRAINED_CLIPS
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > (24 + 8 * SKETCH) * MOST_CLIPS + 2**12:  # the header
            raise ValueError("it is too large")
        arrays = load(path.read_bytes())
        clips, sketches = len(arrays["contents"]), len(arrays["codes"])
        shapes = {"names": (clips, 2), "contents": (clips,), "codes": (sketches and clips, SKETCH, 2)}
        if {name: (array.shape, array.dtype.type) for name, array in arrays.items()} != {
            name: (shape, _TYPES[name]) for name, shape in shapes.items()
        }:
            raise ValueError("it has other arrays")
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        fault = f"{path} cannot be read ({first_line(error)})"
        raise CheckpointError(f"{fault}: save the checkpoint again, or remove this file") from error
    return KnownClips(**arrays)


def joined_clips(several: Iterable[KnownClips | None]) -> KnownClips | None:
    """Return all clips as one; None if one of them is unknown, or there are none."""
    parts = list(several)
    known = [one for one in parts if one is not None]
    if not known or len(known) < len(parts):
        return None
    names, contents = ([getattr(one, name) for one in known] for name in ("names", "contents"))
    keys = np.concatenate(names), np.concatenate(contents)
    if not any(len(one.codes) for one in known):
        return KnownClips(*keys)
    none = np.full((len(keys[1]), SKETCH, 2), NO_CODE, np.uint32)
    codes = [one.codes if len(one.codes) else none[: len(one.contents)] for one in known]
    return KnownClips(*keys, np.concatenate(codes))


@dataclass
class TrainingOverlap:
    """Counts the clips of a benchmark that a model was trained on.

    Attributes:
        known: training clips of the model; None if the checkpoint does not say.
        clips: number of clips that were compared; 0 if there is nothing to compare with.
        same: id of each that was a training clip → what is the same.
    """

    known: KnownClips | None = None
    clips: int = 0
    same: dict[str, Reason] = field(default_factory=dict)

    def add(self, id: str, names: tuple[int, int], audio: bytes) -> None:
        """Compare a clip with the training clips."""
        if self.known is None:
            return
        self.clips += 1
        made = read_fingerprint(audio, id) if len(self.known.codes) else None
        codes = NO_CODES if made is None or isinstance(made, AudioError) else made.codes
        reasons = self.known.find(ClipKeys(names, key_of(audio), codes)).values()
        if reasons:
            self.same[id] = min(reasons, key=REASONS.index)

    def __str__(self) -> str:
        if self.known is None:
            return "Clips trained on: unknown: the checkpoint does not say what it was trained on"
        least = "at least " if len(self.known.contents) == MOST_CLIPS else ""
        reasons = ", ".join(f"{count:,} by {reason}" for reason, count in Counter(self.same.values()).items())
        return f"Clips trained on: {least}{len(self.same):,} of {self.clips:,}{reasons and f' ({reasons})'}"

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, and the line that reports show, as a dictionary for JSON."""
        found = None if self.known is None else len(self.same)
        by = Counter(self.same.values())
        return {"clips": self.clips, "trained_on": found, "by": by, "summary": str(self)}
