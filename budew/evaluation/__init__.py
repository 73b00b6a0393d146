"""Metrics of captions and scores against reference profiles, with intervals and a permutation baseline."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
