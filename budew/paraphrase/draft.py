"""One clip while its captions are rewritten: a slot for each caption, and a count of every outcome.

Every candidate has one fate (accepted, repaired, spare, refused) and every caption one origin (accepted,
repaired, fallback), so that the counts of any number of clips add up. A candidate that only leaves something
out is repaired: a sentence that expresses it, in words of the lexicon, is appended.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from budew.captions import ContentSelection, expressible, render
from budew.corpora.clip import Caption
from budew.paraphrase.backend import Candidates, Refused, Request
from budew.paraphrase.gate import Gate, Reason, Verdict
from budew.profile import VoiceProfile
from budew.randomness import derived_seed

METADATA = "paraphrase"
"""Key of the metadata of a clip that holds the counts."""
FATES = ("accepted", "repaired", "spare", "refused")
"""Of a candidate: written as it came, completed, not needed and so not judged, refused by the gate."""
COUNTS = ("requests", "retried", "unanswered", "candidates", *FATES, "fallbacks")
_SHOWN = 2
"""Refused candidates that the next request shows, the latest."""
_EACH, _REASONS = 4, 12
"""Reasons of one kind, and of all kinds, shown of each."""
_FALLBACKS = 8
"""Template renderings tried for one that does not resemble its siblings."""
_LONGEST_KEPT, _MOST_KEPT, _MOST_FAILURES = 400, 12, 3
"""Characters of a refused candidate or of a failure that are kept, and how many of each for a clip."""
_REPAIRABLE = frozenset(("lost", "lost-burst", "lost-trait"))
_LEAST = 0.5
"""Share of its profile that a candidate must express to be repaired; below, it is no caption of a voice."""
_WITHOUT_EMOTIONS = ContentSelection(leave_out=["emotions"])
_FRAME = "emotion_first"  # expresses emotions, and the rest only where there is any


@dataclass(slots=True)
class Slot:
    """One caption to be written: its target profile, the template to rewrite, and the outcome so far."""

    number: int
    said: VoiceProfile
    source: str
    style: str
    caption: Caption | None = None
    attempts: int = 0
    refused: list[tuple[str, Verdict, Mapping[str, Any]]] = field(default_factory=list)


@dataclass(slots=True)
class Draft:
    """A clip whose captions are being written, each judged against those written before."""

    id: str
    slots: list[Slot]
    gate: Gate
    seed: int
    transcript: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def request(self, slot: Slot, *, n: int) -> Request:
        """Return the next request for a slot."""
        slot.attempts += 1
        self.counts.update(requests=1, retried=int(slot.attempts > 1))
        shown = [row for row in slot.refused if row[0]][-_SHOWN:]
        refused = tuple(Refused(text, _shown(verdict)) for text, verdict, _ in shown)
        seed = derived_seed("paraphrase", self.id, self.seed, slot.number, slot.attempts)
        return Request(self.id, slot.source, slot.said, seed, n, slot.style, refused)

    def take(self, slot: Slot, request: Request, answer: Candidates) -> None:
        """Judge the candidates: the first that passes is the caption, those after it are spare."""
        self.counts.update(candidates=len(answer.texts), unanswered=int(bool(answer.failure)))
        if answer.failure and len(self.failures) < _MOST_FAILURES:
            self.failures.append(answer.failure[:_LONGEST_KEPT])
        for text in answer.texts:
            if slot.caption is not None:
                self.counts["spare"] += 1
                continue
            of_text = answer.of_text.get(text, {})
            made_by = {**answer.made_by, **of_text, "attempt": slot.attempts, "seed": request.seed}
            verdict = self._verdict(slot, text)
            if verdict.accepted:
                self._write(slot, text, made_by)
                self.counts["accepted"] += 1
            else:
                shown = "" if "withheld" in verdict.codes else text  # neither kept nor sent again
                slot.refused.append((shown, verdict, made_by))

    def finish(self, *, repair: bool) -> None:
        """Fill the open slots: with the best candidate repaired, or else with a template."""
        for slot in self.slots:
            if slot.caption is None and not (repair and self._repair(slot)):
                self._fall_back(slot)
            for _, verdict, _ in slot.refused:
                self.counts["refused"] += 1
                self.codes[verdict.reasons[0].code] += 1

    def captions(self) -> tuple[Caption, ...]:
        """Return the captions, in the order of the slots."""
        return tuple(slot.caption for slot in self.slots if slot.caption is not None)

    def account(self, *, keep_refused: bool) -> dict[str, Any]:
        """Return the counts as JSON values, with the refused candidates if they are to be kept."""
        account: dict[str, Any] = {name: self.counts[name] for name in COUNTS}
        account["codes"] = dict(sorted(self.codes.items()))
        if self.failures:
            account["failures"] = self.failures
        if keep_refused:
            refused = [row for slot in self.slots for row in slot.refused if row[0]]
            account["refusals"] = [
                {"text": text[:_LONGEST_KEPT]}
                | {name: list(getattr(verdict, name)) for name in ("codes", "missed", "unknown")}
                for text, verdict, _ in refused[:_MOST_KEPT]
            ]
        return account

    def _verdict(self, slot: Slot, text: str, *, rewritten: bool = True) -> Verdict:
        source, siblings = slot.source if rewritten else "", [caption.text for caption in self.captions()]
        return self.gate.judge(text, slot.said, source=source, siblings=siblings, transcript=self.transcript)

    def _write(self, slot: Slot, text: str, made_by: Mapping[str, Any]) -> None:
        slot.caption = Caption(text, {"by": "paraphrase", "of": slot.source, **made_by})

    def _repair(self, slot: Slot) -> bool:
        """Complete the first candidate that leaves out least; return whether that passes."""
        repairable = [row for row in slot.refused if is_repairable(row[1], slot.said)]
        if not repairable:
            return False
        best = min(repairable, key=lambda row: len(row[1].reasons))
        candidate, verdict, made_by = best
        seed = derived_seed("repair", self.id, self.seed, slot.number)
        text, added = repaired(candidate, verdict, slot.said, seed=seed)
        if not self._verdict(slot, text).accepted:
            return False
        slot.refused.remove(best)
        self._write(slot, text, {**made_by, "repaired": added})
        self.counts["repaired"] += 1
        return True

    def _fall_back(self, slot: Slot) -> None:
        """Write a template, if possible one that does not resemble the other captions."""
        why = slot.refused[-1][1].reasons[0].code if slot.refused else "unanswered"
        seeds = [derived_seed("fallback", self.id, self.seed, slot.number, n) for n in range(_FALLBACKS)]
        tried = ((render(slot.said, seed=seed), seed) for seed in seeds)
        passing = (
            (text, seed) for text, seed in tried if self._verdict(slot, text, rewritten=False).accepted
        )
        text, seed = next(passing, (render(slot.said, seed=seeds[0]), seeds[0]))
        self._write(slot, text, {"fallback": why, "attempt": slot.attempts, "seed": seed})
        self.counts["fallbacks"] += 1


def _shown(verdict: Verdict) -> tuple[Reason, ...]:
    """Return the reasons that a model is shown: a few of each kind."""
    found: list[Reason] = []
    for reason in verdict.reasons:
        if sum(other.code == reason.code for other in found) < _EACH:
            found.append(reason)
    return tuple(found[:_REASONS])


def is_repairable(verdict: Verdict, profile: VoiceProfile) -> bool:
    """Whether a candidate only leaves something out of `profile`, and expresses at least half of it."""
    if not verdict.reasons or not _REPAIRABLE.issuperset(verdict.codes):
        return False
    wanted = expressible(profile)
    things = len(wanted.emotions) + len(wanted.bursts) + len(wanted.traits)
    says_a_feeling = len(verdict.missed) < len(wanted.emotions) or not wanted.emotions
    return says_a_feeling and things - len(verdict.reasons) >= _LEAST * things


def repaired(candidate: str, verdict: Verdict, profile: VoiceProfile, *, seed: int) -> tuple[str, str]:
    """Return a repairable candidate with a sentence that expresses the rest of `profile`, and its names.

    The result is for the gate to judge again. The seed decides the words.
    """
    wanted = expressible(profile)
    missed = {(reason.code, reason.what) for reason in verdict.reasons}
    left_out = VoiceProfile(
        {name: level for name, level in wanted.emotions.items() if ("lost", name) in missed},
        [name for name in wanted.bursts if ("lost-burst", name) in missed],
        {key: value for key, value in wanted.traits.items() if ("lost-trait", key) in missed},
    )
    if left_out.emotions:
        said = render(left_out, seed=seed, frame=_FRAME)
    else:
        said = render(left_out, seed=seed, style="prose", selection=_WITHOUT_EMOTIONS)
    end = "" if candidate.rstrip().endswith((".", "!", "?")) else "."
    names = (*left_out.emotions, *left_out.bursts, *left_out.traits)
    return f"{candidate.rstrip().rstrip(',;:')}{end} {said}", ", ".join(names)
