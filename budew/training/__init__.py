"""Training: a recipe, its examples and the loop that makes a checkpoint of them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
