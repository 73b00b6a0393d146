"""A sample of rewritten clips in bounded memory: those whose hash with the seed is lowest, in whatever order.

A clip is kept without its audio: profile, captions, and the candidates that were refused.
"""

import hashlib
import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from budew.corpora.clip import Caption, Clip
from budew.paraphrase.metrics.account import BY, is_fallback, written_by_rewriting
from budew.profile import VoiceProfile

LONGEST = 4_000
"""Characters of a caption that are kept; one that a Whisper can say has at most some 2,000."""
MOST_REFUSALS = 50
"""Refused candidates that are kept of a clip."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A candidate that the gate refused.

    Attributes:
        text: as it came.
        codes: of the reasons, the first first.
        missed: emotions that it should have said and did not.
        unknown: words in it that no entry of the lexicon knows.
    """

    text: str
    codes: tuple[str, ...]
    missed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A clip as far as its captions go."""

    id: str
    profile: VoiceProfile | None
    captions: tuple[Caption, ...]
    refusals: tuple[Refusal, ...]

    @property
    def paraphrases(self) -> tuple[Caption, ...]:
        """The captions that are no fallbacks."""
        return tuple(caption for caption in self.captions if not is_fallback(caption))


@dataclass(slots=True)
class Sample:
    """At most `size` of the clips that were added."""

    size: int
    seed: int
    _kept: list[tuple[int, str, str, int, Rewritten]] = field(default_factory=list)
    _added: int = 0

    def add(self, clip: Clip) -> None:
        """Consider a clip that has captions by rewriting."""
        digest = hashlib.sha256(f"{self.seed}/{clip.id}".encode()).digest()
        rank = -int.from_bytes(digest[:8], "big")
        if len(self._kept) >= self.size and rank < self._kept[0][0]:
            return
        held = _rewritten(clip)
        self._added += 1  # so that two clips are never compared
        entry = (rank, clip.id, "\n".join(caption.text for caption in held.captions), self._added, held)
        if len(self._kept) < self.size:
            heapq.heappush(self._kept, entry)
        else:
            heapq.heappushpop(self._kept, entry)

    def clips(self) -> list[Rewritten]:
        """Return the sample in the order of the hashes, which is that of no corpus."""
        return [entry[-1] for entry in sorted(self._kept, key=lambda entry: entry[:3], reverse=True)]


def _rewritten(clip: Clip) -> Rewritten:
    captions = tuple(
        Caption(caption.text[:LONGEST], {name: _cut(told) for name, told in caption.made_by.items()})
        for caption in written_by_rewriting(clip)
    )
    return Rewritten(clip.id, clip.profile, captions, tuple(_refusals(clip.metadata.get(BY))))


def _cut(told: str | int) -> str | int:
    return told[:LONGEST] if isinstance(told, str) else told


def _refusals(account: object) -> Iterator[Refusal]:
    """Give the refused candidates that an account holds; what is none is passed over."""
    told = account.get("refusals") if isinstance(account, Mapping) else None
    for entry in told[:MOST_REFUSALS] if isinstance(told, list) else ():
        if isinstance(entry, Mapping) and isinstance(entry.get("text"), str):
            parts = (_texts(entry, name) for name in ("codes", "missed", "unknown"))
            yield Refusal(entry["text"][:LONGEST], *parts)


def _texts(entry: Mapping[str, Any], name: str) -> tuple[str, ...]:
    told = entry.get(name)
    return tuple(str(item)[:80] for item in told[:40]) if isinstance(told, list) else ()
