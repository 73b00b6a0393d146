"""Sampling weights, from 1 to a cap, with which clips of rare emotions are drawn more often, and their files.

The mass of an emotion is the sum of its intensities over the clips in which it reaches `min_level`. A clip
with all 40 emotions rated, none of which reaches `min_level`, adds 1 to the mass of "no emotion". With M as
the largest mass, an emotion of mass m has the factor

    min(cap, (M / m) ^ (1 / temperature))

The weight of a clip is the mean of the factors of its emotions, weighted by their intensities. It is 1 if
only some emotions are rated and none of them reaches `min_level`; a clip without rated emotions has no
weight. Temperature 1 is inverse frequency, infinity gives uniform weights, and the default 2 gives the square
root of repeat factor sampling (Gupta, Dollár and Girshick 2019, "LVIS"), which uses the rarest label of an
image instead of a mean.
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
"""Name under which clips count that have all 40 emotions rated, all below `min_level`."""
_ROWS = 50_000
"""Number of rows of a parquet file that are in memory at a time."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Rule that gives each clip its sampling weight; the formula is in the docstring of the module.

    Attributes:
        masses: emotion (or `NO_EMOTION`) → sum of its intensities in the corpus, above 0.
        temperature: 1 or more; 1 balances most, large values give nearly equal weights.
        cap: largest weight, 1 or more.
        min_level: emotions with a lower intensity are ignored.
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
        """Return the factor of an emotion in `masses`, or of `NO_EMOTION`: from 1 to `cap`."""
        rarity = max(self.masses.values()) / self.masses[name]
        return min(self.cap, math.pow(rarity, 1 / self.temperature))

    def weight(self, profile: VoiceProfile) -> float:
        """Return the sampling weight of a clip, from 1 to `cap`.

        `profile` is of a clip of the corpus from which `masses` were computed, with rated emotions.
        """
        strong = strong_emotions(profile, self.min_level)
        if not strong:
            return 1.0
        weighted = sum(intensity * self.factor(name) for name, intensity in strong.items())
        return weighted / sum(strong.values())


def strong_emotions(profile: VoiceProfile, min_level: float) -> Mapping[str, float]:
    """Return the intensities, by name, of the emotions that are at least `min_level` and above 0.

    If there are none, returns `NO_EMOTION` with 1.0 when all 40 emotions are rated, otherwise nothing.
    """
    strong = {name: value for name, value in profile.emotions.items() if value >= min_level and value > 0}
    return strong or ({NO_EMOTION: 1.0} if profile.fully_rated else {})


@dataclass(slots=True)
class WeightReport:
    """Effect of sampling weights on a corpus.

    Attributes:
        balance: rule that gives the weights.
        clips: number of clips with a weight.
        without_profile: number of clips that have no weight because they have no profile.
        emotions_unknown: number of clips that have no weight because none of their emotions is rated.
        total, squares: sum of the weights, and of their squares.
        lightest, heaviest: smallest and largest weight.
        weighted: emotion → sum of its intensities, each multiplied by the weight of the clip.

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
        """Count a clip, given by its profile, and return its weight."""
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
        """Kish's effective sample size, (Σw)² / Σw²: the number of clips if all weights are equal."""
        return self.total**2 / self.squares if self.squares else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dictionary for JSON, with the share of each emotion before and after."""
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
    """Return each mass divided by the sum of all, by name; {} if the sum is 0."""
    total = sum(masses.values())
    return {name: mass / total for name, mass in masses.items()} if total else {}


def effective_number(parts: Mapping[str, float]) -> float:
    """Return the effective number of emotions, e to the entropy of their shares; n for n equal shares."""
    return math.exp(-sum(part * math.log(part) for part in parts.values() if part > 0))


def corpus_balance(
    clips: Iterable[Clip], *, temperature: float = 2.0, cap: float = 10.0, min_level: float = 0.5
) -> Balance:
    """Measure how frequent each emotion is, in one pass over a corpus, and return the rule for weights.

    Args:
        clips: clips of the corpus, such as from `budew.read`.
        temperature, cap, min_level: see `Balance`.

    Raises:
        CorpusError: no emotion reaches `min_level` in any clip, and no clip has all 40 emotions rated.
    """
    masses: dict[str, float] = {}
    for clip in clips:
        if clip.profile is not None and clip.profile.rated:
            for name, value in strong_emotions(clip.profile, min_level).items():
                masses[name] = masses.get(name, 0.0) + value
    if not masses:
        raise CorpusError(
            f"no clip of the corpus has an emotion of at least {min_level:g}, or a profile with all emotions "
            "rated: annotate the corpus first"
        )
    return Balance(masses, temperature, cap, min_level)


def weigh(clips: Iterable[Clip], report: WeightReport) -> Iterator[tuple[str, float]]:
    """Yield id and weight of each clip with rated emotions, and count every clip in `report`.

    `clips` are those from which `report.balance` was computed, read again.
    """
    for clip in clips:
        if clip.profile is None:
            report.without_profile += 1
        elif not clip.profile.rated:
            report.emotions_unknown += 1
        else:
            yield clip.id, report.add(clip.profile)


def check_weight_file(path: Path) -> None:
    """Raise `InputError` unless the file is named `.jsonl` or `.parquet`."""
    if path.suffix.lower() not in (".jsonl", ".parquet"):
        raise InputError(f"{path}: files of weights end in .jsonl or .parquet: rename the file")


def write_weights(path: Path, weights: Iterable[tuple[str, float]]) -> None:
    """Write (id, weight) of clips as JSON Lines or parquet, one at a time; the file appears when complete.

    Raises:
        InputError: `path` ends with neither `.jsonl` nor `.parquet`.

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
    """Return {clip id: weight} from a file that `write_weights` wrote.

    Raises:
        InputError: `path` ends with neither `.jsonl` nor `.parquet`.
        CorpusError: the file is not a file of weights, or a weight is negative or not finite.

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
