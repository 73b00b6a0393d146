"""Captions of speech: the emotions, vocal bursts and speaker of a voice, as text and as 40 scores.

Importing a package costs a few milliseconds: the names in its `__init__.pyi` are loaded when they are used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
