"""Fixtures shared with neighbouring packages."""

from tests.corpora.conftest import voice  # noqa: F401  # fixtures
from tests.corpora.readers.conftest import mp3, pack  # noqa: F401  # fixtures
from tests.jobs.conftest import shard  # noqa: F401  # a fixture
