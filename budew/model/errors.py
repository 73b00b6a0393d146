"""The error of a checkpoint."""


class CheckpointError(ValueError):
    """A checkpoint cannot be loaded; the message says why and what to do."""
