"""Rewriting a batch of clips: ask, judge, ask again with the reasons, repair, fall back on templates.

Every clip gets its captions: where nothing passes the gate, fresh template renderings take their place,
marked as such.
"""

from collections.abc import Sequence

from pydantic import Field, InstanceOf

from budew.captions import expressible, parse, render
from budew.captions.render import Style
from budew.corpora.clip import Clip
from budew.errors import CorpusError
from budew.paraphrase.backend import Backend
from budew.paraphrase.draft import Draft, Slot
from budew.paraphrase.gate import Gate, judge
from budew.paraphrase.prompts import Prompts, load_prompts
from budew.profile import VoiceProfile
from budew.randomness import derived_seed
from budew.settings import Settings

_LONGEST = 2_000
"""Characters of a template; the fullest rendering of a profile of ten parts has some 600."""


class Rewriting(Settings):
    """How captions are rewritten, whatever backend writes them."""

    per_clip: int = Field(default=1, ge=1, description="Captions for each clip, each in another style.")
    attempts: int = Field(
        default=3, ge=1, description="Requests for one caption; each after the first has the reasons."
    )
    candidates: int = Field(
        default=2, ge=1, description="Texts of each request; the first that passes stays."
    )
    seed: int = Field(default=0, description="Decides, with the id of a clip, everything that is drawn.")
    gate: Gate = Field(default_factory=Gate, description="What a caption must fulfil.")
    repair: bool = Field(default=True, description="Complete candidates that only leave something out.")
    keep_templates: bool = Field(default=False, description="Keep template captions beside the new ones.")
    keep_refused: bool = Field(
        default=True, description="Keep refused candidates in the metadata, for report and harvest."
    )
    prompts: InstanceOf[Prompts] = Field(
        default_factory=load_prompts, exclude=True, description="Whose styles are drawn, for all backends."
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
            waiting = [(draft, slot) for draft in drafts for slot in draft.open()]
            if not waiting:
                break
            requests = [draft.request(slot, n=self.candidates) for draft, slot in waiting]
            answers = await backend.rewrite(requests)
            for (draft, slot), request, answer in zip(waiting, requests, answers, strict=True):
                draft.take(slot, request, answer)
        for draft in drafts:
            draft.finish(repair=self.repair)


def said_parts(clip: Clip) -> tuple[VoiceProfile, ...]:
    """Return the profile of each template caption of a clip, without repetition; its own where it has none.

    A template may express the strongest emotions only. It comes from a file, so only one that parses as a
    plain part of the clip's profile, and as nothing else, counts; prompts hold a fresh rendering of it.
    """
    if clip.profile is None:
        return ()
    whole = _with_silence(expressible(clip.profile), silent=not clip.profile.emotions_known)
    templates = (caption.text for caption in clip.captions if caption.made_by.get("by") == "render")
    said = dict.fromkeys(
        _with_silence(part, silent=not whole.emotions_known or bool(whole.emotions))
        for text in templates
        if (part := _part_said(text, whole)) is not None
    )
    return tuple(said) or (whole,)


def source_caption(id: str, number: int, said: VoiceProfile, *, seed: int, style: Style | None = None) -> str:
    """Return a template caption that expresses `said`, for caption `number` of a clip."""
    return render(said, seed=derived_seed("source", id, seed, number), style=style)


def _with_silence(said: VoiceProfile, *, silent: bool) -> VoiceProfile:
    """Return a profile; where it has no emotions and is silent on them, with unknown emotions."""
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
