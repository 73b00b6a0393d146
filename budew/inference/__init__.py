"""From audio to captions and scores: `Captioner` and what it gives back.

Importing this room loads torch and transformers, which takes seconds.
"""

from budew.inference.breakdown import CaptioningError
from budew.inference.captioner import Captioner
from budew.inference.result import Captioned, Failure, WindowCaption

__all__ = ["Captioned", "Captioner", "CaptioningError", "Failure", "WindowCaption"]
