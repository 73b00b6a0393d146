"""Recordings of any length → clips of speech: where speech is, where to cut, how clean each clip is."""

from budew.segmentation.segment import Segment
from budew.segmentation.segment_settings import SegmentSettings

__all__ = ["Segment", "SegmentSettings"]
