"""Captions and scores of audio: `Captioner`, its options and its results.

Importing this package loads torch and transformers, which takes seconds.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
