"""What a corpus holds, in one pass and constant memory: clips, hours, languages, emotions, bursts, traits.

Its `baseline` tells what stands out in a clip of it: see `budew.captions.salience`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from budew.captions.salience import Baseline
from budew.corpora.clip import Clip
from budew.corpora.errors import CorpusError
from budew.corpora.sources import read
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, EMOTIONS, LEVEL_NAMES
from budew.taxonomy.scales import level_name


@dataclass(slots=True)
class Statistics:
    """Counts of a corpus.

    Attributes:
        corpus: what was read.
        clips: in all.
        seconds: of those whose duration is known, and how many they are in `timed`.
        timed: clips whose duration is known.
        with_profile: clips that are annotated.
        with_caption: clips that are captioned.
        bad: items that could not be read.
        languages: clips by language; "" where it is not known.
        levels: for each emotion, clips at each level.
        bursts: clips with each burst.
        traits: clips by trait and word.
        baseline: of the emotions; None where no clip has a profile.
    """

    corpus: str
    clips: int = 0
    seconds: float = 0.0
    timed: int = 0
    with_profile: int = 0
    with_caption: int = 0
    bad: int = 0
    languages: Counter[str] = field(default_factory=Counter)
    levels: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in EMOTIONS})
    bursts: Counter[str] = field(default_factory=Counter)
    traits: dict[str, Counter[str]] = field(default_factory=dict)
    baseline: Baseline | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; names in the order of the taxonomies, what does not occur left out."""
        return {
            "corpus": self.corpus,
            "clips": self.clips,
            "hours": round(self.seconds / 3600, 4),
            "clips_with_duration": self.timed,
            "clips_with_profile": self.with_profile,
            "clips_with_caption": self.with_caption,
            "bad_items": self.bad,
            "languages": dict(sorted(self.languages.items())),
            "emotions": {
                name: {level: counts[level] for level in LEVEL_NAMES[1:]}
                for name, counts in self.levels.items()
            },
            "bursts": {name: self.bursts[name] for name in BURSTS if name in self.bursts},
            "traits": {key: dict(sorted(words.items())) for key, words in sorted(self.traits.items())},
            "baseline": self.baseline.to_dict() if self.baseline else None,
        }


def corpus_statistics(
    corpus: str | Path,
    *,
    scale: str | None = None,
    on_bad: Callable[[CorpusError], None] | None = None,
    progress: Callable[[int], None] | None = None,
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
    found = Statistics(str(corpus))

    def tell(error: CorpusError) -> None:
        if on_bad is None:
            raise error
        found.bad += 1
        on_bad(error)

    def profiles() -> Iterator[VoiceProfile]:
        for clip in read(corpus, scale=scale, on_bad=tell):
            _count(found, clip)
            if progress:
                progress(found.clips)
            if clip.profile is not None:
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
    found.languages[clip.language or ""] += 1
    found.with_caption += bool(clip.captions)
    if clip.duration is not None:
        found.seconds += clip.duration
        found.timed += 1
    if clip.profile is None:
        return
    found.with_profile += 1
    found.bursts.update(clip.profile.bursts)
    for name, intensity in clip.profile.emotions.items():
        found.levels[name][level_name(intensity)] += 1
    for key, value in clip.profile.traits.items():
        if isinstance(value, str):
            found.traits.setdefault(key, Counter())[value] += 1
