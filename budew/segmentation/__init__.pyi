from .segment import Segment as Segment
from .segment_settings import SegmentSettings as SegmentSettings
from .voice_activity import can_hear_speech as can_hear_speech
