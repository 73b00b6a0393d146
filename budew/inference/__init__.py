"""From audio to captions and scores: `Captioner` and its results.

Importing this package loads torch and transformers, which takes seconds.
"""

from budew.inference.captioned import Captioned, Failure, WindowCaption
from budew.inference.captioner import Captioner

__all__ = ["Captioned", "Captioner", "Failure", "WindowCaption"]
