"""Models: build a small Whisper with its tokenizer, and load, adapt, run and export checkpoints."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
