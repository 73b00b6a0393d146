"""A recording on its way through the captioner: windows read, captions that came back, what went wrong."""

from collections.abc import Iterator, Sequence

from budew.audio.samples import Window
from budew.captions import parse
from budew.errors import CorpusError
from budew.inference.clean import Cleaned
from budew.inference.listeners import agreed
from budew.inference.pool import pool
from budew.inference.result import SILENCE, Captioned, Failure, WindowCaption, clock
from budew.profile import VoiceProfile


class Unfinished:
    """Collects the captions of the windows of one recording until it is complete."""

    def __init__(self, source: str) -> None:
        """Begin with nothing read."""
        self.source = source
        self._spans: list[tuple[float, float]] = []
        self._captions: dict[int, Cleaned] = {}
        self._panels: dict[int, Sequence[str]] = {}
        self._damage: str | None = None
        self._failure: Failure | None = None
        self._read = False

    @property
    def complete(self) -> bool:
        """Whether all windows were read and captioned, or reading failed."""
        return self._read and (self._failure is not None or len(self._captions) == len(self._spans))

    def read(self, cut: Iterator[Window]) -> Iterator[tuple[int, Window]]:
        """Pass on the windows, numbered. Damage and errors of reading are kept for the result."""
        try:
            for place, window in enumerate(cut):
                self._damage = window.damage and self._without_source(window.damage)
                self._spans.append((window.start, window.end))
                yield place, window
        except (CorpusError, OSError) as error:
            self._failure = Failure(self.source, self._without_source(str(error)))
        except Exception as error:  # noqa: BLE001  # whatever a decoder raises ends this recording, no other
            fault = f"reading it failed with {type(error).__name__} ({error})"
            self._failure = Failure(self.source, f"{fault}: convert it to wav or flac, and report this")
        self._read = True

    def caption(self, place: int, cleaned: Cleaned, panel: Sequence[str] = ()) -> None:
        """Take the caption of window `place`, and what listeners said of it if any were asked."""
        self._captions[place] = cleaned
        self._panels[place] = panel

    def leave_silent(self, place: int) -> None:
        """Take note that there is nothing to hear in window `place`."""
        self._captions[place] = Cleaned(SILENCE)

    def result(self) -> Captioned | Failure:
        """Return what came of the recording. Call it once `complete`."""
        if self._failure is not None:
            return self._failure
        windows = tuple(
            _window(start, end, self._captions[place].text, self._panels.get(place, ()))
            for place, (start, end) in enumerate(self._spans)
        )
        return Captioned(
            self.source,
            windows[-1].end,
            windows,
            pool(windows),
            warnings=self._removed(),
            damaged=self._damage,
        )

    def _removed(self) -> tuple[str, ...]:
        """Say of each window what was taken away before its caption."""
        return tuple(
            f"at {clock(self._spans[place][0])}: stray letters {cleaned.removed!r} before the caption removed"
            for place, cleaned in sorted(self._captions.items())
            if cleaned.removed
        )

    def _without_source(self, message: str) -> str:
        return message.removeprefix(f"{self.source}: ")


def _window(start: float, end: float, text: str, panel: Sequence[str]) -> WindowCaption:
    if text == SILENCE:
        return WindowCaption(start, end, text, VoiceProfile())
    return WindowCaption(start, end, text, agreed(panel) if panel else parse(text).profile)
