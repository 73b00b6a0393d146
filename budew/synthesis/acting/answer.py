"""Is what a speech server sent really speech? Decoded to its end before it is believed.

Servers answer 200 with a page of HTML, with half a file, with a minute of silence, and with a take that never
ends.
"""

import numpy as np

from budew.audio.decoders import open_stream
from budew.audio.formats import sniff_format
from budew.audio.samples import decode
from budew.errors import AudioError
from budew.synthesis.acting.backend import Take

LONGEST, SHORTEST = 60.0, 0.2
"""Seconds of a take. A line takes 3 to 15; a model that sings on has lost it."""
SILENCE = 1e-3
"""Largest sample of a take in which nothing is said, 60 dB under full scale."""
_SHOWN = 40


class AnswerError(Exception):
    """What came is no speech."""


def as_take(audio: bytes, *, content_type: str = "") -> Take:
    """Return encoded speech with its rate and length.

    Args:
        audio: the body of an answer.
        content_type: what the server calls it, for the message.

    Raises:
        AnswerError: it is empty, no audio, damaged, silent, too short or too long.
    """
    if not audio:
        raise AnswerError("the answer is empty")
    format = sniff_format(audio[:16])
    if format is None:
        raise AnswerError(
            f"the answer is no audio but {content_type[:_SHOWN] or 'data'}: {_beginning(audio)}"
        )
    try:
        decoded = decode(audio, max_seconds=LONGEST, name="the answer")
        if decoded.damage is not None:
            raise AudioError(decoded.damage)
        with open_stream(audio, "the answer") as stream:
            rate = stream.sampling_rate
    except AudioError as error:
        what = str(error).rpartition(": ")[0]  # without the remedy: the server is asked again
        raise AnswerError(what or str(error)) from error
    seconds = len(decoded.samples) / 16_000
    if seconds < SHORTEST or np.abs(decoded.samples).max() < SILENCE:
        raise AnswerError(f"nothing is said in the {seconds:.1f} s that came")
    return Take(audio, format, rate, round(seconds, 4))


def _beginning(audio: bytes) -> str:
    text = audio[:200].decode("ascii", "replace").replace("�", "?")
    return repr(
        " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:_SHOWN]
    )
