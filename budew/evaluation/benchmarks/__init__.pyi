from .acted_speech import acted_speech as acted_speech
from .coarse import CoarseResult as CoarseResult
from .emonet_face_binary import emonet_face_binary as emonet_face_binary
from .emonet_face_binary import read_binary_table as read_binary_table
from .emonet_face_hq import emonet_face_hq as emonet_face_hq
from .emonet_voice import emonet_voice as emonet_voice
from .face_table import read_face_table as read_face_table
from .facial_expressions import facial_expressions as facial_expressions
