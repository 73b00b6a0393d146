"""The linter of a corpus: counts of the faults of single captions, overused phrases, and duplicates.

Overused openings and phrases teach a model a formula; duplicate captions count double in training. One pass.
Memory: two tallies of at most 200,000 keys (some 50 MB), and for the duplicates about 100 bytes a distinct
caption, so that 9 million captions fit in 1 GB.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple

from budew.captions.lint.caption import LintFinding, lint_caption
from budew.captions.lint.rules import CorpusLimits, load_rules
from budew.captions.tokens import plain_words
from budew.io import strict_json
from budew.profile import VoiceProfile

LONGEST_LINE = strict_json.LARGEST
"""Bytes. A caption takes a few hundred, with a full profile a few thousand."""
_JSON_BY_SUFFIX = {".jsonl": True, ".ndjson": True, ".txt": False}
_LONGEST_SHOWN = 200
_LONGEST_KEY = 30
"""Characters of a word that a tally keeps."""


@dataclass(frozen=True, slots=True)
class FindingExample:
    """Example of a finding: id and text of the caption, and what was found in it; shortened and printable."""

    id: str
    text: str
    what: str


@dataclass(frozen=True, slots=True)
class Overused:
    """An overused opening or phrase. `captions`: in how many captions it occurs at least."""

    phrase: str
    captions: int


@dataclass(frozen=True, slots=True)
class LintReport:
    """Findings of `lint_corpus`.

    Attributes:
        captions: number of captions, without bad lines.
        words: number of words in all captions together.
        counts: code of a finding (`LintFinding.code`) to the number of captions or lines that have it; errors
            first, then the most frequent.
        severity: code to "error" or "warning".
        examples: code to the first few findings.
        openings, phrases: openings and phrases that too many captions share, the most frequent first.

    Example:
        >>> lint_corpus([("a", "A very sad man.", None), ("b", "A very sad man.", None)]).words
        8
    """

    captions: int
    words: int
    counts: Mapping[str, int]
    severity: Mapping[str, str]
    examples: Mapping[str, tuple[FindingExample, ...]]
    openings: tuple[Overused, ...]
    phrases: tuple[Overused, ...]

    @property
    def errors(self) -> int:
        """Number of findings with the severity "error"; a caption counts once for each code."""
        return self._total("error")

    @property
    def warnings(self) -> int:
        """Number of findings with the severity "warning"; each overused opening or phrase counts once."""
        return self._total("warning")

    @property
    def mean_words(self) -> float:
        """Mean number of words of a caption; 0 without captions."""
        return self.words / max(1, self.captions)

    @property
    def duplicate_share(self) -> float:
        """Share of captions, in [0, 1], that are identical to an earlier caption."""
        return self.counts.get("duplicate", 0) / max(1, self.captions)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data for JSON; `findings` has severity, count and examples by code."""
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


class Row(NamedTuple):
    """A caption with its id and, if known, the profile that it was made from."""

    id: str
    text: str
    profile: VoiceProfile | None = None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line without a readable caption. `id`: "file:line"; `why`: a sentence on the fault and its remedy."""

    id: str
    why: str


def read_captions(file: BinaryIO, name: str) -> Iterator[Row | BadLine]:
    """Read the captions of a file lazily and in order; a bad line is returned as `BadLine`, not raised.

    A file is JSON Lines if its name ends in `.jsonl` or `.ndjson`, or if its first non-blank line begins with
    "{" and its name does not end in `.txt`. Each line is an object with `caption` (text), optionally `id` and
    `profile` (as `VoiceProfile.to_dict` returns it); other keys and blank lines are ignored. Any other file
    is plain text with one caption per line; a blank line is an empty caption. A line may have at most
    `LONGEST_LINE` bytes.

    Args:
        file: file open for reading bytes.
        name: file name, from which the format is recognized; a caption without an id gets the id `name:line`.
    """
    is_json = _JSON_BY_SUFFIX.get(PurePath(name).suffix.lower())
    for number, line in enumerate(_lines(file), 1):
        here = f"{name}:{number}"
        if line is None:
            yield BadLine(here, f"the line is longer than {LONGEST_LINE:,} bytes: shorten it")
            continue
        if is_json is None and line.strip():
            is_json = line.lstrip().startswith(b"{")
        try:
            text = line.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            yield BadLine(here, f"the line is not UTF-8 at byte {error.start}: save the file as UTF-8")
            continue
        if is_json is False:
            yield Row(here, text)
        elif text:
            yield _row(text, here)


def _lines(file: BinaryIO) -> Iterator[bytes | None]:
    """Yield the lines without line ends; None for a line that is too long."""
    start = b"\xef\xbb\xbf"
    while line := file.readline(LONGEST_LINE + 1):
        whole = len(line) <= LONGEST_LINE or line.endswith(b"\n")
        yield line.removeprefix(start).rstrip(b"\r\n") if whole else None
        start = b""
        while not line.endswith(b"\n") and line:
            line = file.readline(LONGEST_LINE)


def _row(line: str, here: str) -> Row | BadLine:
    try:
        data = strict_json.loads(line)
        if not isinstance(data, Mapping) or not isinstance(data.get("caption"), str):
            return BadLine(here, 'the line has no text under "caption": write {"caption": "…"}')
        profile = data.get("profile")
        id = data.get("id")
        named = (isinstance(id, str) and id) or (isinstance(id, int) and not isinstance(id, bool))
        return Row(
            str(id) if named else here,
            data["caption"],
            None if profile is None else VoiceProfile.from_dict(profile),
        )
    except (ValueError, TypeError) as error:
        return BadLine(here, f"the line cannot be read: {error}")


def lint_corpus(rows: Iterable[tuple[str, str, VoiceProfile | None] | BadLine]) -> LintReport:
    """Check many captions in one pass.

    Args:
        rows: (id, text, profile or None) of each caption, or bad lines, as `read_captions` returns them.

    Example:
        >>> report = lint_corpus([("a", "A very sad man.", None), ("b", "A very sad man.", None)])
        >>> report.warnings, report.duplicate_share
        (1, 0.5)
    """
    survey = _LintedCorpus(load_rules().corpus)
    for row in rows:
        if isinstance(row, BadLine):
            survey.note("bad-line", row.id, "", row.why)
        else:
            id, text, profile = row
            survey.add(id, text, lint_caption(text, profile))
    return survey.report(load_rules().severity)


class FrequentKeys:
    """Counts of the most frequent keys of a stream, in bounded memory (Misra and Gries, 1982).

    Counts are exact up to `most` different keys. Beyond that, the median count is subtracted from all counts,
    and keys without a positive count are dropped. A count is then never too high, and too low by at most
    `lost`, which is at most twice the number of added keys divided by `most`.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.counts: Counter[str] = Counter()
        self.lost = 0

    def add(self, keys: Iterable[str]) -> None:
        """Add 1 to the count of each key."""
        self.counts.update(keys)
        if len(self.counts) > self.most:
            middle = sorted(self.counts.values())[len(self.counts) // 2]
            self.counts = Counter({key: n - middle for key, n in self.counts.items() if n > middle})
            self.lost += middle

    def most_common(self, least: float, listed: int) -> tuple[Overused, ...]:
        """Return up to `listed` keys counted at least `least` times, sorted by count, then alphabetically."""
        found = sorted((-count, key) for key, count in self.counts.items() if count >= least)
        return tuple(Overused(key, -count) for count, key in found[:listed])


class _LintedCorpus:
    """Counts, tallies and hashes of the captions linted so far."""

    def __init__(self, limits: CorpusLimits) -> None:
        self.limits = limits
        self.captions = self.words = 0
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[FindingExample]] = {}
        self.openings = FrequentKeys(limits.counted)
        self.phrases = FrequentKeys(limits.counted)
        self.seen: set[int] = set()

    def note(self, code: str, id: str, text: str, what: str) -> None:
        self.counts[code] += 1
        examples = self.examples.setdefault(code, [])
        if len(examples) < self.limits.examples:
            examples.append(FindingExample(_shown(id), _shown(text), _shown(what)))

    def add(self, id: str, text: str, findings: Iterable[LintFinding]) -> None:
        words = [word[:_LONGEST_KEY] for word in plain_words(text)]
        self.captions += 1
        self.words += len(words)
        if len(words) >= self.limits.opening_words:
            self.openings.add([" ".join(words[: self.limits.opening_words])])
        length = self.limits.phrase_words
        self.phrases.add({" ".join(words[at : at + length]) for at in range(len(words) - length + 1)})
        by_code = {finding.code: finding.what for finding in reversed(tuple(findings))}
        digest = int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
        if digest in self.seen and words:
            by_code["duplicate"] = "occurs more than once"
        self.seen.add(digest)
        for code, what in by_code.items():
            self.note(code, id, text, what)

    def report(self, severity: Mapping[str, str]) -> LintReport:
        limits = self.limits
        openings, phrases = (
            tally.most_common(max(limits.fewest_captions, share * self.captions), limits.listed)
            for tally, share in ((self.openings, limits.opening_share), (self.phrases, limits.phrase_share))
        )
        overused = Counter({"overused-opening": len(openings), "overused-phrase": len(phrases)})
        counts = self.counts + overused  # the sum of counters drops counts of 0
        order = sorted(counts, key=lambda code: (severity[code], -counts[code], code))
        return LintReport(
            captions=self.captions,
            words=self.words,
            counts=MappingProxyType({code: counts[code] for code in order}),
            severity=MappingProxyType({code: severity[code] for code in order}),
            examples=MappingProxyType({code: tuple(found) for code, found in self.examples.items()}),
            openings=openings,
            phrases=phrases,
        )


def _shown(text: str) -> str:
    """Return a text on one line, shortened, with control and other unprintable characters replaced."""
    line = " ".join(text[: _LONGEST_SHOWN + 1].split())
    safe = "".join(letter if letter.isprintable() else "\ufffd" for letter in line)
    return safe if len(text) <= _LONGEST_SHOWN else f"{safe[:_LONGEST_SHOWN]}…"
