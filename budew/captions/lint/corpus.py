"""The linter of a corpus: what is wrong with each caption, counted, and what only shows in many of them.

Over-used openings and phrases teach a model a formula; captions that come twice weigh double. One pass.
Memory: two tallies of at most 200,000 keys (some 50 MB), and for the duplicates about 100 bytes a distinct
caption, so that 9 million captions fit in 1 GB.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

from budew.captions.lint.caption import Finding, lint_caption
from budew.captions.lint.caption_file import BadLine
from budew.captions.lint.rules import CorpusLimits, load_rules
from budew.captions.tokens import words_of
from budew.profile import VoiceProfile

_LONGEST_SHOWN = 200
_LONGEST_KEY = 30
"""Characters of a word that a tally keeps."""


@dataclass(frozen=True, slots=True)
class Example:
    """Where something was found: the caption's id, its text, and what was found; shortened, fit to print."""

    id: str
    text: str
    what: str


@dataclass(frozen=True, slots=True)
class Overused:
    """An opening or a phrase, and how many captions have it at least."""

    phrase: str
    captions: int


@dataclass(frozen=True, slots=True)
class Report:
    """What is wrong with a corpus.

    Attributes:
        captions: how many there are, without bad lines.
        words: how many words they have in all.
        counts: by code, captions (or lines) in which it was found; the most severe and frequent first.
        severity: "error" or "warning", by the same codes.
        examples: by code, the first few.
        openings, phrases: over-used ones, the most frequent first.
    """

    captions: int
    words: int
    counts: Mapping[str, int]
    severity: Mapping[str, str]
    examples: Mapping[str, tuple[Example, ...]]
    openings: tuple[Overused, ...]
    phrases: tuple[Overused, ...]

    @property
    def errors(self) -> int:
        """How many findings should fail a check; a caption counts once for each code."""
        return self._total("error")

    @property
    def warnings(self) -> int:
        """How many findings are worth a look; an over-used opening or phrase is one."""
        return self._total("warning")

    @property
    def mean_words(self) -> float:
        """Words of a caption on average."""
        return self.words / self.captions if self.captions else 0.0

    @property
    def duplicate_share(self) -> float:
        """Share of the captions that stood before, letter by letter."""
        return self.counts.get("duplicate", 0) / self.captions if self.captions else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data for JSON."""
        return {
            "captions": self.captions,
            "mean_words": round(self.mean_words, 2),
            "duplicate_share": round(self.duplicate_share, 4),
            "errors": self.errors,
            "warnings": self.warnings,
            "findings": {
                code: {
                    "severity": self.severity[code],
                    "count": count,
                    "examples": [asdict(example) for example in self.examples.get(code, ())],
                }
                for code, count in self.counts.items()
            },
            "overused_openings": [asdict(overused) for overused in self.openings],
            "overused_phrases": [asdict(overused) for overused in self.phrases],
        }

    def _total(self, severity: str) -> int:
        return sum(count for code, count in self.counts.items() if self.severity[code] == severity)


def lint_corpus(
    rows: Iterable[tuple[str, str, VoiceProfile | None] | BadLine],
    *,
    limits: CorpusLimits | None = None,
    count_tokens: Callable[[str], int] | None = None,
    language: str = "en",
) -> Report:
    """Check many captions in one pass.

    Args:
        rows: id, text and profile (or None) of each caption, such as `read_captions` gives.
        limits: from when on something is over-used, and how much is shown; those of the data file when None.
        count_tokens, language: as for `lint_caption`.

    Raises:
        InputError: there are no rules or no lexicon for this language.
    """
    severity = load_rules(language).severity
    survey = _Survey(limits or load_rules(language).corpus)
    for row in rows:
        if isinstance(row, BadLine):
            survey.note("bad-line", row.id, "", row.why)
        else:
            id, text, profile = row
            survey.add(id, text, lint_caption(text, profile, count_tokens=count_tokens, language=language))
    return survey.report(severity)


class Tally:
    """Counts of the most frequent of any number of keys, in bounded memory (Misra and Gries, 1982).

    Exact up to `most` keys. Above, the middle count is taken from all and what comes to nothing is forgotten:
    no count is too high, and none too low by more than `lost`, which is at most twice what was added, divided
    by `most`.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.counts: Counter[str] = Counter()
        self.lost = 0

    def add(self, keys: Iterable[str]) -> None:
        """Count each key once more."""
        self.counts.update(keys)
        if len(self.counts) > self.most:
            middle = sorted(self.counts.values())[len(self.counts) // 2]
            self.counts = Counter({key: n - middle for key, n in self.counts.items() if n > middle})
            self.lost += middle

    def most_common(self, least: float, listed: int) -> tuple[Overused, ...]:
        """Return the keys that were counted at least so often, the most frequent first, then by alphabet."""
        found = sorted((-count, key) for key, count in self.counts.items() if count >= least)
        return tuple(Overused(key, -count) for count, key in found[:listed])


class _Survey:
    """What was seen of a corpus so far."""

    def __init__(self, limits: CorpusLimits) -> None:
        self.limits = limits
        self.captions = self.words = 0
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[Example]] = {}
        self.openings, self.phrases = Tally(limits.counted), Tally(limits.counted)
        self.seen: set[int] = set()

    def note(self, code: str, id: str, text: str, what: str) -> None:
        self.counts[code] += 1
        examples = self.examples.setdefault(code, [])
        if len(examples) < self.limits.examples:
            examples.append(Example(_shown(id), _shown(text), _shown(what)))

    def add(self, id: str, text: str, findings: Iterable[Finding]) -> None:
        words = [word.word[:_LONGEST_KEY] for word in words_of(text)]
        self.captions += 1
        self.words += len(words)
        if len(words) >= self.limits.opening_words:
            self.openings.add([" ".join(words[: self.limits.opening_words])])
        self.phrases.add(_phrases(words, self.limits.phrase_words))
        by_code = {finding.code: finding.what for finding in reversed(tuple(findings))}
        if self._stood_before(text) and words:
            by_code["duplicate"] = "occurs more than once"
        for code, what in by_code.items():
            self.note(code, id, text, what)

    def _stood_before(self, text: str) -> bool:
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        before = len(self.seen)
        self.seen.add(int.from_bytes(digest, "big"))
        return len(self.seen) == before

    def report(self, severity: Mapping[str, str]) -> Report:
        limits = self.limits
        openings = self._overused(self.openings, limits.opening_share)
        phrases = self._overused(self.phrases, limits.phrase_share)
        counts = +(
            self.counts + Counter({"overused-opening": len(openings), "overused-phrase": len(phrases)})
        )
        order = sorted(counts, key=lambda code: (severity[code], -counts[code], code))
        return Report(
            captions=self.captions,
            words=self.words,
            counts=MappingProxyType({code: counts[code] for code in order}),
            severity=MappingProxyType({code: severity[code] for code in order}),
            examples=MappingProxyType({code: tuple(found) for code, found in self.examples.items()}),
            openings=openings,
            phrases=phrases,
        )

    def _overused(self, tally: Tally, share: float) -> tuple[Overused, ...]:
        least = max(self.limits.fewest_captions, share * self.captions)
        return tally.most_common(least, self.limits.listed)


def _phrases(words: list[str], length: int) -> set[str]:
    """Return the runs of so many words, each once."""
    return {" ".join(words[at : at + length]) for at in range(len(words) - length + 1)}


def _shown(text: str) -> str:
    """Return a text on one line, shortened, without what a terminal would obey or no file can hold."""
    line = " ".join(text[: _LONGEST_SHOWN + 1].split())
    safe = "".join(letter if letter.isprintable() else "\ufffd" for letter in line)
    return safe if len(text) <= _LONGEST_SHOWN else f"{safe[:_LONGEST_SHOWN]}…"
