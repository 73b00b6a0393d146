"""Synthetic emotional speech: espeak-ng coloured by the vocal correlates of 40 emotions, for training
and tests without recordings.
"""

from budew.extras import require

# Asked for once, before a module of this room imports it.
require("scipy", extra="train", purpose="budew.synthesis")

from budew.synthesis.corpus import synthesize_corpus
from budew.synthesis.espeak import SynthesisError
from budew.synthesis.plan import Plan, plan_clip

__all__ = ["Plan", "SynthesisError", "plan_clip", "synthesize_corpus"]
