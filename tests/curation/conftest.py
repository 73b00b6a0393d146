"""Fixtures shared with neighbouring packages."""

from tests.cli.conftest import budew  # noqa: F401  # a fixture
from tests.corpora.conftest import (  # noqa: F401  # fixtures
    mp3,
    pack,
    voice,  # fixtures
)
from tests.jobs.conftest import shard  # noqa: F401  # a fixture
