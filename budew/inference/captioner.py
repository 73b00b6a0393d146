"""`Captioner`: recordings of any format, rate and length → captions and scores.

Recordings are cut into the windows that the model takes, and windows of many recordings share a batch.
Results come in the order of the input, one for each recording, whatever the batch size; memory holds one
batch of samples, so three hours of audio cost what one minute costs. A recording that fails becomes a
`Failure` and the others go on.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from budew.audio.samples import Window, is_silent
from budew.corpora.clip import Clip
from budew.errors import AudioError
from budew.inference.breakdown import explained
from budew.inference.clean import clean
from budew.inference.listeners import checked_listeners, sample_captions
from budew.inference.recordings import Recording, from_bytes, from_clip, from_file, from_paths, from_samples
from budew.inference.result import Captioned, Failure
from budew.inference.unfinished import Unfinished
from budew.model.checkpoint import Checkpoint, load_checkpoint
from budew.model.generate import number_of_beams, write_captions

Audio = str | Path | bytes | NDArray[np.generic]
Progress = Callable[[int, int], None]


class Captioner:
    """Captions audio with one checkpoint. Make it once: loading takes longer than captioning a clip."""

    def __init__(
        self, checkpoint: Checkpoint, *, batch_size: int = 16, beams: int | None = None, listeners: int = 0
    ) -> None:
        """Use `checkpoint` on batches of windows.

        Args:
            checkpoint: from `budew.model.checkpoint.load_checkpoint`.
            batch_size: windows captioned at once; fewer take less memory and change no caption.
            beams: captions that the search follows side by side; None for as many as the checkpoint asks for.
            listeners: captions drawn by chance besides; the scores are then what they agree on, not the
                parse of the one caption. 0 for none.

        Raises:
            ValueError: there cannot be such a batch, so many beams, or so many listeners.
        """
        if batch_size < 1:
            raise ValueError(f"a batch of {batch_size} windows captions nothing: use batch_size=1 or more")
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.beams = number_of_beams(checkpoint, beams)
        self.listeners = checked_listeners(listeners)

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path | None = None,
        *,
        device: str | None = None,
        batch_size: int = 16,
        beams: int | None = None,
        listeners: int = 0,
    ) -> "Captioner":
        """Load a checkpoint: a folder, a hub id, or None for the one in this package, which needs no network.

        Raises:
            CheckpointError: see `budew.model.checkpoint.load_checkpoint`.
            ValueError: there cannot be such a batch, so many beams, or so many listeners.
        """
        checkpoint = load_checkpoint(model, device=device)
        return cls(checkpoint, batch_size=batch_size, beams=beams, listeners=listeners)

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
            audio: path of a file, bytes of a file, or samples of shape (n,) or (n, channels); or a list.
            sampling_rate: Hz, of samples; a file knows its own.

        Raises:
            AudioError: one of them cannot be read, or is too short to hear. `caption_files` goes on instead.
            CaptioningError: the model itself failed, for lack of memory for example.
        """
        if isinstance(audio, str | Path | bytes | np.ndarray):
            return next(self._raising([_recording(audio, sampling_rate)]))
        return list(self._raising([_recording(item, sampling_rate) for item in audio]))

    def caption_files(
        self, paths: Iterable[str | Path], *, progress: Progress | None = None
    ) -> Iterator[Captioned | Failure]:
        """Caption files, and all audio files in folders, one result for each in their order.

        Args:
            paths: files and folders. A folder is searched with all below it, in the order of names.
            progress: called after each result with the number of files done and of all files.
        """
        recordings = list(from_paths(paths))
        for done, result in enumerate(self._caption(recordings), start=1):
            if progress is not None:
                progress(done, len(recordings))
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
        waiting: deque[Unfinished] = deque()
        batch: list[tuple[Unfinished, int, Window]] = []
        for recording in recordings:
            waiting.append(Unfinished(recording.source))
            for place, window in waiting[-1].read(self._cut(recording)):
                if is_silent(window.samples, self.checkpoint.sampling_rate):
                    waiting[-1].leave_silent(place)
                    continue
                batch.append((waiting[-1], place, window))
                if len(batch) == self.batch_size:
                    self._write(batch)
                    yield from _complete(waiting)
            yield from _complete(waiting)
        self._write(batch)
        yield from _complete(waiting)

    def _cut(self, recording: Recording) -> Iterator[Window]:
        return recording.cut(self.checkpoint.window_seconds, self.checkpoint.sampling_rate)

    def _write(self, batch: list[tuple[Unfinished, int, Window]]) -> None:
        """Caption the windows of the batch and empty it."""
        if batch:
            for (unfinished, place, _), (text, panel) in zip(batch, self._texts(batch), strict=True):
                unfinished.caption(place, clean(text), [clean(said).text for said in panel])
        batch.clear()

    def _texts(self, batch: list[tuple[Unfinished, int, Window]]) -> list[tuple[str, tuple[str, ...]]]:
        """Return for each window its caption, and those of the listeners if there are any."""
        samples = [window.samples for _, _, window in batch]
        try:
            texts = write_captions(self.checkpoint, samples, beams=self.beams)
            panels = sample_captions(self.checkpoint, samples, listeners=self.listeners)
            return list(zip(texts, panels, strict=True))
        except Exception as error:
            device, source = self.checkpoint.model.device, batch[0][0].source
            raise explained(error, source=source, windows=len(batch), device=device) from error


def _recording(audio: Audio, sampling_rate: int | None) -> Recording:
    if isinstance(audio, np.ndarray):
        if sampling_rate is None:
            raise AudioError("samples: their sampling rate is not known: give sampling_rate=… in Hz")
        return from_samples(audio, sampling_rate)
    return from_bytes(audio) if isinstance(audio, bytes) else from_file(Path(audio))


def _complete(waiting: deque[Unfinished]) -> Iterator[Captioned | Failure]:
    while waiting and waiting[0].complete:
        yield waiting.popleft().result()
