"""The rewriting job: several captions for each clip, in other words than a template's, with the same meaning.

Each clip keeps the counts of its candidates in its metadata, under `paraphrase`; `budew paraphrase report`
sums them.
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
from budew.paraphrase.draft import COUNTS, METADATA, Draft
from budew.paraphrase.rewriting import Rewriting

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


@dataclass(frozen=True, slots=True)
class Paraphrase:
    """Give each clip captions that a backend wrote and the gate accepted.

    They replace template captions and earlier paraphrases; other captions stay.
    """

    backend: Backend
    rewriting: Rewriting = field(default_factory=Rewriting)
    name: str = "paraphrase"

    def settings(self) -> Mapping[str, Any]:
        """Return what decides the captions."""
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

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Caption clips in their order, many at a time; a clip without a profile fails.

        Raises:
            JobError: the backend cannot go on.
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
                    yield from self._finished(batches, failed)
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
        replaced = _REPLACED[self.rewriting.keep_templates :]
        kept = tuple(caption for caption in clip.captions if caption.made_by.get("by") not in replaced)
        account = draft.account(keep_refused=self.rewriting.keep_refused)
        return replace(clip, captions=kept + draft.captions(), metadata={**clip.metadata, METADATA: account})


def counted(clips: Iterable[Clip]) -> dict[str, int]:
    """Return the sums of the counts of some clips."""
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
