"""Acted speech after a plan: who says what, in which mood and manner, by a speech server or offline."""

from budew.synthesis.acting.corpus import CLIPS_PER_SHARD, Performance, act
from budew.synthesis.acting.errors import ActingError
from budew.synthesis.acting.espeak_backend import EspeakBackend
from budew.synthesis.acting.plan import ActingPlan, Item
from budew.synthesis.acting.planning import make_plan
from budew.synthesis.acting.server_backend import ServerBackend

__all__ = [
    "CLIPS_PER_SHARD",
    "ActingError",
    "ActingPlan",
    "EspeakBackend",
    "Item",
    "Performance",
    "ServerBackend",
    "act",
    "make_plan",
]
