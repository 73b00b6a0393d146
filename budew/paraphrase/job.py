"""The rewriting job: several captions for each clip, in other words than a template's, with the same meaning.

A backend is asked for candidates, the gate judges them, what fails is asked again with the reasons,
completed, or replaced by a template marked as such: every clip gets its captions. Each clip keeps the counts
of its candidates in its metadata, under `paraphrase`; `budew paraphrase report` sums them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic import Field, InstanceOf

from budew.captions import expressible, parse, render
from budew.captions.frames import Style
from budew.chat.in_order import in_order, loop_in_thread, wait_for
from budew.corpora.clip import Clip
from budew.errors import CorpusError
from budew.paraphrase.backend import Backend
from budew.paraphrase.draft import METADATA, Draft, Slot
from budew.paraphrase.gate import Gate, judge
from budew.paraphrase.prompts import Prompts, load_prompts
from budew.profile import VoiceProfile
from budew.randomness import derived_seed
from budew.settings import Settings

if TYPE_CHECKING:
    from budew.jobs.job import OnFailed

_LONGEST = 2_000
"""Characters of a template; the fullest rendering of a profile of ten parts has some 600."""
_REPLACED = ("render", "paraphrase")
"""Makers of captions that the new ones replace."""
_TALLIES = {
    "accepted": "accepted",
    "retried": "asked again",
    "repaired": "repaired",
    "refused": "refused",
    "unanswered": "unanswered",
    "fallbacks": "templates",
}
"""Counts shown with the progress, and their labels."""

_Prepared = tuple[Clip, Draft | Exception]


class Rewriting(Settings):
    """How captions are rewritten, whatever backend writes them."""

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

    def draft(self, clip: Clip) -> Draft:
        """Return a clip as it is before anything was asked.

        Raises:
            CorpusError: it has no profile.
        """
        parts = said_parts(clip)
        if not parts:
            raise CorpusError(f"clip {clip.id!r} has no profile to compare captions with: annotate it first")
        slots = []
        for number in range(self.per_clip):
            said, style = parts[number % len(parts)], self.prompts.style_of(self.seed, clip.id, number)
            form = self.prompts.styles[style].source_style
            source = source_caption(clip.id, number, said, seed=self.seed, style=form)
            slots.append(Slot(number, said, source, style))
        return Draft(clip.id, slots, self.gate, self.seed, clip.transcript or "")

    async def rewrite(self, drafts: Sequence[Draft], backend: Backend) -> None:
        """Fill all slots of some drafts, with as many rounds of requests as needed.

        Raises:
            JobError: the backend cannot answer any request.
        """
        for _ in range(self.attempts):
            waiting = [(draft, slot) for draft in drafts for slot in draft.slots if slot.caption is None]
            if not waiting:
                break
            requests = [draft.request(slot, n=self.candidates) for draft, slot in waiting]
            answers = await backend.rewrite(requests)
            for (draft, slot), request, answer in zip(waiting, requests, answers, strict=True):
                draft.take(slot, request, answer)
        for draft in drafts:
            draft.finish(repair=self.repair)


@dataclass(frozen=True, slots=True)
class Paraphrase:
    """Give each clip captions that a backend wrote and the gate accepted.

    They replace template captions and earlier paraphrases; other captions stay.
    """

    backend: Backend
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
        """Return the names of what is counted."""
        return tuple(_TALLIES.values())

    def tally(self, clip: Clip) -> Mapping[str, int]:
        """Return what a clip adds to what is counted."""
        account = clip.metadata.get(METADATA, {})
        return {shown: account.get(name, 0) for name, shown in _TALLIES.items()}

    def run(self, clips: Iterator[Clip], failed: "OnFailed") -> Iterator[Clip]:
        """Caption clips in their order, many at a time; a clip without a profile fails.

        Raises:
            JobError: the backend cannot continue.
        """
        with loop_in_thread() as loop:
            backend = wait_for(loop, self.backend.__aenter__())
            batches = in_order(
                _batches(map(self._prepared, clips), backend.batch),
                lambda batch: self._rewritten(batch, backend),
                loop=loop,
                ahead=backend.ahead,
            )
            try:
                with closing(batches):
                    for batch, done in batches:
                        yield from self._finished(batch, done.exception(), failed)
            finally:
                wait_for(loop, backend.__aexit__(None, None, None))

    def _prepared(self, clip: Clip) -> _Prepared:
        try:
            return clip, self.rewriting.draft(clip)
        except Exception as error:  # noqa: BLE001  # reported as the failure of this clip, in its turn
            return clip, error

    async def _rewritten(self, batch: Sequence[_Prepared], backend: Backend) -> None:
        drafts = [draft for _, draft in batch if isinstance(draft, Draft)]
        await self.rewriting.rewrite(drafts, backend)

    def _finished(
        self, batch: Sequence[_Prepared], error: BaseException | None, failed: "OnFailed"
    ) -> Iterator[Clip]:
        for clip, draft in batch:
            wrong = draft if isinstance(draft, Exception) else error
            if isinstance(draft, Draft) and wrong is None:
                yield self._with_captions(clip, draft)
            elif isinstance(wrong, Exception):
                failed(clip.id, wrong)
            elif wrong is not None:
                raise wrong

    def _with_captions(self, clip: Clip, draft: Draft) -> Clip:
        replaced = _REPLACED[self.rewriting.keep_templates :]
        kept = tuple(caption for caption in clip.captions if caption.made_by.get("by") not in replaced)
        account = draft.account(keep_refused=self.rewriting.keep_refused)
        return replace(clip, captions=kept + draft.captions(), metadata={**clip.metadata, METADATA: account})


def _batches(prepared: Iterable[_Prepared], size: int) -> Iterator[list[_Prepared]]:
    left = iter(prepared)
    while batch := list(islice(left, size)):
        yield batch


def said_parts(clip: Clip) -> tuple[VoiceProfile, ...]:
    """Return the profile of each template caption of a clip, without repetition; its own where it has none.

    A template may express the strongest emotions only. It comes from a file, so only one that parses as a
    plain part of the clip's profile, and as nothing else, counts; prompts hold a fresh rendering of it.
    """
    if clip.profile is None:
        return ()
    whole = _with_silence(expressible(clip.profile), silent=not clip.profile.fully_rated)
    templates = (caption.text for caption in clip.captions if caption.made_by.get("by") == "render")
    said = dict.fromkeys(
        _with_silence(part, silent=not whole.rated or bool(whole.emotions))
        for text in templates
        if (part := _part_said(text, whole)) is not None
    )
    return tuple(said) or (whole,)


def source_caption(id: str, number: int, said: VoiceProfile, *, seed: int, style: Style | None = None) -> str:
    """Return a template caption that expresses `said`, for caption `number` of a clip."""
    return render(said, seed=derived_seed("source", id, seed, number), style=style)


def _with_silence(said: VoiceProfile, *, silent: bool) -> VoiceProfile:
    """Return a profile; where it has no emotions and is silent on them, with unrated emotions."""
    return VoiceProfile(None, said.bursts, said.traits) if silent and not said.emotions else said


def _part_said(text: str, whole: VoiceProfile) -> VoiceProfile | None:
    """Return the parsed profile of a caption if it is a plain part of `whole`, else None."""
    if len(text) > _LONGEST:
        return None
    said = parse(text).profile
    within = (
        said.emotions.items() <= whole.emotions.items()
        and set(said.bursts) <= set(whole.bursts)
        and said.traits.items() <= whole.traits.items()
    )
    says_nothing = said == VoiceProfile() and bool(whole.emotions or whole.bursts or whole.traits)
    is_template = within and not says_nothing and judge(text, said, tolerance=0).accepted
    return said if is_template else None
