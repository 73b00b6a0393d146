"""A corpus as one HTML page: counts, plots, clips to listen to, what is broken.

With 24 players of four seconds it is a file of 0.7 MB.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from budew.corpora.clip import Clip
from budew.curation.corpus_counts import (
    CLIPS,
    EDGES,
    RATED,
    UNKNOWN,
    CorpusStatistics,
    most_frequent_languages,
)
from budew.curation.inspection import Inspection
from budew.profile import VoiceProfile
from budew.reports.corpus_tables import files_line
from budew.reports.page import (
    Bar,
    BarList,
    bar_list,
    bars,
    by_family,
    percent,
    players,
    render_page,
    strongest_first,
    trait_words,
)
from budew.reports.tables import LISTED
from budew.taxonomy import ATTRIBUTES, EMOTIONS, LEVEL_NAMES

LISTED_BROKEN = 50
COMPARED_LANGUAGES = 10


def corpus_html(found: Inspection, disagreements: Sequence[tuple[Clip, VoiceProfile]] = ()) -> str:
    """Return the inspection of a corpus as HTML, its examples with players.

    Args:
        found: the inspection.
        disagreements: clips with another profile that they had before, which are shown beside each other.
    """
    shown = list(_clips([*(clip for clip, _ in disagreements), *found.examples]))
    for item, (_, before) in zip(shown, disagreements, strict=False):
        item["before"] = _bars(before)
    counted = found.statistics
    return render_page(
        "corpus_page",
        found=found,
        files=files_line(found),
        counted=counted,
        cards=_cards(counted),
        emotions=_emotions(counted),
        levels=LEVEL_NAMES[1:],
        durations=_durations(counted),
        comparison=_comparison(counted),
        lists=_lists(found),
        disagreements=shown[: len(disagreements)],
        clips=shown[len(disagreements) :],
        broken=found.broken[:LISTED_BROKEN],
    )


def _cards(counted: CorpusStatistics) -> list[tuple[str, str]]:
    least = "" if counted.speakers.exact else "over "
    unknown = [("emotions unknown", f"{counted.emotions_unknown:,}")] if counted.emotions_unknown else []
    return [
        ("clips", f"{counted.clips:,}"),
        ("hours", f"{counted.durations.total / 3600:,.2f}"),
        ("speakers named", f"{least}{counted.speakers.distinct:,}"),
        ("with a profile", f"{counted.with_profile:,}"),
        *unknown,
        ("with a caption", f"{counted.with_caption:,}"),
        ("with a transcript", f"{counted.with_transcript:,}"),
        ("broken items", f"{counted.bad:,}"),
    ]


def _emotions(counted: CorpusStatistics) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Return the emotions by family, the most frequent first in each; a bar's parts are its levels."""
    most = max([1, *(counted.present(name) for name in EMOTIONS)])

    def row(name: str) -> Mapping[str, Any]:
        levels, clips = counted.levels[name], counted.present(name)
        return {
            "name": name,
            "clips": clips,
            "percent": percent(clips, counted.rated[name]),
            "parts": [(level, levels[level], percent(levels[level], most)) for level in LEVEL_NAMES[1:]],
        }

    return by_family((name, row(name)) for name in sorted(EMOTIONS, key=lambda name: -counted.present(name)))


def _durations(counted: CorpusStatistics) -> list[Bar]:
    starts = (0.0, *EDGES)
    names = [f"{low:g}–{high:g}" for low, high in zip(starts, EDGES, strict=False)] + [f"over {EDGES[-1]:g}"]
    return bars(zip(names, counted.durations.histogram, strict=True))


def _comparison(counted: CorpusStatistics) -> Mapping[str, Any]:
    """Return the share of each language's clips that have an emotion, in per cent, an emotion a row."""
    found = most_frequent_languages(counted, COMPARED_LANGUAGES)
    known = [(name, counts, counts[CLIPS] - counts[UNKNOWN]) for name, counts in found]
    languages = [(name, count) for name, _, count in known if count]
    rows = [
        (name, [percent(counts[name], counts[RATED + name]) for _, counts, count in known if count])
        for name in EMOTIONS
        if counted.present(name)
    ]
    most = max([1.0, *(share for _, shares in rows for share in shares)])
    return {"languages": languages, "rows": rows, "most": most}


def _lists(found: Inspection) -> list[BarList]:
    """Return what clips are called, labelled and encoded as, the most frequent first."""
    counted = found.statistics
    tallies = [
        ("language", counted.languages),
        ("speaker", counted.speakers),
        ("form of labels", found.labels),
        ("format", found.formats),
        ("sampling rate in Hz", found.sampling_rates),
        ("channels", found.channels),
        *sorted(counted.traits.items()),
        ("label that is not understood", counted.not_understood),
    ]
    lists = [bar_list(name, tally.most_common(LISTED), tally.distinct) for name, tally in tallies]
    for counts in (counted.attributes[name] for name in ATTRIBUTES if name in counted.attributes):
        lists.append((counts.label, bars((f"{value:g}", n) for value, n in counts.by_value()), 0))
    lists.append(bar_list("vocal burst", counted.bursts.most_common(), len(counted.bursts)))
    return [entry for entry in lists if entry[1]]


def _bars(profile: VoiceProfile) -> list[tuple[str, float]]:
    return [(name, profile.emotions[name]) for name in strongest_first(profile.emotions)[:LISTED]]


def _clips(clips: list[Clip]) -> Iterable[dict[str, Any]]:
    """Yield each clip with its player, and what is known of the voice in words and as bars."""
    sources = players((f"clip {clip.id!r}", clip.audio) for clip in clips)
    for clip, (source, why) in zip(clips, sources, strict=True):
        profile = clip.profile or VoiceProfile(None)
        length = None if clip.duration is None else f"{clip.duration:.1f} s"
        traits = [trait_words(name, value) for name, value in profile.traits.items()]
        unknown = "no profile" if clip.profile is None else "emotions unknown"
        if profile.rated:
            unknown = f"absent: {', '.join(profile.rated[:LISTED])}"
        yield {
            "clip": clip,
            "source": source,
            "why": why,
            "bars": _bars(profile),
            "nothing": "no emotion" if profile.fully_rated else unknown,
            "facts": list(filter(None, (clip.language, clip.speaker, length, *traits, *profile.bursts))),
        }
