"""HTML pages: single files that open anywhere and load no script, font or image from elsewhere.

Plots are HTML and CSS: they follow the reader's light or dark mode, stay sharp on any screen and can be read
aloud. Players get an mp3 encoded from the decoded samples, which every browser plays; no byte of the original
file is included. Ten seconds take about 50 kB.
"""

import base64
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import soundfile
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from budew.audio.samples import windows
from budew.errors import AudioError
from budew.io.files import whole_file
from budew.io.resources import packaged_table
from budew.reports.formatting import LISTED, visible
from budew.reports.sections import BarList, HeatMap
from budew.taxonomy import ATTRIBUTES, EMOTION_GROUPS, EMOTIONS, LEVELS, emotion_group
from budew.taxonomy.rating_scales import level_name, nearest_level, to_intensity
from budew.version import __version__

LONGEST_TEXT = 600
"""Largest number of characters that are shown of a caption, a transcript or a reason."""
LONGEST_PLAYED = 30.0
"""Largest number of seconds that are played of a clip."""
LARGEST_AUDIO = 4_000_000
"""Largest size of all mp3 in one page in bytes."""
Row = TypeVar("Row")

_RATE = 16_000
_FOLDER = Path(__file__).parent


def render_page(
    name: str, *, sheets: Sequence[str] = (), filters: dict[str, Any] | None = None, **values: Any
) -> str:
    """Render the template `name` with its style sheet and script, such as "sections_page", as HTML.

    `sheets` are further style sheets, `filters` further filters of the template, `values` its variables.
    A template with a script has the variables `script` and `digest`, for its content security policy.
    Texts are escaped, and control characters made visible; a missing variable is an error.
    """
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if isinstance(value, str) else value,
    )
    own = {"shown": shortened, "breakable": breakable, "tone": emotion_tone, "level": level_name}
    environment.filters |= own | (filters or {})
    style = "".join(
        (_FOLDER / f"{sheet}.css").read_text(encoding="utf-8") for sheet in ("base", *sheets, name)
    )
    script = _FOLDER / f"{name}.js"
    if script.exists():
        digest = hashlib.sha256(script.read_bytes()).digest()
        values |= {"script": script.read_text(encoding="utf-8"), "digest": base64.b64encode(digest).decode()}
    return environment.get_template(f"{name}.html.j2").render(style=style, version=__version__, **values)


def write_page(html: str, path: Path) -> Path:
    """Write a page to `path`, replacing an earlier file, and create its folder; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(html)
    return path


def shortened(text: str) -> str:
    """Return a text, cut after `LONGEST_TEXT` characters."""
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"


def breakable(name: str) -> str:
    """Allow a browser to break a name after each slash; text with a URL is unchanged, for copying."""
    return name if "://" in name else name.replace("/", "/\u200b")


def bar_list(heading: str, counted: Iterable[tuple[str, int]], total: int = 0) -> BarList:
    """Return the first `LISTED` names with their counts as bars; `total` is the number of all names."""
    rows = list(islice(counted, LISTED))
    most = max([1, *(count for _, count in rows)])
    bars = [(name, f"{count:,}", percent(count, most)) for name, count in rows]
    return BarList(heading, bars, max(0, total - LISTED))


def by_family(rows: Iterable[tuple[str, Row]]) -> list[tuple[str, list[Row]]]:
    """Group rows by the family of their emotion, in the order of the taxonomy, without empty families."""
    families: dict[str, list[Row]] = {group: [] for group in EMOTION_GROUPS}
    for emotion, row in rows:
        families[emotion_group(emotion)].append(row)
    return [(family, members) for family, members in families.items() if members]


def percent(part: float, whole: float, digits: int = 2) -> float:
    """Return `part` in per cent of `whole`; 0 if `whole` is 0."""
    return round(100 * part / whole, digits) if whole else 0.0


def confusion_map(
    heading: str,
    names: Sequence[str],
    counts: Iterable[Sequence[float]],
    *,
    refused: str = "",
    axes: tuple[str, str] = ("label", "caption"),
    note: str = "",
) -> HeatMap:
    """Return a confusion matrix of clips by label (row) and prediction (column), in per cent of each row.

    The name of a row has its number of clips in brackets; rows without clips stay empty. `refused` is the
    name of the last column, for clips without a predicted class; "" if there is no such column.
    """
    rows: list[str] = []
    shares: list[list[float | None]] = []
    for name, row in zip(names, counts, strict=True):
        total = sum(row)
        rows.append(f"{name} ({total:,.0f})")
        shares.append([100 * count / total if total else None for count in row])
    columns = [*names, refused] if refused else names
    return HeatMap(heading, rows, columns, shares, high=100.0, note=note, axes=axes, digits=0)


def strongest_first(emotions: Mapping[str, float]) -> list[str]:
    """Return the names of emotions, the strongest first; equally strong ones in the order of `EMOTIONS`."""
    return sorted(emotions, key=lambda name: (-emotions[name], EMOTIONS.index(name)))


def trait_words(name: str, value: str | float) -> str:
    """Return the value of a trait in words; for a voice attribute, its position on the scale."""
    if isinstance(value, str):
        return visible(value)
    low, high = ATTRIBUTES[name].at_low, ATTRIBUTES[name].at_high
    place = LEVELS.index(nearest_level(to_intensity(value, ATTRIBUTES[name].scale)))
    return (low, f"towards {low}", f"between {low} and {high}", f"towards {high}", high)[place]


def emotion_tone(name: str) -> str:
    """Return the colour of an emotion, `#rrggbb`, which is that of its family."""
    return tones()["emotions"][emotion_group(name)]


@cache
def tones() -> Mapping[str, Mapping[str, str]]:
    """Return colours, `#rrggbb`: of families of emotions in "emotions", of other marks in "others"."""
    table: Mapping[str, Mapping[str, str]] = packaged_table(__package__, "tones")
    return table


def page_notes(page: str, **values: object) -> list[tuple[str, str]]:
    """Return the notes of a page as pairs of term and meaning, with `values` filled in both."""
    notes: Mapping[str, str] = packaged_table(__package__, "notes")[page]
    return [(term.format(**values), meaning.format(**values).rstrip()) for term, meaning in notes.items()]


def section_note(page: str, section: str, **values: object) -> str:
    """Return the note of a section of a page, with `values` filled in."""
    note: str = packaged_table(__package__, "section_notes")[page][section]
    return note.format(**values).rstrip()


def players(clips: Iterable[tuple[str, bytes | Path | None]]) -> Iterator[tuple[str, str]]:
    """Yield for each clip its audio as a data URI and "", or "" and the reason why it cannot be played.

    Args:
        clips: ids with encoded audio or a path, or None; the first `LONGEST_PLAYED` seconds are played.
    """
    rest = LARGEST_AUDIO
    for id, audio in clips:
        if audio is None:
            yield "", "no audio"
            continue
        try:
            encoded = _mp3(audio, id)
        except AudioError as error:
            yield "", str(error)
            continue
        if len(encoded) > rest:
            yield "", f"audio left out: a page holds {LARGEST_AUDIO // 1_000_000} MB of it"
            continue
        rest -= len(encoded)
        yield audio_uri(encoded), ""


def audio_uri(encoded: bytes, kind: str = "mpeg") -> str:
    """Return audio of a kind, such as "mpeg" for mp3 and "flac", as a data URI."""
    return f"data:audio/{kind};base64,{base64.b64encode(encoded).decode()}"


def _mp3(audio: bytes | Path, id: str) -> bytes:
    samples = next(windows(audio, seconds=LONGEST_PLAYED, sampling_rate=_RATE, name=id)).samples
    out = io.BytesIO()
    soundfile.write(out, samples, _RATE, format="MP3")
    return out.getvalue()
