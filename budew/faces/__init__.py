"""Emotions of faces: Empathic Insight-Face heads, their training, EmoNet-Face data, annotation by VLMs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
