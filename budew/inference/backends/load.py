"""Which backend runs a checkpoint."""

from pathlib import Path

from budew.errors import InputError
from budew.inference.backends.backend import Backend
from budew.inference.backends.converted import CTranslate2Backend
from budew.inference.backends.local import TransformersBackend
from budew.model.checkpoint import load_checkpoint
from budew.model.converted import is_converted, load_converted

BACKENDS = ("transformers", "ctranslate2")


def load_backend(
    model: str | Path | None = None,
    *,
    backend: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
) -> Backend:
    """Load a checkpoint into a backend.

    Args:
        model: a folder, a hub id, or None for the checkpoint in this package.
        backend: one of `BACKENDS`; None is transformers, or ctranslate2 for a folder converted for it.
        device: `cpu`, `cuda`, `cuda:1`, `mps`; None for the best that is there.
        dtype: `float32`, `bfloat16`, `float16` or `int8`; None: see `load_checkpoint`, `load_converted`.

    Raises:
        CheckpointError, MissingExtraError: as of `load_checkpoint` and `load_converted`.
        InputError: no such backend or dtype.
    """
    if backend not in (None, *BACKENDS):
        raise InputError(f"{backend!r} is not a backend: use {' or '.join(BACKENDS)}")
    if backend == "ctranslate2" or (backend is None and is_converted(model)):
        return CTranslate2Backend(load_converted(model, device=device, dtype=dtype))
    return TransformersBackend(load_checkpoint(model, device=device, dtype=dtype))
