"""The job: several captions for each clip, in other words than a template's and with no other meaning.

Shards in, shards out, on the runner of `budew.jobs`. Each clip keeps what became of its candidates in its
metadata, under `paraphrase`; `budew paraphrase report` adds it up.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from budew.chat.in_order import in_order, loop_in_thread, wait_for
from budew.corpora.clip import Clip
from budew.jobs.job import OnFailed
from budew.paraphrase.backend import Backend
from budew.paraphrase.draft import COUNTS, Draft
from budew.paraphrase.rewriting import Rewriting

METADATA = "paraphrase"
"""Key of the metadata of a clip that holds the counts."""
_REPLACED = ("render", "paraphrase")
"""Makers of captions that new ones take the place of."""
_TALLIES = {
    "accepted": "accepted",
    "retried": "asked again",
    "repaired": "repaired",
    "refused": "refused",
    "unanswered": "unanswered",
    "fallbacks": "templates",
}
"""Of the counts, those that the progress shows, and how."""

_Prepared = tuple[Clip, Draft | Exception]


@dataclass(frozen=True, slots=True)
class Paraphrase:
    """Give each clip captions that a backend wrote and the gate let through.

    They take the place of template captions and of earlier paraphrases; captions from elsewhere stay.

    Attributes:
        backend: what writes.
        rewriting: how many, how often, how strictly.
        keep_templates: whether template captions stay beside the new ones.
        keep_refused: whether refused candidates are kept in the metadata, for the report and for `harvest`.
    """

    backend: Backend
    rewriting: Rewriting = field(default_factory=Rewriting)
    keep_templates: bool = False
    keep_refused: bool = True
    name: str = "paraphrase"

    def settings(self) -> Mapping[str, Any]:
        """Return what decides the captions."""
        plan = self.rewriting
        return {
            "backend": dict(self.backend.settings()),
            "per_clip": plan.per_clip,
            "attempts": plan.attempts,
            "candidates": plan.candidates,
            "seed": plan.seed,
            "repair": plan.repair,
            "gate": plan.gate.settings(),
            "prompt_sha256": plan.prompts.sha256(),
            "keep_templates": self.keep_templates,
            "keep_refused": self.keep_refused,
        }

    @property
    def tallies(self) -> tuple[str, ...]:
        """Return the names of what is counted."""
        return tuple(_TALLIES.values())

    def tally(self, clip: Clip) -> Mapping[str, int]:
        """Return what a clip adds to what is counted."""
        account = clip.metadata.get(METADATA, {})
        return {shown: account.get(name, 0) for name, shown in _TALLIES.items()}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Caption clips in their order, many at a time; a clip without a profile is told.

        Raises:
            JobError: the backend can do nothing more: see there.
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
                    yield from self._told(batches, failed)
            finally:
                wait_for(loop, backend.__aexit__(None, None, None))

    def _prepared(self, clip: Clip) -> _Prepared:
        try:
            return clip, self.rewriting.draft(clip)
        except Exception as error:  # noqa: BLE001  # told as the failure of this clip, in its turn
            return clip, error

    async def _rewritten(self, batch: Sequence[_Prepared], backend: Backend) -> None:
        drafts = [draft for _, draft in batch if isinstance(draft, Draft)]
        await self.rewriting.rewrite(drafts, backend)

    def _told(
        self, batches: Iterator[tuple[Sequence[_Prepared], Future[None]]], failed: OnFailed
    ) -> Iterator[Clip]:
        for batch, done in batches:
            error = done.exception()
            for clip, draft in batch:
                wrong = draft if isinstance(draft, Exception) else error
                if isinstance(draft, Draft) and wrong is None:
                    yield self._with_captions(clip, draft)
                elif isinstance(wrong, Exception):
                    failed(clip.id, wrong)
                elif wrong is not None:
                    raise wrong

    def _with_captions(self, clip: Clip, draft: Draft) -> Clip:
        replaced = _REPLACED[self.keep_templates :]
        kept = tuple(caption for caption in clip.captions if caption.made_by.get("by") not in replaced)
        account = draft.account(keep_refused=self.keep_refused)
        return replace(clip, captions=kept + draft.captions(), metadata={**clip.metadata, METADATA: account})


def counted(clips: Iterable[Clip]) -> dict[str, int]:
    """Return the counts of some clips added up."""
    total = dict.fromkeys(COUNTS, 0)
    for clip in clips:
        account = clip.metadata.get(METADATA, {})
        for name in COUNTS:
            total[name] += account.get(name, 0)
    return total


def _batches(prepared: Iterable[_Prepared], size: int) -> Iterator[list[_Prepared]]:
    left = iter(prepared)
    while batch := list(islice(left, size)):
        yield batch
