"""What a corpus is, what it holds and what is wrong with it, in one pass and bounded memory.

By default only the headers of the audio are read, of a thousand clips a second; with `decode` every sample
is, which finds what is damaged part way, silent or shorter than it claims, at 1,500 times real time for mp3.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from budew.addresses import shown as redact
from budew.audio.decoders import Stream, open_stream
from budew.corpora.clip import Clip
from budew.corpora.sources import read
from budew.curation.examples import Examples
from budew.curation.layout import Layout, layout
from budew.curation.statistics import MOST_LISTED, Progress, Statistics, clip_statistics
from budew.curation.tally import Tally
from budew.errors import AudioError, CorpusError

MOST_BROKEN = 1_000
"""Broken items that are kept with their reasons; all are counted."""
LONGEST_REASON = 1_000
"""Characters."""
EXAMPLES = 24
SILENCE = 1e-4
"""Peak, of full scale, under which a clip is taken for silent: −80 dB."""
_FEW = 5
_DIFFERENCE = 0.25  # seconds by which a stated duration may differ


@dataclass(slots=True)
class Remark:
    """Something odd that breaks nothing: of how many clips it is true, and the ids of the first."""

    clips: int = 0
    first: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Inspection:
    """What was found.

    Attributes:
        source: what was inspected.
        layout: the files that it consists of.
        decoded: whether every sample was decoded, or the headers were read.
        statistics: of all clips that can be opened; durations are those of the audio.
        labels: clips by the form of the labels that their profile was made of.
        formats, sampling_rates, channels: clips by each.
        broken: reasons, of the first `MOST_BROKEN` broken items; `statistics.bad` counts all.
        remarks: what is odd.
        examples: clips worth listening to, with their audio.
    """

    source: str
    layout: Layout
    decoded: bool
    statistics: Statistics
    labels: Tally = field(default_factory=lambda: Tally(1_000))
    formats: Tally = field(default_factory=lambda: Tally(1_000))
    sampling_rates: Tally = field(default_factory=lambda: Tally(1_000))
    channels: Tally = field(default_factory=lambda: Tally(1_000))
    broken: list[str] = field(default_factory=list)
    remarks: dict[str, Remark] = field(default_factory=dict)
    examples: list[Clip] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "source": self.source,
            "files": self.layout.to_dict(),
            "decoded": self.decoded,
            "labels": dict(self.labels.most_common(MOST_LISTED)),
            "formats": dict(self.formats.most_common(MOST_LISTED)),
            "sampling_rates": dict(self.sampling_rates.most_common(MOST_LISTED)),
            "channels": dict(self.channels.most_common(MOST_LISTED)),
            "broken_items": self.statistics.bad,
            "broken": self.broken,
            "remarks": {
                name: {"clips": remark.clips, "first": remark.first}
                for name, remark in sorted(self.remarks.items())
            },
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
    """Look at every clip of a corpus. Broken items are listed, not raised.

    Args:
        source: anything that `budew.read` takes.
        scale: of scores that come without one, such as "0-4", as for `budew.read`.
        decode: decode every sample instead of reading headers.
        examples: clips that are kept to be shown: strongest in an emotion, or by chance.
        progress: called with the number of clips that are done.

    Raises:
        CorpusError: there is no such corpus.
    """
    name = redact(str(source))
    found = Inspection(name, layout(source), decode, Statistics(name))
    shown = Examples()
    bad = 0

    def tell(error: CorpusError) -> None:
        nonlocal bad
        bad += 1
        if len(found.broken) < MOST_BROKEN:
            found.broken.append(str(error)[:LONGEST_REASON])

    def heard() -> Iterator[Clip]:
        for clip in read(source, scale=scale, on_bad=tell):
            try:
                clip = _examined(clip, found, tell)
            except AudioError as error:
                tell(error)
                continue
            shown.add(clip)
            yield clip

    found.statistics = clip_statistics(name, heard(), progress=progress)
    found.statistics.bad = bad
    found.examples = shown.chosen(examples)
    return found


def _examined(clip: Clip, found: Inspection, tell: Callable[[CorpusError], None]) -> Clip:
    """Return a clip with the duration and the rate of its audio; count what it is and remark what is odd."""
    name = f"clip {clip.id!r}"
    with open_stream(clip.audio, name) as stream:
        rate, seconds, exact = stream.sampling_rate, stream.declared, stream.exact
        if found.decoded or seconds is None:
            seconds, peak = _decoded(stream, tell)
            exact = True
            if peak < SILENCE:
                _remark(found, "silent", clip)
    if clip.profile is not None:
        found.labels.add(_label_form(clip))
    found.formats.add(clip.format)
    found.sampling_rates.add(str(rate))
    found.channels.add(str(stream.channels))
    if clip.duration is not None and exact and abs(clip.duration - seconds) > _DIFFERENCE:
        _remark(found, "the stated duration is not that of the audio", clip)
    if clip.sampling_rate not in (None, rate):
        _remark(found, "the stated sampling rate is not that of the audio", clip)
    return replace(clip, duration=seconds, sampling_rate=rate)


def _label_form(clip: Clip) -> str:
    """Return which form of labels the profile of a clip was made of, as `budew.corpora.labels` tells it."""
    told = clip.metadata.get("profile_from")
    form = told.get("form") if isinstance(told, Mapping) else None
    return form if isinstance(form, str) else "profile"


def _decoded(stream: Stream, tell: Callable[[CorpusError], None]) -> tuple[float, float]:
    """Decode all and return its length in seconds and its peak; what is damaged in it is told."""
    peak = 0.0
    for block in stream.blocks():
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
    if stream.damage is not None:
        tell(AudioError(stream.damage))
    return stream.seconds, peak


def _remark(found: Inspection, what: str, clip: Clip) -> None:
    remark = found.remarks.setdefault(what, Remark())
    remark.clips += 1
    if len(remark.first) < _FEW:
        remark.first.append(clip.id)
