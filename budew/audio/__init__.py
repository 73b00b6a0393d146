"""Decode audio files or bytes of any format: samples, duration, and damage of the file."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
