"""A corpus as one HTML file that opens anywhere: figures, plots, clips to listen to, what is broken.

Everything is inside: no script, no font, no image from elsewhere; it looks as the report of an evaluation
does. With 24 players of four seconds it is a file of 0.7 MB. Whatever a corpus says of itself comes from
outside and is escaped; audio is decoded and encoded anew.
"""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from budew.corpora.clip import Clip
from budew.curation.attributes import attribute_scale
from budew.curation.durations import EDGES
from budew.curation.inspection import Inspection
from budew.curation.statistics import UNJUDGED, Statistics, most_frequent_languages
from budew.curation.tally import Tally
from budew.files import whole_file
from budew.reports.marks import emotion_tone, strongest_first, trait_words
from budew.reports.page_parts import Bar, bars, page_environment, percent
from budew.reports.player import LARGEST_TOTAL, embedded, encoded_size
from budew.taxonomy import ATTRIBUTES, EMOTION_GROUPS, EMOTIONS, LEVEL_NAMES, emotion_group
from budew.taxonomy.scales import level_name
from budew.version import __version__

LISTED = 12
"""Names in each list; the JSON has more."""
LISTED_BROKEN = 50
COMPARED_LANGUAGES = 10


def write_corpus_page(found: Inspection, path: Path) -> Path:
    """Write the page of `corpus_html` to `path`, replacing what is there, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(corpus_html(found))
    return path


def corpus_html(found: Inspection) -> str:
    """Return the inspection of a corpus as HTML, its examples with players."""
    environment = page_environment()
    template = environment.from_string(
        (files(__package__) / "corpus_page.html.j2").read_text(encoding="utf-8")
    )
    counted = found.statistics
    return template.render(
        found=found,
        counted=counted,
        style=_style(),
        version=__version__,
        cards=_cards(counted),
        emotions=_emotions(counted),
        levels=LEVEL_NAMES[1:],
        durations=_durations(counted),
        comparison=_comparison(counted),
        lists=_lists(found),
        clips=list(_clips(found.examples)),
        broken=found.broken[:LISTED_BROKEN],
    )


def _style() -> str:
    sheets = ((__package__, "evaluation_page.css"), (__package__, "corpus_page.css"))
    return "\n".join((files(package) / name).read_text(encoding="utf-8") for package, name in sheets)


def _cards(counted: Statistics) -> list[tuple[str, str]]:
    about = "" if counted.speakers.exact else "about "
    unjudged = [("emotions unknown", f"{counted.unjudged:,}")] if counted.unjudged else []
    return [
        ("clips", f"{counted.clips:,}"),
        ("hours", f"{counted.durations.total / 3600:,.2f}"),
        ("speakers named", f"{about}{counted.speakers.distinct:,}"),
        ("with a profile", f"{counted.with_profile:,}"),
        *unjudged,
        ("with a caption", f"{counted.with_caption:,}"),
        ("with a transcript", f"{counted.with_transcript:,}"),
        ("broken items", f"{counted.bad:,}"),
    ]


def _emotions(counted: Statistics) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Return the emotions by family, the most frequent first in each; a bar's parts are its levels."""
    most = max([1, *(counted.present(name) for name in EMOTIONS)])
    families: dict[str, list[Mapping[str, Any]]] = {group: [] for group in EMOTION_GROUPS}
    for name in sorted(EMOTIONS, key=lambda name: -counted.present(name)):
        levels = counted.levels[name]
        families[emotion_group(name)].append(
            {
                "name": name,
                "tone": emotion_tone(name),
                "clips": counted.present(name),
                "percent": percent(counted.present(name), counted.judged),
                "parts": [(level, levels[level], percent(levels[level], most)) for level in LEVEL_NAMES[1:]],
            }
        )
    return list(families.items())


def _durations(counted: Statistics) -> list[Bar]:
    starts = (0.0, *EDGES)
    names = [f"{low:g}–{high:g}" for low, high in zip(starts, EDGES, strict=False)] + [f"over {EDGES[-1]:g}"]
    return bars(zip(names, counted.durations.histogram, strict=True))


def _comparison(counted: Statistics) -> Mapping[str, Any]:
    """Return the share of each language's clips that have an emotion, in per cent, an emotion a row."""
    names = most_frequent_languages(counted, COMPARED_LANGUAGES)
    judged = {name: counted.by_language[name][""] - counted.by_language[name][UNJUDGED] for name in names}
    languages = [(name, count) for name, count in judged.items() if count]
    rows = [
        (name, [percent(counted.by_language[language][name], count) for language, count in languages])
        for name in EMOTIONS
        if counted.present(name)
    ]
    most = max([1.0, *(share for _, shares in rows for share in shares)])
    return {"languages": languages, "rows": rows, "most": most}


def _lists(found: Inspection) -> list[tuple[str, list[Bar], int]]:
    """Return headings, their most frequent names, and how many more there are."""
    counted = found.statistics
    tallies: list[tuple[str, Tally]] = [
        ("language", counted.languages),
        ("speaker", counted.speakers),
        ("form of labels", found.labels),
        ("format", found.formats),
        ("sampling rate in Hz", found.sampling_rates),
        ("channels", found.channels),
        *sorted(counted.traits.items()),
        ("label that is not understood", counted.not_understood),
    ]
    lists = [
        (name, bars(tally.most_common(LISTED)), max(0, tally.distinct - LISTED)) for name, tally in tallies
    ]
    lists += [
        (
            attribute_scale(name),
            bars((f"{value:g}", n) for value, n in counted.attributes[name].by_value()),
            0,
        )
        for name in ATTRIBUTES
        if name in counted.attributes
    ]
    bursts = bars(counted.bursts.most_common(LISTED))
    lists.append(("vocal burst", bursts, max(0, len(counted.bursts) - LISTED)))
    return [entry for entry in lists if entry[1]]


def _clips(clips: Iterable[Clip]) -> Iterable[Mapping[str, Any]]:
    room = LARGEST_TOTAL
    for clip in clips:
        source, why = embedded(clip.audio, f"clip {clip.id!r}", room=room)
        room -= encoded_size(source)
        yield {"clip": clip, "source": source, "why": why, **_heard(clip)}


def _heard(clip: Clip) -> Mapping[str, Any]:
    """Return what is known of a clip's voice, in words and as bars."""
    profile = clip.profile
    emotions = profile.emotions if profile else {}
    strengths = [
        (name, emotion_tone(name), round(100 * emotions[name], 1), level_name(emotions[name]))
        for name in strongest_first(emotions)
    ]
    traits = [trait_words(name, value) for name, value in profile.traits.items()] if profile else []
    length = [f"{clip.duration:.1f} s"] if clip.duration is not None else []
    facts = [fact for fact in (clip.language, clip.speaker) if fact]
    unheard = "emotions unknown" if profile and not profile.emotions_known else "no emotion"
    return {
        "unheard": unheard if profile else "no profile",
        "bars": strengths[:LISTED],
        "facts": [*facts, *length, *traits, *(profile.bursts if profile else ())],
    }
