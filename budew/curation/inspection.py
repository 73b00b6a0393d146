"""Contents and faults of a corpus, in one pass and bounded memory.

By default only the header of each audio file is read: 1,000 clips a second. With `decode` every sample is
decoded, which also finds clips that are silent, damaged or shorter than declared; mp3 is decoded at 1,500
times real time.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from budew.audio.decoders import open_stream
from budew.corpora.clip import Clip
from budew.corpora.folders import list_files
from budew.corpora.media import AUDIO
from budew.corpora.reading import ReadOptions
from budew.corpora.sources import Progress, counted, matches, read
from budew.curation.corpus_counts import MOST_LISTED, CorpusStatistics, Tally, corpus_statistics
from budew.errors import AudioError, CorpusError
from budew.io.addresses import without_secrets
from budew.io.resources import packaged_table

MOST_BROKEN = 1_000
"""Number of broken items whose error messages are kept; further ones are only counted."""
LONGEST_REASON = 1_000  # characters
SILENCE = 1e-4
"""A clip is silent if its largest absolute sample is below this (full scale is 1, so this is −80 dB)."""
EXAMPLES, RANDOM_EXAMPLES = 24, 12
LARGEST_EXAMPLE = 2_000_000
"""Largest clip, in bytes of encoded audio, that is kept in memory as an example."""
_FEW = 5  # number of ids in a remark
_rank = itemgetter(0, 1)  # sort key of examples
_DIFFERENCE = 0.25  # seconds by which a declared duration may differ from that of the audio


@dataclass(slots=True)
class Remark:
    """Unusual property that is not an error: how many clips have it, and the ids of the first five."""

    clips: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, id: str) -> None:
        """Count a clip that has the property."""
        self.clips += 1
        if len(self.first) < _FEW:
            self.first.append(id)


@dataclass(slots=True)
class Inspection:
    """Result of an inspection.

    Attributes:
        source: path or address of the corpus.
        files: kind of file → (number of files, bytes), the kind with most bytes first; empty for an address.
        decoded: True if every sample was decoded, False if only headers were read.
        statistics: statistics of all clips that can be opened; durations are measured on the audio.
        labels: clips by form of the labels from which their profile was made ("profile" if not recorded).
        formats, sampling_rates, channels: clips by audio format, rate (Hz) and number of channels.
        broken: error messages of the first `MOST_BROKEN` broken items; `statistics.bad` counts all.
        remarks: unusual properties, such as "silent", with the clips that have them.
        examples: clips with a strong emotion, then random ones, with their audio.

    Example:
        >>> from budew.io.resources import data_folder
        >>> inspect_corpus(data_folder("demo_clips")).to_dict()["sampling_rates"]
        {'16000': 16}
    """

    source: str
    files: Mapping[str, tuple[int, int]]
    decoded: bool
    statistics: CorpusStatistics
    labels: Tally = field(default_factory=Tally)
    formats: Tally = field(default_factory=Tally)
    sampling_rates: Tally = field(default_factory=Tally)
    channels: Tally = field(default_factory=Tally)
    broken: list[str] = field(default_factory=list)
    remarks: dict[str, Remark] = field(default_factory=dict)
    examples: list[Clip] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the inspection as a dictionary for JSON, without `examples`."""
        tallies = {name: getattr(self, name) for name in ("labels", "formats", "sampling_rates", "channels")}
        return {
            "source": self.source,
            "files": {kind: {"files": count, "bytes": size} for kind, (count, size) in self.files.items()},
            "decoded": self.decoded,
            **{name: dict(tally.most_common(MOST_LISTED)) for name, tally in tallies.items()},
            "broken_items": self.statistics.bad,
            "broken": self.broken,
            "remarks": {name: asdict(remark) for name, remark in sorted(self.remarks.items())},
            "statistics": self.statistics.to_dict(),
        }


def inspect_corpus(
    source: str | Path,
    *,
    scale: str | None = None,
    decode: bool = False,
    examples: int = EXAMPLES,
    progress: Progress | None = None,
) -> Inspection:
    """Check every clip of a corpus and count its contents. Broken items are listed, not raised.

    Args:
        source: anything that `budew.read` takes.
        scale: scale of scores in corpora that do not state it, such as "0-4".
        decode: decode every sample instead of reading headers.
        examples: number of example clips to keep: the strongest of each emotion, then random ones.
        progress: called with the number of clips inspected so far.

    Raises:
        CorpusError: the corpus does not exist.

    Example:
        >>> from budew.io.resources import data_folder
        >>> found = inspect_corpus(data_folder("demo_clips") / "clips.tar")
        >>> found.statistics.clips, dict(found.formats), found.broken
        (16, {'flac': 16}, [])
    """
    name = without_secrets(str(source))
    found = Inspection(name, files_by_kind(source), decode, CorpusStatistics(name))
    chosen = ExampleClips()
    broken: list[str] = []

    def add_broken(error: CorpusError) -> None:
        broken.append(str(error)[:LONGEST_REASON] if len(broken) < MOST_BROKEN else "")

    def examined() -> Iterator[Clip]:
        for clip in read(source, scale=scale, on_bad=add_broken):
            try:
                clip, damage = _examined(clip, found)
            except AudioError as error:
                add_broken(error)
                continue
            if damage is not None:
                add_broken(AudioError(damage))
            if not clip.is_withheld:
                chosen.add(clip)
            yield clip

    found.statistics = corpus_statistics(name, counted(examined(), progress))
    found.statistics.bad = len(broken)
    found.broken = broken[:MOST_BROKEN]
    found.examples = chosen.best(examples)
    return found


def files_by_kind(source: str | Path) -> dict[str, tuple[int, int]]:
    """Return {kind of file: (number of files, bytes)} of a corpus, without opening the files.

    Kinds are names such as "audio" and "parquet". Files that cannot be listed are left out: reading the
    corpus reports them.
    """
    try:
        found = matches(source, ReadOptions(on_bad=lambda _: None))
    except CorpusError:
        return {}
    suffixes = packaged_table(__package__, "file_kinds")
    kinds: dict[str, tuple[int, int]] = {}
    for path in map(Path, found):
        for file in list_files(path, on_bad=lambda _: None) if path.is_dir() else [path]:
            kind = _kind(file, suffixes)
            count, size = kinds.get(kind, (0, 0))
            kinds[kind] = count + 1, size + (file.stat().st_size if file.exists() else 0)
    return dict(sorted(kinds.items(), key=lambda item: (-item[1][1], item[0])))


def _kind(path: Path, suffixes: Mapping[str, list[str]]) -> str:
    if AUDIO.owns(path):
        return "audio"
    name = path.name.lower()
    return next((kind for kind, ends in suffixes.items() if name.endswith(tuple(ends))), "other")


def _examined(clip: Clip, found: Inspection) -> tuple[Clip, str | None]:
    """Return the clip with the duration and rate of its audio, and its damage; count its properties."""
    with open_stream(clip.audio, f"clip {clip.id!r}") as stream:
        rate, seconds, exact, peak = stream.sampling_rate, stream.declared, stream.exact, 1.0
        if found.decoded or seconds is None:
            peak = max(float(np.abs(block).max(initial=0.0)) for block in stream.blocks())
            seconds, exact = stream.seconds, True
    if clip.profile is not None:
        made_from = clip.metadata.get("profile_from")  # see budew.corpora.labels
        form = made_from.get("form") if isinstance(made_from, Mapping) else None
        found.labels.add(form if isinstance(form, str) else "profile")
    found.formats.add(clip.format)
    found.sampling_rates.add(str(rate))
    found.channels.add(str(stream.channels))
    differs = clip.duration is not None and exact and abs(clip.duration - seconds) > _DIFFERENCE
    oddities = {
        "silent": peak < SILENCE,
        "the declared duration is not that of the audio": differs,
        "the declared sampling rate is not that of the audio": clip.sampling_rate not in (None, rate),
        "joins a minor with sexual content: left out of every job": clip.is_withheld,
    }
    for name, is_so in oddities.items():
        if is_so:
            found.remarks.setdefault(name, Remark()).add(clip.id)
    return replace(clip, duration=seconds, sampling_rate=rate), stream.damage


@dataclass(slots=True)
class ExampleClips:
    """Selects the strongest clip of each emotion and some random clips, whatever the order of the corpus.

    The hash of the id decides between equally strong clips, and which random clips are kept. Clips larger
    than `LARGEST_EXAMPLE` are never selected.
    """

    _strongest: dict[str, tuple[float, str, Clip]] = field(default_factory=dict)
    _random: list[tuple[str, str, Clip]] = field(default_factory=list)

    def add(self, clip: Clip) -> None:
        """Keep a clip if it is the strongest of an emotion so far or one of the random clips."""
        if isinstance(clip.audio, bytes) and len(clip.audio) > LARGEST_EXAMPLE:
            return
        digest = hashlib.sha256(clip.id.encode()).hexdigest()
        for name, intensity in clip.profile.emotions.items() if clip.profile else ():
            entry = (-intensity, digest, clip)
            self._strongest[name] = min(self._strongest.get(name, entry), entry, key=_rank)
        self._random = sorted([*self._random, (digest, clip.id, clip)], key=_rank)[:RANDOM_EXAMPLES]

    def best(self, most: int) -> list[Clip]:
        """Return at most `most` clips: first the strongest clip of each emotion, then random clips."""
        chosen = {clip.id: clip for *_, clip in sorted(self._strongest.values(), key=_rank)}
        most = min(most, max(RANDOM_EXAMPLES, len(chosen)))
        chosen |= {clip.id: clip for *_, clip in self._random if clip.id not in chosen}
        return list(chosen.values())[:most]
