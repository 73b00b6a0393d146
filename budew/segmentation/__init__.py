"""Recordings of any length → clips of speech: voice activity, cutting, levels and language of each clip."""

from budew.segmentation.segment import Segment
from budew.segmentation.segment_settings import SegmentSettings

__all__ = ["Segment", "SegmentSettings"]
