"""Cut recordings of any length into clips of speech; measure levels and language of each clip."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
