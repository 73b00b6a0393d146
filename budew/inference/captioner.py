"""`Captioner`: recordings of any format, rate and length → captions and scores.

Recordings are cut into windows of the model's length, and windows of several recordings share a batch. Where
the model was trained for it, they are of like length, padded to whole seconds. The next batch is read while
the model works on one.

Results are in the order of the input, one per recording, whatever the batch size. Memory holds some batches
of samples, so it does not grow with the length of the audio. A recording that fails becomes a `Failure` and
the others are captioned; if the model itself fails, an error is raised.
"""

import warnings
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, overload

from budew.audio.samples import Window, is_silent
from budew.captions.caption_prompt import prompt_of
from budew.corpora.clip import Clip
from budew.errors import AudioError, BudewWarning, InputError, JobError, first_line
from budew.inference.backends import (
    Asked,
    Backend,
    Prepared,
    TransformersBackend,
    Written,
    load_backend,
)
from budew.inference.batching import gathered, padded_seconds, prefetch
from budew.inference.captioned import (
    NO_SPEECH,
    SILENCE,
    Captioned,
    Failure,
    WindowCaption,
)
from budew.inference.recordings import Audio, Recording, Windows, from_audio, from_clip, from_paths
from budew.inference.self_consistency import MAX_SAMPLES
from budew.inference.turns import read_turns
from budew.inference.unfinished import Unfinished
from budew.model.checkpoint import Checkpoint
from budew.model.generate import checked_beams
from budew.segmentation.voice_activity import load_speech_detector

if TYPE_CHECKING:
    from budew.inference.server import CaptionServer

Progress = Callable[[int, int | None], None]


class KeptWindows(Protocol):
    """Where captions of windows are kept while their recording is not complete, but for its first window."""

    def get(self, source: str, start: float, end: float) -> WindowCaption | None:
        """Return the caption between these times (seconds) of a recording, if it is kept."""

    def put(self, source: str, window: WindowCaption) -> None:
        """Keep the caption of a window."""


class Captioner:
    """Captions audio with one checkpoint. Create it once: loading takes longer than captioning a clip."""

    def __init__(
        self,
        backend: Backend | Checkpoint,
        *,
        batch_size: int = 16,
        num_beams: int | None = None,
        num_samples: int = 0,
        style: str | None = None,
        parts: str | None = None,
        windows: Windows = "fixed",
    ) -> None:
        """Use a checkpoint on batches of windows.

        Args:
            backend: of `budew.inference.backends.load_backend`, or a checkpoint of
                `budew.model.checkpoint.load_checkpoint`.
            batch_size: windows in each batch; smaller needs less memory, captions are the same.
            num_beams: beam width; None for that of the checkpoint.
            num_samples: average the scores over this many sampled captions of each window; 0: scores of the
                one caption.
            style, parts: what the captions are to be, of `STYLES` and `PARTS` in
                `budew.captions.caption_prompt`; with one of them given, the other is "prose" or "all".
                Ignored with a warning by a checkpoint that was trained without prompts. Emotions that are not
                asked for are unrated.
            windows: where files longer than the model's window are cut: "fixed", one window after the other,
                or "speech", at its pauses, as the voice detector hears them; samples are cut one after the
                other. The path of an RTTM file: each file at the turns of its speakers.

        Raises:
            MissingExtraError: windows of speech, and the voice detector is not installed.
            InputError: batch size, beam width or number of samples is out of range, the backend cannot
                sample, no such style or part, or no RTTM file.
        """
        self.backend = TransformersBackend(backend) if isinstance(backend, Checkpoint) else backend
        if batch_size < 1:
            raise InputError(f"a batch of {batch_size} windows is empty: use batch_size=1 or more")
        if not 0 <= num_samples <= MAX_SAMPLES:
            raise InputError(f"{num_samples} samples cannot be drawn: use 0 to {MAX_SAMPLES}")
        if num_samples and not self.backend.can_sample:
            raise InputError(
                f"{self.backend.runs_on}: samples would not be the same twice: use the backend transformers"
            )
        self.batch_size = batch_size
        # Both are given, as in training.
        prompt = prompt_of(style or "prose", parts or "all") if style or parts else ""
        if prompt and not self.backend.trained_with_prompts:
            warnings.warn(
                f"{self.backend.name} was trained without prompts: style and parts are ignored",
                BudewWarning,
                stacklevel=2,
            )
            prompt = ""
        beams = self.backend.num_beams if num_beams is None else num_beams
        self.asked = Asked(checked_beams(beams, self.backend.name), num_samples, prompt)
        if windows == "speech":
            load_speech_detector()
        self.windows = windows
        self._turns = read_turns(windows) if isinstance(windows, Path) else {}
        self._rates = not prompt.endswith(("bursts", "speaker"))

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path | Sequence[str | Path] | None = None,
        *,
        backend: str | None = None,
        device: str | None = None,
        dtype: str | None = None,
        server: "CaptionServer | None" = None,
        batch_size: int = 16,
        num_beams: int | None = None,
        num_samples: int = 0,
        style: str | None = None,
        parts: str | None = None,
        windows: Windows = "fixed",
    ) -> "Captioner":
        """Load a checkpoint: a folder, a hub id, or None for the one in this package, which needs no network.

        Args:
            model, backend, device, dtype, server: see `budew.inference.backends.load_backend`.
            batch_size, num_beams, num_samples, style, parts, windows: see `__init__`.

        Raises:
            CheckpointError, MissingExtraError, JobError: see `load_backend`.
            InputError: see `load_backend` and `__init__`.
        """
        return cls(
            load_backend(model, backend=backend, device=device, dtype=dtype, server=server),
            batch_size=batch_size,
            num_beams=num_beams,
            num_samples=num_samples,
            style=style,
            parts=parts,
            windows=windows,
        )

    @overload  # a str is a sequence of str as well: the first signature wins
    def __call__(  # type: ignore[overload-overlap]
        self, audio: Audio, *, sampling_rate: int | None = None
    ) -> Captioned: ...
    @overload
    def __call__(self, audio: Sequence[Audio], *, sampling_rate: int | None = None) -> list[Captioned]: ...
    def __call__(
        self, audio: Audio | Sequence[Audio], *, sampling_rate: int | None = None
    ) -> Captioned | list[Captioned]:
        """Caption one recording, or a list of them.

        Args:
            audio: path, bytes, file opened for bytes, samples of shape (n,), (n, channels) or
                (channels, n) as array or tensor, or a mapping as `datasets` gives it (see `from_audio`); or a
                list or tuple of these.
            sampling_rate: Hz, of samples; files and mappings have their own.

        Raises:
            InputError: another type, or samples without a sampling rate.
            AudioError: one of them cannot be decoded, or is too short. `caption_files` continues instead.
            JobError: the model itself failed, for lack of memory for example.
        """
        if isinstance(audio, list | tuple):
            return list(self.captioned([from_audio(item, sampling_rate) for item in audio]))
        assert not isinstance(audio, Sequence) or isinstance(audio, str | bytes)  # noqa: S101  # for mypy
        return next(self.captioned([from_audio(audio, sampling_rate)]))

    def caption_files(
        self,
        paths: Iterable[str | Path],
        *,
        finished: Container[str] = (),
        kept: KeptWindows | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Captioned | Failure]:
        """Caption files, folders and corpora, one result for each recording in their order.

        Args:
            paths: audio files, folders of them at any depth, and whatever `budew.read` reads.
            finished: sources that are left out.
            kept: windows of recordings that were captioned in part.
            progress: called after each result with the number of recordings done and of all, None where that
                is not known.
        """
        found, total = from_paths(paths)
        waiting = (recording for recording in found if recording.source not in finished)
        for done, result in enumerate(self._caption(waiting, kept), start=1):
            if progress is not None:
                progress(done, total)
            yield result

    def caption_clips(self, clips: Iterable[Clip]) -> Iterator[Captioned | Failure]:
        """Caption the clips of a corpus, lazily; `source` of each result is the id of its clip."""
        return self._caption(map(from_clip, clips))

    def captioned(self, recordings: Iterable[Recording]) -> Iterator[Captioned]:
        """Caption recordings, lazily. Raises AudioError for the first that cannot be decoded."""
        for result in self._caption(recordings):
            if isinstance(result, Failure):
                raise AudioError(str(result))
            yield result

    def _caption(
        self, recordings: Iterable[Recording], kept: KeptWindows | None = None
    ) -> Iterator[Captioned | Failure]:
        """Caption batches, and pass on what is complete, in order."""
        waiting: deque[Unfinished] = deque()
        windows = self._windows(recordings, waiting, kept)
        batches = gathered(windows, self._padded, self.batch_size)
        for batch in prefetch(map(self._prepared, batches)):
            if batch is not None:
                with model_errors(self.backend.runs_on, batch.source, len(batch.windows)):
                    written = self.backend.write(batch.prepared, self.asked)
                for (unfinished, place, window), text in zip(batch.windows, written, strict=True):
                    if text.fault is not None:
                        unfinished.fail(text.fault)
                        continue
                    made = unfinished.write(place, window, text)
                    if kept is not None and place:
                        kept.put(unfinished.source, made)
            while waiting and waiting[0].is_complete:
                yield waiting.popleft().result()

    def _windows(
        self,
        recordings: Iterable[Recording],
        waiting: "deque[Unfinished]",
        kept: KeptWindows | None,
    ) -> "Iterator[_Place | None]":
        """Yield the windows with sound that are not known; None after a recording that has none."""
        for recording in recordings:
            waiting.append(unfinished := Unfinished(self._cut(recording), self._rates))
            for place, window in unfinished.read(self.backend.window_seconds, self.backend.sampling_rate):
                known = None if kept is None else kept.get(unfinished.source, window.start, window.end)
                if known is not None:
                    unfinished.windows[place] = known
                elif not len(window.samples):
                    unfinished.write(place, window, Written(NO_SPEECH))
                elif is_silent(window.samples, self.backend.sampling_rate):
                    unfinished.write(place, window, Written(SILENCE))
                else:
                    yield unfinished, place, window
            if unfinished.is_complete:
                yield None

    def _cut(self, recording: Recording) -> Recording:
        if isinstance(self.windows, Path):
            return recording.at_turns(self._turns)
        return recording.at_speech() if self.windows == "speech" else recording

    def _padded(self, place: "_Place") -> float:
        return padded_seconds(self.backend, len(place[2].samples))

    def _prepared(self, gathered: "tuple[float, list[_Place]] | None") -> "_Batch | None":
        if gathered is None:
            return None
        seconds, windows = gathered
        source = windows[0][0].source
        with model_errors(self.backend.runs_on, source, len(windows)):
            prepared = self.backend.prepare([window.samples for _, _, window in windows], seconds)
        return _Batch(source, windows, prepared)


_Place = tuple[Unfinished, int, Window]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Windows for the model, and the source of the first."""

    source: str
    windows: list[_Place]
    prepared: Prepared


@contextmanager
def model_errors(runs_on: str, source: str, windows: int) -> Iterator[None]:
    """Make one sentence of whatever a model raises for a batch of windows whose first is of `source`.

    Raises:
        JobError: the model failed.
    """
    try:
        yield
    except (JobError, InputError):
        raise
    except Exception as error:
        raise JobError(
            f"{source}: the model failed ({runs_on}) with {windows} windows at once "
            f"({type(error).__name__}: {first_line(error)}): use a smaller --batch-size, fewer --num-beams, "
            "or --device cpu; or fetch the checkpoint again"
        ) from error
