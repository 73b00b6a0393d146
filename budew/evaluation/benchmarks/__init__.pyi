from .acted_speech import ActedCorpus as ActedCorpus
from .acted_speech import score_acted_speech as score_acted_speech
from .coarse import CoarseResult as CoarseResult
from .emonet_face_binary import score_emonet_face_binary as score_emonet_face_binary
from .emonet_face_hq import score_emonet_face_hq as score_emonet_face_hq
from .emonet_voice import score_emonet_voice as score_emonet_voice
from .facial_expressions import Expressions as Expressions
from .facial_expressions import score_facial_expressions as score_facial_expressions
