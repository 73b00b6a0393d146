"""Recordings of any length → clips of speech: where speech is, where to cut, how clean each clip is."""

from budew.segmentation.cuts import Cuts
from budew.segmentation.job import Segment
from budew.segmentation.language import Languages
from budew.segmentation.levels import Limits

__all__ = ["Cuts", "Languages", "Limits", "Segment"]
