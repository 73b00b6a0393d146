"""Clips of EmoNet-Voice Bench with the ratings of their experts, read without decoding audio.

A row has audio and a `label`: each expert's answer, 0, 1 or 2, to the one category that the clip was rated
for, such as `[{'human-1': {'Anger': 1}}, {'human-4': {'Anger': 2}}]`. `budew.read` puts these into `ratings`
of the metadata. From other formats than parquet (shards, a dataset of the hub) the audio is always read as
well.

The name of a clip is the name of its audio file, without folder and suffix; without a file name it is the id
that `budew.read` gives. Language and voice are read from columns with a usual name, else from a file name in
the style of Got Talent (`english_alloy_….mp3`), else they are unknown.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from budew.corpora.clip import Clip
from budew.corpora.column_names import language_tag
from budew.corpora.hub import SCHEME
from budew.corpora.labels.talent import shard_name
from budew.corpora.reading import ReadOptions
from budew.corpora.sources import matches, read_one
from budew.curation.consensus import majority
from budew.errors import CorpusError, InputError, OnBad
from budew.evaluation.prediction_files import audio_name
from budew.taxonomy import ATTRIBUTES, EMOTIONS
from budew.taxonomy.rating_scales import from_intensity

CLASSES = (0, 1, 2)
"""Possible answers: the emotion is not, mildly or intensely present."""
POINTS = 5.0
"""Difference between two successive answers on the scale of the paper, 0–10."""
FEWEST_RATERS = 3
"""Least number of raters whose exact agreement is the announced consensus."""
_HUB_NAME = re.compile(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}")
_TABLES = (".parquet", ".arrow")


@dataclass(frozen=True, slots=True)
class RatedClip:
    """A clip with the category that it was rated for and the answers of the raters.

    Attributes:
        clip: clip as `budew.read` yields it; without audio if only labels were read.
        category: an emotion, or the voice attribute Authenticity or Arousal.
        answers: rater → 0, 1 or 2.
        language: BCP 47 tag; None if unknown.
        voice: name of the synthetic voice or speaker; None if unknown.
        min_raters: least number of raters of a clip that is `unanimous`.
    """

    clip: Clip
    category: str
    answers: Mapping[str, int]
    language: str | None = None
    voice: str | None = None
    min_raters: int = FEWEST_RATERS

    @property
    def id(self) -> str:
        """Name of the audio file without folder and suffix, or the id of the clip."""
        return audio_name(self.clip)

    def without_audio(self) -> "RatedClip":
        """Return a copy without the audio, to save memory."""
        return replace(self, clip=replace(self.clip, audio=b""))

    @property
    def label(self) -> float:
        """Mean of the answers, converted to 0–10."""
        return sum(self.answers.values()) * POINTS / len(self.answers)

    @property
    def majority(self) -> int:
        """The most frequent answer; `budew.curation.consensus.majority` breaks ties."""
        return int(majority(list(self.answers.values())))

    @property
    def unanimous(self) -> bool:
        """Whether there are at least `min_raters`, who all gave the same answer."""
        return len(self.answers) >= self.min_raters and len(set(self.answers.values())) == 1


def read_rated_clips(
    source: str | Path,
    *,
    audio: bool = False,
    min_raters: int = FEWEST_RATERS,
    on_bad: OnBad | None = None,
) -> Iterator[RatedClip]:
    """Read the clips of EmoNet-Voice Bench, or of any data in its format, lazily, in the order of the data.

    Args:
        source: parquet files, a folder or pattern of them, `OWNER/NAME` or `hf://OWNER/NAME` of the hub, or
            whatever else `budew.read` reads.
        audio: whether to read the audio as well; if not, only the text columns of parquet files are read.
        min_raters: least number of raters of a clip that is `unanimous`.
        on_bad: called with the error if a clip cannot be read; used only with `audio`. Without it the error
            is raised.

    Raises:
        CorpusError: the source is not found, a clip has no ratings, an unknown category, two categories, an
            answer other than 0, 1 and 2, or two answers of one rater, or two clips have the same id; names
            the row.
    """
    ids: set[str] = set()
    options = ReadOptions(audio=audio, on_bad=on_bad if audio else None)
    for entry in matches(on_hub(source)):
        for clip in read_one(entry, options):
            rated = _rated(f"{entry}: clip {clip.id!r}", clip)
            if rated.id in ids:
                raise CorpusError(f"{entry}: a second clip is named {rated.id!r}: give each its own name")
            ids.add(rated.id)
            yield replace(rated, min_raters=min_raters)
    if not ids:
        raise CorpusError(f"{source} has no clips: check the path")


def on_hub(source: str | Path) -> str | Path:
    """Convert `OWNER/NAME` to an address on the hub, unless a file or folder has this path."""
    is_name = isinstance(source, str) and _HUB_NAME.fullmatch(source) and not Path(source).exists()
    is_file = str(source).lower().endswith((*_TABLES, ".tar", ".gz", ".jsonl", ".csv", ".tsv"))
    return f"{SCHEME}{source}" if is_name and not is_file else source


def _rated(where: str, clip: Clip) -> RatedClip:
    """Return a clip with its answers; language and voice are read from the file name if the clip has none."""
    named = shard_name(audio_name(clip))
    language = clip.language and (language_tag(clip.language) or clip.language)
    category, answers = _one_category(where, clip.metadata.get("ratings"))
    return RatedClip(
        clip,
        category,
        answers,
        language=language or (named.language if named else None),
        voice=clip.speaker or (named.voice if named else None),
    )


def _one_category(where: str, ratings: Any) -> tuple[str, dict[str, int]]:
    """Return the category, and rater → answer (0 to 2), from the ratings in the metadata."""
    if not isinstance(ratings, list) or not ratings:
        raise CorpusError(
            f"{where}: the clip has no ratings: give data with the answers of raters as `label`"
        )
    by_rater: dict[str, int] = {}
    categories: dict[str, None] = {}
    for one in ratings:
        try:
            rater, category = str(one["rater"]), one["emotion"]
            answer = from_intensity(one["value"], "emonet-voice")
        except (KeyError, TypeError, InputError) as error:
            fault = "a rating needs `rater`, `emotion`, and `value` from 0 to 1"
            raise CorpusError(f"{where}: {fault}: correct {str(one)[:80]}") from error
        if category not in (*EMOTIONS, *ATTRIBUTES):
            raise CorpusError(f"{where}: {str(category)[:40]!r} is not a name of the taxonomy: correct it")
        if rater in by_rater:
            raise CorpusError(f"{where}: {rater} answers twice: keep one answer of each rater")
        if answer not in CLASSES:
            raise CorpusError(f"{where}: {rater} answers {answer:g}, not 0, 1 or 2: convert it")
        by_rater[rater] = int(answer)
        categories[category] = None
    if len(categories) > 1:
        raise CorpusError(
            f"{where}: the clip is rated for {' and '.join(categories)}: keep one category a clip"
        )
    return next(iter(categories)), by_rater


def category_order(categories: set[str]) -> list[str]:
    """Sort categories in the order of the taxonomy, emotions first, then attributes."""
    return [name for name in (*EMOTIONS, *ATTRIBUTES) if name in categories]
