"""Sampling weights, from 1 to a cap, with which clips of rare emotions are drawn more often, and their files.

The mass of an emotion is the sum of its intensities over the clips in which it reaches `min_level`; a clip in
which none of all 40 does has the mass 1 of no emotion, and one without rated emotions gets no weight. Of the
largest mass M, an emotion of mass m gets the factor

    min(cap, (M / m) ^ (1 / temperature))

and a clip the mean of the factors of its emotions, weighted by their intensities; 1 if only some emotions are
rated and none of them reaches `min_level`. Temperature 1 is inverse frequency; infinity gives uniform
weights; the default 2, the square root, is that of repeat factor sampling (Gupta, Dollár and Girshick 2019,
"LVIS"), which takes the rarest label of an image where this takes the mean.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from budew.corpora.clip import Clip
from budew.errors import CorpusError, InputError
from budew.io.files import replaced_file, whole_file
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS

NO_EMOTION = "no emotion"
_ROWS = 50_000
"""Rows of parquet in memory."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Rule for the weight of a clip; see the module.

    Attributes:
        masses: of each emotion of the corpus, and of `NO_EMOTION`; above 0.
        temperature: 1 or more.
        cap: the largest weight, 1 or more.
        min_level: intensity from which an emotion counts.
    """

    masses: Mapping[str, float]
    temperature: float = 2.0
    cap: float = 10.0
    min_level: float = 0.5

    def __post_init__(self) -> None:
        if not self.temperature >= 1 or not self.cap >= 1:
            raise InputError(
                f"temperature {self.temperature:g} and cap {self.cap:g} must be 1 or more: 1 balances most"
            )

    def factor(self, name: str) -> float:
        """Return the factor of an emotion of the corpus, or of `NO_EMOTION`: from 1 to the cap."""
        rarity = max(self.masses.values()) / self.masses[name]
        return min(self.cap, math.pow(rarity, 1 / self.temperature))

    def weight(self, profile: VoiceProfile) -> float:
        """Return the weight of a clip of the corpus with rated emotions: from 1 to the cap."""
        strong = strong_emotions(profile, self.min_level)
        if not strong:
            return 1.0
        weighted = sum(intensity * self.factor(name) for name, intensity in strong.items())
        return weighted / sum(strong.values())


def strong_emotions(profile: VoiceProfile, min_level: float) -> Mapping[str, float]:
    """Return the emotions that reach a level, or `NO_EMOTION` with intensity 1 where none of all 40 does."""
    strong = {name: value for name, value in profile.emotions.items() if value >= min_level and value > 0}
    return strong or ({NO_EMOTION: 1.0} if profile.fully_rated else {})


@dataclass(slots=True)
class WeightReport:
    """Effect of the weights.

    Attributes:
        balance: the rule.
        clips: clips with a weight.
        without_profile: clips without a weight, as they have no profile.
        emotions_unknown: clips without a weight, as none of their emotions is rated.
        total, squares: sums of the weights and of their squares.
        lightest, heaviest: the extremes of the weights.
        weighted: mass of each emotion, each clip counted with its weight.

    Example:
        >>> profiles = [VoiceProfile({name: 1.0}) for name in ("Awe", "Awe", "Awe", "Awe", "Pain")]
        >>> clips = [Clip(f"{n}", b"", "wav", profile=one) for n, one in enumerate(profiles)]
        >>> report = WeightReport(corpus_balance(clips))
        >>> list(weigh(clips, report))[3:], round(report.effective_clips, 2)
        ([('3', 1.0), ('4', 2.0)], 4.5)
    """

    balance: Balance
    clips: int = 0
    without_profile: int = 0
    emotions_unknown: int = 0
    total: float = 0.0
    squares: float = 0.0
    lightest: float = math.inf
    heaviest: float = 0.0
    weighted: Counter[str] = field(default_factory=Counter)

    def add(self, profile: VoiceProfile) -> float:
        """Count a clip and return its weight."""
        weight = self.balance.weight(profile)
        self.clips += 1
        self.total += weight
        self.squares += weight * weight
        self.lightest, self.heaviest = min(self.lightest, weight), max(self.heaviest, weight)
        for name, intensity in strong_emotions(profile, self.balance.min_level).items():
            self.weighted[name] += weight * intensity  # type: ignore[assignment]  # a Counter of floats
        return weight

    @property
    def effective_clips(self) -> float:
        """Kish's effective sample size, (Σw)² / Σw²: the number of equal weights that vary as little."""
        return self.total**2 / self.squares if self.squares else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        before, after = shares(self.balance.masses), shares(self.weighted)
        return {
            "clips": self.clips,
            "clips_without_profile": self.without_profile,
            "clips_with_unknown_emotions": self.emotions_unknown,
            "temperature": self.balance.temperature,
            "cap": self.balance.cap,
            "min_level": self.balance.min_level,
            "lightest": round(self.lightest, 6) if self.clips else None,
            "heaviest": round(self.heaviest, 6),
            "effective_clips": round(self.effective_clips, 2),
            "effective_share": round(self.effective_clips / max(1, self.clips), 4),
            "effective_emotions": {
                "before": round(effective_number(before), 2),
                "weighted": round(effective_number(after), 2),
            },
            "shares": {
                name: {"before": round(before[name], 6), "weighted": round(after.get(name, 0.0), 6)}
                for name in (*EMOTIONS, NO_EMOTION)
                if name in before
            },
        }


def shares(masses: Mapping[str, float]) -> dict[str, float]:
    """Return masses as shares of their sum."""
    total = sum(masses.values())
    return {name: mass / total for name, mass in masses.items()} if total else {}


def effective_number(parts: Mapping[str, float]) -> float:
    """Return the number of equally frequent emotions with the same entropy."""
    return math.exp(-sum(part * math.log(part) for part in parts.values() if part > 0))


def corpus_balance(
    clips: Iterable[Clip], *, temperature: float = 2.0, cap: float = 10.0, min_level: float = 0.5
) -> Balance:
    """Measure how frequent emotions are, in one pass over a corpus.

    Args:
        clips: of the corpus, as `budew.read` gives them.
        temperature, cap, min_level: see `Balance`.

    Raises:
        CorpusError: no clip has a profile in which an emotion reaches the level, or all are rated.
    """
    masses: dict[str, float] = {}
    for clip in clips:
        if clip.profile is not None and clip.profile.rated:
            for name, value in strong_emotions(clip.profile, min_level).items():
                masses[name] = masses.get(name, 0.0) + value
    if not masses:
        raise CorpusError(
            "no clip of the corpus has an emotion of that level, or a profile with all emotions rated: "
            "annotate it first"
        )
    return Balance(masses, temperature, cap, min_level)


def weigh(clips: Iterable[Clip], report: WeightReport) -> Iterator[tuple[str, float]]:
    """Yield id and weight of each clip with rated emotions; add all of them to the report.

    `clips` are those that the balance was made from, in a second pass.
    """
    for clip in clips:
        if clip.profile is None:
            report.without_profile += 1
        elif not clip.profile.rated:
            report.emotions_unknown += 1
        else:
            yield clip.id, report.add(clip.profile)


def check_weight_file(path: Path) -> None:
    """Raise `InputError` unless the suffix names a format that can be written."""
    if path.suffix.lower() not in (".jsonl", ".parquet"):
        raise InputError(f"{path}: weights are written as .jsonl or .parquet: name the file so")


def write_weights(path: Path, weights: Iterable[tuple[str, float]]) -> None:
    """Write id and weight of each clip as JSON Lines or parquet, lazily; the file appears when complete.

    Raises:
        InputError: neither `.jsonl` nor `.parquet`.

    Example:
        >>> write_weights(Path("weights.jsonl"), [("clip-1", 1.0), ("clip-2", 3.25)])
        >>> read_weights(Path("weights.jsonl"))
        {'clip-1': 1.0, 'clip-2': 3.25}
    """
    check_weight_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = ({"id": id, "weight": round(weight, 6)} for id, weight in weights)
    if path.suffix.lower() == ".parquet":
        schema = pa.schema([("id", pa.string()), ("weight", pa.float64())])
        with replaced_file(path) as part, pyarrow.parquet.ParquetWriter(part, schema) as writer:
            while some := list(islice(rows, _ROWS)):
                writer.write_table(pa.Table.from_pylist(some, schema))
        return
    with whole_file(path) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_weights(path: Path) -> dict[str, float]:
    """Return the weights in a file of `write_weights`, by clip id.

    Raises:
        CorpusError: it is another file, or a weight is not a number from 0 on.

    Example:
        >>> write_weights(Path("weights.jsonl"), [("clip-1", 0.5)])
        >>> read_weights(Path("weights.jsonl"))
        {'clip-1': 0.5}
    """
    check_weight_file(path)
    weights: dict[str, float] = {}
    try:
        for row in _rows(path):
            id, weight = row["id"], row["weight"]
            if not isinstance(id, str) or isinstance(weight, bool) or not 0 <= weight < math.inf:
                raise ValueError
            weights[id] = float(weight)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise CorpusError(f"{path} is not a file of weights: make one with `budew corpus weights`") from error
    return weights


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix.lower() == ".parquet":
        with pyarrow.parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(_ROWS):
                yield from batch.to_pylist()
        return
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)
