"""Results of a captioner: a caption for each window of a recording, and one profile of the whole."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budew.captions.parse import is_withheld_text
from budew.profile import VoiceProfile

REPETITION = "repetitions at the end of the caption removed"
"""What `WindowCaption.removed` says of a text that repeated itself."""
Record = Mapping[str, Any]
"""A result as JSON values: `CaptionedRecording.to_dict`, or `source` and `error`."""
SILENCE = "[silence]"
"""Caption of a window without sound. It parses to the empty profile."""
NO_SPEECH = "[no speech]"
"""Caption of what lies between windows of speech."""
_TOKEN = re.compile(r"<\|[^|<>]{0,40}\|>")
_OPENERS = r"(?:The|This|That|An?|She|He|It|They|There|In|With)\b"
_STRAY = (
    re.compile(rf"(?:[A-Z]{{1,4}}\b\W+)+(?={_OPENERS})"),  # "A B The", "AB. This"
    re.compile(r"(?:[B-HJ-Z]\b[\s.,:;]+)+(?=[A-Z])"),  # "T Deep": a lone letter that is not a word
    re.compile(r"[A-Z]{1,4}(?=[A-Z][a-z])"),  # "TThe"
)


@dataclass(frozen=True, slots=True)
class WindowCaption:
    """The caption of the audio between `start` and `end` (seconds).

    `profile` is the parse of `text`, or the consensus of sampled captions where there are any; then `sampled`
    has the plain means over them, `samples` their texts. `removed` says what was removed of the text, stray
    letters or repetitions, `speaker` who speaks, where that is known.
    """

    start: float
    end: float
    text: str
    profile: VoiceProfile
    sampled: VoiceProfile | None = None
    removed: str | None = None
    samples: tuple[str, ...] = ()
    speaker: str | None = None

    @property
    def silent(self) -> bool:
        """Whether the window has no sound or no speech, so that the model was not run."""
        return self.text in (SILENCE, NO_SPEECH)

    @property
    def labelled(self) -> str:
        """The caption, behind the name of the speaker where that is known."""
        return self.text if self.speaker is None else f"{self.speaker}: {self.text}"

    @property
    def withheld(self) -> bool:
        """Whether there is no caption because it joined a minor with sexual content. No emotion is rated."""
        return not self.text and not self.profile.rated

    @property
    def expected(self) -> VoiceProfile:
        """The expected intensities, for scoring: means over sampled captions, or those of the one caption."""
        return self.sampled or self.profile

    @property
    def emotions(self) -> dict[str, float] | None:
        """Emotions in the caption and their intensities in (0, 1]; None if none is rated."""
        return dict(self.profile.emotions) if self.profile.rated else None

    def to_dict(self) -> dict[str, Any]:
        """Return the window as JSON values."""
        speaker = {"speaker": self.speaker} if self.speaker is not None else {}
        return {
            "start": self.start,
            "end": self.end,
            **speaker,
            "caption": self.text,
            **self.profile.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class CaptionedRecording:
    """A recording, captioned.

    Attributes:
        source: path as it was given, shard and id of a clip, or "samples" for an array.
        duration: seconds that were decoded.
        windows: in order, at least one.
        profile: of the whole recording, see `pooled_profile`.
        warnings: what was removed from captions (stray letters, repetitions), captions that are withheld.
        damaged: damage of the audio, and how much of it could be decoded; None if it is undamaged.
        id: of the clip, if the recording is from a corpus.
    """

    source: str
    duration: float
    windows: tuple[WindowCaption, ...]
    profile: VoiceProfile
    warnings: tuple[str, ...] = ()
    damaged: str | None = None
    id: str | None = None

    @property
    def caption(self) -> str:
        """The whole text: one caption, or a line with times for each window of a longer recording.

        Consecutive silent windows share a line.
        """
        if len(self.windows) == 1:
            return self.windows[0].text
        if all(window.silent for window in self.windows):
            return SILENCE
        lines = [list(group) for _, group in groupby(enumerate(self.windows), key=_line)]
        return "\n".join(
            f"{clock(some[0][1].start)}–{clock(some[-1][1].end)} {some[0][1].labelled}" for some in lines
        )

    @property
    def expected(self) -> VoiceProfile:
        """The expected intensities of the recording as a whole, for scoring; `profile` without samples."""
        return pooled_profile([replace(window, profile=window.expected) for window in self.windows])

    @property
    def emotions(self) -> dict[str, float] | None:
        """Emotions of the whole and their intensities in (0, 1], the others are 0; None if none is rated."""
        return dict(self.profile.emotions) if self.profile.rated else None

    @property
    def bursts(self) -> tuple[str, ...]:
        """Vocal bursts of the recording."""
        return self.profile.bursts

    @property
    def traits(self) -> Mapping[str, str | float]:
        """Traits of the speaker."""
        return self.profile.traits

    def vector(self) -> NDArray[np.float32]:
        """Return the 40 intensities in [0, 1], float32 (40,), in the order of `budew.EMOTIONS`."""
        return self.profile.vector()

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON values. `windows` is left out where there is only one."""
        windows = [window.to_dict() for window in self.windows]
        return {
            "source": self.source,
            **({"id": self.id} if self.id is not None else {}),
            "duration": round(self.duration, 3),
            "caption": self.caption,
            **self.profile.to_dict(),
            **({"windows": windows} if len(windows) > 1 else {}),
            **({"damaged": self.damaged} if self.damaged else {}),
            **({"warnings": list(self.warnings)} if self.warnings else {}),
        }


@dataclass(frozen=True, slots=True)
class FailedRecording:
    """A recording that could not be captioned, and why. As text: one line with both."""

    source: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """Return the failure as JSON values."""
        return {"source": self.source, "error": self.reason}


def clock(seconds: float) -> str:
    """Return a time such as `0:08` or `1:02:05`, with tenths where it is not a whole second."""
    tenths = round(seconds * 10)
    hours, minutes, rest = tenths // 36_000, tenths // 600 % 60, tenths % 600
    text = f"{rest // 10:02d}" + (f".{rest % 10}" if rest % 10 else "")
    return f"{hours}:{minutes:02d}:{text}" if hours else f"{minutes}:{text}"


def pooled_profile(windows: Sequence[WindowCaption]) -> VoiceProfile:
    """Return the profile of the recording that was cut into `windows`.

    Emotions: the mean over the windows with sound that rate them, weighted by their seconds, as a rater of
    the whole recording judges how much of an emotion is in it; the maximum would grow with length alone.
    Bursts: all.
    Traits: the mean of a number and the word that holds the longest, among windows that have the trait; the
    earlier of two words that hold equally long.
    """
    heard = [window for window in windows if not window.silent]
    spoken = [(window.profile, window.end - window.start) for window in heard if not window.withheld]
    if heard and not spoken:
        return VoiceProfile(None)
    if len(spoken) == 1:
        return spoken[0][0]
    bursts = [burst for profile, _ in spoken for burst in profile.bursts]
    rated = [(profile, seconds) for profile, seconds in spoken if profile.rated]
    emotions = _mean_emotions(rated) if rated or not spoken else None
    return VoiceProfile(emotions, bursts, _traits(spoken))


def without_withheld_captions(windows: Sequence[WindowCaption]) -> tuple[WindowCaption, ...]:
    """Return the windows without captions and profiles that join a minor with sexual content; without any
    where that is so of the recording as a whole."""
    kept = [_withheld(window) if _is_withheld(window) else window for window in windows]
    expected = pooled_profile([replace(window, profile=window.expected) for window in kept])
    if pooled_profile(kept).is_withheld or expected.is_withheld:
        kept = [window if window.silent else _withheld(window) for window in kept]
    return tuple(kept)


def unrated(window: WindowCaption) -> WindowCaption:
    """Return the window of a caption that was not to speak of emotions: none is rated, unless by silence."""
    if window.silent or not window.text:
        return window
    said, sampled = window.profile, window.sampled
    return replace(
        window,
        profile=VoiceProfile(None, said.bursts, said.traits),
        sampled=sampled and VoiceProfile(None, sampled.bursts, sampled.traits),
    )


def _is_withheld(window: WindowCaption) -> bool:
    of_scores = window.profile.is_withheld or window.expected.is_withheld
    return of_scores or is_withheld_text(window.text)


def _withheld(window: WindowCaption) -> WindowCaption:
    return replace(window, text="", profile=VoiceProfile(None), sampled=None, samples=())


def without_stray_letters(text: str) -> tuple[str, str]:
    """Return `text` as one line of printable characters without special tokens, and the stray capitals that
    were removed before it ("" as a rule).

    BUD-E checkpoints sometimes put single capitals before the caption ("A B The speaker…", "TThe speaker…"),
    which confuse a parser. "A German woman" and "ASMR-like" stay: what could be a word is taken for stray
    only before a word that opens a sentence.
    """
    line = " ".join(_TOKEN.sub(" ", text).split())
    line = "".join(letter for letter in line if letter.isprintable() and letter != "\ufffd").strip()
    found = next((match for pattern in _STRAY if (match := pattern.match(line))), None)
    return (line[found.end() :], found.group().strip()) if found else (line, "")


def _mean_emotions(spoken: Sequence[tuple[VoiceProfile, float]]) -> dict[str, float]:
    total = sum(seconds for _, seconds in spoken)
    sums: dict[str, float] = defaultdict(float)
    for profile, seconds in spoken:
        for name, intensity in profile.emotions.items():
            sums[name] += intensity * seconds
    return {name: min(value / total, 1.0) for name, value in sums.items()}


def _traits(spoken: Sequence[tuple[VoiceProfile, float]]) -> dict[str, str | float]:
    values: dict[str, dict[str | float, float]] = defaultdict(lambda: defaultdict(float))
    for profile, seconds in spoken:
        for name, value in profile.traits.items():
            values[name][value] += seconds
    return {name: _pooled(seconds_of) for name, seconds_of in values.items()}


def _pooled(seconds_of: Mapping[str | float, float]) -> str | float:
    """Pool the values of one trait, given the seconds that each holds."""
    numbers = {value: seconds for value, seconds in seconds_of.items() if not isinstance(value, str)}
    if not numbers:
        return max(seconds_of, key=seconds_of.__getitem__)
    mean = sum(value * seconds for value, seconds in numbers.items()) / sum(numbers.values())
    return min(max(mean, min(numbers)), max(numbers))


def _line(numbered: tuple[int, WindowCaption]) -> int:
    """One key for all silent windows in a row, another for each window with sound."""
    number, window = numbered
    return -1 if window.silent else number
