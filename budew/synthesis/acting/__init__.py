"""Acted speech from a balanced plan of voices, lines, emotions and challenges, by a server or offline."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
