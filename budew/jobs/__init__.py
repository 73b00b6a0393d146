"""Jobs over corpora: clips in, clips out, on this machine or a cluster, resumable after any interruption."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
