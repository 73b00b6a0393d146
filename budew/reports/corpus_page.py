"""Reports of the statistics and the inspection of a corpus: counts, plots, broken items, clips to listen to.

The page of an inspection with 24 players of four seconds is a file of 0.7 MB.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rich.filesize import decimal

from budew.corpora.clip import Clip
from budew.curation.corpus_counts import (
    CLIPS,
    EDGES,
    RATED,
    UNKNOWN,
    CorpusStatistics,
    Tally,
    most_frequent_languages,
)
from budew.curation.inspection import Inspection
from budew.profile import VoiceProfile
from budew.reports.formatting import LISTED
from budew.reports.page import (
    bar_list,
    percent,
    players,
    section_note,
    shortened,
    strongest_first,
    trait_words,
)
from budew.reports.sections import (
    BarLists,
    BarRow,
    Bars,
    Card,
    ClipCard,
    ClipCards,
    EmotionBar,
    HeatMap,
    Report,
    Section,
    StackedBars,
    Table,
    with_content,
)
from budew.taxonomy import ATTRIBUTES, EMOTIONS, LEVEL_NAMES
from budew.taxonomy.rating_scales import level_name

LISTED_BROKEN = 50
COMPARED_LANGUAGES = 10


def statistics_report(counted: CorpusStatistics) -> Report:
    """Report the statistics of a corpus."""
    return Report(counted.corpus, "", _cards(counted), with_content(*_counts(counted, {})))


def inspection_summary(found: Inspection) -> Report:
    """Report the inspection of a corpus for a terminal, without clips."""
    kinds = (f"{kind} {count:,} ({decimal(size)})" for kind, (count, size) in found.files.items())
    audio = "decoded to the last sample" if found.decoded else "headers only"
    encoded = {
        "form of labels": found.labels,
        "format": found.formats,
        "sampling rate in Hz": found.sampling_rates,
        "channels": found.channels,
    }
    return Report(
        found.source,
        f"{', '.join(kinds) or 'no local files'}. Audio {audio}.",
        _cards(found.statistics),
        with_content(_remarks(found), _broken(found), *_counts(found.statistics, encoded)),
    )


def inspection_report(found: Inspection, disagreements: Sequence[tuple[Clip, VoiceProfile]] = ()) -> Report:
    """Report the inspection of a corpus, with players for its examples.

    Args:
        found: result of the inspection.
        disagreements: clips to show, each with an earlier profile, which is shown beside the profile of the
            clip.
    """
    summary = inspection_summary(found)
    return replace(summary, sections=[*summary.sections, *_clip_sections(found, disagreements)])


def _counts(counted: CorpusStatistics, encoded: Mapping[str, Tally]) -> list[Section | None]:
    """Return what clips contain; `encoded`: how they are labelled and encoded."""
    seconds, licenses = counted.license_seconds, counted.licenses.most_common(LISTED)
    rows = [(name, clips, seconds[name] / 3600) for name, clips in licenses]
    by_license = Table("Licences", ("licence", "clips", "hours"), rows)
    sections = [_emotions(counted), _durations(counted), _languages(counted), by_license]
    return [*sections, _tallies(counted, encoded)]


def _cards(counted: CorpusStatistics) -> list[Card]:
    timed, speakers = counted.durations, counted.speakers
    least = "" if speakers.exact else "over "
    untimed, unnamed = counted.clips - timed.count, counted.clips - speakers.total()
    unknown = [Card("emotions unknown", counted.emotions_unknown)] if counted.emotions_unknown else []
    return [
        Card("clips", counted.clips),
        Card(
            "hours",
            timed.total / 3600 if timed.count or not counted.clips else None,
            note=f"duration of {untimed:,} clips unknown" if untimed else "",
        ),
        Card(
            "speakers named",
            f"{least}{speakers.distinct:,}",
            note=f"none named in {unnamed:,} clips" if unnamed else "",
        ),
        Card("with a profile", counted.with_profile),
        *unknown,
        Card("with a caption", counted.with_caption),
        Card("with a transcript", counted.with_transcript),
        Card("broken items", counted.bad, warning=counted.bad > 0),
    ]


def _remarks(found: Inspection) -> Table:
    rows = [
        (problem, remark.clips, ", ".join(map(shortened, remark.first)))
        for problem, remark in sorted(found.remarks.items())
    ]
    return Table("Problems", ("problem", "clips", "examples"), rows)


def _broken(found: Inspection) -> Table:
    bad, listed = found.statistics.bad, found.broken[:LISTED_BROKEN]
    note = f"{bad:,} items are broken" + (f"; the first {len(listed)}." if bad > len(listed) else ".")
    rows = [(number, shortened(reason)) for number, reason in enumerate(listed, 1)]
    return Table("Broken items", ("", "reason"), rows, note=note)


def _emotions(counted: CorpusStatistics) -> StackedBars | None:
    """Return the emotions by level, the most frequent first in each family."""
    if not counted.emotions_known:
        return None
    names = sorted(EMOTIONS, key=lambda name: -counted.present(name))
    clips = [counted.present(name) for name in names]
    partly = f", {counted.partly_rated:,} of them only some" if counted.partly_rated else ""
    return StackedBars(
        "Emotions",
        LEVEL_NAMES[1:],
        [(name, [counted.levels[name][level] for level in LEVEL_NAMES[1:]]) for name in names],
        note=section_note("corpus", "emotions", known=counted.emotions_known, partly=partly),
        whole=max(1, *clips),
        columns={
            "clips": clips,
            "% of rated": [f"{percent(counted.present(name), counted.rated[name]):.1f}" for name in names],
        },
    )


def _durations(counted: CorpusStatistics) -> Bars | None:
    found = counted.durations
    if not found.count:
        return None
    starts = (0.0, *EDGES)
    names = [f"{low:g}–{high:g} s" for low, high in zip(starts, EDGES, strict=False)]
    names.append(f"over {EDGES[-1]:g} s")
    low, median, high = map(found.quantile, (0.05, 0.5, 0.95))
    note = section_note("corpus", "durations", found=found, low=low, median=median, high=high)
    rows = [BarRow(name, clips) for name, clips in zip(names, found.histogram, strict=True)]
    return Bars("Durations", rows, note=note, measure="clips", digits=0)


def _languages(counted: CorpusStatistics) -> HeatMap | None:
    """Return the share of each language's clips that have an emotion; None of a single language."""
    known = [
        (name, counts, counts[CLIPS] - counts[UNKNOWN])
        for name, counts in most_frequent_languages(counted, COMPARED_LANGUAGES)
    ]
    languages = [(name or "unknown", counts, clips) for name, counts, clips in known if clips]
    emotions = [name for name in EMOTIONS if counted.present(name)]
    if len(languages) < 2 or not emotions:
        return None
    shares = [
        [percent(counts[emotion], counts[RATED + emotion]) for _, counts, _ in languages]
        for emotion in emotions
    ]
    return HeatMap(
        "Emotions by language",
        emotions,
        [f"{shortened(name)} ({clips:,})" for name, _, clips in languages],
        shares,
        high=max(1.0, *(share for row in shares for share in row)),
        note=section_note("corpus", "languages"),
        digits=1,
    )


def _tallies(counted: CorpusStatistics, encoded: Mapping[str, Tally]) -> BarLists:
    """Return what clips are called, labelled and encoded as, the most frequent first."""
    tallies = {
        "language": counted.languages,
        "speaker": counted.speakers,
        **encoded,
        **dict(sorted(counted.traits.items())),
        "label that is not understood": counted.not_understood,
    }
    lists = [bar_list(name, tally.most_common(LISTED), tally.distinct) for name, tally in tallies.items()]
    for counts in (counted.attributes[name] for name in ATTRIBUTES if name in counted.attributes):
        values = ((f"{value:g}", clips) for value, clips in counts.by_value())
        lists.append(bar_list(f"{counts.label}, mean {counts.mean:.2f}", values))
    lists.append(bar_list("vocal burst", counted.bursts.most_common(), len(counted.bursts)))
    return BarLists("Languages, speakers and formats" if encoded else "Languages and speakers", lists)


def _clip_sections(found: Inspection, disagreements: Sequence[tuple[Clip, VoiceProfile]]) -> list[Section]:
    clips = [*(clip for clip, _ in disagreements), *found.examples]
    before = [*(profile for _, profile in disagreements), *([None] * len(found.examples))]
    sources = players((f"clip {clip.id!r}", clip.audio) for clip in clips)
    cards = [
        _clip_card(clip, *source, profile)
        for clip, source, profile in zip(clips, sources, before, strict=True)
    ]
    differing = ClipCards(
        "Caption and earlier profile disagree",
        cards[: len(disagreements)],
        note="The clips whose emotions in the caption differ most from the profile that they had before.",
        legend=("now", "before"),
    )
    examples = ClipCards(
        "Listen",
        cards[len(disagreements) :],
        note="The strongest clip of an emotion, or a random clip; at most 30 s of each.",
    )
    return with_content(differing, examples)


def _clip_card(clip: Clip, source: str, why: str, before: VoiceProfile | None) -> ClipCard:
    """Return a clip with its player and profile, and with the profile that it had before."""
    profile = clip.profile or VoiceProfile(None)
    facts = {
        "language": clip.language,
        "speaker": clip.speaker,
        "duration": None if clip.duration is None else f"{clip.duration:.1f} s",
        **{name.replace("_", " "): trait_words(name, value) for name, value in profile.traits.items()},
        "bursts": ", ".join(profile.bursts),
        "transcript": clip.transcript,
    }
    unrated = "no profile" if clip.profile is None else "emotions unknown"
    if profile.rated:
        unrated = f"absent: {', '.join(profile.rated[:LISTED])}"
    return ClipCard(
        clip.id,
        source,
        why,
        clip.captions[0].text if clip.captions else "",
        [(name, value) for name, value in facts.items() if value],
        bars=_emotion_bars([profile.emotions] if before is None else [profile.emotions, before.emotions]),
        without_bars="no emotion" if profile.fully_rated else unrated,
    )


def _emotion_bars(profiles: Sequence[Mapping[str, float]]) -> list[EmotionBar]:
    """Return the strongest emotions of one or two profiles of a clip."""
    names = dict.fromkeys(name for emotions in profiles for name in strongest_first(emotions)[:LISTED])
    return [
        EmotionBar(
            name,
            [emotions.get(name, 0.0) for emotions in profiles],
            ", before ".join(level_name(emotions.get(name, 0.0)) for emotions in profiles),
        )
        for name in names
    ]
