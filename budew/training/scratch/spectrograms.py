"""Spectrograms of a corpus, computed once and read from a memory-mapped file ever after.

A window of 8 s takes 100 kB in half precision (128 bands, 400 frames) and about 4 ms to compute: with some
ten epochs the cache saves more than it costs, and processes share its pages. It is found again by a hash of
the settings and of the corpus: names, sizes and times of its files. A spectrogram does not depend on its
neighbours in the batch, bit for bit, so the cut into shards does not change the file.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from glob import glob
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from budew.audio.samples import decode
from budew.captions.render import says_anything
from budew.corpora import Clip, read
from budew.corpora.clip import without_withheld
from budew.corpora.folder import list_files
from budew.errors import CorpusError
from budew.model.build import SAMPLING_RATE, Features
from budew.profile import VoiceProfile
from budew.taxonomy import WITHHELD
from budew.training.data import FeatureSet
from budew.training.scratch.heads import head_labels

BATCH = 32
SMALL = 64 * 1024
"""Bytes. A file up to this size is known by its content: notes beside the clips are often written anew."""

Entry = dict[str, Any]


def load_features(
    corpus: str | Path,
    *,
    settings: Features,
    cache: Path,
    progress: Callable[[int], None] | None = None,
) -> FeatureSet:
    """Return the spectrograms of a corpus with profiles, from the folder `cache` if they are there.

    Args:
        corpus: anything that `budew.read` takes.
        settings: of the spectrograms.
        cache: folder, made if need be; a changed corpus or other settings get files of their own in it.
        progress: called with the number of clips that are done.

    Raises:
        CorpusError: the corpus cannot be read, a clip of it cannot be decoded or has no profile, or there are
            no clips.
    """
    made_of = json.dumps([_state_of(corpus), settings.model_dump(), dict(WITHHELD)])
    values = cache / f"{hashlib.sha256(made_of.encode()).hexdigest()[:16]}.f16"
    index, shape = values.with_suffix(".json"), (settings.mel_bins, settings.frames)
    if not index.exists():  # it is written last
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = values.with_suffix(".unfinished")
        skipped: list[str] = []
        entries = _compute(_with_labels(corpus, skipped), corpus, settings, unfinished, progress)
        unfinished.replace(values)
        kept = {"clips": entries, "skipped": len(skipped)}
        unfinished.write_text(json.dumps(kept), encoding="utf-8")
        unfinished.replace(index)
    return _open(values, index, shape)


def _open(values: Path, index: Path, shape: tuple[int, int]) -> FeatureSet:
    found = json.loads(index.read_text(encoding="utf-8"))
    entries = found["clips"]
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
        skipped=found["skipped"],
        reopen=(_open, (values, index, shape)),
    )


def _with_labels(corpus: str | Path, skipped: list[str]) -> Iterator[Clip]:
    """Read the clips of which something may be said; add the ids of the others to `skipped`."""
    for clip in without_withheld(read(corpus), lambda id, _: skipped.append(id)):
        if clip.profile is None or clip.captions or says_anything(clip.profile):
            yield clip
        else:
            skipped.append(clip.id)


def _compute(
    clips: Iterator[Clip],
    corpus: str | Path,
    settings: Features,
    out: Path,
    progress: Callable[[int], None] | None,
) -> list[Entry]:
    """Write the spectrograms of a corpus to `out`, clip after clip, and return an entry for each clip.

    It has `id`, `profile`, `captions`, `cues`, `frames` with sound, and whether the clip was `cut` to the
    window.
    """
    extractor = settings.extractor()
    entries: list[Entry] = []
    with out.open("wb") as file:
        while batch := list(islice(clips, BATCH)):
            samples = [decode(clip.audio, name=f"clip {clip.id!r} of {corpus}").usable for clip in batch]
            whole = [one[: extractor.n_samples] for one in samples]
            extracted = extractor(whole, sampling_rate=SAMPLING_RATE, return_tensors="np").input_features
            file.write(np.asarray(extracted, dtype=np.float16).tobytes())
            for clip, one in zip(batch, samples, strict=True):
                frames = -(-min(len(one), extractor.n_samples) // settings.hop)
                entries.append(
                    _entry(clip, corpus) | {"frames": frames, "cut": len(one) > extractor.n_samples}
                )
            if progress:
                progress(len(entries))
    if not entries:
        raise CorpusError(f"{corpus}: there are no clips in it")
    return entries


def _entry(clip: Clip, corpus: str | Path) -> Entry:
    if clip.profile is None:
        raise CorpusError(
            f"{corpus}: clip {clip.id!r} has no profile: annotate the corpus first, or leave the clip out"
        )
    captions = [caption.text for caption in clip.newest_captions]
    synthesis = clip.metadata.get("synthesis")  # the notes of `budew.synthesis`, or of anyone else
    cues = synthesis.get("cues") if isinstance(synthesis, Mapping) else None
    known = cues if isinstance(cues, Mapping) else {}
    return {"id": clip.id, "profile": clip.profile.to_dict(), "captions": captions, "cues": {**known}}


def _state_of(corpus: str | Path) -> list[tuple[str, str]]:
    """Return the name of each file of a corpus, and its content, or size and time of change.

    Size alone would not do: tars are padded to 10 kB, and a shard made anew with other profiles is often as
    long as the old one.
    """
    return [(name, _state(path)) for name, path in _files(corpus)]


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
