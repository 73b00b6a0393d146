"""Audio of any format, as files or bytes: samples, duration, and the damage found."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
