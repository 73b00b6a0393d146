"""Regression heads on an encoder, for voices and faces: their files, and training of many at once."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
