"""`CaptionClips`: a job that captions the clips of a corpus; the profile is what the captions say."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from budew.corpora.clip import Caption, Clip
from budew.errors import BudewError, CorpusError, JobError
from budew.inference.captioned import Captioned, Failure
from budew.inference.captioner import Captioner
from budew.jobs import OnFailed
from budew.model.checkpoint import identity

if TYPE_CHECKING:
    from budew.inference.server import CaptionServer

MADE_BY = "model"


@dataclass(frozen=True, slots=True)
class CaptionClips:
    """The job `caption`. Earlier captions by a model are replaced, others and the audio are kept.

    Attributes:
        model, backend, device, dtype, server: as for `Captioner.from_pretrained`.
        captions: of each clip; one is the likeliest, several are sampled, and the profile is their consensus.
        num_beams, style, parts, batch_size: as for `Captioner`.
        keep_profile: keep the profile of clips that have one.
    """

    model: str | Path | tuple[str | Path, ...] | None = None
    backend: str | None = None
    device: str | None = None
    dtype: str | None = None
    server: "CaptionServer | None" = None
    captions: int = 1
    num_beams: int | None = None
    style: str | None = None
    parts: str | None = None
    batch_size: int = 16
    keep_profile: bool = False
    name: ClassVar[str] = "caption"

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the captions: the hash of the weights, and the options."""
        named = ("backend", "dtype", "captions", "num_beams", "style", "parts", "keep_profile")
        return {"model": _weights(self), **{name: getattr(self, name) for name in named}}

    def captioner(self) -> Captioner:
        """Return what captions; it is loaded once in each process.

        Raises:
            CheckpointError, MissingExtraError, InputError: as of `Captioner.from_pretrained`.
        """
        return self._loaded()[0]

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Caption clips in their order.

        Raises:
            JobError: the checkpoint cannot be loaded, or the model failed.
        """
        try:
            captioner, weights = self._loaded()
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
            if isinstance(result, Failure):
                failures.append((clip.id, CorpusError(f"clip {clip.id!r}: {result.reason}")))
            else:
                yield self._captioned(clip, result, made_by)
        for failure in failures:  # not before: clips that cannot be read are reported from another thread
            failed(*failure)

    def _loaded(self) -> tuple[Captioner, str]:
        return _loaded(replace(self, keep_profile=False))

    def _captioned(self, clip: Clip, result: Captioned, made_by: Mapping[str, str]) -> Clip:
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
def _loaded(job: CaptionClips) -> tuple[Captioner, str]:
    captioner = Captioner.from_pretrained(
        job.model,
        backend=job.backend,
        device=job.device,
        dtype=job.dtype,
        server=job.server,
        batch_size=job.batch_size,
        num_beams=job.num_beams,
        num_samples=job.captions if job.captions > 1 else 0,
        style=job.style,
        parts=job.parts,
    )
    return captioner, _weights(job)


def _weights(job: CaptionClips) -> str:
    if job.server is not None:
        return job.server.model
    return " + ".join(map(identity, job.model if isinstance(job.model, tuple) else (job.model,)))
