"""Results of a captioner: a caption for each window of a recording, and a profile of the whole recording."""

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
"""Value of `WindowCaption.removed` for a text whose end repeated itself."""
Record = Mapping[str, Any]
"""A result as JSON values: `CaptionedRecording.to_dict()` or `FailedRecording.to_dict()`."""
SILENCE = "[silence]"
"""Caption of a window without sound. It parses to the empty profile."""
NO_SPEECH = "[no speech]"
"""Caption of a pause between windows of speech."""
TOO_SHORT = "[too short]"
"""Caption of a window with less than `SHORTEST_SOUND` of sound. It parses to the empty profile."""
UNCAPTIONED = (SILENCE, NO_SPEECH, TOO_SHORT)
SHORTEST_SOUND = 0.5
"""Seconds. On less sound models hallucinate."""
_TOKEN = re.compile(r"<\|[^|<>]{0,40}\|>")
_OPENERS = r"(?:The|This|That|An?|She|He|It|They|There|In|With)\b"
_STRAY = (
    re.compile(rf"(?:[A-Z]{{1,4}}\b\W+)+(?={_OPENERS})"),  # "A B The", "AB. This"
    re.compile(r"(?:[B-HJ-Z]\b[\s.,:;]+)+(?=[A-Z])"),  # "T Deep": a lone letter that is not a word
    re.compile(r"[A-Z]{1,4}(?=[A-Z][a-z])"),  # "TThe"
)


@dataclass(frozen=True, slots=True)
class WindowCaption:
    """The caption of one window of a recording.

    Attributes:
        start, end: times of the window in the recording, in seconds.
        text: the caption, one of `UNCAPTIONED`, or "" if the caption is withheld.
        profile: parse of `text`; with samples, the mean of their parses without weak emotions. Gender and age
            are those of the whole recording, or of the speaker if there is a name.
        sampled: mean profile of the sampled captions; None without sampling.
        removed: what was removed from the generated text (stray letters, repetitions); None: nothing.
        samples: texts of the sampled captions.
        speaker: name of the speaker from an RTTM file; None if unknown.
        presence: probability that each emotion is present: the share of the sampled captions that name it,
            calibrated if `WritingOptions.presence` is given; None without sampling.
        model_caption: the caption in the words of the model, if `text` is another wording of it, else None.
    """

    start: float
    end: float
    text: str
    profile: VoiceProfile
    sampled: VoiceProfile | None = None
    removed: str | None = None
    samples: tuple[str, ...] = ()
    speaker: str | None = None
    presence: Mapping[str, float] | None = None
    model_caption: str | None = None

    @property
    def silent(self) -> bool:
        """Whether the window has no speech or hardly any sound, so that the model was not run on it."""
        return self.text in UNCAPTIONED

    @property
    def labelled(self) -> str:
        """The caption, preceded by the name of the speaker ("anna: …") if it is known."""
        return self.text if self.speaker is None else f"{self.speaker}: {self.text}"

    @property
    def withheld(self) -> bool:
        """Whether the caption was removed because it joined a minor with sexual content."""
        return not self.text and not self.profile.rated

    @property
    def expected(self) -> VoiceProfile:
        """The profile for scoring: mean of the sampled captions if there are any, else `profile`."""
        return self.sampled or self.profile

    @property
    def emotions(self) -> dict[str, float] | None:
        """Emotion in the caption → intensity in (0, 1]; None if no emotion is rated."""
        return dict(self.profile.emotions) if self.profile.rated else None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values: `start`, `end`, `caption`, the profile, `speaker` and `presence` if known."""
        speaker = {"speaker": self.speaker} if self.speaker is not None else {}
        return {
            "start": self.start,
            "end": self.end,
            **speaker,
            "caption": self.text,
            **({"model_caption": self.model_caption} if self.model_caption is not None else {}),
            **self.profile.to_dict(),
            **_shown_presence(self.presence),
        }


@dataclass(frozen=True, slots=True)
class CaptionedRecording:
    """Result for a recording: captions of its windows, and the profile of the whole recording.

    Attributes:
        source: path as given, shard and id of a clip, "samples" for an array, or "bytes".
        duration: decoded seconds of audio.
        windows: captions of the windows in order, at least one.
        profile: profile of the whole recording, see `pooled_profile`.
        warnings: messages about text that was removed from captions, and about withheld captions.
        damaged: message on damage of the audio, and how much was decoded; None if the audio is undamaged.
        id: clip id, if the recording is from a corpus.
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
        """The caption of the recording; if it has several windows, a line with times for each.

        Consecutive silent windows share a line.
        """
        if len(self.windows) == 1:
            return self.windows[0].text
        if all(window.silent for window in self.windows):
            return TOO_SHORT if any(window.text == TOO_SHORT for window in self.windows) else SILENCE
        lines = [list(group) for _, group in groupby(enumerate(self.windows), key=_line)]
        return "\n".join(
            f"{clock(some[0][1].start)}–{clock(some[-1][1].end)} {some[0][1].labelled}" for some in lines
        )

    @property
    def expected(self) -> VoiceProfile:
        """The profile of the whole recording for scoring: from means of sampled captions, else `profile`."""
        return pooled_profile([replace(window, profile=window.expected) for window in self.windows])

    @property
    def emotions(self) -> dict[str, float] | None:
        """Emotion → intensity in (0, 1], for the whole recording; None if no emotion is rated."""
        return dict(self.profile.emotions) if self.profile.rated else None

    @property
    def presence(self) -> Mapping[str, float] | None:
        """Emotion → probability that it is present in the recording: the largest among its windows.

        None without sampled captions.
        """
        known = [window.presence for window in self.windows if window.presence is not None]
        names = dict.fromkeys(name for presence in known for name in presence)
        largest = {name: max(presence.get(name, 0.0) for presence in known) for name in names}
        return largest if known else None

    @property
    def bursts(self) -> tuple[str, ...]:
        """Vocal bursts of the recording."""
        return self.profile.bursts

    @property
    def traits(self) -> Mapping[str, str | float]:
        """Traits of the speaker."""
        return self.profile.traits

    def vector(self) -> NDArray[np.float32]:
        """Return the 40 intensities in [0, 1] (NaN: unrated), float32 (40,), in the order of `EMOTIONS`."""
        return self.profile.vector()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values: `source`, `duration`, `caption`, `emotions`, `bursts`, `traits`.

        If they apply, also `id`, `rated`, `presence`, `windows` (of several), `damaged` and `warnings`.
        """
        windows = [window.to_dict() for window in self.windows]
        return {
            "source": self.source,
            **({"id": self.id} if self.id is not None else {}),
            "duration": round(self.duration, 3),
            "caption": self.caption,
            **self.profile.to_dict(),
            **_shown_presence(self.presence),
            **({"windows": windows} if len(windows) > 1 else {}),
            **({"damaged": self.damaged} if self.damaged else {}),
            **({"warnings": list(self.warnings)} if self.warnings else {}),
        }


@dataclass(frozen=True, slots=True)
class FailedRecording:
    """A recording that could not be captioned, and the reason. `str()` gives "source: reason"."""

    source: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values: `source` and `error`."""
        return {"source": self.source, "error": self.reason}


def _shown_presence(presence: Mapping[str, float] | None) -> dict[str, Any]:
    if presence is None:
        return {}
    return {"presence": {name: round(value, 4) for name, value in presence.items() if value > 0}}


def clock(seconds: float) -> str:
    """Format seconds as a time such as `0:08` or `1:02:05`, with tenths unless it is a whole second."""
    tenths = round(seconds * 10)
    hours, minutes, rest = tenths // 36_000, tenths // 600 % 60, tenths % 600
    text = f"{rest // 10:02d}" + (f".{rest % 10}" if rest % 10 else "")
    return f"{hours}:{minutes:02d}:{text}" if hours else f"{minutes}:{text}"


def pooled_profile(windows: Sequence[WindowCaption]) -> VoiceProfile:
    """Pool the profiles of the windows of a recording; silent and withheld windows do not count.

    Emotions: mean over the windows with rated emotions, weighted by duration, as a rater of the whole
    recording judges how much of an emotion is in it; a maximum would grow with the length of the recording.
    Bursts: all bursts of all windows.
    Traits: of the windows that have the trait, the mean of a number, weighted by duration, or the word with
    the longest total duration; if two words have the same duration, the earlier one.
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
    """Remove captions and profiles that join a minor with sexual content.

    If the profile of the whole recording does, the captions of all windows are removed.
    """
    kept = [_withheld(window) if _is_withheld(window) else window for window in windows]
    expected = pooled_profile([replace(window, profile=window.expected) for window in kept])
    if pooled_profile(kept).is_withheld or expected.is_withheld:
        kept = [window if window.silent else _withheld(window) for window in kept]
    return tuple(kept)


def unrated(window: WindowCaption) -> WindowCaption:
    """Return the window with all emotions unrated, for prompts without emotions; silent windows unchanged."""
    if window.silent or not window.text:
        return window
    said, sampled = window.profile, window.sampled
    return replace(
        window,
        profile=VoiceProfile(None, said.bursts, said.traits),
        sampled=sampled and VoiceProfile(None, sampled.bursts, sampled.traits),
        presence=None,
    )


def _is_withheld(window: WindowCaption) -> bool:
    of_scores = window.profile.is_withheld or window.expected.is_withheld
    return of_scores or is_withheld_text(window.text)


def _withheld(window: WindowCaption) -> WindowCaption:
    bare = replace(window, sampled=None, samples=(), presence=None, model_caption=None)
    return replace(bare, text="", profile=VoiceProfile(None))


def without_stray_letters(text: str) -> tuple[str, str]:
    """Remove stray capitals before a caption, special tokens, line ends and unprintable characters.

    BUD-E checkpoints sometimes write single capitals before the caption ("A B The speaker…", "TThe
    speaker…"), which confuse a parser. "A German woman" and "ASMR-like" are kept: letters that could be a
    word are removed only before a word that begins a sentence.

    Returns:
        The cleaned text, and the stray capitals that were removed ("" if there were none).
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
    """Pool the values of one trait, given the total seconds of the windows with each value."""
    numbers = {value: seconds for value, seconds in seconds_of.items() if not isinstance(value, str)}
    if not numbers:
        return max(seconds_of, key=seconds_of.__getitem__)
    mean = sum(value * seconds for value, seconds in numbers.items()) / sum(numbers.values())
    return min(max(mean, min(numbers)), max(numbers))


def _line(numbered: tuple[int, WindowCaption]) -> int:
    """Key to group by: the same for consecutive silent windows, another for each window with sound."""
    number, window = numbered
    return -1 if window.silent else number
