"""`Captioner`: recordings of any format, rate and length → captions and scores.

Recordings are cut into windows of the model's length, and windows of several recordings share a batch.
Results are in the order of the input, one per recording, whatever the batch size. Memory holds one batch of
samples, so it does not grow with the length of the audio. A recording that fails becomes a `Failure` and the
others are captioned; if the model itself fails, an error is raised.
"""

import warnings
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

from budew.audio.samples import Window, is_silent
from budew.captions.caption_prompt import prompt_of
from budew.captions.parse import parse
from budew.corpora.clip import Clip
from budew.errors import AudioError, BudewWarning, CorpusError, InputError, JobError, first_line
from budew.inference.captioned import (
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
from budew.inference.recordings import Audio, Recording, from_audio, from_clip, from_paths
from budew.inference.self_consistency import MAX_SAMPLES, consensus, expectation, sample_captions
from budew.model.checkpoint import Checkpoint, load_checkpoint
from budew.model.generate import encode, number_of_beams, write_captions
from budew.profile import VoiceProfile

Progress = Callable[[int, int | None], None]


class Captioner:
    """Captions audio with one checkpoint. Create it once: loading takes longer than captioning a clip."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        batch_size: int = 16,
        num_beams: int | None = None,
        num_samples: int = 0,
        style: str | None = None,
        parts: str | None = None,
    ) -> None:
        """Use `checkpoint` on batches of windows.

        Args:
            checkpoint: from `budew.model.checkpoint.load_checkpoint`.
            batch_size: windows in each batch; smaller needs less memory, captions are the same.
            num_beams: beam width; None for that of the checkpoint.
            num_samples: average the scores over this many sampled captions of each window; 0: scores of the
                one caption.
            style, parts: what the captions are to be, of `STYLES` and `PARTS` in
                `budew.captions.caption_prompt`; with one of them given, the other is "prose" or "all".
                Ignored with a warning by a checkpoint that was trained without prompts. Emotions that are not
                asked for are unrated.

        Raises:
            InputError: batch size, beam width or number of samples is out of range, or no such style or part.
        """
        if batch_size < 1:
            raise InputError(f"a batch of {batch_size} windows is empty: use batch_size=1 or more")
        if not 0 <= num_samples <= MAX_SAMPLES:
            raise InputError(f"{num_samples} samples cannot be drawn: use 0 to {MAX_SAMPLES}")
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.num_beams = number_of_beams(checkpoint, num_beams)
        self.num_samples = num_samples
        # Both are given, as in training.
        self.prompt = prompt_of(style or "prose", parts or "all") if style or parts else ""
        if self.prompt and not checkpoint.trained_with_prompts:
            warnings.warn(
                f"{checkpoint.name} was trained without prompts: style and parts are ignored",
                BudewWarning,
                stacklevel=2,
            )
            self.prompt = ""
        self._rates = not self.prompt.endswith(("bursts", "speaker"))

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path | None = None,
        *,
        device: str | None = None,
        batch_size: int = 16,
        num_beams: int | None = None,
        num_samples: int = 0,
        style: str | None = None,
        parts: str | None = None,
    ) -> "Captioner":
        """Load a checkpoint: a folder, a hub id, or None for the one in this package, which needs no network.

        Raises:
            CheckpointError: see `budew.model.checkpoint.load_checkpoint`.
            InputError: see `__init__`.
        """
        return cls(
            load_checkpoint(model, device=device),
            batch_size=batch_size,
            num_beams=num_beams,
            num_samples=num_samples,
            style=style,
            parts=parts,
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
            return list(self._raising([from_audio(item, sampling_rate) for item in audio]))
        assert not isinstance(audio, Sequence) or isinstance(audio, str | bytes)  # noqa: S101  # for mypy
        return next(self._raising([from_audio(audio, sampling_rate)]))

    def caption_files(
        self,
        paths: Iterable[str | Path],
        *,
        finished: Container[str] = (),
        progress: Progress | None = None,
    ) -> Iterator[Captioned | Failure]:
        """Caption files, folders and corpora, one result for each recording in their order.

        Args:
            paths: audio files, folders of them at any depth, and whatever `budew.read` reads.
            finished: sources that are left out.
            progress: called after each result with the number of recordings done and of all, None where that
                is not known.
        """
        found, total = from_paths(paths)
        waiting = (recording for recording in found if recording.source not in finished)
        for done, result in enumerate(self._caption(waiting), start=1):
            if progress is not None:
                progress(done, total)
            yield result

    def caption_clips(self, clips: Iterable[Clip]) -> Iterator[Captioned | Failure]:
        """Caption the clips of a corpus, lazily; `source` of each result is the id of its clip."""
        return self._caption(map(from_clip, clips))

    def _raising(self, recordings: Iterable[Recording]) -> Iterator[Captioned]:
        for result in self._caption(recordings):
            if isinstance(result, Failure):
                raise AudioError(str(result))
            yield result

    def _caption(self, recordings: Iterable[Recording]) -> Iterator[Captioned | Failure]:
        """Read windows into a batch; when it is full, caption it and pass on what is complete, in order."""
        seconds, sampling_rate = self.checkpoint.window_seconds, self.checkpoint.sampling_rate
        waiting: deque[_Unfinished] = deque()
        batch: list[tuple[_Unfinished, int, Window]] = []
        for recording in recordings:
            waiting.append(_Unfinished(recording, self._rates))
            for place, window in waiting[-1].read(seconds, sampling_rate):
                if is_silent(window.samples, sampling_rate):
                    waiting[-1].write(place, window, SILENCE)
                    continue
                batch.append((waiting[-1], place, window))
                if len(batch) == self.batch_size:
                    self._write(batch)
                    yield from _complete(waiting)
            yield from _complete(waiting)
        self._write(batch)
        yield from _complete(waiting)

    def _write(self, batch: "list[tuple[_Unfinished, int, Window]]") -> None:
        """Caption the windows of the batch and empty it."""
        if not batch:
            return
        samples = [window.samples for _, _, window in batch]
        with model_errors(self.checkpoint, batch[0][0].source, len(batch)):
            encoded = encode(self.checkpoint, samples)
            texts = write_captions(self.checkpoint, encoded, num_beams=self.num_beams, prompt=self.prompt)
            sampled = sample_captions(
                self.checkpoint, encoded, num_samples=self.num_samples, prompt=self.prompt
            )
        for (unfinished, place, window), text, several in zip(batch, texts, sampled, strict=True):
            unfinished.write(place, window, text, several)
        batch.clear()


@contextmanager
def model_errors(checkpoint: Checkpoint, source: str, windows: int) -> Iterator[None]:
    """Make one sentence of whatever a model raises for a batch of windows whose first is of `source`.

    Raises:
        JobError: the model failed.
    """
    try:
        yield
    except Exception as error:
        raise JobError(
            f"{source}: the model failed on {checkpoint.model.device} with {windows} windows at once "
            f"({type(error).__name__}: {first_line(error)}): use a smaller --batch-size, fewer --num-beams, "
            "or --device cpu; or fetch the checkpoint again"
        ) from error


@dataclass(slots=True)
class _Unfinished:
    """A recording on its way through the captioner.

    `rates` says whether captions speak of emotions. `windows` has None for those that are not captioned yet,
    `removed` the stray letters by window.
    """

    recording: Recording
    rates: bool
    windows: list[WindowCaption | None] = field(default_factory=list)
    removed: dict[int, str] = field(default_factory=dict)
    damage: str | None = None
    failure: Failure | None = None
    is_read: bool = False

    @property
    def source(self) -> str:
        return self.recording.source

    @property
    def is_complete(self) -> bool:
        return self.is_read and (self.failure is not None or None not in self.windows)

    def read(self, seconds: float, sampling_rate: int) -> Iterator[tuple[int, Window]]:
        """Read the recording as numbered windows. Errors and damage are kept for the result, not raised."""
        try:
            for place, window in enumerate(self.recording.cut(seconds, sampling_rate)):
                self.damage = window.damage and window.damage.removeprefix(f"{self.source}: ")
                self.windows.append(None)
                yield place, window
        except (CorpusError, OSError) as error:
            self.failure = Failure(self.source, str(error).removeprefix(f"{self.source}: "))
        except Exception as error:  # noqa: BLE001  # whatever a decoder raises ends this recording, no other
            fault = f"reading it failed with {type(error).__name__} ({error})"
            self.failure = Failure(self.source, f"{fault}: convert it to wav or flac, and report this")
        self.is_read = True

    def write(self, place: int, window: Window, written: str, sampled: Sequence[str] = ()) -> None:
        """Keep what the model wrote for a window, and the sampled captions if there are any."""
        text, removed = clean(written)
        if removed:
            self.removed[place] = removed
        expected = expectation([parse(clean(one)[0]).profile for one in sampled]) if sampled else None
        if text == SILENCE:
            profile = VoiceProfile()
        else:
            profile = parse(text).profile if expected is None else consensus(expected)
        self.windows[place] = WindowCaption(window.start, window.end, text, profile, expected)

    def result(self) -> Captioned | Failure:
        """Return the result. Call it once all is complete."""
        if self.failure is not None:
            return self.failure
        windows = without_withheld_captions([window for window in self.windows if window is not None])
        if not self.rates:
            windows = tuple(map(unrated, windows))
        warnings = [
            f"at {clock(windows[place].start)}: stray letters {removed!r} before the caption removed"
            for place, removed in sorted(self.removed.items())
        ]
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


def _complete(waiting: deque[_Unfinished]) -> Iterator[Captioned | Failure]:
    while waiting and waiting[0].is_complete:
        yield waiting.popleft().result()
