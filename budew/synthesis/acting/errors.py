"""What can be wrong with an acted corpus, and with one clip of it."""


class ActingError(ValueError):
    """A plan that makes no sense, a voice that nobody has, or a folder that holds something else."""


class SpeechError(Exception):
    """One clip that a backend could not speak. The others go on."""
