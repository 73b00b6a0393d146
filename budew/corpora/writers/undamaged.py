"""All samples of a clip or none: half a clip with the whole text teaches a voice to leave words out."""

import warnings

from budew.audio.decoders import Samples
from budew.audio.samples import decode
from budew.corpora.clip import Clip
from budew.corpora.writers.expressed import audio_bytes
from budew.errors import AudioWarning, CorpusError


def undamaged(clip: Clip, sampling_rate: int) -> Samples:
    """Return all samples of a clip, float32 (n,) mono.

    Raises:
        CorpusError: they cannot be decoded, or not all.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", AudioWarning)
        try:
            return decode(audio_bytes(clip), sampling_rate=sampling_rate, name=f"clip {clip.id!r}")
        except AudioWarning as damage:
            raise CorpusError(str(damage)) from damage
