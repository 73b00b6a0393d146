"""The rewriting job: several captions for each clip, in other words than a template's, with the same meaning.

A backend is asked for candidates and the gate judges them. A refused candidate is requested again with the
reasons, repaired, or replaced by a template marked as such: every clip gets its captions. Each clip keeps the
counts of its candidates in its metadata, under `paraphrase`; `budew paraphrase report` sums them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from pydantic import Field, InstanceOf

from budew.captions import expressible, parse, render
from budew.captions.caption_prompt import Style
from budew.chat.ordered_requests import in_order, open_in_thread
from budew.corpora.clip import Clip
from budew.errors import CorpusError
from budew.io.settings import Settings
from budew.jobs.job import OnFailed
from budew.paraphrase.backend import RewritingBackend
from budew.paraphrase.candidate_selection import METADATA, PendingCaption, PendingClip
from budew.paraphrase.gate import Gate, judge
from budew.paraphrase.prompts import Prompts, load_prompts
from budew.profile import VoiceProfile
from budew.randomness import derived_seed

_LONGEST_TEMPLATE = 2_000
"""Characters; the fullest rendering of a profile of ten parts has some 600."""
_TALLIES = {
    "accepted": "accepted",
    "retried": "asked again",
    "repaired": "repaired",
    "refused": "refused",
    "unanswered": "unanswered",
    "fallbacks": "templates",
}
"""Counts shown with the progress, and their labels."""
_StartedClip = tuple[Clip, PendingClip | Exception]


class Rewriting(Settings):
    """How captions are rewritten, whatever backend writes them.

    Example:
        >>> Rewriting(per_clip=4, gate=Gate(tolerance=0)).attempts
        3
    """

    per_clip: int = Field(default=1, ge=1, description="Captions for each clip, in different styles.")
    attempts: int = Field(
        default=3,
        ge=1,
        description="Requests for one caption; later ones include the reasons of the refusal.",
    )
    candidates: int = Field(
        default=2, ge=1, description="Candidates of each request; the first that passes the gate is used."
    )
    seed: int = Field(default=0, description="Random seed; combined with the id of the clip.")
    gate: Gate = Field(default_factory=Gate, description="Limits of the gate.")
    repair: bool = Field(default=True, description="Repair candidates that only omit something.")
    keep_templates: bool = Field(default=False, description="Keep template captions next to the new ones.")
    keep_refused: bool = Field(
        default=True, description="Keep refused candidates in the metadata, for report and harvest."
    )
    prompts: InstanceOf[Prompts] = Field(
        default_factory=load_prompts, exclude=True, description="Prompt file, whose styles all backends use."
    )

    def start(self, clip: Clip) -> PendingClip:
        """Return a clip with captions to be written.

        Raises:
            CorpusError: it has no profile.
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
        """Write all captions of some clips, with as many rounds of requests as needed."""
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
    """Give each clip captions that a backend wrote and the gate accepted.

    They replace template captions and earlier paraphrases; other captions stay.

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
        """Return the settings that determine the captions."""
        return {
            "backend": dict(self.backend.settings()),
            "prompt_sha256": self.rewriting.prompts.sha256(),
            **self.rewriting.model_dump(mode="json"),
        }

    @property
    def tallies(self) -> tuple[str, ...]:
        """The labels of the counts."""
        return tuple(_TALLIES.values())

    def tally(self, clip: Clip) -> Mapping[str, int]:
        """Return what a clip adds to each count."""
        counts = clip.metadata.get(METADATA, {})
        return {label: counts.get(name, 0) for name, label in _TALLIES.items()}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Caption clips in their order, many at a time; a clip without a profile fails.

        Raises:
            JobError: the backend cannot continue.
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
        except Exception as error:  # noqa: BLE001  # reported as the failure of this clip, in its turn
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
    """Return the profile of each template caption of a clip, without repetition; its own where it has none.

    A template may express the strongest emotions only. It comes from a file, so only one that is a plain part
    of the profile of the clip counts; prompts hold a fresh rendering of it.
    """
    if clip.profile is None:
        return ()
    whole = _unrated_if_silent(expressible(clip.profile), silent=not clip.profile.fully_rated)
    targets = {}
    for caption in clip.captions:
        part = _parsed_part(caption.text, whole) if caption.made_by.get("by") == "render" else None
        if part is not None:
            target = _unrated_if_silent(part, silent=not whole.rated or bool(whole.emotions))
            targets[target] = True
    return tuple(targets) or (whole,)


def source_caption(
    id: str, number: int, target: VoiceProfile, *, seed: int, style: Style | None = None
) -> str:
    """Return a template caption that expresses `target`, for caption `number` of a clip."""
    return render(target, seed=derived_seed("source", id, seed, number), style=style)


def _unrated_if_silent(profile: VoiceProfile, *, silent: bool) -> VoiceProfile:
    """Return a profile; without emotions and `silent` on them, the same with unrated emotions."""
    return VoiceProfile(None, profile.bursts, profile.traits) if silent and not profile.emotions else profile


def _parsed_part(text: str, whole: VoiceProfile) -> VoiceProfile | None:
    """Return the parsed profile of a caption if it is a plain part of `whole`, else None."""
    if len(text) > _LONGEST_TEMPLATE:
        return None
    part = parse(text).profile
    within = (
        part.emotions.items() <= whole.emotions.items()
        and set(part.bursts) <= set(whole.bursts)
        and part.traits.items() <= whole.traits.items()
    )
    is_empty = part == VoiceProfile() and bool(whole.emotions or whole.bursts or whole.traits)
    return part if within and not is_empty and judge(text, part, Gate(tolerance=0)).accepted else None
