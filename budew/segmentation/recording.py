"""One recording → the stretches of speech in it, each with its samples: decoded once, in one pass.

The decoder's blocks go onto a tape at their own rate and, resampled to 16 kHz, to the voice detector. When a
stretch is decided its samples are still on the tape, so a clip is the source's own, to the sample. The tape
holds the longest clip and 16 s, so hours cost what a minute costs.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from budew.audio.decoders import Samples, open_stream
from budew.audio.samples import resampled, warn_of_damage
from budew.segmentation.cuts import Cuts
from budew.segmentation.cutter import Cutter, Stretch
from budew.segmentation.tape import Tape
from budew.segmentation.voice_activity import SAMPLING_RATE, Heard, listen


@dataclass(frozen=True, slots=True)
class Piece:
    """Speech cut out of a recording.

    Attributes:
        start: number of its first sample in the recording.
        samples: mono (n,), full scale 1.
        sampling_rate: Hz, that of the recording.
        stretch: what was heard in it.
    """

    start: int
    samples: Samples
    sampling_rate: int
    stretch: Stretch

    @property
    def span(self) -> tuple[float, float]:
        """Start and end in the recording, in seconds."""
        return self.start / self.sampling_rate, (self.start + len(self.samples)) / self.sampling_rate


def cut_recording(
    audio: Path | bytes, cuts: Cuts, *, name: str, on_damage: Callable[[str], None] = warn_of_damage
) -> Iterator[Piece]:
    """Give the stretches of speech of a recording, in order, those that are too short included.

    Args:
        audio: a file, or the bytes of one; of any length.
        cuts: where pieces begin and end.
        name: what errors call the recording.
        on_damage: called with the damage of the recording, if any, after its last block; warns by default.

    Raises:
        AudioError: nothing can be decoded, or a sample is not a number. The pieces before it were given.
        MissingExtraError: silero-vad or onnxruntime is not installed.
    """
    with open_stream(audio, name) as stream:
        rate, tape, cutter = stream.sampling_rate, Tape(), Cutter(cuts)
        blocks = _taped(stream.blocks(), tape)
        for heard in listen(resampled(blocks, source=rate, target=SAMPLING_RATE)):
            for stretch in _decided(cutter, heard):
                yield _piece(stretch, tape, rate)
            tape.drop(before=_at(cutter.earliest, rate))
        if stream.damage is not None:
            on_damage(stream.damage)
        for stretch in cutter.finish():
            yield _piece(stretch, tape, rate)


def _taped(blocks: Iterable[Samples], tape: Tape) -> Iterator[Samples]:
    for block in blocks:
        tape.append(block)
        yield block


def _decided(cutter: Cutter, heard: Heard) -> Iterator[Stretch]:
    for probability, power in zip(heard.probabilities.tolist(), heard.powers.tolist(), strict=True):
        yield from cutter.push(probability, power)


def _piece(stretch: Stretch, tape: Tape, rate: int) -> Piece:
    start = _at(stretch.start, rate)
    return Piece(start, tape.cut(start, _at(stretch.end, rate)), rate, stretch)


def _at(sample: int, rate: int) -> int:
    """Return the number, at `rate`, of the sample that lies at number `sample` at 16 kHz."""
    return sample * rate // SAMPLING_RATE
