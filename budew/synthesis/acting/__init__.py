"""Acted speech after a plan: voices, lines, emotions and manners, by a speech server or offline."""

from budew.synthesis.acting.acting_job import Act
from budew.synthesis.acting.acting_plan import ActingPlan, Item, make_plan
from budew.synthesis.acting.espeak_backend import EspeakBackend
from budew.synthesis.acting.speech_server import ServerBackend

__all__ = ["Act", "ActingPlan", "EspeakBackend", "Item", "ServerBackend", "make_plan"]
