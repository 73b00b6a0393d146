"""Training: a recipe, its examples and the loop that makes a checkpoint of them."""

import lazy_loader

from budew.errors import require

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    """Load a public name, after the libraries that its module imports have been found."""
    for library in ("scipy", "accelerate") if name in __all__ else ():
        require(library, extra="train", purpose="budew train")
    return _load(name)
