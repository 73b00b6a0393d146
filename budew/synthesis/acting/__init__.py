"""Acted speech from a balanced plan of voices, lines, emotions and challenges, by a server or offline."""

from budew.synthesis.acting.acting_hours import HoursPlan, make_hours_plan
from budew.synthesis.acting.acting_job import Act
from budew.synthesis.acting.acting_plan import ActingPlan, Item, make_plan
from budew.synthesis.acting.espeak_backend import EspeakBackend
from budew.synthesis.acting.speech_server import ServerBackend

__all__ = [
    "Act",
    "ActingPlan",
    "EspeakBackend",
    "HoursPlan",
    "Item",
    "ServerBackend",
    "make_hours_plan",
    "make_plan",
]
