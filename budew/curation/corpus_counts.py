"""Statistics of a corpus, in one pass: hours, licences, languages, speakers, emotions, bursts, traits.

Missing durations are read from the header of the audio (about 1,000 clips a second). Memory is bounded: of
each kind of name, such as speakers, at most 1,000,000 are counted separately.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, chain
from statistics import median
from typing import Any

from budew.captions.salience import Baseline
from budew.corpora.clip import Clip
from budew.corpora.data_card import declared_seconds
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, BURSTS, EMOTIONS, LEVEL_NAMES, LEVELS
from budew.taxonomy.rating_scales import from_intensity, level_name, nearest_level, to_intensity

MOST_LISTED = 50
"""Number of licences, languages, speakers and words of a trait that `to_dict` lists by name."""
MOST_LANGUAGES = 200
"""Number of languages whose emotions are counted separately; further languages are counted as `OTHER`."""
CLIPS, UNKNOWN = "", "?"
"""Keys in `by_language`: all clips with a profile; clips whose profile has no rated emotion."""
RATED = "rated "
"""Prefix of keys in `by_language`: "rated Awe" counts the clips in which Awe is rated, present or not."""
LONGEST_NAME = 200
"""Longer names are cut to this many characters: hostile files may have huge ones."""
OTHER = "(other)"
"""Key of a `Tally` for all names that are new after it has its largest number of names."""
EDGES = (0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 20.0, 30.0, 60.0, 600.0)
"""Upper bounds, in seconds, of the bins of `Durations.histogram`; 30 s is Whisper's window."""
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Quantiles of the durations in `Durations.to_dict`."""


class Tally(Counter[str]):
    """Counter of names with bounded memory: after `most` different names, new ones count as `OTHER`."""

    def __init__(self, most: int = 1_000_000) -> None:
        super().__init__()
        self.most = most

    @property
    def exact(self) -> bool:
        """False if some names were counted as `OTHER`."""
        return OTHER not in self

    @property
    def distinct(self) -> int:
        """Number of different names; if not `exact`, there are more than this."""
        return len(self) - (not self.exact)

    def add(self, name: str) -> str:
        """Add 1 to the count of a name, and return the key that is counted."""
        name = name[:LONGEST_NAME]
        key = name if name in self or len(self) < self.most else OTHER
        self[key] += 1
        return key

    def most_common(self, n: int | None = None) -> list[tuple[str, int]]:
        """Return (name, count) of the `n` most frequent names (None: all); ties in alphabetical order."""
        return sorted(self.items(), key=lambda row: (-row[1], row[0]))[:n]


@dataclass(slots=True)
class Durations:
    """Statistics of durations in seconds; quantiles are precise to a hundredth of a second.

    `histogram` has the number of clips in each bin: the upper bounds are `EDGES`, the last bin has longer
    clips.
    """

    count: int = 0
    total: float = 0.0
    shortest: float = float("inf")
    longest: float = 0.0
    histogram: list[int] = field(default_factory=lambda: [0] * (len(EDGES) + 1))
    _hundredths: Counter[int] = field(default_factory=Counter)

    def add(self, seconds: float) -> None:
        """Add one duration, in seconds."""
        self.count += 1
        self.total += seconds
        self.shortest = min(self.shortest, seconds)
        self.longest = max(self.longest, seconds)
        self.histogram[bisect_left(EDGES, seconds)] += 1
        self._hundredths[round(100 * seconds)] += 1

    def quantile(self, share: float) -> float:
        """Return the duration in seconds at a quantile (`share`, from 0 to 1); 0 without clips."""
        if not self.count:
            return 0.0
        ranked = sorted(self._hundredths.items())
        place = bisect_left(list(accumulate(clips for _, clips in ranked)), max(1.0, share * self.count))
        return min(max(ranked[place][0] / 100, self.shortest), self.longest)

    def to_dict(self) -> dict[str, Any]:
        """Return a dictionary with `clips`, `mean`, `shortest`, `longest`, `quantiles` and `histogram`."""
        if not self.count:
            return {"clips": 0}
        names = [f"{edge:g}" for edge in EDGES] + ["longer"]
        return {
            "clips": self.count,
            "mean": round(self.total / self.count, 3),
            "shortest": round(self.shortest, 3),
            "longest": round(self.longest, 3),
            "quantiles": {f"{share:g}": round(self.quantile(share), 3) for share in QUANTILES},
            "histogram": dict(zip(names, self.histogram, strict=True)),
        }


@dataclass(slots=True)
class AttributeCounts:
    """Counts of one voice attribute, such as "Arousal".

    `total` is the sum of its values on the scale of the attribute; `levels` counts clips by the nearest of
    the five levels, as intensities.
    """

    name: str
    clips: int = 0
    total: float = 0.0
    levels: Counter[float] = field(default_factory=Counter)

    def add(self, value: float) -> None:
        """Count the value of one clip, on the scale of the attribute."""
        self.clips += 1
        self.total += value
        self.levels[nearest_level(to_intensity(value, ATTRIBUTES[self.name].scale))] += 1

    @property
    def mean(self) -> float:
        """Mean of the values, on the scale of the attribute."""
        return self.total / self.clips

    @property
    def label(self) -> str:
        """Name with both ends of the scale and their meaning: `Arousal (0 very calm, 4 very excited)`."""
        of = ATTRIBUTES[self.name]
        return f"{self.name} ({of.scale.low:g} {of.at_low}, {of.scale.high:g} {of.at_high})"

    def by_value(self) -> list[tuple[float, int]]:
        """Return (value on the scale of the attribute, number of clips) of each of the five levels."""
        scale = ATTRIBUTES[self.name].scale
        return [(from_intensity(level, scale), self.levels[level]) for level in LEVELS]

    def to_dict(self) -> dict[str, Any]:
        """Return a dictionary with `clips`, `mean` and `levels`, the clips by value of the five levels."""
        levels = {f"{value:g}": clips for value, clips in self.by_value()}
        return {"clips": self.clips, "mean": round(self.mean, 4), "levels": levels}


@dataclass(slots=True)
class CorpusStatistics:
    """Statistics of a corpus: numbers of clips by language, speaker, emotion, burst and trait.

    Attributes:
        corpus: name or path of the corpus.
        clips: number of clips.
        durations: durations of the clips, from their metadata or the header of the audio.
        with_profile: number of clips with a profile.
        emotions_unknown: clips whose profile has no rated emotion, but for example measured attributes.
        partly_rated: clips whose profile rates some of the 40 emotions, but not all.
        with_caption: number of clips with a caption or more.
        with_transcript: number of clips with a transcript.
        captions: number of captions.
        bad: number of items that could not be read; set by the caller.
        licenses: licence → clips; "not stated" for clips without one.
        license_seconds: licence → seconds of its clips whose duration is known.
        languages: language → clips; "" if it is unknown.
        speakers: speaker → clips, without clips of unknown speakers.
        rated: emotion → clips in which it is rated.
        levels: emotion → level ("absent", "slight", …) → clips.
        by_language: language → emotion → clips in which it is present; also "" → clips with a profile,
            "?" → clips of unknown emotions, and "rated Awe" → clips in which Awe is rated.
        bursts: burst → clips.
        traits: trait → word → clips.
        attributes: voice attribute → its counts.
        not_understood: label that is not in the taxonomy, such as "emotion: joyfull" → clips.
        baseline: usual intensity of each emotion, see `budew.captions.salience`; None without rated emotions.

    Example:
        >>> found = corpus_statistics("mine", [Clip("a", b"", "wav", language="de", duration=2.5)])
        >>> found.to_dict()["languages"], found.durations.quantile(0.5)
        ({'de': 1}, 2.5)
    """

    corpus: str
    clips: int = 0
    durations: Durations = field(default_factory=Durations)
    with_profile: int = 0
    emotions_unknown: int = 0
    partly_rated: int = 0
    with_caption: int = 0
    with_transcript: int = 0
    captions: int = 0
    bad: int = 0
    licenses: Tally = field(default_factory=Tally)
    license_seconds: defaultdict[str, float] = field(default_factory=partial(defaultdict, float))
    languages: Tally = field(default_factory=Tally)
    speakers: Tally = field(default_factory=Tally)
    rated: Counter[str] = field(default_factory=Counter)
    levels: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in EMOTIONS})
    by_language: dict[str, Counter[str]] = field(default_factory=dict)
    bursts: Counter[str] = field(default_factory=Counter)
    traits: dict[str, Tally] = field(default_factory=dict)
    attributes: dict[str, AttributeCounts] = field(default_factory=dict)
    not_understood: Tally = field(default_factory=Tally)
    baseline: Baseline | None = None

    @property
    def emotions_known(self) -> int:
        """Number of clips with rated emotions, whether one is present or not."""
        return self.with_profile - self.emotions_unknown

    def present(self, emotion: str) -> int:
        """Return in how many clips an emotion is present, at any level above absent."""
        return sum(self.levels[emotion][level] for level in LEVEL_NAMES[1:])

    def to_dict(self) -> dict[str, Any]:
        """Return the statistics as a dictionary for JSON, with at most `MOST_LISTED` names of a kind."""
        return {
            "corpus": self.corpus,
            "clips": self.clips,
            "hours": round(self.durations.total / 3600, 4),
            "clips_with_duration": self.durations.count,
            "clips_with_profile": self.with_profile,
            "clips_with_unknown_emotions": self.emotions_unknown,
            "clips_partly_rated": self.partly_rated,
            "clips_with_caption": self.with_caption,
            "clips_with_transcript": self.with_transcript,
            "captions": self.captions,
            "bad_items": self.bad,
            "durations": self.durations.to_dict(),
            "licenses": {
                name: {"clips": clips, "hours": round(self.license_seconds[name] / 3600, 4)}
                for name, clips in self.licenses.most_common(MOST_LISTED)
            },
            "languages": dict(sorted(self.languages.most_common(MOST_LISTED))),
            "speakers": {
                "distinct": self.speakers.distinct,
                "exact": self.speakers.exact,
                "clips": self.speakers.total(),
                "median_clips": median(self.speakers.values())
                if self.speakers and self.speakers.exact
                else None,
                "most_clips": dict(self.speakers.most_common(MOST_LISTED)),
            },
            "emotions": {
                name: {level: counts[level] for level in LEVEL_NAMES[1:]}
                for name, counts in self.levels.items()
            },
            "clips_that_rate": {name: self.rated[name] for name in EMOTIONS},
            "emotions_by_language": {
                language: {
                    "clips_with_profile": counts[CLIPS],
                    "clips_with_unknown_emotions": counts[UNKNOWN],
                    "emotions": {name: counts[name] for name in EMOTIONS if counts[name]},
                }
                for language, counts in most_frequent_languages(self, MOST_LISTED)
            },
            "bursts": {name: self.bursts[name] for name in BURSTS if name in self.bursts},
            "traits": {
                key: dict(sorted(words.most_common(MOST_LISTED)))
                for key, words in sorted(self.traits.items())
            },
            "attributes": {
                name: self.attributes[name].to_dict() for name in ATTRIBUTES if name in self.attributes
            },
            "not_understood": dict(sorted(self.not_understood.most_common(MOST_LISTED))),
            "baseline": self.baseline.to_dict() if self.baseline else None,
        }


def most_frequent_languages(found: CorpusStatistics, count: int) -> list[tuple[str, Counter[str]]]:
    """Return (language, counts) from `by_language` of the `count` languages with most profiles."""
    return sorted(found.by_language.items(), key=lambda row: (-row[1][CLIPS], row[0]))[:count]


def corpus_statistics(corpus: str, clips: Iterable[Clip]) -> CorpusStatistics:
    """Compute statistics of clips in one pass; the caller may set `bad`, the number of unreadable items.

    Args:
        corpus: name of the corpus, for the report.
        clips: its clips, such as from `budew.read`; read once.

    Example:
        >>> profile = VoiceProfile({"Awe": 0.75})
        >>> found = corpus_statistics("mine", [Clip("a", b"", "wav", duration=2.5, profile=profile)])
        >>> found.durations.total, found.present("Awe")
        (2.5, 1)
    """
    found = CorpusStatistics(corpus)

    def profiles() -> Iterator[VoiceProfile]:
        for clip in clips:
            _count(found, clip)
            if clip.profile is not None and clip.profile.rated:
                yield clip.profile

    annotated = profiles()
    first = next(annotated, None)
    if first is not None:
        found.baseline = Baseline.from_profiles(chain([first], annotated))
    return found


def _count(found: CorpusStatistics, clip: Clip) -> None:
    found.clips += 1
    found.languages.add(clip.language or "")
    found.with_caption += bool(clip.captions)
    found.captions += len(clip.captions)
    found.with_transcript += bool(clip.transcript)
    odd = clip.metadata.get("not_understood")
    for column, text in odd.items() if isinstance(odd, Mapping) else ():
        found.not_understood.add(f"{column}: {text}")
    if clip.speaker:
        found.speakers.add(clip.speaker)
    license = found.licenses.add(clip.stated_license)
    duration = declared_seconds(clip)
    if duration is not None:
        found.durations.add(duration)
        found.license_seconds[license] += duration
    if clip.profile is not None:
        _count_profile(found, clip.profile, (clip.language or "")[:LONGEST_NAME])


def _count_profile(found: CorpusStatistics, profile: VoiceProfile, language: str) -> None:
    found.with_profile += 1
    found.bursts.update(profile.bursts)
    if language not in found.by_language and len(found.by_language) >= MOST_LANGUAGES:
        language = OTHER
    here = found.by_language.setdefault(language, Counter())
    here[CLIPS] += 1
    here.update(RATED + name for name in profile.rated)
    found.rated.update(profile.rated)
    found.partly_rated += 0 < len(profile.rated) < len(EMOTIONS)
    if not profile.rated:
        found.emotions_unknown += 1
        here[UNKNOWN] += 1
    for name, intensity in profile.emotions.items():
        level = level_name(intensity)
        found.levels[name][level] += 1
        here[name] += level != LEVEL_NAMES[0]
    for key, value in profile.traits.items():
        if isinstance(value, str):
            found.traits.setdefault(key, Tally()).add(value)
        else:
            found.attributes.setdefault(key, AttributeCounts(key)).add(value)
