"""What turns windows of samples into text: a checkpoint run by transformers or by CTranslate2.

A backend works in two steps, so that the first, on the CPU, can prepare the next batch while the model works
on this one. `write` decodes the encoder's states of a batch in one or several ways (greedy search, beam
search, sampling): the encoder runs once. A server is a backend too (`budew.inference.server`), and so are
several checkpoints (`budew.inference.local_backends`); `budew.inference.loading` chooses one.
"""

import time
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from budew.inference.repetition import cut_repetition, repetition_stop
from budew.inference.self_consistency import sample_captions
from budew.model.checkpoint import Checkpoint
from budew.model.converted import Converted, generate_converted
from budew.model.generate import (
    EncoderStates,
    checked_beams,
    encode,
    features_of,
    generate,
    generation_settings,
    spectrograms,
)

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """One way to decode the encoder's states.

    Attributes:
        num_beams: beam width; 1 is greedy search.
        num_samples: captions that are sampled of each window, besides the one that is searched for.
        prompt: of `budew.captions.caption_prompt`, or "".
        stop_repetition: end a text that repeats itself, as no caption does; numbers as text may.
    """

    num_beams: int = 1
    num_samples: int = 0
    prompt: str = ""
    stop_repetition: bool = True

    @property
    def rates_emotions(self) -> bool:
        """Whether the captions are to speak of emotions."""
        return not self.prompt.endswith(("bursts", "speaker"))


@dataclass(frozen=True, slots=True)
class FeatureBatch:
    """A batch of windows, mono samples (n,) each, and the features that the backend made of them."""

    windows: Sequence[Samples]
    features: Any


@dataclass(frozen=True, slots=True)
class GeneratedText:
    """The text that the model generated for a window, and those that were sampled; or why there is none.

    `repetitive` says whether the text repeated itself, and was ended and cut.
    """

    text: str
    samples: tuple[str, ...] = ()
    fault: str | None = None
    repetitive: bool = False


@dataclass(frozen=True, slots=True)
class GeneratedBatch:
    """One text for each window of a batch, in order, and the seconds that encoder and decoder took."""

    texts: Sequence[GeneratedText]
    seconds: float = 0.0


class Backend(Protocol):
    """A checkpoint and what runs it.

    Attributes:
        name: of the checkpoint.
        runs_on: library, precision and device: "transformers, float32, cpu".
        window_seconds: longest window.
        sampling_rate: Hz, of the windows.
        short_windows: whether windows are best padded to little more than their own length.
        trained_with_prompts: whether the model follows prompts.
        can_sample: whether it draws captions that window and seed decide.
        num_beams: beam width of the checkpoint.
    """

    name: str
    runs_on: str
    window_seconds: float
    sampling_rate: int
    short_windows: bool
    trained_with_prompts: bool
    can_sample: bool
    num_beams: int

    def prepare(self, windows: Sequence[Samples], seconds: float) -> FeatureBatch:
        """Return a batch of windows, padded to `seconds`. May run beside `write`, in another thread."""

    def write(self, batch: FeatureBatch, decodings: Sequence[DecodingOptions]) -> list[GeneratedBatch]:
        """Return what the model writes of each window, in the order of `decodings`."""


class TransformersBackend:
    """A checkpoint that transformers runs, on any device of torch."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.extractor = checkpoint.processor.feature_extractor
        self.name = checkpoint.name
        self.runs_on = f"{checkpoint.library}, {checkpoint.dtype}, {checkpoint.model.device}"
        self.window_seconds = checkpoint.window_seconds
        self.sampling_rate = checkpoint.sampling_rate
        self.short_windows = checkpoint.short_windows
        self.trained_with_prompts = checkpoint.trained_with_prompts
        self.can_sample = True
        self.num_beams = checked_beams(checkpoint.model.generation_config.num_beams, checkpoint.name)

    def prepare(self, windows: Sequence[Samples], seconds: float) -> FeatureBatch:
        """Compute spectrograms."""
        return FeatureBatch(windows, features_of(self.checkpoint, windows, seconds=seconds))

    def write(self, batch: FeatureBatch, decodings: Sequence[DecodingOptions]) -> list[GeneratedBatch]:
        """Run the encoder once, and the decoder for each decoding."""
        start = time.perf_counter()
        states = self.encode(batch)
        encoding = time.perf_counter() - start
        return [replace(made, seconds=encoding + made.seconds) for made in self.decode(states, decodings)]

    def encode(self, batch: FeatureBatch) -> EncoderStates:
        """Run the encoder."""
        states = encode(self.checkpoint, batch.windows, batch.features)
        if states.states.is_cuda:
            torch.cuda.synchronize()  # its seconds are not those of the decoder
        return states

    def decode(self, states: EncoderStates, decodings: Sequence[DecodingOptions]) -> list[GeneratedBatch]:
        """Run the decoder for each decoding: for the caption, and for the samples."""
        return [self._decode(states, decoding) for decoding in decodings]

    def _decode(self, states: EncoderStates, decoding: DecodingOptions) -> GeneratedBatch:
        start = time.perf_counter()
        stop = repetition_stop() if decoding.stop_repetition else None
        settings = generation_settings(self.checkpoint, num_beams=decoding.num_beams, prompt=decoding.prompt)
        tokens = generate(
            self.checkpoint,
            settings,
            encoder_outputs=states.outputs(),
            prompt=decoding.prompt,
            stopping_criteria=stop,
        )
        padding = (self.checkpoint.processor.tokenizer.eos_token_id, settings.pad_token_id)
        ids = [_without_padding(row, padding) for row in tokens.tolist()]
        texts = _texts(ids, self.checkpoint.processor, decoding)
        sampled = sample_captions(
            self.checkpoint,
            states,
            num_samples=decoding.num_samples,
            prompt=decoding.prompt,
            stopping_criteria=stop,
        )
        generated = [replace(text, samples=some) for text, some in zip(texts, sampled, strict=True)]
        return GeneratedBatch(generated, time.perf_counter() - start)


class CTranslate2Backend:
    """A checkpoint that CTranslate2 runs."""

    def __init__(self, converted: Converted) -> None:
        extractor = self.extractor = converted.processor.feature_extractor
        self.converted = converted
        self.name = converted.name
        self.runs_on = f"ctranslate2, {converted.dtype}, {converted.model.device}"
        self.window_seconds = extractor.n_samples / extractor.sampling_rate
        self.sampling_rate: int = extractor.sampling_rate
        self.short_windows = converted.short_windows
        self.trained_with_prompts = converted.trained_with_prompts
        self.can_sample = False  # its random numbers depend on threads
        self.num_beams = checked_beams(converted.settings.num_beams, converted.name)

    def prepare(self, windows: Sequence[Samples], seconds: float) -> FeatureBatch:
        """Compute spectrograms."""
        return FeatureBatch(windows, spectrograms(self.extractor, windows, seconds=seconds))

    def write(self, batch: FeatureBatch, decodings: Sequence[DecodingOptions]) -> list[GeneratedBatch]:
        """Search for captions; the encoder runs for each decoding."""
        return [self._write(batch, decoding) for decoding in decodings]

    def _write(self, batch: FeatureBatch, decoding: DecodingOptions) -> GeneratedBatch:
        start = time.perf_counter()
        ids = generate_converted(
            self.converted, batch.features, num_beams=decoding.num_beams, prompt=decoding.prompt
        )
        texts = _texts(ids, self.converted.processor, decoding)
        return GeneratedBatch(texts, time.perf_counter() - start)


def _without_padding(tokens: list[int], padding: Container[int]) -> list[int]:
    """Return tokens without the padding at their end, for which some checkpoints have a token of its own."""
    while tokens and tokens[-1] in padding:
        tokens.pop()
    return tokens


def _texts(ids: Sequence[Sequence[int]], processor: Any, decoding: DecodingOptions) -> list[GeneratedText]:
    """Decode generated tokens to texts, without repetitions at the end."""
    found = [(list(tokens), False) for tokens in ids]
    if decoding.stop_repetition:
        found = [cut_repetition(tokens) for tokens in ids]
    texts = processor.tokenizer.batch_decode([tokens for tokens, _ in found], skip_special_tokens=True)
    return [
        GeneratedText(text, repetitive=repetitive) for text, (_, repetitive) in zip(texts, found, strict=True)
    ]
