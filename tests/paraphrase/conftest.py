"""A chat server on the loopback that answers as a test wants."""

from tests.chat.conftest import quick_retries, serve, start  # noqa: F401  # fixtures
