from .cutter import SegmentSettings as SegmentSettings
from .segment import Segment as Segment
from .voice_activity import has_speech_detector as has_speech_detector
