"""The dataset of a run: example n has the features of a clip and its target tokens; `collate` makes batches.

Audio is decoded and turned into features when an example is loaded. The corpus is not copied, and memory does
not grow with it: 30 s take a megabyte as features and a tenth of that as MP3. Everything random in an example
comes from a generator seeded by the seed of the recipe, the clip id and the number of the example, so a run
has the same examples with any number of workers, and after it was stopped and continued.
"""

import logging
import math
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset
from transformers import WhisperProcessor

from budew.errors import AudioError, BudewWarning, CorpusError
from budew.model.generate import frames_of, short_window_seconds
from budew.randomness import generator
from budew.training.augmentation import MAX_SHIFT, change_audio, mask
from budew.training.clip_index import ClipRecord
from budew.training.clip_order import ClipOrder, ClipPlace
from budew.training.feature_cache import Halves, read_spectrogram, read_states, spectrogram
from budew.training.pseudo_labels import PseudoLabeler
from budew.training.recipe import Recipe
from budew.training.targets import Target, draw_target
from budew.training.training_clips import LEARNED, TrainingClips
from budew.training.training_model import IGNORED, head_labels

FRAMES_STEP = 16
"""Batch lengths are rounded up to a multiple of this many frames, so that they have few different shapes."""
WHOLE_SHARE = 0.1
"""While batches are cut to their longest clip, this share of them still has the whole window."""
MAX_SKIPPED = 20
"""A run ends with an error when this many clips in a row cannot be decoded or have too long captions."""
VOCABULARY_TARGETS = (2_000, 20_000)
"""Smallest and largest number of texts from which a tokenizer is made; in between, one for each example."""
ALL_SHARDS = 2**31
"""Value of `ClipOrder.mixed_shards` that shuffles all clips of a corpus together, for validation sets."""

logger = logging.getLogger(__name__)


def training_dataset(
    recipe: Recipe,
    corpora: Sequence[TrainingClips],
    processor: WhisperProcessor,
    *,
    max_tokens: int,
    labeler: PseudoLabeler | None = None,
) -> "CaptionDataset":
    """Return the training examples of a run, one for each clip of each step.

    Arguments are the attributes of `CaptionDataset`.
    """
    size, clips = recipe.optimizer.batch_size, sum(map(len, corpora))
    examples = recipe.optimizer.steps(clips) * size
    order = ClipOrder(corpora, examples, size, recipe.data.mixed_shards, recipe.seed)
    dataset = CaptionDataset(recipe, corpora, order, processor, max_tokens, labeler=labeler)
    if recipe.target.prompts and not dataset.has_prompts:
        logger.info(
            "target.prompts: no example has a prompt, because only captions rendered from profiles have one"
        )
    return dataset


def validation_dataset(
    recipe: Recipe, corpora: Sequence[TrainingClips], processor: WhisperProcessor, *, max_tokens: int
) -> "CaptionDataset":
    """Return validation examples: a fixed random sample of clips, about the same number of each corpus.

    Arguments are the attributes of `CaptionDataset`.
    """
    share, size = math.ceil(recipe.evaluation.clips / len(corpora)), recipe.optimizer.batch_size
    sample = []
    for number, clips in enumerate(corpora):
        order = ClipOrder([clips], min(share, len(clips)), size, ALL_SHARDS, recipe.seed)
        sample += [ClipPlace(number, order[at].place) for at in range(len(order))]
    return CaptionDataset(recipe, corpora, sample, processor, max_tokens, training=False)


Made = TypeVar("Made")


@dataclass(frozen=True, eq=False, slots=True)
class CaptionDataset(Dataset[dict[str, Any]]):
    """The training or validation examples of a run, by number. An example is a dictionary with the keys:

    - `input_features` (mel bins, frames), float16, and `frames`, how many of the frames the batch needs; or
      cached encoder `states` (positions, width), float16;
    - `tokens`, a list of the tokens of prompt, prefix, caption and end, and `prefix`, the number of tokens
      before the caption;
    - `heads` (labels,), the labels of the auxiliary heads, if the model has them.

    Attributes:
        recipe: recipe of the run.
        corpora: clips of each corpus, from `prepare_corpora`.
        order: corpus and clip of each example.
        processor: processor of the model.
        max_tokens: largest number of tokens of an example, from the decoder of the model.
        training: False for validation, which has no augmentation and whole windows.
        labeler: predicts the emotion that captions of corpora with `heard: true` express; None without.
    """

    recipe: Recipe
    corpora: Sequence[TrainingClips]
    order: Sequence[ClipPlace] | ClipOrder
    processor: WhisperProcessor
    max_tokens: int
    training: bool = True
    labeler: PseudoLabeler | None = None

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self._first_usable(index, lambda clips, place: self._example(index, clips, place))

    def audio(self, index: int) -> tuple[ClipRecord, npt.NDArray[np.float32]]:
        """Return the annotation and samples (n,), not augmented, of the clip of example `index`."""
        extractor = self.processor.feature_extractor
        return self._first_usable(
            index, lambda clips, place: (clips.record(place), clips.samples(place, extractor))
        )

    def record(self, index: int) -> ClipRecord:
        """Return the annotation of the clip of example `index`."""
        corpus, place = self.order[index]
        return self.corpora[corpus].record(place)

    @property
    def has_prompts(self) -> bool:
        """Whether some examples have a prompt."""
        settings = self.recipe.target
        rendered = settings.renders and any(clips.has_profiles for clips in self.corpora)
        return settings.prompts > 0 and rendered

    def vocabulary_targets(self) -> Iterator[Target]:
        """Yield random targets of the examples, from which a tokenizer is made."""
        fewest, most = VOCABULARY_TARGETS
        for number in range(min(max(fewest, len(self)), most)):
            index, rng = number % len(self), generator(self.recipe.seed, -1 - number, "tokenizer")
            record = self.record(index)
            labeler = self._labeler_for(self.corpora[self.order[index].corpus], record)
            if labeler is not None and record.profile is not None:
                record = record._replace(profile=labeler.any_profile(record.profile, rng), captions={})
            yield self.target(record, rng)

    def _first_usable(self, index: int, make: Callable[[TrainingClips, int], Made]) -> Made:
        """Call `make` with the clip of an example, or with the next clip for which it raises no error."""
        corpus, place = self.order[index]
        clips = self.corpora[corpus]
        errors: list[CorpusError] = []
        for offset in range(MAX_SKIPPED):
            try:
                made = make(clips, (place + offset) % len(clips))
            except CorpusError as error:
                errors.append(error)
                continue
            for skipped in errors:
                warnings.warn(BudewWarning(f"the next clip is taken instead: {skipped}"), stacklevel=2)
            return made
        raise CorpusError(f"{MAX_SKIPPED} clips in a row cannot be used: {errors[-1]}: check the corpus")

    def _example(self, index: int, clips: TrainingClips, place: int) -> dict[str, Any]:
        record = clips.record(place)
        rng = generator(self.recipe.seed, index, record.id)
        if self.training and clips.states is not None:
            states = read_states(clips.states, place, rng.randrange(clips.states.copies))
            if not len(states):
                raise AudioError(f"clip {record.id!r} cannot be decoded")
            labeler = self._labeler_for(clips, record)
            if labeler is not None and record.profile is not None:
                states, profile = labeler.label(np.array(states), record.profile, rng)
                record = record._replace(profile=profile, captions={})
            example: dict[str, Any] = {"states": torch.from_numpy(np.array(states))}
        else:
            features, length = self._features(clips, place, record, rng)
            example = {"input_features": torch.from_numpy(np.array(features))}
            example["frames"] = self._needed_frames(index, features.shape[1], length)
        example["tokens"], example["prefix"] = tokens_of(self.target(record, rng), self.processor)
        count = len(example["tokens"])
        if count > self.max_tokens:
            raise CorpusError(
                f"clip {record.id!r}: its caption has {count} tokens, more than the {self.max_tokens} of the "
                "decoder"
            )
        if self.recipe.model.has_heads:
            example["heads"] = torch.from_numpy(head_labels(record.profile, record.cues))
        return example

    def _labeler_for(self, clips: TrainingClips, record: ClipRecord) -> PseudoLabeler | None:
        """Return the labeler if it replaces the labels of the clip, otherwise None."""
        rated = record.profile is not None and record.profile.rated
        return self.labeler if rated and clips.corpus.heard else None

    def target(self, record: ClipRecord, rng: random.Random) -> Target:
        """Draw a training target for the clip with annotation `record`."""
        learned = LEARNED[self.recipe.data.captions]
        captions = tuple(text for kind in learned for text in record.captions.get(kind, ()))
        return draw_target(record.profile, captions, self.recipe.target, rng)

    def _features(
        self, clips: TrainingClips, place: int, record: ClipRecord, rng: random.Random
    ) -> tuple[Halves, int]:
        """Return the spectrogram of a clip, augmented in training, and its frames that are not padding."""
        extractor, augmentation = self.processor.feature_extractor, self.recipe.data.augmentation
        if clips.spectrograms is None:
            samples = clips.samples(place, extractor)
            if self.training:
                samples = change_audio(samples, extractor.sampling_rate, augmentation, rng)
            features, length = spectrogram(samples[: extractor.n_samples], extractor)
        else:
            features, length = read_spectrogram(clips.spectrograms, place, mel_bins=extractor.feature_size)
        if not length:
            raise AudioError(f"clip {record.id!r} cannot be decoded")
        if self.training:
            features, shift = mask(features, augmentation, rng)
            length = min(features.shape[1], length + shift)
        return features, length

    def _needed_frames(self, index: int, window: int, length: int) -> int:
        """Return how many frames of an example a batch needs; the first `length` are not padding.

        - Validation needs the whole window; with cached states the clip padded to whole seconds, as in
          inference.
        - Some training steps need the whole window (`WHOLE_SHARE`, and all after `data.short_windows`).
        - The other steps are cut to their longest clip, also if a step has several batches.
        """
        extractor, data = self.processor.feature_extractor, self.recipe.data
        if not self.training and data.cache_states:
            rate, seconds = extractor.sampling_rate, extractor.n_samples / extractor.sampling_rate
            seconds = short_window_seconds(length * extractor.hop_length, rate=rate, window=seconds)
            return frames_of(extractor, seconds)
        size = self.recipe.optimizer.batch_size
        step = index // size
        if not self.training or step * size >= data.short_windows * len(self):
            return window
        if generator(self.recipe.seed, step, "window").random() < WHOLE_SHARE:
            return window
        return min(window, max(length, _longest(self, step)))


@lru_cache(maxsize=4)
def _longest(dataset: CaptionDataset, step: int) -> int:
    """Return the largest number of frames of an example of a step, in all processes, after augmentation."""
    extractor, augmentation = dataset.processor.feature_extractor, dataset.recipe.data.augmentation
    size, seconds = dataset.recipe.optimizer.batch_size, 0.0
    for number in range(step * size, min((step + 1) * size, len(dataset))):
        corpus, place = dataset.order[number]
        seconds = max(seconds, dataset.corpora[corpus].used_seconds_of(place))
    slowest = seconds / (1 - augmentation.speed)
    frames: int = math.ceil(slowest * extractor.sampling_rate / extractor.hop_length)
    return frames + (MAX_SHIFT if augmentation.changes_features else 0)


def tokens_of(target: Target, processor: WhisperProcessor) -> tuple[list[int], int]:
    """Return the tokens of prompt, prefix, caption and end, and the number of tokens before the caption."""
    tokenizer = processor.tokenizer
    prompt = [int(id) for id in tokenizer.get_prompt_ids(target.prompt)] if target.prompt else []
    # "<|endoftext|>" in a caption is encoded as ordinary text, not as the end token.
    ids: list[int] = tokenizer(target.text, split_special_tokens=True).input_ids
    return [*prompt, *ids], len(prompt) + len(tokenizer.prefix_tokens)


def collate(examples: Sequence[dict[str, Any]], *, padding: int) -> dict[str, torch.Tensor]:
    """Join examples into a batch of tensors, padded to the longest example.

    Args:
        examples: examples of a `CaptionDataset`.
        padding: token with which shorter captions are padded.

    Returns:
        `input_features`; or `states`, with `positions`, the number of positions of each example that are not
        padding. `decoder_input_ids`, and `labels`, which are `IGNORED` except for the caption and its end.
        `heads`, if the examples have them.
    """
    counts = [len(example["tokens"]) for example in examples]
    tokens = torch.full((len(examples), max(counts) - 1), padding, dtype=torch.long)
    labels = torch.full_like(tokens, IGNORED)
    for row, (example, count) in enumerate(zip(examples, counts, strict=True)):
        ids, prefix = torch.tensor(example["tokens"]), example["prefix"]
        tokens[row, : count - 1] = ids[:-1]
        labels[row, prefix - 1 : count - 1] = ids[prefix:]
    batch = {"decoder_input_ids": tokens, "labels": labels}
    if "states" in examples[0]:
        states = [example["states"] for example in examples]
        batch["states"] = pad_sequence(states, batch_first=True).float()
        batch["positions"] = torch.tensor([len(one) for one in states])
    else:
        frames = math.ceil(max(example["frames"] for example in examples) / FRAMES_STEP) * FRAMES_STEP
        features = [example["input_features"][:, :frames] for example in examples]
        batch["input_features"] = torch.stack(features).float()
    if "heads" in examples[0]:
        batch["heads"] = torch.stack([example["heads"] for example in examples])
    return batch
