"""Fixtures shared with neighbouring packages."""

from tests.corpora.conftest import voice  # noqa: F401  # fixtures
