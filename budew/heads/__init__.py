"""Regression heads on an encoder, of voices and of faces: files, training, many of them at once."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
