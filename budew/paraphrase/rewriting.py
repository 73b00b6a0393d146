"""The rewriting of a batch of clips: ask, judge, ask again with the reasons, mend, fall back on templates.

A clip never goes without: where nothing passes the gate, fresh template renderings fill up, marked as such.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from budew.corpora.clip import Clip
from budew.paraphrase.backend import Backend, ParaphraseError
from budew.paraphrase.draft import Draft, Slot
from budew.paraphrase.gate import Gate
from budew.paraphrase.prompts import Prompts, load_prompts
from budew.paraphrase.sources import said_parts, source_caption


@dataclass(frozen=True, slots=True)
class Rewriting:
    """How captions are rewritten, whatever backend writes them.

    Attributes:
        per_clip: captions wanted of each clip.
        attempts: requests for one caption, at most; each after the first tells what was wrong.
        candidates: texts wanted of each request.
        seed: with the id of a clip, decides everything that is drawn for it.
        gate: what a caption has to hold to.
        prompts: of which the styles are drawn, whichever backend follows them.
        repair: whether a candidate that only leaves something out is completed.

    Raises:
        ValueError: a number below 1.
    """

    per_clip: int = 1
    attempts: int = 3
    candidates: int = 2
    seed: int = 0
    gate: Gate = field(default_factory=Gate)
    prompts: Prompts = field(default_factory=load_prompts)
    repair: bool = True

    def __post_init__(self) -> None:
        if min(self.per_clip, self.attempts, self.candidates) < 1:
            raise ValueError("captions, attempts and candidates are at least 1")

    def draft(self, clip: Clip) -> Draft:
        """Return a clip as it is before anything was asked.

        Raises:
            ParaphraseError: it has no profile to hold its captions to.
        """
        parts = said_parts(clip)
        if not parts:
            raise ParaphraseError(
                f"clip {clip.id!r} has no profile to hold its captions to: annotate it first"
            )
        slots = []
        for number in range(self.per_clip):
            said, style = parts[number % len(parts)], self.prompts.style_of(self.seed, clip.id, number)
            source = source_caption(
                clip.id, number, said, seed=self.seed, style=self.prompts.styles[style].source_style
            )
            slots.append(Slot(number, said, source, style))
        return Draft(clip.id, slots, self.gate, self.seed, clip.transcript or "")

    async def rewrite(self, drafts: Sequence[Draft], backend: Backend) -> None:
        """Fill all slots of some drafts, with as many rounds of requests as it takes.

        Raises:
            JobError: the backend can do no request at all.
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
