"""An explanation as one HTML file that opens anywhere: no script, no font, no image from elsewhere.

The bars are HTML and CSS and follow the reader's light or dark mode. A page of a thousand captions has 3 MB
and takes 3 s on one core. Captions come from outside and are escaped.
"""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from budew.captions import ParsedCaption
from budew.files import whole_file
from budew.reports.marks import (
    Mark,
    cell,
    emotion_tone,
    family_tone,
    marks_of,
    pieces,
    plain_name,
    strongest_first,
    tone,
    trait_words,
)
from budew.taxonomy import EMOTION_GROUPS
from budew.taxonomy.scales import level_name
from budew.terminal import visible
from budew.version import __version__


def write_explanation(parsed_captions: Sequence[ParsedCaption], path: Path) -> Path:
    """Write the page of `explanation_html` to `path`, replacing what is there, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(explanation_html(parsed_captions))
    return path


def explanation_html(parsed_captions: Sequence[ParsedCaption]) -> str:
    """Return a page that shows how captions were read: the text marked, bars, traits, bursts and a legend."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["breakable"] = lambda name: name.replace("/", "/\u200b")
    folder = files(__package__)
    template = environment.from_string((folder / "page.html.j2").read_text(encoding="utf-8"))
    captions = [_page_part(parsed) for parsed in parsed_captions]
    return template.render(
        captions=captions,
        legend=_legend([mark for caption in captions for mark in caption["marks"]]),
        style=(folder / "page.css").read_text(encoding="utf-8"),
        version=__version__,
    )


def _page_part(parsed: ParsedCaption) -> dict[str, Any]:
    """Return what the page shows of one caption."""
    found = marks_of(parsed)
    return {
        "pieces": list(pieces(parsed.text, found)),
        "marks": found,
        "rows": [(cell(parsed.text[mark.start : mark.end]), mark) for mark in found],
        "bars": [_page_bar(name, parsed.emotions[name]) for name in strongest_first(parsed.emotions)],
        "traits": [(plain_name(name), trait_words(name, value)) for name, value in parsed.traits.items()],
        "bursts": parsed.bursts,
        "unknown": [visible(word.word) for word in parsed.unknown],
    }


def _page_bar(name: str, intensity: float) -> dict[str, Any]:
    return {
        "name": name,
        "tone": emotion_tone(name),
        "percent": f"{100 * intensity:g}",
        "level": level_name(intensity),
    }


def _legend(found: Sequence[Mark]) -> list[tuple[str, str, str, str]]:
    """Return label, kind, role and tone of what occurs: families of emotions, other kinds, then roles."""
    tones, kinds, roles = ({getattr(mark, part) for mark in found} for part in ("tone", "kind", "role"))
    families = [(group, "emotion", "said", family_tone(group)) for group in EMOTION_GROUPS]
    others = [("burst", "burst", "said", tone("burst")), ("voice", "trait", "said", tone("trait"))]
    grey = tone("trait")
    not_counted = [
        ("denied", "emotion", "denied", grey),
        ("left behind", "emotion", "left behind", grey),
        ("spoken words", "quoted", "quoted", tone("quoted")),
        ("not in the lexicon", "unknown", "unknown", tone("unknown")),
    ]
    shown = [row for row in families if row[3] in tones]
    shown += [row for row in others if row[1] in kinds or (row[1] == "trait" and "attribute" in kinds)]
    return shown + [row for row in not_counted if row[2] in roles]
