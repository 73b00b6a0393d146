"""`load_local`: load a checkpoint from a folder or the hub, or an ensemble of several, as a backend."""

import json
from collections.abc import Sequence
from pathlib import Path

from budew.errors import InputError
from budew.inference.backends import (
    Backend,
    CTranslate2Backend,
    DecodingOptions,
    FeatureBatch,
    GeneratedBatch,
    GeneratedText,
    Samples,
    TransformersBackend,
)
from budew.inference.options import ModelOptions
from budew.model.checkpoint import choose_device, default_checkpoint, load_checkpoint, preferred_dtype
from budew.model.converted import is_converted, load_converted
from budew.model.generate import EncoderStates
from budew.model.graphs import library_of, load_graphs

LocalBackend = TransformersBackend | CTranslate2Backend


def load_local(options: ModelOptions) -> Backend:
    """Load the checkpoints of the options into a backend.

    Raises:
        CheckpointError: a checkpoint is missing, damaged or not a Whisper, or the device does not exist.
        MissingExtraError: a library that the checkpoint needs is not installed.
        InputError: this CPU does not support the precision, the checkpoints of an ensemble need windows of
            different length or features, or the options name a server.
    """
    if options.server is not None:
        raise InputError("load_local loads checkpoints only: use budew.inference.load_backend for a server")
    loaded = [_load(checkpoint, options) for checkpoint in options.checkpoints]
    return Ensemble(loaded) if len(loaded) > 1 else loaded[0]


def _load(checkpoint: str | Path | None, options: ModelOptions) -> LocalBackend:
    backend, device, dtype = options.backend, options.device, options.dtype
    folder = Path(default_checkpoint() if checkpoint is None else checkpoint).expanduser()
    if library_of(folder):
        if backend or device not in (None, "cpu"):
            raise InputError(
                f"{folder} is an ONNX or OpenVINO export, which runs on the CPU: remove backend and device"
            )
        return TransformersBackend(load_graphs(folder, folder.resolve().name, dtype=dtype))
    if backend == "ctranslate2" or (backend is None and is_converted(folder)):
        return CTranslate2Backend(load_converted(checkpoint, device=device, dtype=dtype))
    dtype = dtype or preferred_dtype(choose_device(device))
    return TransformersBackend(load_checkpoint(checkpoint, device=device, dtype=dtype))


class Ensemble:
    """Several checkpoints that caption the same windows, such as one for emotions and one for vocal bursts.

    The caption of a window joins the captions of all checkpoints, in their order. Spectrograms are computed
    once, and checkpoints with the same encoder share one encoder run.

    Raises:
        InputError: the checkpoints need windows of different length or features.
    """

    def __init__(self, backends: Sequence[LocalBackend]) -> None:
        first = backends[0]
        kinds = {json.dumps(backend.extractor.to_dict(), sort_keys=True, default=str) for backend in backends}
        if len(kinds) > 1:
            raise InputError(
                f"{' and '.join(backend.name for backend in backends)} need windows of different length or "
                "features: run them one by one"
            )
        self.backends = backends
        self.name = " + ".join(backend.name for backend in backends)
        self.runs_on = first.runs_on
        self.window_seconds, self.sampling_rate = first.window_seconds, first.sampling_rate
        self.short_windows = all(backend.short_windows for backend in backends)
        self.trained_with_prompts = all(backend.trained_with_prompts for backend in backends)
        self.can_sample = all(backend.can_sample for backend in backends)
        self.num_beams = first.num_beams
        self._encoders = [
            next(i for i, other in enumerate(backends) if _same_encoder(one, other)) for one in backends
        ]

    def prepare(self, windows: Sequence[Samples], seconds: float) -> FeatureBatch:
        """Compute the spectrograms of windows padded to `seconds`."""
        return self.backends[0].prepare(windows, seconds)

    def write(self, batch: FeatureBatch, decodings: Sequence[DecodingOptions]) -> list[GeneratedBatch]:
        """Run each encoder once and all decoders; return a batch of texts per decoding."""
        states: dict[int, EncoderStates] = {}
        by_checkpoint = []
        for backend, encoder in zip(self.backends, self._encoders, strict=True):
            if isinstance(backend, TransformersBackend):
                if encoder not in states:
                    states[encoder] = backend.encode(batch)
                by_checkpoint.append(backend.decode(states[encoder], decodings))
            else:
                by_checkpoint.append(backend.write(batch, decodings))
        return [_joined_batch(parts) for parts in zip(*by_checkpoint, strict=True)]


def _joined_batch(parts: Sequence[GeneratedBatch]) -> GeneratedBatch:
    windows = zip(*(part.texts for part in parts), strict=True)
    return GeneratedBatch([_joined(texts) for texts in windows], sum(part.seconds for part in parts))


def _same_encoder(one: LocalBackend, other: LocalBackend) -> bool:
    if one is other or not (isinstance(one, TransformersBackend) and isinstance(other, TransformersBackend)):
        return one is other
    states, others = (backend.checkpoint.model.get_encoder().state_dict() for backend in (one, other))
    return states.keys() == others.keys() and all(states[name].equal(others[name]) for name in states)


def _joined(parts: Sequence[GeneratedText]) -> GeneratedText:
    samples = zip(*(part.samples for part in parts), strict=True)
    return GeneratedText(
        " ".join(filter(None, (part.text for part in parts))),
        tuple(" ".join(filter(None, texts)) for texts in samples),
        next((part.fault for part in parts if part.fault), None),
    )
