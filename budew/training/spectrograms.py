"""A corpus turned into spectrograms, batch by batch, a shard a process where there are several.

A file of float16 comes out, clip after clip in the order of the corpus, and what is known of each clip. A
spectrogram does not depend on its neighbours in the batch, bit for bit, so neither the cut into shards nor
the number of processes shows in the file.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import torch

from budew.audio.samples import decode
from budew.corpora import Clip, read
from budew.model.build import SAMPLING_RATE, Features
from budew.synthesis.tables import cues
from budew.training.corpus_files import shards

BATCH = 32
WORTH_A_PROCESS = 128 * 2**20
"""Bytes of clips. With less, starting a process (some 5 s, for torch) takes longer than it saves."""

Entry = dict[str, Any]


class CorpusMismatchError(ValueError):
    """A corpus cannot be trained on."""


def compute(
    corpus: str | Path,
    settings: Features,
    out: Path,
    *,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Entry]:
    """Write the spectrograms of a corpus to `out` and return what is known of its clips.

    Arguments and errors are those of `load_features`.

    Returns:
        for each clip its `id`, `profile`, `captions`, `cues` (None where unknown), `frames` with sound in
        them, and whether it was `cut` to the window.
    """
    units = shards(corpus)
    processes = min(workers or _worthwhile(units), len(units))
    entries: list[Entry] = []
    with out.open("wb") as file:
        written = (
            _share(units, settings, file, processes) if processes > 1 else _write_each(units, settings, file)
        )
        for done in written:
            entries += done
            if progress:
                progress(len(entries))
    if not entries:
        raise CorpusMismatchError(f"{corpus}: there are no clips in it")
    return entries


def _worthwhile(units: Sequence[str | Path]) -> int:
    """Return how many processes are worth their start."""
    if len(units) == 1:
        return 1
    size = sum(Path(unit).stat().st_size for unit in units)
    return min(os.cpu_count() or 1, 1 + size // WORTH_A_PROCESS)


def _write_each(units: Sequence[str | Path], settings: Features, file: BinaryIO) -> Iterator[list[Entry]]:
    for unit in units:
        yield from _write(unit, settings, file)


def _share(
    units: Sequence[str | Path], settings: Features, file: BinaryIO, processes: int
) -> Iterator[list[Entry]]:
    """Let each process write a part of its own, and join the parts in order: no memory holds a shard."""
    folder = Path(f"{file.name}.parts")
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
    folder.mkdir()
    parts = [folder / str(number) for number in range(len(units))]
    context = get_context("spawn")
    try:
        with ProcessPoolExecutor(processes, context, torch.set_num_threads, (1,)) as pool:
            for part, entries in zip(
                parts, pool.map(_write_part, units, repeat(settings), parts), strict=True
            ):
                with part.open("rb") as written:
                    shutil.copyfileobj(written, file)
                part.unlink()
                yield entries
    finally:
        shutil.rmtree(folder)


def _write_part(unit: str | Path, settings: Features, part: Path) -> list[Entry]:
    with part.open("wb") as file:
        return [entry for entries in _write(unit, settings, file) for entry in entries]


def _write(unit: str | Path, settings: Features, file: BinaryIO) -> Iterator[list[Entry]]:
    """Write the clips of a shard, yielding what is known of those of each batch."""
    extractor = settings.extractor()
    for clips in _batches(read(unit)):
        sounds = [decode(clip.audio, name=f"clip {clip.id!r} of {unit}").usable for clip in clips]
        file.write(_extract(extractor, [sound[: extractor.n_samples] for sound in sounds]))
        yield [
            _entry(clip, unit)
            | {
                "frames": -(-min(len(sound), extractor.n_samples) // settings.hop),
                "cut": len(sound) > extractor.n_samples,
            }
            for clip, sound in zip(clips, sounds, strict=True)
        ]


def _batches(clips: Iterator[Clip]) -> Iterator[list[Clip]]:
    batch: list[Clip] = []
    for clip in clips:
        batch.append(clip)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _extract(extractor: Any, sounds: Sequence[npt.NDArray[np.float32]]) -> bytes:
    features = extractor(list(sounds), sampling_rate=SAMPLING_RATE, return_tensors="np").input_features
    return np.asarray(features, dtype=np.float16).tobytes()


def _entry(clip: Clip, corpus: str | Path) -> Entry:
    if clip.profile is None:
        raise CorpusMismatchError(
            f"{corpus}: clip {clip.id!r} has no profile: annotate the corpus first, or leave the clip out"
        )
    captions = [caption.text for caption in clip.captions]
    return {"id": clip.id, "profile": clip.profile.to_dict(), "captions": captions, "cues": _cues(clip)}


def _cues(clip: Clip) -> list[float | None]:
    """Return the settings that a synthetic clip was made with, as `budew.synthesis` notes them."""
    synthesis = clip.metadata.get("synthesis")
    noted = synthesis.get("cues") if isinstance(synthesis, Mapping) else None
    known = noted if isinstance(noted, Mapping) else {}
    settings = (known.get(name) for name in cues())
    return [float(value) if isinstance(value, int | float) else None for value in settings]
