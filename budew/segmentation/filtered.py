"""What is left out on purpose, so that a report can tell it from what went wrong."""

from budew.corpora.errors import CorpusError


class FilteredError(CorpusError):
    """A recording or clip that the settings leave out; the message says which of them and why."""
