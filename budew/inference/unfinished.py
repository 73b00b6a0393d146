"""A recording on its way through the captioner: the captions of its windows come in any order."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from budew.audio.samples import Window
from budew.captions.parse import parse
from budew.errors import CorpusError
from budew.inference.backends import Written
from budew.inference.captioned import (
    NO_SPEECH,
    SILENCE,
    Captioned,
    Failure,
    WindowCaption,
    clean,
    clock,
    pool,
    unrated,
    without_withheld_captions,
)
from budew.inference.loops import without_loop
from budew.inference.recordings import Recording
from budew.inference.self_consistency import consensus, expectation
from budew.inference.turns import speaker_at
from budew.profile import VoiceProfile


@dataclass(slots=True)
class Unfinished:
    """A recording on its way through the captioner.

    `rates` says whether captions speak of emotions. `windows` has None for those that are not captioned yet.
    """

    recording: Recording
    rates: bool
    windows: list[WindowCaption | None] = field(default_factory=list)
    damage: str | None = None
    failure: Failure | None = None
    is_read: bool = False

    @property
    def source(self) -> str:
        """Name of the recording."""
        return self.recording.source

    @property
    def is_complete(self) -> bool:
        """Whether there is a result."""
        return self.is_read and (self.failure is not None or None not in self.windows)

    def read(self, seconds: float, sampling_rate: int) -> Iterator[tuple[int, Window]]:
        """Read the recording as numbered windows. Errors and damage are kept for the result, not raised."""
        try:
            for place, window in enumerate(self.recording.cut(seconds, sampling_rate)):
                self.damage = window.damage and window.damage.removeprefix(f"{self.source}: ")
                self.windows.append(None)
                yield place, window
        except (CorpusError, OSError) as error:
            self.fail(str(error).removeprefix(f"{self.source}: "))
        except Exception as error:  # noqa: BLE001  # whatever a decoder raises ends this recording, no other
            fault = f"reading it failed with {type(error).__name__} ({error})"
            self.fail(f"{fault}: convert it to wav or flac, and report this")
        self.is_read = True

    def fail(self, reason: str) -> None:
        """Give the recording up; the first reason is kept."""
        self.failure = self.failure or Failure(self.source, reason)

    def write(self, place: int, window: Window, written: Written) -> WindowCaption:
        """Keep and return what the model wrote for a window."""
        line, stray = clean(written.text)
        text = without_loop(line)
        removed = "repetitions at the end of the caption removed" if text != line else None
        if stray:
            removed = f"stray letters {stray!r} before the caption removed"
        samples = tuple(without_loop(clean(one)[0]) for one in written.samples)
        expected = expectation([parse(one).profile for one in samples]) if samples else None
        if text in (SILENCE, NO_SPEECH):
            profile = VoiceProfile()
        else:
            profile = parse(text).profile if expected is None else consensus(expected)
        speaker = speaker_at(self.recording.turns, window)
        caption = WindowCaption(window.start, window.end, text, profile, expected, removed, samples, speaker)
        self.windows[place] = caption
        return caption

    def result(self) -> Captioned | Failure:
        """Return the result. Call it once all is complete."""
        if self.failure is not None:
            return self.failure
        windows = without_withheld_captions([window for window in self.windows if window is not None])
        if not self.rates:
            windows = tuple(map(unrated, windows))
        warnings = [f"at {clock(window.start)}: {window.removed}" for window in windows if window.removed]
        warnings += [
            f"at {clock(window.start)}: the caption joins a minor with sexual content and is withheld"
            for window in windows
            if window.withheld
        ]
        return Captioned(
            self.source,
            windows[-1].end,
            windows,
            pool(windows),
            tuple(warnings),
            self.damage,
            self.recording.id,
        )
