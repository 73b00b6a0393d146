"""`load_backend`: load the checkpoints, or connect to the server, of `ModelOptions`."""

from budew.inference.backends import Backend
from budew.inference.local_backends import load_local
from budew.inference.options import ModelOptions
from budew.inference.server import CaptionServerBackend
from budew.model.checkpoint import identity


def load_backend(options: ModelOptions) -> Backend:
    """Return a backend for the model options: load the checkpoints, or connect to the server.

    Raises:
        CheckpointError, MissingExtraError, InputError: see `load_local`.
        JobError: the server does not answer.

    Example:
        >>> load_backend(ModelOptions(dtype="float32", device="cpu")).runs_on
        'transformers, float32, cpu'
    """
    return load_local(options) if options.server is None else CaptionServerBackend(options.server)


def identity_of(model: ModelOptions) -> str:
    """Return an identifier of the model: the hash of its weights, or its name on a server."""
    if model.server is not None:
        return model.server.model
    return " + ".join(map(identity, model.checkpoints))
