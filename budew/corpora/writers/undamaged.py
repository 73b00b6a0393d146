"""All samples of a clip or none: half a clip with the whole text teaches a voice to leave words out."""

from budew.audio.decoders import Samples
from budew.audio.samples import decode
from budew.corpora.clip import Clip
from budew.corpora.writers.expressed import audio_bytes
from budew.errors import AudioError


def undamaged(clip: Clip, sampling_rate: int) -> Samples:
    """Return all samples of a clip, float32 (n,) mono.

    Raises:
        CorpusError: they cannot be decoded, or not all.
    """
    decoded = decode(audio_bytes(clip), sampling_rate=sampling_rate, name=f"clip {clip.id!r}")
    if decoded.damage is not None:
        raise AudioError(decoded.damage)
    return decoded.samples
