"""`Captioner`: recordings of any format, rate and length → captions and scores.

Recordings are cut into windows of the model's length, and windows of several recordings share a batch. For a
model that was trained on short windows, a batch has windows of similar length, padded to whole seconds. The
next batch is read while the model runs.

Results are in the order of the input, one per recording, whatever the batch size. Memory holds some batches
of samples, so it does not grow with the length of the audio. A recording that fails becomes a
`FailedRecording` and the others are captioned; if the model itself fails, an error is raised.
"""

import warnings
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, overload

from budew.audio.samples import Window, seconds_of_sound
from budew.corpora.clip import Clip
from budew.errors import AudioError, BudewWarning, InputError, JobError, first_line
from budew.inference.backends import (
    Backend,
    DecodingOptions,
    FeatureBatch,
    GeneratedText,
    TransformersBackend,
)
from budew.inference.batching import gathered, padded_seconds, prefetch
from budew.inference.captioned_recording import (
    NO_SPEECH,
    SHORTEST_SOUND,
    SILENCE,
    TOO_SHORT,
    CaptionedRecording,
    FailedRecording,
)
from budew.inference.local_backends import load_local
from budew.inference.options import ModelOptions, WritingOptions
from budew.inference.recording_state import RecordingState
from budew.inference.recordings import Audio, Recording, from_audio, from_clip
from budew.inference.resume_file import ResumeFile
from budew.inference.speaker_turns import read_turns
from budew.model.checkpoint import Checkpoint
from budew.model.generate import checked_beams
from budew.segmentation.voice_activity import load_speech_detector

Result = CaptionedRecording | FailedRecording


class Captioner:
    """Captions audio with one model. Create it once: loading takes longer than captioning a clip.

    Attributes:
        backend: the loaded model.
        options: how captions are written, as given.
        decoding: decoding options that follow from `options`; the beam width is that of the checkpoint unless
            it is given, and the prompt is empty for a model that was trained without prompts.
        seconds: decoding options → seconds that encoder and decoder have taken so far.
    """

    def __init__(self, backend: Backend | Checkpoint, options: WritingOptions | None = None) -> None:
        """Create a captioner from a loaded model.

        Args:
            backend: result of `budew.inference.loading.load_backend`, or of
                `budew.model.checkpoint.load_checkpoint`.
            options: how captions are written; None for the defaults of `WritingOptions`. A checkpoint that
                was trained without prompts ignores style and parts, with a warning.

        Raises:
            MissingExtraError: `options.windows` is "speech", and the voice detector is not installed.
            InputError: the beam width is out of range, the backend cannot sample, or the RTTM file is
                missing.
        """
        self.backend = TransformersBackend(backend) if isinstance(backend, Checkpoint) else backend
        self.options = options or WritingOptions()
        self.decoding = self._decoding()
        self.seconds: dict[DecodingOptions, float] = defaultdict(float)
        windows = self.options.windows
        if windows == "speech":
            load_speech_detector()
        self._turns = read_turns(windows) if isinstance(windows, Path) else {}

    @classmethod
    def from_pretrained(
        cls, model: str | Path | Sequence[str | Path] | None = None, **options: Any
    ) -> "Captioner":
        """Load a checkpoint, and create a captioner.

        Short for `Captioner(load_backend(ModelOptions(…)), WritingOptions(…))`. Use the long form for a model
        on a server (`ModelOptions(server=…)`).

        Args:
            model: folder of a checkpoint, or its hub id; several of them for an ensemble. None: the
                checkpoint that the environment variable `BUDEW_MODEL` names, else the one in this package,
                which needs no network.
            options: other fields of `ModelOptions` (not `server`), and fields of `WritingOptions`, such as
                `device="cuda"`, `num_samples=16` or `windows="speech"`.

        Raises:
            CheckpointError, MissingExtraError, InputError: the checkpoint cannot be loaded, a library is
                missing, or an option is invalid.
            TypeError: unknown option.

        Example:
            >>> from budew import Captioner
            >>> captioner = Captioner.from_pretrained(dtype="float32", num_samples=4)
            >>> captioner.backend.sampling_rate
            16000
        """
        names = {field.name for field in fields(WritingOptions)}
        writing = {name: value for name, value in options.items() if name in names}
        others = {name: value for name, value in options.items() if name not in names}
        checkpoint = model if model is None or isinstance(model, str | Path) else tuple(model)
        return cls(load_local(ModelOptions(checkpoint, **others)), WritingOptions(**writing))

    @overload  # a str is a sequence of str as well: the first signature wins
    def __call__(  # type: ignore[overload-overlap]
        self, audio: Audio, *, sampling_rate: int | None = None
    ) -> CaptionedRecording: ...
    @overload
    def __call__(
        self, audio: Sequence[Audio], *, sampling_rate: int | None = None
    ) -> list[CaptionedRecording]: ...
    def __call__(
        self, audio: Audio | Sequence[Audio], *, sampling_rate: int | None = None
    ) -> CaptionedRecording | list[CaptionedRecording]:
        """Caption one recording, or a list of them.

        Args:
            audio: path, encoded bytes, file opened for bytes, samples of shape (n,), (n, channels) or
                (channels, n) as array or tensor, or a mapping as in `datasets` (see `from_audio`); or a list
                or tuple of these.
            sampling_rate: sampling rate of samples in Hz; None for files and mappings, which state their
                rate.

        Returns:
            The captioned recording, or a list of them if `audio` is a list or tuple.

        Raises:
            InputError: `audio` has another type, or samples have no sampling rate.
            AudioError: a recording cannot be decoded or is too short; `caption_each` continues instead.
            JobError: the model failed, for example because memory is full.

        Example:
            >>> from budew import Captioner, read
            >>> from budew.io.resources import data_folder
            >>> clip = next(iter(read(data_folder("demo_clips") / "clips.tar")))
            >>> captioned = Captioner.from_pretrained()(clip.audio)
            >>> captioned.vector().shape
            (40,)
        """
        if isinstance(audio, list | tuple):
            return list(self.caption_recordings([from_audio(item, sampling_rate) for item in audio]))
        assert not isinstance(audio, Sequence) or isinstance(audio, str | bytes)  # noqa: S101  # for mypy
        return next(self.caption_recordings([from_audio(audio, sampling_rate)]))

    def caption_each(
        self, recordings: Iterable[Recording], resume: ResumeFile | None = None
    ) -> Iterator[Result]:
        """Caption recordings, lazily and in order; one that cannot be read gives a `FailedRecording`.

        Args:
            recordings: recordings, for example from `budew.inference.file_captioning.from_paths`.
            resume: file with the captions of windows from an earlier run. These windows are not captioned
                again, and captions of new windows are appended to it.
        """
        return (result for (result,) in self._caption(recordings, [self.decoding], resume, self._seed))

    def caption_clips(self, clips: Iterable[Clip]) -> Iterator[Result]:
        """Caption the clips of a corpus, lazily and in order; `source` of each result is the clip id."""
        return (result for (result,) in self.caption_decodings(clips, [self.decoding]))

    def caption_decodings(
        self, clips: Iterable[Clip], decodings: Sequence[DecodingOptions]
    ) -> Iterator[tuple[Result, ...]]:
        """Caption clips with several decodings in one encoder pass; yield a result per decoding.

        Captions are in the words of the model, also those of clips longer than a window.
        """
        return self._caption(map(from_clip, clips), decodings)

    def caption_recordings(
        self, recordings: Iterable[Recording], decoding: DecodingOptions | None = None
    ) -> Iterator[CaptionedRecording]:
        """Caption recordings, lazily and in order; one that cannot be decoded is an error.

        Args:
            recordings: recordings, for example from `budew.inference.file_captioning.from_paths`.
            decoding: decoding options; None for those of this captioner.

        Raises:
            AudioError: a recording cannot be decoded.
        """
        for (result,) in self._caption(recordings, [decoding or self.decoding], seed=self._seed):
            if isinstance(result, FailedRecording):
                raise AudioError(str(result))
            yield result

    def _decoding(self) -> DecodingOptions:
        options, backend, prompt = self.options, self.backend, self.options.prompt
        if options.num_samples and not backend.can_sample:
            raise InputError(
                f"{backend.runs_on} cannot sample reproducibly: use the backend transformers, "
                "or leave out num_samples"
            )
        if prompt and not backend.trained_with_prompts:
            warnings.warn(
                f"{backend.name} was trained without prompts: style and parts are ignored",
                BudewWarning,
                stacklevel=3,
            )
            prompt = ""
        beams = backend.num_beams if options.num_beams is None else options.num_beams
        return DecodingOptions(checked_beams(beams, backend.name), options.num_samples, prompt)

    def _caption(
        self,
        recordings: Iterable[Recording],
        decodings: Sequence[DecodingOptions],
        resume: ResumeFile | None = None,
        seed: int | None = None,
    ) -> Iterator[tuple[Result, ...]]:
        """Caption batches, and yield the recordings that are complete, in order."""
        waiting: deque[RecordingState] = deque()
        curves = self.options.presence
        states = (RecordingState(self._cut(one), decodings, curves, seed) for one in recordings)
        windows = self._windows(states, waiting, resume)
        batches = gathered(windows, self._padded, self.options.batch_size)
        for batch in prefetch(map(self._prepared, batches)):
            if batch is not None:
                self._write(batch, decodings, resume)
            while waiting and waiting[0].is_complete:
                yield waiting.popleft().results()

    def _write(
        self, batch: "_Batch", decodings: Sequence[DecodingOptions], resume: ResumeFile | None
    ) -> None:
        """Run the model on a batch, and store the captions in the states of the recordings."""
        with model_errors(self.backend.runs_on, batch.source, len(batch.windows)):
            generated = self.backend.write(batch.features, decodings)
        for decoding, made in zip(decodings, generated, strict=True):
            self.seconds[decoding] += made.seconds
        by_window = zip(*(made.texts for made in generated), strict=True)
        for (state, place, window), texts in zip(batch.windows, by_window, strict=True):
            state.write(place, window, texts)
            if resume is not None and place and texts[0].fault is None:  # first windows are cheap to repeat
                resume.append_text(state.source, window, texts[0])

    def _windows(
        self,
        states: Iterable[RecordingState],
        waiting: deque[RecordingState],
        resume: ResumeFile | None,
    ) -> "Iterator[_Place | None]":
        """Yield windows with sound and without a stored caption; None after a recording that has none."""
        for state in states:
            waiting.append(state)
            for place, window in state.read(self.backend.window_seconds, self.backend.sampling_rate):
                text = None if resume is None else resume.text_of(state.source, window)
                if text is None and (marker := self._marker(window)):
                    text = GeneratedText(marker)
                if text is None:
                    yield state, place, window
                else:
                    state.write(place, window, [text] * len(state.decodings))
            if state.is_complete:
                yield None

    def _marker(self, window: Window) -> str:
        """Return the caption of a window on which the model is not run; "" for one with enough sound."""
        if not len(window.samples):
            return NO_SPEECH
        sound = seconds_of_sound(window.samples, self.backend.sampling_rate)
        return "" if sound >= SHORTEST_SOUND else TOO_SHORT if sound else SILENCE

    @property
    def _seed(self) -> int | None:
        return self.options.seed if self.options.wording == "varied" else None

    def _cut(self, recording: Recording) -> Recording:
        if isinstance(self.options.windows, Path):
            return recording.at_turns(self._turns)
        return recording.at_speech() if self.options.windows == "speech" else recording

    def _padded(self, place: "_Place") -> float:
        return padded_seconds(self.backend, len(place[2].samples))

    def _prepared(self, gathered: "tuple[float, list[_Place]] | None") -> "_Batch | None":
        if gathered is None:
            return None
        seconds, windows = gathered
        source = windows[0][0].source
        with model_errors(self.backend.runs_on, source, len(windows)):
            features = self.backend.prepare([window.samples for _, _, window in windows], seconds)
        return _Batch(source, windows, features)


_Place = tuple[RecordingState, int, Window]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Batch of windows for the model. `source`: name of the recording of the first window, for errors."""

    source: str
    windows: list[_Place]
    features: FeatureBatch


@contextmanager
def model_errors(runs_on: str, source: str, windows: int) -> Iterator[None]:
    """Context manager that turns any error of a model into a `JobError` of one sentence.

    It names library and device (`runs_on`), the first recording (`source`) and the number of windows of the
    batch.
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
