"""Recordings of any length → clips of speech: voice activity, cutting, levels and language of each clip."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
