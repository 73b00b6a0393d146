"""Fixtures shared with neighbouring packages."""

from tests.inference.conftest import captioner, make_sound, sounds  # noqa: F401  # fixtures
