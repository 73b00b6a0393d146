from .recognizer import Transcriber as Transcriber
from .transcribe import Transcribe as Transcribe
from .word_check import CheckWords as CheckWords
from .word_check import word_error_rate as word_error_rate
