"""Paraphrasing captions by a language model or offline; a gate checks that the meaning is kept."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
