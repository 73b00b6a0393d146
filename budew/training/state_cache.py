"""States of frozen encoder layers, computed once for each clip and kept on disk.

Where the first layers of an encoder do not learn, what they give for a clip is the same in every epoch: with
whisper-base it takes most of a step, and 51 kB a second to keep. Clips differ in the number of their states,
since each is padded as inference pads it, to whole seconds.

Audio and spectrograms may be changed before. Then several copies of a clip are computed, each decided by
seed, clip and number of the copy, and an example draws one of them.

States are computed and written by the chunk. What a chunk gives does not depend on the others, so a run that
was killed goes on with the next one, and ends with the same bytes.
"""

import copy
import hashlib
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
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
from budew.training.augmentation import SHIFT, Augmentation, change_audio, mask, piece
from budew.training.progress import say
from budew.training.recipe import Recipe
from budew.training.selection import CachedStates, Selection

States = npt.NDArray[np.float16]
CHUNK = 64
"""Copies of clips that are computed and written together."""
AT_ONCE = 16
"""Of these, the encoder takes so many of one length at once."""
LARGEST = float(np.finfo(np.float16).max)


class Sound(NamedTuple):
    """A copy of a clip: its samples, none where it cannot be decoded."""

    id: str
    number: int
    samples: npt.NDArray[np.float32]


def cache_states(
    used: Selection,
    recipe: Recipe,
    model: Any,
    extractor: WhisperFeatureExtractor,
    folder: Path,
    *,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Selection:
    """Return the selection with the states of its clips in a file of the folder, computed as far as needed.

    A clip that cannot be decoded has none. A run waits for another that is computing the same.

    Args:
        used: clips of a corpus.
        recipe: says which layers are frozen, how clips are changed, and how many copies there are.
        model: the base, with the layers and the window of the recipe.
        extractor: of the model.
        folder: of the files; made if it is not there.
        progress: called with the number of copies that are done and that of all.

    Raises:
        JobError: the disk has not the space.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{_key(used, recipe, model, extractor)}.f16"
    width = model.config.d_model
    if not path.exists():
        with locked_file(path.with_suffix(".unfinished")) as file:
            if not path.exists():
                sounds = _Sounds(used, recipe, extractor)
                say(f"computing states of {len(sounds):,} clips, once")
                check_space(folder, size_of(used, recipe, extractor, width) - file.tell(), "states")
                compute = _Frozen(model, recipe, extractor)
                _write(file, path.with_suffix(".positions"), sounds, compute, recipe.data.workers, progress)
                path.with_suffix(".unfinished").replace(path)
    return replace(used, states=CachedStates(path, width, used.copies))


def size_of(used: Selection, recipe: Recipe, extractor: WhisperFeatureExtractor, width: int) -> int:
    """Return the bytes of the states of a selection, as its clips are before any change of speed."""
    rate = extractor.sampling_rate
    seconds = used.rows["seconds"].astype(float) - used.starts
    window = extractor.n_samples / rate
    padded = (short_window_seconds(round(one * rate), rate=rate, window=window) for one in seconds)
    positions = sum(frames_of(extractor, one) for one in padded) // ENCODER_STRIDE
    return int(2 * width * positions * used.copies)


def read_states(cached: CachedStates, place: int, number: int) -> States:
    """Return the states (positions, width) of a copy of a clip by its place in the selection; empty if the
    clip cannot be decoded.
    """
    values, ends = _opened(cached)
    at = place * cached.copies + number
    return values[0 if at == 0 else ends[at - 1] : ends[at]]


@lru_cache(maxsize=64)
def _opened(cached: CachedStates) -> tuple[States, npt.NDArray[np.int64]]:
    ends = np.cumsum(np.fromfile(cached.file.with_suffix(".positions"), "<i4"), dtype=np.int64)
    shape = (int(ends[-1]), cached.width)
    if not shape[0]:
        return np.empty(shape, np.float16), ends
    return np.memmap(cached.file, dtype="<f2", mode="r", shape=shape), ends


def _key(used: Selection, recipe: Recipe, model: Any, extractor: WhisperFeatureExtractor) -> str:
    """Return the name of the file: a hash of all that decides what is in it."""
    trained = recipe.model.trained_encoder_layers
    frozen = frozen_layers(model.config, trained)
    made_of = [str(used.index.files), extractor.to_json_string(), identity(recipe.model.base)]
    made_of += [f"{frozen} layers", str(trained > 0), str(SHORTEST), str(used.copies)]
    augmentation = recipe.data.augmentation
    if augmentation.changes_audio or augmentation.changes_features:
        made_of += [augmentation.model_dump_json(), str(recipe.seed)]
    if used.pieces is not None:
        made_of += [f"pieces of {used.pieces} s", str(recipe.seed)]
    digest = hashlib.sha256("\n".join(made_of).encode())
    digest.update(used.numbers.tobytes() + used.starts.tobytes())
    return digest.hexdigest()[:20]


class _Sounds(Dataset[Sound]):
    """The copies of the clips of a selection, those of a clip one after the other."""

    def __init__(self, used: Selection, recipe: Recipe, extractor: WhisperFeatureExtractor) -> None:
        self.used, self.recipe, self.extractor = used, recipe, extractor
        self.augmentation: Augmentation = recipe.data.augmentation

    def __len__(self) -> int:
        return len(self.used.numbers) * self.used.copies

    def __getitem__(self, at: int) -> Sound:
        place, number = divmod(at, self.used.copies)
        id = self.used.index.notes(int(self.used.numbers[place])).id
        try:
            samples = self.used.samples(place, self.extractor)
        except (AudioError, CorpusError) as error:
            warnings.warn(BudewWarning(str(error)), stacklevel=2)
            return Sound(id, number, np.zeros(0, np.float32))
        if self.used.pieces is not None:
            rng = generator(self.recipe.seed, id, number, "piece")
            samples = piece(samples, round(self.used.pieces * self.extractor.sampling_rate), rng)
        if self.augmentation.changes_audio:
            rng = generator(self.recipe.seed, id, number, "states")
            samples = change_audio(samples, self.extractor.sampling_rate, self.augmentation, rng)
        return Sound(id, number, samples[: self.extractor.n_samples])


class _Frozen:
    """The first layers of an encoder, from sounds to float16 on the CPU."""

    def __init__(self, model: Any, recipe: Recipe, extractor: WhisperFeatureExtractor) -> None:
        self.recipe, self.extractor = recipe, extractor
        encoder = copy.deepcopy(model.get_encoder())
        trained = recipe.model.trained_encoder_layers
        encoder.layers = encoder.layers[: frozen_layers(model.config, trained)]
        if trained:
            encoder.layer_norm = torch.nn.Identity()
        self.encoder = encoder.to(choose_device(None)).eval()

    def __call__(self, sounds: Sequence[Sound]) -> list[States]:
        """Return the states of each sound (positions, width), none of one without samples."""
        groups = defaultdict[float, list[int]](list)
        for at, sound in enumerate(sounds):
            if len(sound.samples):
                groups[self._seconds(sound)].append(at)
        found = [np.empty((0, self.encoder.config.d_model), np.float16)] * len(sounds)
        for seconds, group in groups.items():
            for start in range(0, len(group), AT_ONCE):
                some = group[start : start + AT_ONCE]
                for at, states in zip(some, self._states([sounds[at] for at in some], seconds), strict=True):
                    found[at] = states
        return found

    def _seconds(self, sound: Sound) -> float:
        extractor, later = self.extractor, 0
        if self.recipe.data.augmentation.changes_features:
            later = SHIFT * extractor.hop_length
        rate = extractor.sampling_rate
        return short_window_seconds(len(sound.samples) + later, rate=rate, window=extractor.n_samples / rate)

    def _states(self, sounds: Sequence[Sound], seconds: float) -> list[States]:
        recipe = self.recipe
        features = spectrograms(self.extractor, [sound.samples for sound in sounds], seconds=seconds)
        if recipe.data.augmentation.changes_features:
            for row, sound in enumerate(sounds):
                rng = generator(recipe.seed, sound.id, sound.number, "masks")
                masked, _ = mask(features[row].numpy(), recipe.data.augmentation, rng)
                features[row] = torch.from_numpy(masked)
        with torch.inference_mode(), short_window(self.encoder, features.shape[-1]):
            states = self.encoder(features.to(self.encoder.device)).last_hidden_state
            return list(states.clamp(-LARGEST, LARGEST).half().cpu().numpy())


def _write(
    file: Any,
    lengths: Path,
    sounds: _Sounds,
    compute: _Frozen,
    workers: int,
    progress: Callable[[int, int], None],
) -> None:
    """Append the states that are not there yet, and their numbers of positions to another file."""
    done = _resumed(file, lengths, compute.encoder.config.d_model)
    left = Subset(sounds, range(done, len(sounds)))
    with lengths.open("ab") as positions:
        for chunk in DataLoader(left, CHUNK, num_workers=workers, collate_fn=list):
            states = compute(chunk)
            file.write(b"".join(one.astype("<f2", copy=False).tobytes() for one in states))
            file.flush()
            positions.write(np.array([len(one) for one in states], "<i4").tobytes())
            positions.flush()
            done += len(chunk)
            progress(done, len(sounds))


def _resumed(file: Any, lengths: Path, width: int) -> int:
    """Cut off what is not a whole chunk, of a run that was stopped; return how many states remain."""
    written = np.fromfile(lengths, "<i4") if lengths.exists() else np.empty(0, "<i4")
    ends = 2 * width * np.cumsum(written, dtype=np.int64)
    done = int(np.searchsorted(ends, file.seek(0, 2), side="right")) // CHUNK * CHUNK
    file.truncate(int(ends[done - 1]) if done else 0)
    written[:done].tofile(lengths)
    return done
