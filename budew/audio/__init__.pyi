from .microphone import Microphone as Microphone
from .microphone import find_microphone as find_microphone
from .samples import DecodedAudio as DecodedAudio
from .samples import Window as Window
from .samples import decode as decode
from .samples import encode_audio as encode_audio
from .samples import windows as windows
