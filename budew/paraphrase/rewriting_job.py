"""The rewriting job: captions for each clip with the meaning of template captions, in other words.

A backend writes candidates, and the gate judges them. If all are refused, others are requested with the
reasons; then a candidate is repaired, or a template is used and marked as such. So every clip gets all its
captions. The counts of candidates are in the metadata of each clip, under `paraphrase`;
`budew paraphrase report` sums them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from pydantic import Field, InstanceOf

from budew.captions import expressible, parse, render
from budew.captions.caption_prompt import Style
from budew.captions.content_selection import denied_emotions
from budew.chat.ordered_requests import in_order, open_in_thread
from budew.corpora.clip import Clip
from budew.errors import CorpusError
from budew.io.resources import folder_sha256
from budew.io.settings import Settings
from budew.jobs.job import OnFailed
from budew.paraphrase.backend import RewritingBackend
from budew.paraphrase.candidate_selection import METADATA, PendingCaption, PendingClip
from budew.paraphrase.gate import Gate, judge
from budew.paraphrase.prompts import Prompts, load_prompts
from budew.profile import VoiceProfile
from budew.randomness import derived_seed

_LONGEST_TEMPLATE = 2_000
"""Most characters of a template caption that is parsed; a profile of ten parts needs at most about 600."""
_TALLIES = {
    "accepted": "accepted",
    "retried": "asked again",
    "repaired": "repaired",
    "refused": "refused",
    "unanswered": "unanswered",
    "fallbacks": "templates",
}
"""Counts that the progress display shows, and their labels."""
_StartedClip = tuple[Clip, PendingClip | Exception]


class Rewriting(Settings):
    """Settings of rewriting that are independent of the backend.

    Example:
        >>> Rewriting(per_clip=4, gate=Gate(tolerance=0)).attempts
        3
    """

    per_clip: int = Field(
        default=1, ge=1, description="Number of captions for each clip, in different styles."
    )
    attempts: int = Field(
        default=3,
        ge=1,
        description="Most requests for a caption; after the first, they contain the reasons of the refusals.",
    )
    candidates: int = Field(
        default=2,
        ge=1,
        description="Number of candidates in each request; the first that the gate accepts is used.",
    )
    seed: int = Field(default=0, description="Random seed; combined with the id of the clip.")
    gate: Gate = Field(default_factory=Gate, description="Limits of the gate.")
    repair: bool = Field(
        default=True, description="Append omitted emotions, bursts and traits to candidates that omit them."
    )
    keep_templates: bool = Field(
        default=False, description="Keep the template captions of a clip in addition to the new captions."
    )
    keep_refused: bool = Field(
        default=True,
        description="Keep refused candidates in the metadata, for budew paraphrase report and harvest.",
    )
    prompts: InstanceOf[Prompts] = Field(
        default_factory=load_prompts, exclude=True, description="Prompts; all backends use their styles."
    )

    def start(self, clip: Clip) -> PendingClip:
        """Return the state of a clip before its captions are written.

        Raises:
            CorpusError: the clip has no profile.
        """
        targets = target_profiles(clip)
        if not targets:
            raise CorpusError(f"clip {clip.id!r} has no profile to compare captions with: annotate it first")
        pending = []
        for number in range(self.per_clip):
            target, style = targets[number % len(targets)], self.prompts.style_of(self.seed, clip.id, number)
            source_style = self.prompts.styles[style].source_style
            source = source_caption(clip.id, number, target, seed=self.seed, style=source_style)
            pending.append(PendingCaption(number, target, source, style))
        return PendingClip(clip.id, pending, self.gate, self.seed, clip.transcript or "")

    async def rewrite(self, clips: Sequence[PendingClip], backend: RewritingBackend) -> None:
        """Have a backend write all captions of some clips; changes `clips` in place.

        One call of the backend has a request for each missing caption; there are at most `attempts` calls.
        """
        for _ in range(self.attempts):
            waiting = [(clip, pending) for clip in clips for pending in clip.pending if not pending.caption]
            if not waiting:
                break
            requests = [clip.request(pending, n=self.candidates) for clip, pending in waiting]
            answers = await backend.rewrite(requests)
            for (clip, pending), request, answer in zip(waiting, requests, answers, strict=True):
                clip.select(pending, request, answer)
        for clip in clips:
            clip.finish(repair=self.repair)


@dataclass(frozen=True, slots=True)
class Paraphrase:
    """A `budew.jobs.Job` that gives each clip captions that a backend wrote and the gate accepted.

    The new captions replace template captions and earlier paraphrases; other captions are kept.

    Attributes:
        backend: backend that writes candidates.
        rewriting: settings that are independent of the backend.
        name: name of the job.

    Example:
        >>> from budew.paraphrase import GrammarBackend
        >>> sad = VoiceProfile({"Sadness": 0.75}, traits={"gender": "female"})
        >>> job = Paraphrase(GrammarBackend(), Rewriting(per_clip=2, seed=7))
        >>> (clip,) = job.run(iter([Clip("a", b"", "wav", profile=sad)]), print)
        >>> [parse(caption.text).profile == sad for caption in clip.captions]
        [True, True]
    """

    backend: RewritingBackend
    rewriting: Rewriting = field(default_factory=Rewriting)
    name: str = "paraphrase"

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the captions (backend, prompts, rewriting), as JSON values."""
        return {
            "backend": dict(self.backend.settings()),
            "prompt_sha256": self.rewriting.prompts.sha256(),
            "templates_sha256": folder_sha256("caption_templates"),
            **self.rewriting.model_dump(mode="json"),
        }

    @property
    def tallies(self) -> tuple[str, ...]:
        """Labels of the counts in the progress display."""
        return tuple(_TALLIES.values())

    def tally(self, clip: Clip) -> Mapping[str, int]:
        """Return the counts of a clip by label, to be added up in the progress display."""
        counts = clip.metadata.get(METADATA, {})
        return {label: counts.get(name, 0) for name, label in _TALLIES.items()}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Yield the clips with new captions, in order; call `failed` for clips without a profile.

        Raises:
            JobError: the backend cannot answer any request.
        """
        with open_in_thread(lambda: self.backend) as (loop, backend):
            batches = in_order(
                _batches(map(self._started, clips), backend.batch),
                lambda batch: self.rewriting.rewrite(
                    [pending for _, pending in batch if isinstance(pending, PendingClip)], backend
                ),
                loop=loop,
                ahead=backend.ahead,
            )
            with closing(batches):
                for batch, done in batches:
                    yield from self._finished(batch, done.exception(), failed)

    def _started(self, clip: Clip) -> _StartedClip:
        try:
            return clip, self.rewriting.start(clip)
        except Exception as error:  # noqa: BLE001  # reported in `_finished`, as the failure of this clip
            return clip, error

    def _finished(
        self, batch: Sequence[_StartedClip], batch_error: BaseException | None, failed: OnFailed
    ) -> Iterator[Clip]:
        for clip, pending in batch:
            error = pending if isinstance(pending, Exception) else batch_error
            if isinstance(pending, PendingClip) and error is None:
                yield self._with_captions(clip, pending)
            elif isinstance(error, Exception):
                failed(clip.id, error)
            elif error is not None:
                raise error

    def _with_captions(self, clip: Clip, pending: PendingClip) -> Clip:
        replaced = ("paraphrase",) if self.rewriting.keep_templates else ("render", "paraphrase")
        kept = tuple(caption for caption in clip.captions if caption.made_by.get("by") not in replaced)
        metadata = pending.metadata(keep_refused=self.rewriting.keep_refused)
        captions = kept + pending.captions()
        return replace(clip, captions=captions, metadata={**clip.metadata, METADATA: metadata})


def _batches(clips: Iterable[_StartedClip], size: int) -> Iterator[list[_StartedClip]]:
    left = iter(clips)
    while batch := list(islice(left, size)):
        yield batch


def target_profiles(clip: Clip) -> tuple[VoiceProfile, ...]:
    """Return the profiles that the new captions of a clip must express; () if the clip has no profile.

    They are the parsed profiles of its template captions, without duplicates, since a template may express
    only the strongest emotions. Templates that say anything beyond the profile of the clip are ignored. If
    none is left, the result is the profile of the clip.
    """
    if clip.profile is None:
        return ()
    denied = denied_emotions(clip.profile)
    whole = _unrated_if_silent(expressible(clip.profile), denied, silent=not clip.profile.fully_rated)
    targets = {}
    for caption in clip.captions:
        part = _parsed_part(caption.text, whole) if caption.made_by.get("by") == "render" else None
        if part is not None:
            denied = () if part.fully_rated else part.rated
            target = _unrated_if_silent(part, denied, silent=not whole.fully_rated or bool(whole.emotions))
            targets[target] = True
    return tuple(targets) or (whole,)


def source_caption(
    id: str, number: int, target: VoiceProfile, *, seed: int, style: Style | None = None
) -> str:
    """Render the template caption that a backend rewrites into a new caption of a clip.

    Args:
        id: id of the clip.
        number: number of the caption among the captions of the clip, from 0.
        target: profile that the caption must express.
        seed: random seed.
        style: style of template captions; None for any.
    """
    return render(target, seed=derived_seed("source", id, seed, number), style=style)


def _unrated_if_silent(profile: VoiceProfile, denied: Sequence[str], *, silent: bool) -> VoiceProfile:
    """Return a profile; if `silent` and no emotion is present, only the emotions in `denied` are rated."""
    rated = denied if silent and not profile.emotions else profile.rated
    return VoiceProfile(profile.emotions, profile.bursts, profile.traits, rated)


def _parsed_part(text: str, whole: VoiceProfile) -> VoiceProfile | None:
    """Return the parsed profile of a caption if all of it is in `whole`, else None."""
    if len(text) > _LONGEST_TEMPLATE:
        return None
    parsed = parse(text)
    part = parsed.profile
    if parsed.absent and not part.emotions:
        part = VoiceProfile({}, part.bursts, part.traits, rated=parsed.absent)
    within = (
        part.emotions.items() <= whole.emotions.items()
        and (part.fully_rated or set(part.rated) <= set(whole.rated))
        and set(part.bursts) <= set(whole.bursts)
        and part.traits.items() <= whole.traits.items()
    )
    is_empty = part == VoiceProfile() and bool(whole.emotions or whole.bursts or whole.traits)
    return part if within and not is_empty and judge(text, part, Gate(tolerance=0)).accepted else None
