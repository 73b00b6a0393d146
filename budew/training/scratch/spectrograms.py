"""Spectrograms of a corpus, computed once and read from a memory-mapped file ever after.

A window of 8 s takes 100 kB in half precision (128 bands, 400 frames) and about 4 ms to compute: with some
ten epochs the cache saves more than it costs, and processes share its pages. It is found again by a hash of
the settings and of the corpus: names, sizes and times of its files. Shards are computed in parallel; a
spectrogram does not depend on its neighbours in the batch, bit for bit, so neither the cut into shards nor
the number of processes changes the file.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from glob import glob
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import torch

from budew.audio.samples import decode
from budew.corpora import Clip, read
from budew.corpora.folder import list_files
from budew.errors import CorpusError
from budew.model.build import SAMPLING_RATE, Features
from budew.profile import VoiceProfile
from budew.training.data import FeatureSet
from budew.training.scratch.heads import head_labels

BATCH = 32
MIN_BYTES_PER_PROCESS = 128 * 2**20
"""Of clips. With less, starting a process (some 5 s, for torch) takes longer than it saves."""
SMALL = 64 * 1024
"""Bytes. A file up to this size is known by its content: notes beside the clips are often written anew."""

Entry = dict[str, Any]


def load_features(
    corpus: str | Path,
    *,
    settings: Features,
    cache: Path,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> FeatureSet:
    """Return the spectrograms of a corpus with profiles, from the folder `cache` if they are there.

    Args:
        corpus: anything that `budew.read` takes.
        settings: of the spectrograms.
        cache: folder, made if need be; a changed corpus or other settings get files of their own in it.
        workers: processes, for a folder of several shards; None for as many as save time.
        progress: called with the number of clips that are done.

    Raises:
        CorpusError: the corpus cannot be read, a clip of it cannot be decoded or has no profile, or there are
            no clips.
    """
    made_of = json.dumps([_state_of(corpus), settings.model_dump()])
    values = cache / f"{hashlib.sha256(made_of.encode()).hexdigest()[:16]}.f16"
    index, shape = values.with_suffix(".json"), (settings.mel_bins, settings.frames)
    if not index.exists():  # it is written last
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = values.with_suffix(".unfinished")
        entries = _compute(corpus, settings, unfinished, workers, progress)
        unfinished.replace(values)
        unfinished.write_text(json.dumps(entries), encoding="utf-8")
        unfinished.replace(index)
    return _open(values, index, shape)


def _open(values: Path, index: Path, shape: tuple[int, int]) -> FeatureSet:
    entries = json.loads(index.read_text(encoding="utf-8"))
    profiles = tuple(VoiceProfile.from_dict(entry["profile"]) for entry in entries)
    labels = [head_labels(profile, entry["cues"]) for profile, entry in zip(profiles, entries, strict=True)]
    return FeatureSet(
        ids=tuple(entry["id"] for entry in entries),
        profiles=profiles,
        captions=tuple(tuple(entry["captions"]) for entry in entries),
        features=np.memmap(values, dtype=np.float16, mode="r", shape=(len(entries), *shape)),
        lengths=np.array([entry["frames"] for entry in entries]),
        heads=np.stack(labels),
        cut=sum(entry["cut"] for entry in entries),
        reopen=(_open, (values, index, shape)),
    )


def _compute(
    corpus: str | Path,
    settings: Features,
    out: Path,
    workers: int | None,
    progress: Callable[[int], None] | None,
) -> list[Entry]:
    """Write the spectrograms of a corpus to `out`, clip after clip, and return an entry for each clip.

    It has `id`, `profile`, `captions`, `cues`, `frames` with sound, and whether the clip was `cut` to the
    window.
    """
    units = _shards(corpus)
    processes = min(workers or _useful_processes(units), len(units))
    entries: list[Entry] = []
    with out.open("wb") as file:
        written = (
            _write_in_parallel(units, settings, file, processes)
            if processes > 1
            else _write_each(units, settings, file)
        )
        for done in written:
            entries += done
            if progress:
                progress(len(entries))
    if not entries:
        raise CorpusError(f"{corpus}: there are no clips in it")
    return entries


def _useful_processes(units: Sequence[str | Path]) -> int:
    """Return how many processes save time."""
    if len(units) == 1:
        return 1
    size = sum(Path(unit).stat().st_size for unit in units)
    return min(os.cpu_count() or 1, 1 + size // MIN_BYTES_PER_PROCESS)


def _write_each(units: Sequence[str | Path], settings: Features, file: BinaryIO) -> Iterator[list[Entry]]:
    for unit in units:
        yield from _write(unit, settings, file)


def _write_in_parallel(
    units: Sequence[str | Path], settings: Features, file: BinaryIO, processes: int
) -> Iterator[list[Entry]]:
    """Write one file a shard in several processes, and join them in order."""
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
    """Write the clips of a shard, yielding the entries of each batch."""
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
        raise CorpusError(
            f"{corpus}: clip {clip.id!r} has no profile: annotate the corpus first, or leave the clip out"
        )
    captions = [caption.text for caption in clip.captions]
    return {"id": clip.id, "profile": clip.profile.to_dict(), "captions": captions, "cues": _cues(clip)}


def _cues(clip: Clip) -> dict[str, float]:
    """Return the vocal cues that a synthetic clip was made with, as `budew.synthesis` notes them."""
    synthesis = clip.metadata.get("synthesis")
    noted = synthesis.get("cues") if isinstance(synthesis, Mapping) else None
    known = noted if isinstance(noted, Mapping) else {}
    return {name: float(value) for name, value in known.items() if isinstance(value, int | float)}


def _state_of(corpus: str | Path) -> list[tuple[str, str]]:
    """Return the name of each file of a corpus, and its content, or size and time of change.

    Size alone would not do: tars are padded to 10 kB, and a shard made anew with other profiles is often as
    long as the old one.
    """
    return [(name, _state(path)) for name, path in _files(corpus)]


def _shards(corpus: str | Path) -> list[str | Path]:
    """Return the shards of a folder that holds nothing else to read, in the order in which `budew.read` reads
    them; any other corpus as it is, alone.
    """
    if not Path(corpus).is_dir():
        return [corpus]
    files = list_files(corpus)
    found: list[str | Path] = [path for path in files if path.name.lower().endswith(".tar")]
    return found if found and all(path in found or path.suffix == ".json" for path in files) else [corpus]


def _files(corpus: str | Path) -> Iterator[tuple[str, Path]]:
    """Yield the files with their names in the corpus, the same wherever it lies."""
    path = Path(corpus)
    for root in [path] if path.exists() else map(Path, sorted(glob(str(corpus), recursive=True))):
        for file in list_files(root) if root.is_dir() else [root]:
            yield file.relative_to(root.parent).as_posix(), file
            if file.suffix in (".jsonl", ".ndjson"):
                sounds = (clip.audio for clip in read(file))
                yield from ((str(sound), sound) for sound in sounds if isinstance(sound, Path))


def _state(path: Path) -> str:
    facts = path.stat()
    if facts.st_size <= SMALL:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{facts.st_size} bytes, {facts.st_mtime_ns} ns"
