"""Fixtures shared with neighbouring packages."""

from tests.evaluation.conftest import _vowel, clips, corpus, pairs  # noqa: F401  # fixtures
