"""`CaptionClips`: a job that captions the clips of a corpus; profiles are parsed from the captions."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, ClassVar

from budew.corpora.clip import Caption, Clip
from budew.errors import BudewError, CorpusError, JobError
from budew.inference.captioned_recording import CaptionedRecording, FailedRecording
from budew.inference.captioner import Captioner
from budew.inference.loading import identity_of, load_backend
from budew.inference.options import ModelOptions, WritingOptions
from budew.jobs import OnFailed

MADE_BY = "model"


@dataclass(frozen=True, slots=True)
class CaptionClips:
    """The job `caption`: adds captions of a model, and profiles parsed from them, to clips.

    Captions of an earlier run of this job are replaced; other captions and the audio are kept.

    Attributes:
        model: which model writes the captions.
        writing: how captions are written. With `num_samples`, a clip gets all sampled captions, and as
            profile the mean of their parses without weak emotions; without, one caption and its parse.
        keep_profile: whether clips that already have a profile keep it.

    Example:
        >>> job = CaptionClips(writing=WritingOptions(num_samples=4))
        >>> job.settings()["captions"]
        4
    """

    model: ModelOptions = field(default_factory=ModelOptions)
    writing: WritingOptions = field(default_factory=WritingOptions)
    keep_profile: bool = False
    name: ClassVar[str] = "caption"

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the captions: the hash of the weights, and the options."""
        writing = self.writing
        return {
            "model": identity_of(self.model),
            "backend": self.model.backend,
            "dtype": self.model.dtype,
            "captions": writing.num_samples or 1,
            "num_beams": writing.num_beams,
            "style": writing.style,
            "parts": writing.parts,
            "keep_profile": self.keep_profile,
        }

    def captioner(self) -> Captioner:
        """Return the captioner, which is loaded once per process.

        Raises:
            CheckpointError, MissingExtraError, InputError: see `Captioner.from_pretrained`.
        """
        return _loaded(self.model, self.writing)[0]

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Caption clips in order.

        Args:
            clips: clips to caption.
            failed: called with id and error of each clip that cannot be captioned.

        Raises:
            JobError: the checkpoint cannot be loaded, or the model failed.
        """
        try:
            captioner, weights = _loaded(self.model, self.writing)
        except (BudewError, OSError) as error:
            raise JobError(str(error)) from error
        made_by = {"by": MADE_BY, "model": captioner.backend.name, "weights": weights}
        waiting: deque[Clip] = deque()
        failures: list[tuple[str, CorpusError]] = []

        def given() -> Iterator[Clip]:
            for clip in clips:
                waiting.append(clip)
                yield clip

        for result in captioner.caption_clips(given()):
            clip = waiting.popleft()
            if isinstance(result, FailedRecording):
                failures.append((clip.id, CorpusError(f"clip {clip.id!r}: {result.reason}")))
            else:
                yield self._captioned(clip, result, made_by)
        for failure in failures:  # only now, because another thread reports clips that cannot be read
            failed(*failure)

    def _captioned(self, clip: Clip, result: CaptionedRecording, made_by: Mapping[str, str]) -> Clip:
        by_window = [window.samples or (window.text,) for window in result.windows]
        texts = [" ".join(filter(None, parts)) for parts in zip(*by_window, strict=True)]
        captions = [Caption(text, made_by) for text in dict.fromkeys(texts) if text]
        others = [caption for caption in clip.captions if caption.kind != MADE_BY]
        profile = clip.profile if self.keep_profile and clip.profile else result.profile
        damage = {"damaged": result.damaged} if result.damaged else {}
        return replace(
            clip,
            captions=(*others, *captions),
            profile=profile,
            metadata={**clip.metadata, **damage},
        )


@lru_cache(maxsize=1)
def _loaded(model: ModelOptions, writing: WritingOptions) -> tuple[Captioner, str]:
    return Captioner(load_backend(model), writing), identity_of(model)
