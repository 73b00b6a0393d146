"""`load_backend`: load the checkpoints, or connect to the server, of `ModelOptions`."""

from pathlib import Path

from budew.errors import InputError
from budew.inference.backends import Backend, CTranslate2Backend, TransformersBackend
from budew.inference.ensemble import Ensemble, LocalBackend
from budew.inference.options import ModelOptions
from budew.inference.server import CaptionServerBackend
from budew.model.checkpoint import choose_device, default_checkpoint, identity, load_checkpoint
from budew.model.converted import is_converted, load_converted
from budew.model.cpu_precision import fastest
from budew.model.graphs import library_of, load_graphs


def load_backend(options: ModelOptions) -> Backend:
    """Return a backend for the model options: load the checkpoints, or connect to the server.

    Raises:
        CheckpointError: a checkpoint is missing, damaged or not a Whisper, or the device does not exist.
        MissingExtraError: a library that the checkpoint or the server needs is not installed.
        InputError: this CPU does not support the precision, or the checkpoints of an ensemble need windows of
            different length or features.
        JobError: the server does not answer.

    Example:
        >>> load_backend(ModelOptions(dtype="float32", device="cpu")).runs_on
        'transformers, float32, cpu'
    """
    if options.server is not None:
        return CaptionServerBackend(options.server)
    loaded = [_load(checkpoint, options) for checkpoint in options.checkpoints]
    return Ensemble(loaded) if len(loaded) > 1 else loaded[0]


def identity_of(model: ModelOptions) -> str:
    """Return an identifier of the model: the hash of its weights, or its name on a server."""
    if model.server is not None:
        return model.server.model
    return " + ".join(map(identity, model.checkpoints))


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
    if dtype is None and choose_device(device).type == "cpu":
        dtype = fastest("torch")
    return TransformersBackend(load_checkpoint(checkpoint, device=device, dtype=dtype))
