"""Web interface for browsers: `browser_page` builds the page, `server` serves it and limits requests."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
