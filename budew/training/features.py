"""Spectrograms of a corpus, computed once and read from a memory-mapped file ever after.

A window of 8 s takes 100 kB in half precision (128 bands, 400 frames) and about 4 ms to compute: with
some ten epochs the cache saves more than it costs, and processes share its pages. It is found again by
a hash of the shards' names and sizes and of the settings.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from budew.corpora import Clip, read
from budew.corpora.audio import decode
from budew.model.build import Features
from budew.profile import VoiceProfile

BATCH = 32


class CorpusMismatchError(ValueError):
    """A corpus cannot be trained on."""


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """A corpus as a model hears it.

    Attributes:
        ids: of the clips.
        profiles: what is heard in each.
        captions: what was written of each, if anything.
        features: (clips, mel bins, frames), float16, memory-mapped.
    """

    ids: tuple[str, ...]
    profiles: tuple[VoiceProfile, ...]
    captions: tuple[tuple[str, ...], ...]
    features: npt.NDArray[np.float16]


def load_features(
    corpus: str | Path,
    *,
    settings: Features,
    cache: Path,
    progress: Callable[[int], None] | None = None,
) -> FeatureSet:
    """Return the features of a corpus whose clips have profiles, from the folder `cache` if they are there.

    Raises:
        CorpusMismatchError: no clips, or a clip without a profile.
        AudioError: a clip cannot be decoded.
    """
    name = hashlib.sha256(json.dumps([_fingerprint(Path(corpus)), asdict(settings)]).encode()).hexdigest()[
        :16
    ]
    values, index = cache / f"{name}.f16", cache / f"{name}.json"
    if not index.exists():
        _compute(corpus, settings, values, index, progress)
    entries = json.loads(index.read_text(encoding="utf-8"))
    shape = (len(entries), settings.mel_bins, settings.frames)
    features = np.memmap(values, dtype=np.float16, mode="r", shape=shape)
    profiles = tuple(VoiceProfile.from_dict(entry["profile"]) for entry in entries)
    captions = tuple(tuple(entry["captions"]) for entry in entries)
    return FeatureSet(tuple(entry["id"] for entry in entries), profiles, captions, features)


def _compute(
    corpus: str | Path, settings: Features, values: Path, index: Path, progress: Callable[[int], None] | None
) -> None:
    extractor = settings.extractor()
    entries: list[dict[str, object]] = []
    values.parent.mkdir(parents=True, exist_ok=True)
    unfinished = values.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        batch: list[npt.NDArray[np.float32]] = []
        for clip in read(str(corpus)):
            batch.append(decode(clip.audio)[: extractor.n_samples])
            entries.append(_entry(clip))
            if len(batch) == BATCH:
                file.write(_extract(extractor, batch))
                batch = []
                if progress:
                    progress(len(entries))
        if batch:
            file.write(_extract(extractor, batch))
    if not entries:
        raise CorpusMismatchError(f"{corpus}: no clips in it")
    unfinished.replace(values)
    index.write_text(json.dumps(entries), encoding="utf-8")


def _entry(clip: Clip) -> dict[str, object]:
    if clip.profile is None:
        raise CorpusMismatchError(f"clip {clip.id!r} has no profile: annotate the corpus first")
    captions = [caption.text for caption in clip.captions]
    return {"id": clip.id, "profile": clip.profile.to_dict(), "captions": captions}


def _extract(extractor: object, batch: Sequence[npt.NDArray[np.float32]]) -> bytes:
    features = extractor(list(batch), sampling_rate=16_000, return_tensors="np").input_features  # type: ignore[operator]
    return np.asarray(features, dtype=np.float16).tobytes()


def _fingerprint(corpus: Path) -> list[tuple[str, int]]:
    """Return names and sizes of the files of a corpus."""
    files = sorted(corpus.rglob("*")) if corpus.is_dir() else [corpus]
    return [(file.name, file.stat().st_size) for file in files if file.is_file()]
