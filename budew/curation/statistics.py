"""What a corpus holds, in one pass: hours, languages, speakers, emotions, bursts, traits.

`Statistics.baseline` gives the usual intensity of each emotion: see `budew.captions.salience`. Clips without
a duration in their metadata are measured by the header of their audio (about 1,000 a second).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from budew.addresses import shown
from budew.audio.decoders import open_stream
from budew.captions.salience import Baseline
from budew.corpora.clip import Clip
from budew.corpora.sources import read
from budew.curation.distributions import OTHER, AttributeCounts, Durations, Tally, short_name
from budew.errors import AudioError, CorpusError, OnBad, report
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, BURSTS, EMOTIONS, LEVEL_NAMES
from budew.taxonomy.scales import level_name

MOST_LISTED = 50
"""Languages, speakers and words of a trait that `to_dict` lists by name."""
MOST_LANGUAGES = 200
"""Languages whose emotions are counted separately; further ones are counted as `OTHER`."""
CLIPS, UNKNOWN = "", "?"
"""In the counts of a language: clips with a profile, and those of them whose emotions are unknown."""

Progress = Callable[[int], None]
"""Called with the number of clips that are done."""
Item = TypeVar("Item")


def counted(items: Iterable[Item], progress: Progress | None) -> Iterator[Item]:
    """Pass items on; when the next is asked for, report how many are done."""
    for done, item in enumerate(items, start=1):
        yield item
        if progress is not None:
            progress(done)


@dataclass(slots=True)
class Statistics:
    """Counts of a corpus.

    Attributes:
        corpus: what was read.
        clips: in all.
        durations: of the clips whose duration is in the metadata or in the header of the audio.
        with_profile: clips that are annotated.
        emotions_unknown: of these, clips whose emotions are unknown, such as those that were only measured.
        with_caption: clips that are captioned.
        with_transcript: clips with a transcript.
        captions: in all.
        bad: items that could not be read.
        languages: clips by language; "" where it is not known.
        speakers: clips by speaker, of those whose speaker is known.
        levels: for each emotion, clips at each level.
        by_language: for each language, clips with each emotion, and those under `CLIPS` and `UNKNOWN`.
        bursts: clips with each burst.
        traits: clips by trait and word.
        attributes: values of the voice attributes, by name.
        not_understood: clips by labels that are not in the taxonomy, as "emotion: joyfull".
        baseline: of the emotions; None where those of no clip are known.
    """

    corpus: str
    clips: int = 0
    durations: Durations = field(default_factory=Durations)
    with_profile: int = 0
    emotions_unknown: int = 0
    with_caption: int = 0
    with_transcript: int = 0
    captions: int = 0
    bad: int = 0
    languages: Tally = field(default_factory=Tally)
    speakers: Tally = field(default_factory=Tally)
    levels: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in EMOTIONS})
    by_language: dict[str, Counter[str]] = field(default_factory=dict)
    bursts: Counter[str] = field(default_factory=Counter)
    traits: dict[str, Tally] = field(default_factory=dict)
    attributes: dict[str, AttributeCounts] = field(default_factory=dict)
    not_understood: Tally = field(default_factory=Tally)
    baseline: Baseline | None = None

    @property
    def emotions_known(self) -> int:
        """Clips whose emotions are known, whether they have any or not."""
        return self.with_profile - self.emotions_unknown

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
            "clips_with_unknown_emotions": self.emotions_unknown,
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
    return sorted(found.by_language, key=lambda name: (-found.by_language[name][CLIPS], name))[:count]


def corpus_statistics(
    corpus: str | Path,
    *,
    scale: str | None = None,
    on_bad: OnBad | None = None,
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
    bad: list[None] = []

    def count(error: CorpusError) -> None:
        report(error, on_bad)
        bad.append(None)

    found = clip_statistics(shown(str(corpus)), read(corpus, scale=scale, on_bad=count), progress=progress)
    found.bad = len(bad)
    return found


def clip_statistics(corpus: str, clips: Iterable[Clip], *, progress: Progress | None = None) -> Statistics:
    """Count what clips hold, in one pass.

    Args:
        corpus: name of the corpus.
        clips: read one at a time.
        progress: called with the number of clips that are done.
    """
    found = Statistics(corpus)

    def profiles() -> Iterator[VoiceProfile]:
        for clip in counted(clips, progress):
            _count(found, clip)
            if clip.profile is not None and clip.profile.emotions_known:
                yield clip.profile

    annotated = profiles()
    first = next(annotated, None)
    if first is not None:
        found.baseline = Baseline.from_profiles(chain([first], annotated))
    return found


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
    duration = _duration(clip)
    if duration is not None:
        found.durations.add(duration)
    if clip.profile is not None:
        _count_profile(found, clip.profile, short_name(clip.language or ""))


def _duration(clip: Clip) -> float | None:
    """Return the duration in the metadata, else that of the header; None where there is neither."""
    if clip.duration is not None:
        return clip.duration
    try:
        with open_stream(clip.audio, f"clip {clip.id!r}") as stream:
            return stream.declared
    except AudioError:
        return None


def _count_profile(found: Statistics, profile: VoiceProfile, language: str) -> None:
    found.with_profile += 1
    found.bursts.update(profile.bursts)
    if language not in found.by_language and len(found.by_language) >= MOST_LANGUAGES:
        language = OTHER
    here = found.by_language.setdefault(language, Counter())
    here[CLIPS] += 1
    if not profile.emotions_known:
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


def _speakers(speakers: Tally) -> dict[str, Any]:
    return {
        "distinct": speakers.distinct,
        "exact": speakers.exact,
        "clips": speakers.total(),
        "median_clips": median(speakers.values()) if speakers and speakers.exact else None,
        "most_clips": dict(speakers.most_common(MOST_LISTED)),
    }


def _by_language(counts: Counter[str]) -> dict[str, Any]:
    return {
        "clips_with_profile": counts[CLIPS],
        "clips_with_unknown_emotions": counts[UNKNOWN],
        "emotions": {name: counts[name] for name in EMOTIONS if counts[name]},
    }
