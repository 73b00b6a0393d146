"""Published benchmarks of emotion in voices and faces: a module a family, leaderboards as YAML beside it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
