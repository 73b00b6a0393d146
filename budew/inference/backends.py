"""Backends, which turn windows of samples into text: a checkpoint run by transformers or CTranslate2.

A backend works in two steps: `prepare` computes features on the CPU while the model runs on the batch before,
and `write` generates text. `write` decodes the encoder states of a batch in one or several ways (greedy
search, beam search, sampling), so that the encoder runs once. Other backends are servers
(`budew.inference.server`) and ensembles (`budew.inference.local_backends`); `budew.inference.loading` chooses
a backend.
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
from budew.model.converted import generate_converted
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
    """One way to decode the encoder states to text.

    Attributes:
        num_beams: beam width; 1 is greedy search.
        num_samples: captions sampled for each window, in addition to the one from beam search.
        prompt: prompt from `budew.captions.caption_prompt.prompt_of`, or "".
        stop_repetition: whether to end a text that repeats itself; False for models that write numbers, in
            which repetitions are valid.
    """

    num_beams: int = 1
    num_samples: int = 0
    prompt: str = ""
    stop_repetition: bool = True

    @property
    def rates_emotions(self) -> bool:
        """Whether the prompt lets captions mention emotions; if not, emotions are unrated."""
        return not self.prompt.endswith(("bursts", "speaker"))


@dataclass(frozen=True, slots=True)
class FeatureBatch:
    """A batch of windows, mono samples (n,) each, and the features that the backend computed from them."""

    windows: Sequence[Samples]
    features: Any


@dataclass(frozen=True, slots=True)
class GeneratedText:
    """The texts that the model generated for a window.

    Attributes:
        text: the text from greedy or beam search.
        samples: the sampled texts.
        fault: why there is no text; None if there is one.
        repetitive: whether the text repeated itself, so that it was stopped and shortened.
    """

    text: str
    samples: tuple[str, ...] = ()
    fault: str | None = None
    repetitive: bool = False


@dataclass(frozen=True, slots=True)
class GeneratedBatch:
    """Generated texts, one per window of a batch, and the seconds that encoder and decoder took."""

    texts: Sequence[GeneratedText]
    seconds: float = 0.0


class Backend(Protocol):
    """A loaded model that turns windows of samples into text.

    Attributes:
        name: name of the checkpoint.
        runs_on: library, precision and device, such as "transformers, float32, cpu".
        window_seconds: length of the longest window in seconds.
        sampling_rate: sampling rate of the windows in Hz.
        short_windows: whether windows should be padded only to about their own length, as in training.
        trained_with_prompts: whether the model was trained with prompts.
        can_sample: whether the backend can sample captions reproducibly.
        num_beams: default beam width of the checkpoint.
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
        """Compute the features of windows padded to `seconds`; may run in another thread during `write`."""

    def write(self, batch: FeatureBatch, decodings: Sequence[DecodingOptions]) -> list[GeneratedBatch]:
        """Generate text for each window; return one batch of texts per decoding, in order."""


class _CheckpointBackend:
    """Attributes of a backend that runs a checkpoint on this machine, see `Backend`."""

    can_sample = True

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.extractor = checkpoint.processor.feature_extractor
        self.name = checkpoint.name
        self.runs_on = f"{checkpoint.library}, {checkpoint.dtype}, {checkpoint.model.device}"
        self.window_seconds = checkpoint.window_seconds
        self.sampling_rate = checkpoint.sampling_rate
        self.short_windows = checkpoint.short_windows
        self.trained_with_prompts = checkpoint.trained_with_prompts
        self.num_beams = checked_beams(checkpoint.generation_config.num_beams, checkpoint.name)


class TransformersBackend(_CheckpointBackend):
    """Backend that runs a checkpoint with transformers, on any device of torch."""

    def prepare(self, windows: Sequence[Samples], seconds: float) -> FeatureBatch:
        """Compute the spectrograms of windows padded to `seconds`."""
        return FeatureBatch(windows, features_of(self.checkpoint, windows, seconds=seconds))

    def write(self, batch: FeatureBatch, decodings: Sequence[DecodingOptions]) -> list[GeneratedBatch]:
        """Run the encoder once and the decoder for each decoding; return a batch of texts per decoding."""
        start = time.perf_counter()
        states = self.encode(batch)
        encoding = time.perf_counter() - start
        return [replace(made, seconds=encoding + made.seconds) for made in self.decode(states, decodings)]

    def encode(self, batch: FeatureBatch) -> EncoderStates:
        """Run the encoder on a batch."""
        states = encode(self.checkpoint, batch.windows, batch.features)
        if states.states.is_cuda:
            torch.cuda.synchronize()  # so that the time of the encoder is not counted for the decoder
        return states

    def decode(self, states: EncoderStates, decodings: Sequence[DecodingOptions]) -> list[GeneratedBatch]:
        """Run the decoder for each decoding, for the caption and the samples; return a batch per decoding."""
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


class CTranslate2Backend(_CheckpointBackend):
    """Backend that runs a converted checkpoint with CTranslate2."""

    can_sample = False  # random numbers of CTranslate2 depend on the number of threads

    def prepare(self, windows: Sequence[Samples], seconds: float) -> FeatureBatch:
        """Compute the spectrograms of windows padded to `seconds`."""
        return FeatureBatch(windows, spectrograms(self.extractor, windows, seconds=seconds))

    def write(self, batch: FeatureBatch, decodings: Sequence[DecodingOptions]) -> list[GeneratedBatch]:
        """Generate captions by beam search; the encoder runs again for each decoding."""
        return [self._write(batch, decoding) for decoding in decodings]

    def _write(self, batch: FeatureBatch, decoding: DecodingOptions) -> GeneratedBatch:
        start = time.perf_counter()
        ids = generate_converted(
            self.checkpoint, batch.features, num_beams=decoding.num_beams, prompt=decoding.prompt
        )
        texts = _texts(ids, self.checkpoint.processor, decoding)
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
