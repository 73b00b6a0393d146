"""Candidate selection: chooses the captions of a clip among the candidates of a backend, and counts outcomes.

Every candidate has one outcome (accepted, repaired, spare, refused) and every caption one origin (accepted,
repaired, fallback), so the counts of clips can be added up. A candidate that only omits something is
repaired: a sentence that expresses the omitted part, in words of the lexicon, is appended.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from budew.captions import ContentSelection, expressible, render
from budew.corpora.clip import Caption
from budew.paraphrase.backend import Candidates, RefusedCandidate, RewriteRequest
from budew.paraphrase.gate import Gate, Reason, Verdict, judge
from budew.profile import VoiceProfile
from budew.randomness import derived_seed

METADATA = "paraphrase"
"""Key of the counts in the metadata of a clip."""
OUTCOMES = ("accepted", "repaired", "spare", "refused")
"""Outcomes of candidates. "spare": not judged, since an earlier candidate was accepted."""
COUNTS = ("requests", "retried", "unanswered", "candidates", *OUTCOMES, "fallbacks")
_SHOWN_CANDIDATES = 2
"""Number of refused candidates in the next request: the latest ones."""
_SHOWN_OF_KIND, _SHOWN_REASONS = 4, 12
"""Most reasons with the same code, and most reasons in all, for each of these candidates."""
_FALLBACKS = 8
"""Most renderings of a template to find one that does not resemble the other captions."""
_LONGEST_STORED, _MOST_REFUSED, _MOST_FAILURES = 400, 12, 3
"""In the metadata of a clip: most characters of a text, most refused candidates, and most failures."""
_REPAIRABLE = frozenset(("lost", "lost-burst", "lost-trait"))
_LEAST_EXPRESSED = 0.5
"""Least share of the parts of the profile that a candidate must express to be repaired."""
_WITHOUT_EMOTIONS = ContentSelection(leave_out=["emotions"])
_REPAIR_FRAME = "emotion_first"  # a frame that needs nothing but emotions


@dataclass(slots=True)
class PendingCaption:
    """A caption that is being written.

    Attributes:
        number: number of the caption among the captions of its clip, from 0.
        target: profile that the caption must express.
        source: template caption to rewrite.
        style: name of the writing style.
        caption: the finished caption, None until there is one.
        attempts: number of requests so far.
        refused: refused candidates with verdict and provenance; the text is "" if it must not be stored.
    """

    number: int
    target: VoiceProfile
    source: str
    style: str
    caption: Caption | None = None
    attempts: int = 0
    refused: list[tuple[str, Verdict, Mapping[str, Any]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PendingClip:
    """A clip whose captions are being written; each is also compared with the captions written before.

    Attributes:
        id: id of the clip.
        pending: captions to write.
        gate: limits of the gate.
        seed: random seed of the job.
        transcript: words spoken in the clip; "" if they are unknown.
        counts: number of requests and of candidates by outcome, by the names in `COUNTS`.
        codes: number of refused candidates by the code of their first reason.
        failures: messages of requests without an answer.
    """

    id: str
    pending: list[PendingCaption]
    gate: Gate
    seed: int
    transcript: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def request(self, pending: PendingCaption, *, n: int) -> RewriteRequest:
        """Return the next request for a caption, for `n` candidates; counts it as an attempt."""
        pending.attempts += 1
        self.counts.update(requests=1, retried=int(pending.attempts > 1))
        stored = [row for row in pending.refused if row[0]][-_SHOWN_CANDIDATES:]
        refused = tuple(RefusedCandidate(text, _shown_reasons(verdict)) for text, verdict, _ in stored)
        seed = derived_seed("paraphrase", self.id, self.seed, pending.number, pending.attempts)
        return RewriteRequest(
            self.id, pending.source, pending.target, seed, n, style=pending.style, refused=refused
        )

    def select(self, pending: PendingCaption, request: RewriteRequest, answer: Candidates) -> None:
        """Judge the candidates of an answer; the first accepted one becomes the caption."""
        self.counts.update(candidates=len(answer.texts), unanswered=int(bool(answer.failure)))
        if answer.failure and len(self.failures) < _MOST_FAILURES:
            self.failures.append(answer.failure[:_LONGEST_STORED])
        for text in answer.texts:
            if pending.caption is not None:
                self.counts["spare"] += 1
                continue
            of_text = answer.of_text.get(text, {})
            made_by = {**answer.made_by, **of_text, "attempt": pending.attempts, "seed": request.seed}
            verdict = self._verdict(pending, text)
            if verdict.accepted:
                _write(pending, text, made_by)
                self.counts["accepted"] += 1
            else:
                stored = "" if "withheld" in verdict.codes else text  # neither stored nor sent again
                pending.refused.append((stored, verdict, made_by))

    def finish(self, *, repair: bool) -> None:
        """Complete the missing captions: repair the best refused candidate if `repair`, or use a template."""
        for pending in self.pending:
            if pending.caption is None and not (repair and self._repair(pending)):
                self._fall_back(pending)
            for _, verdict, _ in pending.refused:
                self.counts["refused"] += 1
                self.codes[verdict.reasons[0].code] += 1

    def captions(self) -> tuple[Caption, ...]:
        """Return the captions that are finished, in the order of `pending`."""
        return tuple(pending.caption for pending in self.pending if pending.caption is not None)

    def metadata(self, *, keep_refused: bool) -> dict[str, Any]:
        """Return the counts as JSON values for the metadata of the clip.

        They are the counts of `COUNTS`, `codes`, `failures` if there are any, and, with `keep_refused`,
        `refusals`: refused candidates with codes, missed emotions, unknown words and added content.
        """
        metadata: dict[str, Any] = {name: self.counts[name] for name in COUNTS}
        metadata["codes"] = dict(sorted(self.codes.items()))
        if self.failures:
            metadata["failures"] = self.failures
        if keep_refused:
            refused = [row for pending in self.pending for row in pending.refused if row[0]]
            metadata["refusals"] = [
                {"text": text[:_LONGEST_STORED]}
                | {name: list(getattr(verdict, name)) for name in ("codes", "missed", "unknown", "added")}
                for text, verdict, _ in refused[:_MOST_REFUSED]
            ]
        return metadata

    def _verdict(self, pending: PendingCaption, text: str, *, rewritten: bool = True) -> Verdict:
        return judge(
            text,
            pending.target,
            self.gate,
            source=pending.source if rewritten else "",
            siblings=[caption.text for caption in self.captions()],
            transcript=self.transcript,
        )

    def _repair(self, pending: PendingCaption) -> bool:
        """Repair the refused candidate that omits least; return whether the gate accepts the result."""
        repairable = [row for row in pending.refused if is_repairable(row[1], pending.target)]
        if not repairable:
            return False
        best = min(repairable, key=lambda row: len(row[1].reasons))
        candidate, verdict, made_by = best
        seed = derived_seed("repair", self.id, self.seed, pending.number)
        text, added = repaired(candidate, verdict, pending.target, seed=seed)
        if not self._verdict(pending, text).accepted:
            return False
        pending.refused.remove(best)
        _write(pending, text, {**made_by, "repaired": added})
        self.counts["repaired"] += 1
        return True

    def _fall_back(self, pending: PendingCaption) -> None:
        """Use a template caption, if possible one that does not resemble the other captions."""
        reason = pending.refused[-1][1].reasons[0].code if pending.refused else "unanswered"
        seeds = [derived_seed("fallback", self.id, self.seed, pending.number, n) for n in range(_FALLBACKS)]
        drawn = ((seed, render(pending.target, seed=seed)) for seed in seeds)
        fitting = (row for row in drawn if self._verdict(pending, row[1], rewritten=False).accepted)
        seed, text = next(fitting, (seeds[0], render(pending.target, seed=seeds[0])))
        _write(pending, text, {"fallback": reason, "attempt": pending.attempts, "seed": seed})
        self.counts["fallbacks"] += 1


def _write(pending: PendingCaption, text: str, made_by: Mapping[str, Any]) -> None:
    pending.caption = Caption(text, {"by": "paraphrase", "of": pending.source, **made_by})


def _shown_reasons(verdict: Verdict) -> tuple[Reason, ...]:
    """Return the reasons for the next prompt: a few of each code."""
    shown: list[Reason] = []
    for reason in verdict.reasons:
        if sum(other.code == reason.code for other in shown) < _SHOWN_OF_KIND:
            shown.append(reason)
    return tuple(shown[:_SHOWN_REASONS])


def is_repairable(verdict: Verdict, profile: VoiceProfile) -> bool:
    """Return whether a refused candidate only omits parts of `profile`, and expresses at least half of it."""
    if not verdict.reasons or not _REPAIRABLE.issuperset(verdict.codes):
        return False
    wanted = expressible(profile)
    parts = len(wanted.emotions) + len(wanted.bursts) + len(wanted.traits)
    expresses_emotion = len(verdict.missed) < len(wanted.emotions) or not wanted.emotions
    return expresses_emotion and parts - len(verdict.reasons) >= _LEAST_EXPRESSED * parts


def repaired(candidate: str, verdict: Verdict, profile: VoiceProfile, *, seed: int) -> tuple[str, str]:
    """Append a sentence to a repairable candidate that expresses the omitted parts of `profile`.

    Returns:
        The text, which has to be judged again, and the names of the added emotions, bursts and traits.
    """
    wanted = expressible(profile)
    omitted = {(reason.code, reason.what) for reason in verdict.reasons}
    rest = VoiceProfile(
        {name: level for name, level in wanted.emotions.items() if ("lost", name) in omitted},
        [name for name in wanted.bursts if ("lost-burst", name) in omitted],
        {key: value for key, value in wanted.traits.items() if ("lost-trait", key) in omitted},
    )
    if rest.emotions:
        sentence = render(rest, seed=seed, frame=_REPAIR_FRAME)
    else:
        sentence = render(rest, seed=seed, style="prose", selection=_WITHOUT_EMOTIONS)
    end = "" if candidate.rstrip().endswith((".", "!", "?")) else "."
    names = (*rest.emotions, *rest.bursts, *rest.traits)
    return f"{candidate.rstrip().rstrip(',;:')}{end} {sentence}", ", ".join(names)
