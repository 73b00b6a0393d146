"""`Captioner`: recordings of any format, rate and length → captions and scores.

Recordings are cut into the windows that the model takes, and windows of many recordings share a batch.
Results come in the order of the input, one for each recording, whatever the batch size; memory holds one
batch of samples, so three hours of audio cost what one minute costs. A recording that fails becomes a
`Failure` and the others go on; a model that fails would fail on every batch, and ends the work.
"""

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import overload

import torch

from budew.audio.samples import Window, is_silent
from budew.corpora.clip import Clip
from budew.errors import AudioError, InputError, JobError
from budew.inference.captioned import Captioned, Failure
from budew.inference.recordings import Audio, Recording, from_audio, from_clip, from_paths
from budew.inference.self_consistency import checked_samples, sample_captions
from budew.inference.unfinished import Unfinished
from budew.model.checkpoint import Checkpoint, load_checkpoint
from budew.model.generate import number_of_beams, write_captions

Progress = Callable[[int, int | None], None]
_NO_MEMORY = ("out of memory", "allocate memory")  # CUDA and Metal; the CPU


class Captioner:
    """Captions audio with one checkpoint. Make it once: loading takes longer than captioning a clip."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        batch_size: int = 16,
        num_beams: int | None = None,
        num_samples: int = 0,
    ) -> None:
        """Use `checkpoint` on batches of windows.

        Args:
            checkpoint: from `budew.model.checkpoint.load_checkpoint`.
            batch_size: windows captioned at once; fewer take less memory and change no caption.
            num_beams: beam width; None for that of the checkpoint.
            num_samples: captions sampled besides; the scores are then their mean, not the parse of the one
                caption. 0 for none.

        Raises:
            InputError: batch size, beam width or number of samples is out of range.
        """
        if batch_size < 1:
            raise InputError(f"a batch of {batch_size} windows is empty: use batch_size=1 or more")
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.num_beams = number_of_beams(checkpoint, num_beams)
        self.num_samples = checked_samples(num_samples)

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path | None = None,
        *,
        device: str | None = None,
        batch_size: int = 16,
        num_beams: int | None = None,
        num_samples: int = 0,
    ) -> "Captioner":
        """Load a checkpoint: a folder, a hub id, or None for the one in this package, which needs no network.

        Raises:
            CheckpointError: see `budew.model.checkpoint.load_checkpoint`.
            InputError: batch size, beam width or number of samples is out of range.
        """
        checkpoint = load_checkpoint(model, device=device)
        return cls(checkpoint, batch_size=batch_size, num_beams=num_beams, num_samples=num_samples)

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
            audio: path, bytes, file opened for bytes, samples of shape (n,) or (n, channels) as array or
                tensor, or a mapping as `datasets` gives it (see `from_audio`); or a list or tuple of these.
            sampling_rate: Hz, of samples; files and mappings have their own.

        Raises:
            InputError: another type, or samples without a sampling rate.
            AudioError: one of them cannot be decoded, or is too short. `caption_files` goes on instead.
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
        waiting: deque[Unfinished] = deque()
        batch: list[tuple[Unfinished, int, Window]] = []
        for recording in recordings:
            waiting.append(Unfinished(recording))
            for place, window in waiting[-1].read(seconds, sampling_rate):
                if is_silent(window.samples, sampling_rate):
                    waiting[-1].leave_silent(place)
                    continue
                batch.append((waiting[-1], place, window))
                if len(batch) == self.batch_size:
                    self._write(batch)
                    yield from _complete(waiting)
            yield from _complete(waiting)
        self._write(batch)
        yield from _complete(waiting)

    def _write(self, batch: list[tuple[Unfinished, int, Window]]) -> None:
        """Caption the windows of the batch and empty it."""
        if not batch:
            return
        samples = [window.samples for _, _, window in batch]
        try:
            texts = write_captions(self.checkpoint, samples, num_beams=self.num_beams)
            sampled = sample_captions(self.checkpoint, samples, num_samples=self.num_samples)
        except Exception as error:
            device, source = self.checkpoint.model.device, batch[0][0].source
            raise _model_failure(error, source=source, windows=len(batch), device=device) from error
        for (unfinished, place, _), text, several in zip(batch, texts, sampled, strict=True):
            unfinished.caption(place, text, several)
        batch.clear()


def _model_failure(error: Exception, *, source: str, windows: int, device: torch.device) -> JobError:
    """Return an error of the model as one sentence with the first recording of the batch and the remedy."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    if isinstance(error, MemoryError) or any(words in reason.lower() for words in _NO_MEMORY):
        remedy = f"use a smaller --batch-size than {windows}" if windows > 1 else "use fewer --num-beams"
        fault = f"out of memory on {device} with {windows} windows at once"
        return JobError(f"{source}: {fault}: {remedy}, or --device cpu")
    fault = f"the model failed on {device} ({type(error).__name__}: {reason})"
    return JobError(
        f"{source}: {fault}: is its generation_config.json sound? Fetch it again, or try --device cpu"
    )


def _complete(waiting: deque[Unfinished]) -> Iterator[Captioned | Failure]:
    while waiting and waiting[0].complete:
        yield waiting.popleft().result()
