"""Predictors of profiles: a captioner, or a file of predictions made elsewhere.

Every benchmark has the same shape: clips with their labels → predictions → scores. The clips are read once
and one by one; `predicted` pairs each with its prediction, whichever predictor is used.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from pydantic import Field

from budew.corpora.clip import Clip
from budew.corpora.media import AUDIO, Media
from budew.curation.overlap import name_keys
from budew.errors import InputError
from budew.evaluation.pairs import Skipped
from budew.evaluation.prediction_files import NamedClips, Prediction, audio_name, read_predictions
from budew.inference.options import ModelOptions, WritingOptions
from budew.io.settings import Settings
from budew.model.trained_clips import TrainingOverlap, joined_clips, read_trained_clips
from budew.taxonomy.rating_scales import INTENSITY

if TYPE_CHECKING:
    from budew.inference.backends import DecodingOptions
    from budew.inference.captioner import Captioner

Labelled = TypeVar("Labelled")


class Decoding(Settings):
    """How a model makes scores: from one caption by beam search, or as the mean over K sampled captions."""

    num_beams: int = Field(default=1, ge=1, description="beam width; 1: greedy; unused with samples")
    num_samples: int = Field(
        default=0, ge=0, description="number of sampled captions; 0: one caption by beam search"
    )

    @property
    def name(self) -> str:
        """Short name for tables."""
        if self.num_samples:
            return f"K = {self.num_samples}"
        return "greedy" if self.num_beams == 1 else f"{self.num_beams} beams"


class Predictor(Protocol):
    """Predicts the profiles of clips.

    Attributes:
        name: name of the model or of the file.
        reads_audio: whether the clips must have their audio.
        model, decoding: identity of the checkpoint and how it decodes, which a calibration must match; None
            for a file.
        trained_on: counts the predicted clips that the model was trained on.
    """

    @property
    def name(self) -> str: ...  # noqa: D102  # described above
    @property
    def reads_audio(self) -> bool: ...  # noqa: D102
    @property
    def model(self) -> str | None: ...  # noqa: D102
    @property
    def decoding(self) -> Decoding | None: ...  # noqa: D102
    @property
    def trained_on(self) -> TrainingOverlap: ...  # noqa: D102

    def predict(self, clips: Iterable[Clip], skipped: list[Skipped]) -> Iterator[Prediction | None]:
        """Yield the prediction of each clip, lazily and in order; None for a clip without one.

        Args:
            clips: clips to predict; with audio if `reads_audio`.
            skipped: list to which clips are added that cannot be captioned, or only in part.
        """

    def check_complete(self, data: str) -> None:
        """Check, after `predict`, that no clip of `data` lacked a prediction.

        Raises:
            InputError: names some of these clips.
        """


@dataclass(frozen=True)
class ModelPredictor:
    """Predictor that runs a captioner, which is loaded at the first prediction.

    Attributes:
        options: which model is loaded, its backend and device.
        writing: settings of the captions, such as the beam width.

    Example:
        >>> from budew.corpora import read
        >>> from budew.io.resources import data_folder
        >>> clip = next(iter(read(data_folder("demo_clips") / "clips.tar")))
        >>> (prediction,) = ModelPredictor(ModelOptions(device="cpu")).predict([clip], skipped=[])
        >>> prediction.caption is None
        False
    """

    options: ModelOptions = field(default_factory=ModelOptions)
    writing: WritingOptions = field(default_factory=WritingOptions)
    reads_audio = True

    @cached_property
    def captioner(self) -> "Captioner":
        """The captioner; loaded when it is first used."""
        from budew.inference.captioner import Captioner  # torch takes seconds, and a file does not need it
        from budew.inference.loading import load_backend

        return Captioner(load_backend(self.options), self.writing)

    @cached_property
    def trained_on(self) -> TrainingOverlap:
        """Counts the predicted clips that the checkpoint was trained on."""
        from budew.model.checkpoint import find_checkpoint

        folders = [find_checkpoint(one)[0] for one in self.options.checkpoints]
        return TrainingOverlap(joined_clips(map(read_trained_clips, folders)))

    @property
    def name(self) -> str:
        """Name of the checkpoint or of the model on a server."""
        return self.captioner.backend.name

    @property
    def model(self) -> str:
        """Identity of the checkpoint: a hash of its weights, or its name on a server."""
        from budew.inference.loading import identity_of

        return identity_of(self.options)

    @property
    def decoding(self) -> Decoding:
        """Beam width and number of samples; samples ignore the beam width, which is then the default."""
        decoding = self.captioner.decoding
        if decoding.num_samples:
            return Decoding(num_samples=decoding.num_samples)
        return Decoding(num_beams=decoding.num_beams)

    def predict(self, clips: Iterable[Clip], skipped: list[Skipped]) -> Iterator[Prediction | None]:
        """Caption each clip; see `Predictor.predict`."""
        predictions = self.predict_decodings(clips, [self.decoding], skipped)
        return (None if found is None else found[0] for found in predictions)

    def predict_decodings(
        self, clips: Iterable[Clip], decodings: Sequence[Decoding], skipped: list[Skipped]
    ) -> Iterator[tuple[Prediction, ...] | None]:
        """Caption each clip with each of `decodings`; yield predictions in this order, None if skipped."""
        from budew.inference.captioned_recording import FailedRecording

        captioner = self.captioner
        ways = list(map(self._way, decodings))
        given, captioned = tee(clips)  # holds the clips of a few batches
        # Results come first: the captioner reads clips in another thread, and a clip with a result was read.
        for results, clip in zip(captioner.caption_decodings(captioned, ways), given, strict=True):
            first = results[0]
            fault = first.reason if isinstance(first, FailedRecording) else first.damaged
            if fault is not None:  # the label holds for the whole clip
                skipped.append(Skipped(clip.id, fault))
                yield None
            else:
                self.trained_on.add(clip.id, name_keys(clip), clip.encoded())
                yield tuple(
                    Prediction(
                        result.profile,
                        result.caption,
                        result.expected if way.num_samples else None,
                        result.presence,
                    )
                    for result, way in zip(results, ways, strict=True)
                    if not isinstance(result, FailedRecording)
                )

    def seconds(self, decoding: Decoding) -> float:
        """Return the seconds that encoder and decoder have spent on one decoding."""
        return self.captioner.seconds[self._way(decoding)]

    def warm_up(self) -> None:
        """Run the model once on noise, as the first run takes longer, and reset the measured seconds."""
        noise = np.random.default_rng(0).normal(0, 0.1, self.captioner.backend.sampling_rate)
        self.captioner(noise.astype(np.float32), sampling_rate=self.captioner.backend.sampling_rate)
        self.captioner.seconds.clear()

    def _way(self, decoding: Decoding) -> "DecodingOptions":
        return replace(self.captioner.decoding, **decoding.model_dump())

    def check_complete(self, data: str) -> None:
        """Do nothing: only clips that were skipped lack a prediction. See `Predictor.check_complete`."""


class FilePredictor:
    """Predictor that looks up the captions or scores of any model in a file.

    Example:
        >>> _ = Path("scores.jsonl").write_text('{"file": "a.wav", "Anger": 3}')
        >>> (prediction,) = FilePredictor("scores.jsonl", scale="0-4").predict([Clip("a", b"", "")], [])
        >>> dict(prediction.profile.emotions)
        {'Anger': 0.75}
    """

    reads_audio = False
    model = None
    decoding = None

    def __init__(self, path: str | Path, *, scale: str = INTENSITY.name, media: Media = AUDIO) -> None:
        """Read a file of predictions.

        Args:
            path: file or folder, see `budew.evaluation.prediction_files.read_predictions`; ids are names of
                audio files, with or without suffix and folder, or ids of clips.
            scale: scale of the scores in the file, such as "0-4".
            media: `IMAGE` for shards of images that `budew face annotate` wrote.

        Raises:
            InputError: the predictions cannot be read; the error names file and line.
        """
        self.path = path
        self.scale = scale
        self.name = Path(path).name
        self._predictions = NamedClips(read_predictions(path, scale=scale, media=media))
        self.trained_on = TrainingOverlap()
        self._used: set[str] = set()
        self._lacking: list[str] = []

    @property
    def unused(self) -> int:
        """Number of predictions that no clip has used so far."""
        return len(self._predictions.keys() - self._used)

    def predict(self, clips: Iterable[Clip], skipped: list[Skipped]) -> Iterator[Prediction | None]:
        """Find the prediction of each clip by its id, else by the name of its audio file; see `Predictor`."""
        for clip in clips:
            names = (clip.id, audio_name(clip))
            keys = (self._predictions.key_of(name) for name in names)
            key = next((key for key in keys if key is not None), None)
            if key is None:
                self._lacking.append(audio_name(clip))
                yield None
            else:
                self._used.add(key)
                yield self._predictions[key]

    def check_complete(self, data: str) -> None:
        """Raise an error if clips had no prediction; see `Predictor.check_complete`."""
        if self._lacking:
            raise InputError(
                f"{self.path} has no prediction for {len(self._lacking)} clips of {data}, such as "
                f"{', '.join(map(repr, self._lacking[:5]))}: predict every clip, null where the model refuses"
            )


def predicted(
    labelled: Iterable[Labelled],
    clip_of: Callable[[Labelled], Clip],
    predictor: Predictor,
    skipped: list[Skipped],
) -> Iterator[tuple[Labelled, Prediction | None]]:
    """Yield each item with the prediction of its clip, lazily and in order; None where there is none.

    Args:
        labelled: items, such as clips with their labels.
        clip_of: returns the clip of an item.
        predictor: predicts the clips.
        skipped: clips that cannot be captioned, or only in part, are added to this list.
    """
    items, clips = tee(labelled)
    predictions = predictor.predict(map(clip_of, clips), skipped)
    # Predictions come first: a predictor may read clips in another thread, and a predicted clip was read.
    return ((item, prediction) for prediction, item in zip(predictions, items, strict=True))
