"""Examples of a run, streamed: a clip is looked up, decoded and turned into features when its turn comes.

Nothing is copied, and memory does not grow with the corpus: 30 s are a megabyte as features and a tenth of it
as MP3. All that is random in an example comes from a generator seeded by seed, clip id and number of the
example, so a run has the same examples with any number of workers, and after a stop.

Small corpora may be kept as spectrograms instead: 8 s take 100 kB in half precision and 4 ms to compute.
"""

import hashlib
import math
import random
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset
from transformers import WhisperFeatureExtractor, WhisperProcessor

from budew.errors import AudioError, BudewWarning, CorpusError
from budew.io.files import locked_file
from budew.model.generate import frames_of, short_window_seconds
from budew.randomness import generator
from budew.training.augmentation import SHIFT, change_audio, mask
from budew.training.clip_index import Notes
from budew.training.clip_order import ClipOrder, InTurn
from budew.training.heads import head_labels
from budew.training.listener import Listener
from budew.training.loss import IGNORED
from budew.training.progress import say
from budew.training.recipe import Recipe
from budew.training.selection import LEARNED, Selection
from budew.training.state_cache import read_states
from budew.training.targets import Target, draw_target

Features = npt.NDArray[np.float16]
STEP = 16
"""Frames. Cut batches are a multiple of it long, so that there are few shapes to compute."""
WHOLE_SHARE = 0.1
"""Share of the batches that keep the whole window while batches are cut."""
_TRIES = 20
"""Clips one after the other that cannot be decoded, or whose captions are too long, before a run gives up."""


def spectrogram(samples: npt.NDArray[np.float32], extractor: WhisperFeatureExtractor) -> tuple[Features, int]:
    """Return the spectrogram (mel bins, frames) of a window, and how many frames of it are not padding."""
    made = extractor(samples, sampling_rate=extractor.sampling_rate, return_tensors="np").input_features[0]
    return made.astype(np.float16), min(made.shape[1], -(-len(samples) // extractor.hop_length))


def cache_features(
    selection: Selection,
    extractor: WhisperFeatureExtractor,
    folder: Path,
    *,
    workers: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Selection:
    """Return the selection with its spectrograms in a file of the folder, computed if they are not there.

    Clips that cannot be decoded have no frames in it. A run waits for another that is computing the same.
    """
    made_of = [str(selection.index.files), extractor.to_json_string()]
    digest = hashlib.sha256("".join(made_of).encode())
    digest.update(selection.numbers.tobytes() + selection.starts.tobytes())
    path = folder / f"{digest.hexdigest()[:20]}.f16"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        with locked_file(unfinished) as file:  # another run may be writing
            if not path.exists():
                say(f"computing {len(selection.numbers):,} spectrograms, once")
                file.truncate(0)
                lengths = []
                for values, length in DataLoader(_Computed(selection, extractor), None, num_workers=workers):
                    file.write(values.numpy().tobytes())
                    lengths.append(length)
                    if progress:
                        progress(len(lengths))
                np.save(path.with_suffix(".npy"), np.array(lengths))
                unfinished.replace(path)
    return replace(selection, spectrograms=path)


class _Computed(Dataset[tuple[Features, int]]):
    """The spectrograms of a selection, in order."""

    def __init__(self, selection: Selection, extractor: WhisperFeatureExtractor) -> None:
        self.selection, self.extractor = selection, extractor

    def __len__(self) -> int:
        return len(self.selection.numbers)

    def __getitem__(self, at: int) -> tuple[Features, int]:
        try:
            return spectrogram(self.selection.samples(at, self.extractor), self.extractor)
        except (AudioError, CorpusError) as error:
            warnings.warn(BudewWarning(str(error)), stacklevel=2)
            extractor = self.extractor
            return np.zeros((extractor.feature_size, extractor.nb_max_frames), np.float16), 0


@lru_cache(maxsize=64)
def _cached(path: Path) -> tuple[Features, npt.NDArray[np.int64]]:
    lengths: npt.NDArray[np.int64] = np.load(path.with_suffix(".npy"))
    return np.memmap(path, dtype=np.float16, mode="r"), lengths


class Examples(Dataset[dict[str, Any]]):
    """The examples of a run by number: `input_features` (mel bins, frames), float16, and how many of these
    count (`length`), or cached `states` (positions, width), float16; `tokens` of prompt, prefix, caption and
    end, and how many come before the caption (`prefix`); the labels of heads if the model has any, `heads`
    (targets,); in validation what is known of the clip, `notes`.

    Args:
        corpora: what is used of each corpus.
        order: of the run.
        processor: of the model.
        recipe: what is learned of a clip, seed, augmentation.
        longest: tokens of the decoder.
        training: False for validation, without augmentation and in whole windows.
        listener: whose judgement captions of the corpora say that are heard, if there is one.
    """

    def __init__(
        self,
        corpora: Sequence[Selection],
        order: ClipOrder | InTurn,
        processor: WhisperProcessor,
        recipe: Recipe,
        *,
        longest: int,
        training: bool = True,
        listener: Listener | None = None,
    ) -> None:
        self.corpora, self.order, self.processor, self.recipe = corpora, order, processor, recipe
        self.longest, self.training, self.listener = longest, training, listener

    def __len__(self) -> int:
        return self.order.examples

    def __getitem__(self, index: int) -> dict[str, Any]:
        corpus, place, _ = self.order[index]
        used = self.corpora[corpus]
        errors: list[CorpusError] = []
        for at in range(place, place + _TRIES):
            at %= len(used.numbers)
            notes = used.index.notes(int(used.numbers[at]))
            rng = generator(self.recipe.seed, index, notes.id)
            try:
                sound = self._sound(index, used, at, notes, rng)
                listener = self._listener_of(corpus, notes)
                if listener is not None and notes.profile is not None:
                    states, profile = listener.listen(sound["states"].numpy(), notes.profile, rng)
                    sound = {"states": torch.from_numpy(states)}
                    notes = notes._replace(profile=profile, captions={})
                example = sound | self._text(notes, rng)
            except CorpusError as error:
                errors.append(error)
                continue
            for skipped in errors:
                warnings.warn(BudewWarning(f"the next clip is taken instead: {skipped}"), stacklevel=2)
            return example if self.training else example | {"notes": notes}
        raise CorpusError(f"{_TRIES} clips in a row cannot be used: {errors[-1]}: check the corpus")

    def notes(self, index: int) -> Notes:
        """Return what is known of the clip of an example."""
        corpus, place, _ = self.order[index]
        used = self.corpora[corpus]
        return used.index.notes(int(used.numbers[place]))

    def tokens(self, index: int) -> int:
        """Return the number of tokens of a validation example, without its audio; may be over the limit."""
        notes = self.notes(index)
        rng = generator(self.recipe.seed, index, notes.id)
        return len(tokens_of(self.target(notes, rng), self.processor)[0])

    def any_target(self, index: int, rng: random.Random) -> Target:
        """Return a text that may have to be learned of the clip of an example."""
        notes = self.notes(index)
        listener = self._listener_of(self.order[index][0], notes)
        if listener is not None and notes.profile is not None:
            notes = notes._replace(profile=listener.drawn(notes.profile, rng), captions={})
        return self.target(notes, rng)

    def target(self, notes: Notes, rng: random.Random) -> Target:
        """Return a text to learn of a clip."""
        kinds = LEARNED[self.recipe.data.captions]
        written = tuple(text for kind in kinds for text in notes.captions.get(kind, ()))
        return draw_target(notes.profile, written, self.recipe.target, rng)

    def _listener_of(self, corpus: int, notes: Notes) -> Listener | None:
        """Return the listener if captions of the clip say what it hears."""
        known = self.listener and notes.profile is not None and notes.profile.rated
        return self.listener if known and self.recipe.data.train[corpus].heard else None

    def _sound(
        self, index: int, used: Selection, at: int, notes: Notes, rng: random.Random
    ) -> dict[str, Any]:
        """Return what the model hears of an example."""
        if self.training and used.states is not None:
            states = read_states(used.states, at, rng.randrange(used.states.copies))
            if not len(states):
                raise AudioError(f"clip {notes.id!r} cannot be decoded")
            return {"states": torch.from_numpy(np.array(states))}
        features, length = self._features(used, at, notes, rng)
        window = self._window(index, length, features)
        return {"input_features": torch.from_numpy(np.array(features))} | window

    def _features(self, used: Selection, at: int, notes: Notes, rng: random.Random) -> tuple[Features, int]:
        extractor, augmentation = self.processor.feature_extractor, self.recipe.data.augmentation
        if used.spectrograms is None:
            samples = used.samples(at, extractor)
            if self.training and augmentation.changes_audio:
                samples = change_audio(samples, extractor.sampling_rate, augmentation, rng)
            features, length = spectrogram(samples[: extractor.n_samples], extractor)
        else:
            values, lengths = _cached(used.spectrograms)
            shape = (len(lengths), extractor.feature_size, -1)
            features, length = values.reshape(shape)[at], int(lengths[at])
        if not length:
            raise AudioError(f"clip {notes.id!r} cannot be decoded")
        if self.training:
            features, shift = mask(features, augmentation, rng)
            length = min(features.shape[1], length + shift)
        return features, length

    def _text(self, notes: Notes, rng: random.Random) -> dict[str, Any]:
        """Return what it writes, and the labels of heads."""
        tokens, prefix = tokens_of(self.target(notes, rng), self.processor)
        if len(tokens) > self.longest:
            raise CorpusError(
                f"clip {notes.id!r}: its caption has {len(tokens)} tokens, the decoder {self.longest}"
            )
        example: dict[str, Any] = {"tokens": tokens, "prefix": prefix}
        if self.recipe.model.has_heads:
            example["heads"] = torch.from_numpy(head_labels(notes.profile, notes.cues))
        return example

    def _window(self, index: int, length: int, features: Features) -> dict[str, int]:
        """Return the frames that count: a step is cut to its longest clip, or keeps the whole window.

        The validation of a model that learns from cached states has the windows of these, and of inference.
        """
        extractor = self.processor.feature_extractor
        if not self.training and self.recipe.data.cache_states:
            rate, window = extractor.sampling_rate, extractor.n_samples / extractor.sampling_rate
            seconds = short_window_seconds(length * extractor.hop_length, rate=rate, window=window)
            return {"length": frames_of(extractor, seconds)}
        size, cut = self.order.batch_size, self.recipe.data.short_windows * len(self)
        step = index // size
        chance = generator(self.recipe.seed, step, "window").random()
        if not self.training or step * size >= cut or chance < WHOLE_SHARE:
            return {"length": features.shape[1]}
        return {"length": min(features.shape[1], max(length, _longest(self, step)))}


@lru_cache(maxsize=4)
def _longest(examples: Examples, step: int) -> int:
    """Return the frames that the longest example of a step may have, whichever process it is in."""
    extractor, augmentation = examples.processor.feature_extractor, examples.recipe.data.augmentation
    size, seconds = examples.order.batch_size, 0.0
    for number in range(step * size, min((step + 1) * size, len(examples))):
        corpus, place, _ = example = examples.order[number]
        start = float(examples.corpora[corpus].starts[place])
        seconds = max(seconds, examples.order.seconds(example) - start)
    frames: int = math.ceil(
        seconds / (1 - augmentation.speed) * extractor.sampling_rate / extractor.hop_length
    )
    return frames + (SHIFT if augmentation.changes_features else 0)


def tokens_of(target: Target, processor: WhisperProcessor) -> tuple[list[int], int]:
    """Return prompt, prefix, caption and end as tokens, and how many of them come before the caption."""
    tokenizer = processor.tokenizer
    prompt = [int(id) for id in tokenizer.get_prompt_ids(target.prompt)] if target.prompt else []
    # "<|endoftext|>" in a caption of a corpus is text, not an end.
    ids: list[int] = tokenizer(target.text, split_special_tokens=True).input_ids
    return [*prompt, *ids], len(prompt) + len(tokenizer.prefix_tokens)


def collate(examples: Sequence[dict[str, Any]], *, padding: int) -> dict[str, torch.Tensor]:
    """Return a batch: `input_features`, or `states` and how many `positions` of each there are;
    `decoder_input_ids`, `labels`, and `heads` if there are any, clips first. It is as long as the longest of
    its examples; what comes before a caption is masked in the loss.

    Args:
        examples: of `Examples`.
        padding: token that fills shorter captions; masked in the loss.
    """
    longest = max(len(example["tokens"]) for example in examples)
    tokens = torch.full((len(examples), longest), padding, dtype=torch.long)
    for row, example in enumerate(examples):
        tokens[row, : len(example["tokens"])] = torch.tensor(example["tokens"])
    lengths, prefixes = (
        torch.tensor(values)[:, None]
        for values in zip(*((len(example["tokens"]), example["prefix"]) for example in examples), strict=True)
    )
    labels = tokens[:, 1:].clone()
    places = torch.arange(1, longest)
    labels[(places >= lengths) | (places < prefixes)] = IGNORED
    batch = _sounds(examples) | {"decoder_input_ids": tokens[:, :-1], "labels": labels}
    if "heads" in examples[0]:
        batch["heads"] = torch.stack([example["heads"] for example in examples])
    return batch


def _sounds(examples: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
    if "states" in examples[0]:
        states = [example["states"] for example in examples]
        return {
            "states": pad_sequence(states, batch_first=True).float(),
            "positions": torch.tensor([len(one) for one in states]),
        }
    frames = -(-max(example["length"] for example in examples) // STEP) * STEP
    features = [example["input_features"][:, :frames] for example in examples]
    return {"input_features": torch.stack(features).float()}
