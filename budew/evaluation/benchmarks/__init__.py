"""Published benchmarks of emotion in voices and faces, with leaderboards in YAML files beside the modules."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
