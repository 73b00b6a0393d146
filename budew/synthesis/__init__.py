"""Synthetic emotional speech without recordings: espeak-ng with the vocal correlates of 40 emotions."""

import lazy_loader

from budew.errors import require

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    """Import a public name of this package when it is first used; MissingExtraError without scipy."""
    if name in __all__:
        require("scipy", extra="train", purpose="budew.synthesis")
    return _load(name)
