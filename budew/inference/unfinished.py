"""A recording on its way through the captioner: windows read, captions written, what went wrong."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from budew.audio.samples import Window
from budew.captions import parse
from budew.errors import CorpusError
from budew.inference.captioned import SILENCE, Captioned, Failure, WindowCaption, clock, pool
from budew.inference.recordings import Recording
from budew.inference.self_consistency import consensus
from budew.profile import VoiceProfile

_TOKEN = re.compile(r"<\|[^|<>]{0,40}\|>")
_OPENERS = r"(?:The|This|That|An?|She|He|It|They|There|In|With)\b"
_STRAY = (
    re.compile(rf"(?:[A-Z]{{1,4}}\b\W+)+(?={_OPENERS})"),  # "A B The", "AB. This"
    re.compile(r"(?:[B-HJ-Z]\b[\s.,:;]+)+(?=[A-Z])"),  # "T Deep": a lone letter that is not a word
    re.compile(r"[A-Z]{1,4}(?=[A-Z][a-z])"),  # "TThe"
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A caption, and the letters that stood before it ("" as a rule)."""

    text: str
    removed: str = ""


def clean(text: str) -> Cleaned:
    """Return `text` as one line of printable characters without special tokens and stray capitals before it.

    BUD-E checkpoints sometimes put single capitals before the caption ("A B The speaker…", "TThe speaker…"),
    which confuse a parser. "A German woman" and "ASMR-like" stay: what could be a word is taken for stray
    only before a word that opens a sentence.
    """
    line = " ".join(_TOKEN.sub(" ", text).split())
    line = "".join(letter for letter in line if letter.isprintable() and letter != "\ufffd").strip()
    for pattern in _STRAY:
        found = pattern.match(line)
        if found:
            return Cleaned(line[found.end() :], found.group().strip())
    return Cleaned(line)


class Unfinished:
    """Collects the captions of the windows of one recording until it is complete."""

    def __init__(self, recording: Recording) -> None:
        """Begin with no window read."""
        self.recording = recording
        self._spans: list[tuple[float, float]] = []
        self._captions: dict[int, Cleaned] = {}
        self._sampled: dict[int, Sequence[str]] = {}
        self._damage: str | None = None
        self._failure: Failure | None = None
        self._read = False

    @property
    def source(self) -> str:
        """Name of the recording."""
        return self.recording.source

    @property
    def complete(self) -> bool:
        """Whether all windows were read and captioned, or reading failed."""
        return self._read and (self._failure is not None or len(self._captions) == len(self._spans))

    def read(self, seconds: float, sampling_rate: int) -> Iterator[tuple[int, Window]]:
        """Read the recording as numbered windows. Errors and damage are kept for the result, not raised."""
        try:
            for place, window in enumerate(self.recording.cut(seconds, sampling_rate)):
                self._damage = window.damage and self._without_source(window.damage)
                self._spans.append((window.start, window.end))
                yield place, window
        except (CorpusError, OSError) as error:
            self._failure = Failure(self.source, self._without_source(str(error)))
        except Exception as error:  # noqa: BLE001  # whatever a decoder raises ends this recording, no other
            fault = f"reading it failed with {type(error).__name__} ({error})"
            self._failure = Failure(self.source, f"{fault}: convert it to wav or flac, and report this")
        self._read = True

    def caption(self, place: int, text: str, sampled: Sequence[str] = ()) -> None:
        """Take what the model wrote for window `place`, and the sampled captions if there are any."""
        self._captions[place] = clean(text)
        self._sampled[place] = [clean(one).text for one in sampled]

    def leave_silent(self, place: int) -> None:
        """Mark window `place` as silent."""
        self._captions[place] = Cleaned(SILENCE)

    def result(self) -> Captioned | Failure:
        """Return the result of the recording. Call it once `complete`."""
        if self._failure is not None:
            return self._failure
        windows = tuple(
            _window(start, end, self._captions[place].text, self._sampled.get(place, ()))
            for place, (start, end) in enumerate(self._spans)
        )
        return Captioned(
            self.source,
            windows[-1].end,
            windows,
            pool(windows),
            warnings=self._removed(),
            damaged=self._damage,
            id=self.recording.id,
        )

    def _removed(self) -> tuple[str, ...]:
        """Say of each window what was removed before its caption."""
        return tuple(
            f"at {clock(self._spans[place][0])}: stray letters {cleaned.removed!r} before the caption removed"
            for place, cleaned in sorted(self._captions.items())
            if cleaned.removed
        )

    def _without_source(self, message: str) -> str:
        return message.removeprefix(f"{self.source}: ")


def _window(start: float, end: float, text: str, sampled: Sequence[str]) -> WindowCaption:
    if text == SILENCE:
        return WindowCaption(start, end, text, VoiceProfile())
    return WindowCaption(start, end, text, consensus(sampled) if sampled else parse(text).profile)
