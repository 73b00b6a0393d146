"""Synthetic emotional speech without recordings: espeak-ng with the vocal correlates of 40 emotions."""

from budew.errors import require

require("scipy", extra="train", purpose="budew.synthesis")  # before a module of this package imports it

from budew.synthesis.clip_plan import ClipPlan, plan_clip
from budew.synthesis.corpus import synthesize_corpus

__all__ = ["ClipPlan", "plan_clip", "synthesize_corpus"]
