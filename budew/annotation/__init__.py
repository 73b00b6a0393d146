"""Profiles for clips: by an audio language model, regression heads, existing labels or acoustic measures."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
