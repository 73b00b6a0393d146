"""What a corpus holds, in one pass and bounded memory: hours, languages, voices, emotions, bursts, traits.

Its `baseline` tells what stands out in a clip of it: see `budew.captions.salience`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from budew.addresses import shown
from budew.captions.salience import Baseline
from budew.corpora.clip import Clip
from budew.corpora.sources import read
from budew.curation.attributes import AttributeCounts
from budew.curation.durations import Durations
from budew.curation.tally import Tally, short_name
from budew.errors import CorpusError
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, BURSTS, EMOTIONS, LEVEL_NAMES
from budew.taxonomy.scales import level_name

MOST_LISTED = 50
"""Languages, speakers and words of a trait that are listed by name, however many there are."""
MOST_LANGUAGES = 200
"""Languages whose emotions are counted apart; those met later are counted together, as "other"."""

UNJUDGED = "?"
"""In the counts of a language: clips with a profile that does not know the emotions."""

Progress = Callable[[int], None]
"""Called with the number of clips that are done."""


def _few() -> Tally:
    return Tally(1_000)


@dataclass(slots=True)
class Statistics:
    """Counts of a corpus.

    Attributes:
        corpus: what was read.
        clips: in all.
        durations: of the clips whose duration is known.
        with_profile: clips that are annotated.
        unjudged: of these, clips whose emotions are unknown, such as those that were only measured.
        with_caption: clips that are captioned.
        with_transcript: clips whose words are known.
        captions: in all.
        bad: items that could not be read.
        languages: clips by language; "" where it is not known.
        speakers: clips by speaker, of those whose speaker is known.
        levels: for each emotion, clips at each level.
        by_language: for each language, clips with each emotion, those with a profile under "", and of these
            those whose emotions are unknown under `UNJUDGED`.
        bursts: clips with each burst.
        traits: clips by trait and word.
        attributes: voice attributes, which are numbers, by name.
        not_understood: clips by what their columns say in words that are none of ours, as "emotion: joyfull".
        baseline: of the emotions; None where those of no clip are known.
    """

    corpus: str
    clips: int = 0
    durations: Durations = field(default_factory=Durations)
    with_profile: int = 0
    unjudged: int = 0
    with_caption: int = 0
    with_transcript: int = 0
    captions: int = 0
    bad: int = 0
    languages: Tally = field(default_factory=_few)
    speakers: Tally = field(default_factory=Tally)
    levels: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in EMOTIONS})
    by_language: dict[str, Counter[str]] = field(default_factory=dict)
    bursts: Counter[str] = field(default_factory=Counter)
    traits: dict[str, Tally] = field(default_factory=dict)
    attributes: dict[str, AttributeCounts] = field(default_factory=dict)
    not_understood: Tally = field(default_factory=_few)
    baseline: Baseline | None = None

    @property
    def clips_with_speaker(self) -> int:
        """Clips whose speaker is known; at least so many where `speakers` is not exact."""
        return sum(self.speakers.counts())

    @property
    def judged(self) -> int:
        """Clips whose emotions are known, whether they have any or not."""
        return self.with_profile - self.unjudged

    def present(self, emotion: str) -> int:
        """Return how many clips have an emotion, at whatever level."""
        return sum(self.levels[emotion][level] for level in LEVEL_NAMES[1:])

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; names in the order of the taxonomies, what does not occur left out."""
        return {
            "corpus": self.corpus,
            "clips": self.clips,
            "hours": round(self.durations.total / 3600, 4),
            "clips_with_duration": self.durations.count,
            "clips_with_profile": self.with_profile,
            "clips_with_unknown_emotions": self.unjudged,
            "clips_with_caption": self.with_caption,
            "clips_with_transcript": self.with_transcript,
            "captions": self.captions,
            "bad_items": self.bad,
            "durations": self.durations.to_dict(),
            "languages": dict(sorted(self.languages.most_common(MOST_LISTED))),
            "speakers": _speakers(self.speakers),
            "emotions": {
                name: {level: counts[level] for level in LEVEL_NAMES[1:]}
                for name, counts in self.levels.items()
            },
            "emotions_by_language": {
                language: _by_language(self.by_language[language])
                for language in most_frequent_languages(self, MOST_LISTED)
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


def most_frequent_languages(found: Statistics, count: int) -> list[str]:
    """Return languages with profiles, those of the most profiles first."""
    return sorted(found.by_language, key=lambda name: (-found.by_language[name][""], name))[:count]


def corpus_statistics(
    corpus: str | Path,
    *,
    scale: str | None = None,
    on_bad: Callable[[CorpusError], None] | None = None,
    progress: Progress | None = None,
) -> Statistics:
    """Count what a corpus holds.

    Args:
        corpus: anything that `budew.read` takes.
        scale: of scores that come without one, such as "0-4", as for `budew.read`.
        on_bad: called with the error of each item that cannot be read; without it the first is raised.
        progress: called with the number of clips that are done.

    Raises:
        CorpusError: there is no such corpus, or an item of it cannot be read.
    """
    bad = 0

    def tell(error: CorpusError) -> None:
        nonlocal bad
        if on_bad is None:
            raise error
        bad += 1
        on_bad(error)

    found = clip_statistics(shown(str(corpus)), read(corpus, scale=scale, on_bad=tell), progress=progress)
    found.bad = bad
    return found


def clip_statistics(corpus: str, clips: Iterable[Clip], *, progress: Progress | None = None) -> Statistics:
    """Count what clips hold, in one pass.

    Args:
        corpus: what the clips are called.
        clips: read one at a time.
        progress: called with the number of clips that are done.
    """
    found = Statistics(corpus)

    def profiles() -> Iterator[VoiceProfile]:
        for clip in clips:
            _count(found, clip)
            if progress:
                progress(found.clips)
            if clip.profile is not None and clip.profile.emotions_known:
                yield clip.profile

    annotated = profiles()
    first = next(annotated, None)
    if first is not None:
        found.baseline = Baseline.from_profiles(_chained(first, annotated))
    return found


def _chained(first: VoiceProfile, rest: Iterator[VoiceProfile]) -> Iterator[VoiceProfile]:
    yield first
    yield from rest


def _count(found: Statistics, clip: Clip) -> None:
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
    if clip.duration is not None:
        found.durations.add(clip.duration)
    if clip.profile is not None:
        _count_profile(found, clip.profile, short_name(clip.language or ""))


def _count_profile(found: Statistics, profile: VoiceProfile, language: str) -> None:
    found.with_profile += 1
    found.bursts.update(profile.bursts)
    if language not in found.by_language and len(found.by_language) >= MOST_LANGUAGES:
        language = "other"
    here = found.by_language.setdefault(language, Counter())
    here[""] += 1
    if not profile.emotions_known:
        found.unjudged += 1
        here[UNJUDGED] += 1
    for name, intensity in profile.emotions.items():
        level = level_name(intensity)
        found.levels[name][level] += 1
        here[name] += level != LEVEL_NAMES[0]
    for key, value in profile.traits.items():
        if isinstance(value, str):
            found.traits.setdefault(key, _few()).add(value)
        else:
            found.attributes.setdefault(key, AttributeCounts(key)).add(value)


def _speakers(tally: Tally) -> dict[str, Any]:
    return {
        "distinct": tally.distinct,
        "exact": tally.exact,
        "clips": sum(tally.counts()),
        "median_clips": median(tally.counts()) if len(tally) and tally.exact else None,
        "most_clips": dict(tally.most_common(MOST_LISTED)),
    }


def _by_language(counts: Counter[str]) -> dict[str, Any]:
    said = {name: counts[name] for name in EMOTIONS if counts[name]}
    return {
        "clips_with_profile": counts[""],
        "clips_with_unknown_emotions": counts[UNJUDGED],
        "emotions": said,
    }
