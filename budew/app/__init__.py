"""The page in the browser: `pages` lays it out, `server` bounds and serves it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
