"""`load_local`: the checkpoint of a folder or of the hub, or several of them, as a backend."""

from pathlib import Path

from budew.errors import InputError
from budew.inference.backends import Backend, CTranslate2Backend, TransformersBackend
from budew.inference.ensemble import Ensemble
from budew.inference.options import ModelOptions
from budew.model.checkpoint import choose_device, default_checkpoint, load_checkpoint
from budew.model.converted import is_converted, load_converted
from budew.model.cpu_precision import fastest
from budew.model.graphs import library_of, load_graphs


def load_local(options: ModelOptions) -> Backend:
    """Load the checkpoints of the options into a backend.

    Raises:
        CheckpointError: a checkpoint is not found, damaged or no Whisper, or there is no such device.
        MissingExtraError: a library that it needs is not installed.
        InputError: this CPU does not have the precision, or the checkpoints of an ensemble take windows of
            different kinds.
    """
    loaded = [_load(checkpoint, options) for checkpoint in options.checkpoints]
    return Ensemble(loaded) if len(loaded) > 1 else loaded[0]


def _load(checkpoint: str | Path | None, options: ModelOptions) -> TransformersBackend | CTranslate2Backend:
    backend, device, dtype = options.backend, options.device, options.dtype
    folder = Path(default_checkpoint() if checkpoint is None else checkpoint).expanduser()
    if library_of(folder):
        if backend or device not in (None, "cpu"):
            raise InputError(f"{folder} runs as it is, on the CPU: leave backend and device out")
        return TransformersBackend(load_graphs(folder, folder.resolve().name, dtype=dtype))
    if backend == "ctranslate2" or (backend is None and is_converted(folder)):
        return CTranslate2Backend(load_converted(checkpoint, device=device, dtype=dtype))
    if dtype is None and choose_device(device).type == "cpu":
        dtype = fastest("torch")
    return TransformersBackend(load_checkpoint(checkpoint, device=device, dtype=dtype))
