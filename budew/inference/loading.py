"""`load_backend`: the checkpoints or the server of `ModelOptions`, as a backend."""

from budew.inference.backends import Backend
from budew.inference.local_backends import load_local
from budew.inference.options import ModelOptions
from budew.inference.server import CaptionServerBackend
from budew.model.checkpoint import identity


def load_backend(options: ModelOptions) -> Backend:
    """Load checkpoints into a backend, or connect to a server.

    Raises:
        CheckpointError, MissingExtraError, InputError: see `load_local`.
        JobError: the server does not answer.

    Example:
        >>> load_backend(ModelOptions(dtype="float32", device="cpu")).runs_on
        'transformers, float32, cpu'
    """
    return load_local(options) if options.server is None else CaptionServerBackend(options.server)


def identity_of(model: ModelOptions) -> str:
    """Return what identifies the model: the hash of its weights, or its name on a server."""
    if model.server is not None:
        return model.server.model
    return " + ".join(map(identity, model.checkpoints))
