"""Cache on disk of spectrograms, or of the output (states) of frozen encoder layers, computed once a clip.

Caching spectrograms is for small corpora: 8 s take 100 kB in half precision, and 4 ms to compute.

The output of frozen encoder layers for a clip is the same in every epoch. With whisper-base it takes most of
the time of a step to compute, and 51 kB per second of audio to store. Each clip is padded to whole seconds,
as in inference, so clips have different numbers of states. With augmentation, several copies of a clip are
computed, each decided by the seed, the clip and the number of the copy, and an example uses a random copy.
States are written in independent chunks: a run that was killed continues with the next chunk, and the result
has the same bytes.
"""

import copy
import hashlib
import logging
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader, Dataset, Subset
from transformers import WhisperFeatureExtractor

from budew.errors import AudioError, BudewWarning, CorpusError
from budew.io.disk import check_space
from budew.io.files import locked_file
from budew.model.adapt import frozen_layers, short_window
from budew.model.build import ENCODER_STRIDE
from budew.model.checkpoint import choose_device, identity
from budew.model.generate import SHORTEST, frames_of, short_window_seconds, spectrograms
from budew.randomness import generator
from budew.training.augmentation import MAX_SHIFT, change_audio, mask, random_piece
from budew.training.recipe import Recipe
from budew.training.training_clips import CachedStates, TrainingClips

Halves = npt.NDArray[np.float16]
CHUNK = 64
"""Number of copies of clips whose states are computed and written together."""
ENCODER_BATCH = 16
"""Number of clips, padded to the same length, in a batch of the encoder."""
LARGEST_HALF = float(np.finfo(np.float16).max)
"""Largest float16; states are clamped to it."""

logger = logging.getLogger(__name__)


def spectrogram(samples: npt.NDArray[np.float32], extractor: WhisperFeatureExtractor) -> tuple[Halves, int]:
    """Return the spectrogram (mel bins, frames) of samples (n,), padded to a window.

    Also returns how many of its frames are not padding.
    """
    made = extractor(samples, sampling_rate=extractor.sampling_rate, return_tensors="np")
    features = made.input_features[0].astype(np.float16)
    return features, min(features.shape[1], -(-len(samples) // extractor.hop_length))


def cache_spectrograms(
    clips: TrainingClips,
    extractor: WhisperFeatureExtractor,
    folder: Path,
    *,
    workers: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> TrainingClips:
    """Compute the spectrograms of clips and store them in a file, unless the file exists.

    Clips that cannot be decoded get a length of 0. If another run is writing the same file, this one waits.

    Args:
        clips: clips of a corpus.
        extractor: feature extractor of the model.
        folder: folder of the cache.
        workers: number of processes that compute; 0: this process.
        progress: called with the number of finished clips and their total number.

    Returns:
        The clips, with `spectrograms` set to the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{_digest(clips, extractor.to_json_string())}.f16"
    with _written_once(path) as file:
        if file:
            logger.info("computing %s spectrograms, once", f"{len(clips):,}")
            file.truncate(0)
            lengths: list[int] = []
            for values, length in DataLoader(_Spectrograms(clips, extractor), None, num_workers=workers):
                file.write(values.numpy().tobytes())
                lengths.append(length)
                progress(len(lengths), len(clips))
            np.save(path.with_suffix(".npy"), np.array(lengths))
    return replace(clips, spectrograms=path)


def read_spectrogram(path: Path, place: int, *, mel_bins: int) -> tuple[Halves, int]:
    """Read a spectrogram (mel bins, frames) from a file that `cache_spectrograms` wrote.

    Also returns how many of its frames are not padding; 0 if the clip could not be decoded.
    """
    values, lengths = _open_spectrograms(path)
    return values.reshape(len(lengths), mel_bins, -1)[place], int(lengths[place])


@lru_cache(maxsize=64)
def _open_spectrograms(path: Path) -> tuple[Halves, npt.NDArray[np.int64]]:
    return np.memmap(path, dtype=np.float16, mode="r"), np.load(path.with_suffix(".npy"))


def cache_states(
    clips: TrainingClips,
    recipe: Recipe,
    model: Any,
    extractor: WhisperFeatureExtractor,
    folder: Path,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> TrainingClips:
    """Compute the encoder states of clips and store them in a file, as far as they are missing.

    Clips that cannot be decoded get no states. If another run is writing the same file, this one waits.

    Args:
        clips: clips of a corpus.
        recipe: recipe of the run.
        model: the base, with the layers and the window of the recipe.
        extractor: feature extractor of the model.
        folder: folder of the cache.
        progress: called with the number of finished copies of clips and their total number.

    Returns:
        The clips, with `states` set.

    Raises:
        JobError: the disk has too little space.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cached = CachedStates(
        folder / f"{_states_digest(clips, recipe, model, extractor)}.f16",
        width=model.config.d_model,
        copies=_copies(clips, recipe),
    )
    with _written_once(cached.file) as file:
        if file:
            size = states_size(clips, recipe, extractor, cached.width)
            copies, encoder = _ClipCopies(clips, recipe, extractor), _FrozenEncoder(model, recipe, extractor)
            logger.info("computing states of %s clips, once", f"{len(copies):,}")
            check_space(folder, size - file.tell(), "states")
            _append_states(file, cached, copies, encoder, progress)
    return replace(clips, states=cached)


def states_size(clips: TrainingClips, recipe: Recipe, extractor: WhisperFeatureExtractor, width: int) -> int:
    """Return the size of the cached states of clips in bytes; changes of speed by augmentation are ignored.

    `width` is that of the encoder.
    """
    rate = extractor.sampling_rate
    window = extractor.n_samples / rate
    padded = (short_window_seconds(round(one * rate), rate=rate, window=window) for one in clips.used_seconds)
    positions = sum(frames_of(extractor, one) for one in padded) // ENCODER_STRIDE
    return int(2 * width * positions * _copies(clips, recipe))


def read_states(cached: CachedStates, place: int, number: int) -> Halves:
    """Return the states (positions, width) of copy `number` of clip `place`; empty if it was not decoded."""
    values, ends = _open_states(cached)
    at = place * cached.copies + number
    start = ends[at - 1] if at else 0
    return values[start : ends[at]]


@lru_cache(maxsize=64)
def _open_states(cached: CachedStates) -> tuple[Halves, npt.NDArray[np.int64]]:
    ends = np.cumsum(np.fromfile(cached.file.with_suffix(".positions"), "<i4"), dtype=np.int64)
    shape = (int(ends[-1]), cached.width)
    if not shape[0]:
        return np.empty(shape, np.float16), ends
    return np.memmap(cached.file, dtype="<f2", mode="r", shape=shape), ends


def _copies(clips: TrainingClips, recipe: Recipe) -> int:
    return clips.corpus.state_copies or recipe.data.state_copies


@contextmanager
def _written_once(path: Path) -> Iterator[Any]:
    """Yield a temporary file to write, which is then renamed to `path`; None if `path` exists already."""
    if path.exists():
        yield None
        return
    unfinished = path.with_suffix(".unfinished")
    with locked_file(unfinished) as file:
        if path.exists():
            yield None
            return
        yield file
        unfinished.replace(path)


def _digest(clips: TrainingClips, *made_of: str) -> str:
    """Return a hash of clips and settings, which is the name of a cache file.

    It includes the names of the files of the index, not their folders, so that the cache may be moved: the
    names of annotation files have hashes of the corpus.
    """
    names = [file.name for file in clips.index.files]
    digest = hashlib.sha256("\n".join([*names, *made_of]).encode())
    digest.update(clips.index.rows.tobytes() + clips.starts.tobytes())
    return digest.hexdigest()[:20]


def _states_digest(
    clips: TrainingClips, recipe: Recipe, model: Any, extractor: WhisperFeatureExtractor
) -> str:
    trained, augmentation = recipe.model.trained_encoder_layers, recipe.data.augmentation
    made_of = [extractor.to_json_string(), identity(recipe.model.base), str(trained > 0), str(SHORTEST)]
    made_of += [f"{frozen_layers(model.config, trained)} layers", f"{_copies(clips, recipe)} copies"]
    if augmentation.changes_audio or augmentation.changes_features:
        made_of += [augmentation.model_dump_json(), str(recipe.seed)]
    if clips.corpus.pieces is not None:
        made_of += [f"pieces of {clips.corpus.pieces} s", str(recipe.seed)]
    return _digest(clips, *made_of)


def _decoded(clips: TrainingClips, place: int, extractor: WhisperFeatureExtractor) -> npt.NDArray[np.float32]:
    """Return the samples (n,) of a clip; if it cannot be decoded, warn and return an empty array."""
    try:
        return clips.samples(place, extractor)
    except (AudioError, CorpusError) as error:
        warnings.warn(BudewWarning(str(error)), stacklevel=2)
        return np.zeros(0, np.float32)


class _Spectrograms(Dataset[tuple[Halves, int]]):
    """Dataset of the spectrograms of clips, in order."""

    def __init__(self, clips: TrainingClips, extractor: WhisperFeatureExtractor) -> None:
        self.clips, self.extractor = clips, extractor

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, place: int) -> tuple[Halves, int]:
        samples = _decoded(self.clips, place, self.extractor)
        if len(samples):
            return spectrogram(samples, self.extractor)
        return np.zeros((self.extractor.feature_size, self.extractor.nb_max_frames), np.float16), 0


class _ClipCopy(NamedTuple):
    id: str
    number: int
    samples: npt.NDArray[np.float32]


class _ClipCopies(Dataset[_ClipCopy]):
    """Dataset of the copies of clips with augmented audio; the copies of a clip follow each other."""

    def __init__(self, clips: TrainingClips, recipe: Recipe, extractor: WhisperFeatureExtractor) -> None:
        self.clips, self.recipe, self.extractor = clips, recipe, extractor

    def __len__(self) -> int:
        return len(self.clips) * _copies(self.clips, self.recipe)

    def __getitem__(self, at: int) -> _ClipCopy:
        place, number = divmod(at, _copies(self.clips, self.recipe))
        id, seed, rate = self.clips.record(place).id, self.recipe.seed, self.extractor.sampling_rate
        samples = _decoded(self.clips, place, self.extractor)
        if len(samples) and self.clips.corpus.pieces is not None:
            rng = generator(seed, id, number, "piece")
            samples = random_piece(samples, round(self.clips.corpus.pieces * rate), rng)
        if len(samples):
            rng = generator(seed, id, number, "states")
            samples = change_audio(samples, rate, self.recipe.data.augmentation, rng)
        return _ClipCopy(id, number, samples[: self.extractor.n_samples])


class _FrozenEncoder:
    """The frozen first layers of an encoder, which compute states from samples."""

    def __init__(self, model: Any, recipe: Recipe, extractor: WhisperFeatureExtractor) -> None:
        self.augmentation, self.seed, self.extractor = recipe.data.augmentation, recipe.seed, extractor
        encoder = copy.deepcopy(model.get_encoder())
        trained = recipe.model.trained_encoder_layers
        encoder.layers = encoder.layers[: frozen_layers(model.config, trained)]
        if trained:
            encoder.layer_norm = torch.nn.Identity()
        self.encoder = encoder.to(choose_device(None)).eval()

    def __call__(self, copies: Sequence[_ClipCopy]) -> list[Halves]:
        """Return the float16 states (positions, width) of each copy; empty for a copy without samples."""
        rate, window = self.extractor.sampling_rate, self.extractor.n_samples / self.extractor.sampling_rate
        shift = MAX_SHIFT * self.extractor.hop_length if self.augmentation.changes_features else 0
        by_window = defaultdict[float, list[int]](list)
        for at, one in enumerate(copies):
            if len(one.samples):
                seconds = short_window_seconds(len(one.samples) + shift, rate=rate, window=window)
                by_window[seconds].append(at)
        states = [np.empty((0, self.encoder.config.d_model), np.float16)] * len(copies)
        for seconds, group in by_window.items():
            for start in range(0, len(group), ENCODER_BATCH):
                batch = group[start : start + ENCODER_BATCH]
                encoded = self._encoded([copies[at] for at in batch], seconds)
                for at, values in zip(batch, encoded, strict=True):
                    states[at] = values
        return states

    def _encoded(self, copies: Sequence[_ClipCopy], seconds: float) -> list[Halves]:
        features = spectrograms(self.extractor, [one.samples for one in copies], seconds=seconds)
        if self.augmentation.changes_features:
            for row, one in enumerate(copies):
                rng = generator(self.seed, one.id, one.number, "masks")
                masked, _ = mask(features[row].numpy(), self.augmentation, rng)
                features[row] = torch.from_numpy(masked)
        with torch.inference_mode(), short_window(self.encoder, features.shape[-1]):
            states = self.encoder(features.to(self.encoder.device)).last_hidden_state
            return list(states.clamp(-LARGEST_HALF, LARGEST_HALF).half().cpu().numpy())


def _append_states(
    file: Any,
    cached: CachedStates,
    copies: _ClipCopies,
    encoder: _FrozenEncoder,
    progress: Callable[[int, int], None],
) -> None:
    """Append missing states to the file, and the number of positions of each copy to another file."""
    lengths = cached.file.with_suffix(".positions")
    done = _whole_chunks(file, lengths, cached.width)
    left = Subset(copies, range(done, len(copies)))
    with lengths.open("ab") as positions:
        for chunk in DataLoader(left, CHUNK, num_workers=copies.recipe.data.workers, collate_fn=list):
            states = encoder(chunk)
            file.write(b"".join(one.astype("<f2", copy=False).tobytes() for one in states))
            file.flush()
            positions.write(np.array([len(one) for one in states], "<i4").tobytes())
            positions.flush()
            done += len(chunk)
            progress(done, len(copies))


def _whole_chunks(file: Any, lengths: Path, width: int) -> int:
    """Remove an incomplete last chunk, of a run that was stopped; return the number of complete copies."""
    written = np.fromfile(lengths, "<i4") if lengths.exists() else np.empty(0, "<i4")
    ends = 2 * width * np.cumsum(written, dtype=np.int64)
    done = int(np.searchsorted(ends, file.seek(0, 2), side="right")) // CHUNK * CHUNK
    file.truncate(int(ends[done - 1]) if done else 0)
    written[:done].tofile(lengths)
    return done
