"""Explanation of a parsed caption: its text with marked phrases, their meaning, and the emotions as bars.

`print_explanation` and `print_all_frames` print to the terminal; `explanation_html` returns an HTML page (for
a thousand captions, 3 MB in 3 s on one core). The role of a mark is not shown by colour alone: marks are
struck through, underlined or, without colours, in brackets. Control characters in captions are made visible.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from budew.captions import ContentSelection, Mention, ParsedCaption, frame_names, load_lexicon, parse, render
from budew.captions.caption_prompt import Style as WordingStyle
from budew.captions.explain import explain
from budew.captions.render import load_templates
from budew.captions.tokens import quoted_spans
from budew.profile import VoiceProfile
from budew.reports.formatting import visible
from budew.reports.page import by_family, emotion_tone, render_page, strongest_first, tones, trait_words
from budew.taxonomy import LEVELS
from budew.taxonomy.rating_scales import level_name

BAR_STEPS = len(LEVELS) - 1
"""Number of steps of a bar, so that each level ends at the end of a character."""
WIDEST_BAR = 40
"""Largest length of a bar in characters, as longer ones are no easier to compare."""
BESIDE_BAR = 44
"""Number of characters for the longest name, the level and the space between them."""
LONGEST_CELL = 80
"""Largest number of characters of a phrase in a table, because quoted speech can be long."""

_BRACKETS = {"affirmed": ("[", "]"), "unknown": ("[?", "?]")}
_NOT_COUNTED = ("[~", "~]")


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked phrase of a caption, with its meaning in words.

    Attributes:
        start, end: span of the phrase in the text, in characters. Marks never overlap.
        kind: emotion, burst, trait, attribute, quoted, dropped or unknown.
        role: affirmed, negated, past, quoted, dropped or unknown. Only "affirmed" phrases count.
        meaning: meaning of the phrase, such as "Sadness" or "gender: female".
        level: level, such as "strong" or "towards very warm"; empty if it has none.
        phrase: the entry of the lexicon that was found; empty for quoted and unknown words.
        because: the words of the caption that determine level and role, such as "not" or "probably".
        besides: a second meaning of the phrase: "crying" means Sadness and Sobs.
    """

    start: int
    end: int
    kind: str
    role: str
    meaning: str
    level: str = ""
    phrase: str = ""
    because: str = ""
    besides: str = ""

    @property
    def tone(self) -> str:
        """Colour of the mark, `#rrggbb`."""
        return emotion_tone(self.meaning) if self.kind == "emotion" else tones()["others"][self.kind]

    @property
    def summary(self) -> str:
        """All fields of the mark in one line of text."""
        why = self.because and f"because of: {self.because}"
        found = self.phrase and f"lexicon: {self.phrase}"
        besides = self.besides and f"and {self.besides}"
        return " · ".join(filter(None, (self.meaning, besides, self.level, self.role, why, found)))


def marks_of(parsed: ParsedCaption) -> tuple[Mark, ...]:
    """Return the mentions, quotations, phrases without effect and unknown words of a caption, in order."""
    explanation = explain(parsed.text)
    found: list[Mark] = []
    for mention in parsed.mentions:
        reasons = explanation.reasons.get((mention.start, mention.end), ())
        because = " … ".join(visible(words).lower() for words in reasons)
        found.append(replace(_mark(mention), because=because))
    for (start, end), rule in explanation.dropped.items():
        found.append(Mark(start, end, "dropped", "dropped", rule))
    for start, end in quoted_spans(parsed.text, load_lexicon().speaking):
        found.append(Mark(start, end, "quoted", "quoted", "spoken words, not parsed"))
    for word in parsed.unknown:
        found.append(Mark(word.start, word.end, "unknown", "unknown", "not in the lexicon"))
    disjoint: list[Mark] = []
    for mark in sorted(found, key=lambda mark: mark.start):
        if (
            not disjoint or mark.start >= disjoint[-1].end
        ):  # unknown words in quotation marks are only marked as quoted
            disjoint.append(mark)
        elif mark.phrase and (mark.start, mark.end) == (disjoint[-1].start, disjoint[-1].end):
            disjoint[-1] = replace(disjoint[-1], besides=mark.meaning)
    return tuple(disjoint)


def _mark(mention: Mention) -> Mark:
    meaning, level = mention.name, ""
    if mention.kind == "trait":
        meaning = f"{mention.name}: {visible(str(mention.value))}"
    elif mention.kind == "attribute":
        meaning = mention.name.replace("_", " ")  # published as "Warm_vs._Cold"
        level = "" if isinstance(mention.value, str) else trait_words(mention.name, mention.value)
    elif mention.kind == "emotion":
        level = level_name(mention.level)
    if not mention.level:
        level = level_name(0)
    place = (mention.start, mention.end, mention.kind, mention.role)
    return Mark(*place, meaning, level, visible(mention.phrase))


def pieces(text: str, found: Sequence[Mark]) -> Iterator[tuple[str, Mark | None]]:
    """Yield the text in pieces, each with its mark or None; control characters are made visible."""
    at = 0
    for mark in found:
        yield visible(text[at : mark.start]), None
        yield visible(text[mark.start : mark.end]), mark
        at = mark.end
    yield visible(text[at:]), None


def _cell(text: str) -> str:
    """Return a phrase for a table: on one line, shortened if it is long."""
    line = " ".join(visible(text[: 2 * LONGEST_CELL]).split())
    return line if len(line) <= LONGEST_CELL else line[: LONGEST_CELL - 1] + "…"


def print_explanation(parsed: ParsedCaption, console: Console) -> None:
    """Print a caption with marked phrases, a table of the marks, and the emotions as bars.

    On a console without colours, marks are in brackets.
    """
    found = marks_of(parsed)
    console.print(_marked(parsed.text, found, console))
    if found and _is_plain(console):
        console.print(Text(f"\n{_key(found)}"))
    if found:
        console.print(_mark_table(parsed.text, found, console.width))
    else:
        console.print(Text("\nNothing in it names an emotion, a burst or a trait.\n", Style(dim=True)))
    console.print(_bars(parsed, console))


def print_all_frames(
    profile: VoiceProfile,
    console: Console,
    *,
    seed: int,
    style: WordingStyle | None,
    selection: ContentSelection,
) -> None:
    """Print the caption of a profile in every sentence frame, with the phrases that `parse` finds marked.

    Args:
        profile: profile to caption.
        console: console to print to.
        seed: random seed of wording and order.
        style: style of the frames to print; None for all frames.
        selection: which parts of the profile to express.

    Raises:
        InputError: the style is unknown, or `selection` leaves out an unknown part.
    """
    for name in frame_names(style=style):
        frame = load_templates().frames[name]
        caption = render(profile, seed=seed, frame=name, selection=selection)
        kinds = " · ".join(dict.fromkeys((frame.style, frame.view, frame.form)))
        console.print(Text.assemble((frame.name, Style(bold=True)), "  ", (kinds, Style(dim=True))))
        shown = _marked(caption, marks_of(parse(caption)), console)
        console.print(Padding(shown, (0, 0, 1, 2)))


def _is_plain(console: Console) -> bool:
    return console.no_color or console.color_system is None


def _marked(text: str, found: Sequence[Mark], console: Console) -> Text:
    """Return a caption with its marks as colours, or as brackets on a terminal without colours."""
    shown, plain = Text(overflow="fold"), _is_plain(console)
    for piece, mark in pieces(text, found):
        if mark is None:
            shown.append(piece)
        elif plain:
            shown.append(piece.join(_BRACKETS.get(mark.role, _NOT_COUNTED)))
        else:
            shown.append(piece, _style(mark))
    return shown


def _key(found: Sequence[Mark]) -> str:
    """Return the meaning of the brackets that occur."""
    by_brackets: dict[tuple[str, str], dict[str, None]] = {}
    for mark in sorted(found, key=lambda mark: mark.role != "affirmed"):
        by_brackets.setdefault(_BRACKETS.get(mark.role, _NOT_COUNTED), {})[mark.role] = None
    return "  ".join(", ".join(roles).join(brackets) for brackets, roles in by_brackets.items())


def _style(mark: Mark) -> Style:
    if mark.role == "unknown":
        return Style(color="yellow", underline=True)
    if mark.role in ("quoted", "dropped"):
        return Style(dim=True, italic=True)
    if mark.role != "affirmed":
        return Style(color=mark.tone, strike=True, dim=mark.role == "past")
    return Style(color=mark.tone, bold=mark.kind == "emotion", italic=mark.kind == "burst")


def _mark_table(text: str, found: Sequence[Mark], width: int) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("found", "means", "level", "role", "because of", "lexicon"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "role")
    longest = max(len(word) for mark in found for word in mark.meaning.split())
    table.columns[1].min_width = min(longest, width // 3)
    for mark in found:
        phrase = Text(_cell(text[mark.start : mark.end]), _style(mark))
        meaning = f"{mark.meaning}, {mark.besides}" if mark.besides else mark.meaning
        table.add_row(phrase, *map(Text, (meaning, mark.level, mark.role, mark.because, _cell(mark.phrase))))
    return table


def _bars(parsed: ParsedCaption, console: Console) -> Table | Text:
    """Return one row per emotion: its name, a bar with a step for each level, and the level."""
    emotions = parsed.emotions
    if not emotions:
        return Text(_without_emotions(parsed), Style(dim=True))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column("emotion", overflow="fold")
    table.add_column("bar", no_wrap=True)
    table.add_column("level", no_wrap=True)
    step = max(1, min(WIDEST_BAR, console.width - BESIDE_BAR) // BAR_STEPS)
    full, empty = "#-" if console.options.ascii_only else "━─"
    for name in strongest_first(emotions):
        filled = round(emotions[name] * BAR_STEPS) * step
        rest = empty * (BAR_STEPS * step - filled)
        bar = Text.assemble((full * filled, Style(color=emotion_tone(name))), (rest, Style(dim=True)))
        table.add_row(Text(name), bar, Text(level_name(emotions[name])))
    return table


def _without_emotions(parsed: ParsedCaption) -> str:
    """Return why a caption has no emotions: it names none, or has words that are not in the lexicon."""
    words = list(dict.fromkeys(visible(unknown.word) for unknown in parsed.unknown))
    if words:
        return f"No emotion was found; not in the lexicon: {', '.join(words)}."
    return "No emotion is named: all 40 are absent."


def explanation_html(parsed_captions: Sequence[ParsedCaption], *, profile: VoiceProfile | None = None) -> str:
    """Return a page that shows how captions were parsed: marked text, bars, traits, bursts and a legend.

    Args:
        parsed_captions: parsed captions to show.
        profile: profile of the voice that all captions describe: its 40 scores by family, its bursts and its
            traits are shown once, instead of those of each caption.
    """
    found = [marks_of(parsed) for parsed in parsed_captions]
    captions = [_page_part(parsed, marks) for parsed, marks in zip(parsed_captions, found, strict=True)]
    legend = _legend([mark for marks in found for mark in marks])
    voice: dict[str, Any] | None = None
    if profile is not None:
        rated = ((name, (name, profile.emotions.get(name, 0.0))) for name in profile.rated)
        voice = {
            "families": by_family(rated),
            "traits": _traits(profile),
            "bursts": profile.bursts,
            "unknown": (),
        }
    return render_page("explanation_page", sheets=["marks"], captions=captions, legend=legend, voice=voice)


def _traits(profile: VoiceProfile) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), trait_words(name, value)) for name, value in profile.traits.items()]


def _page_part(parsed: ParsedCaption, found: Sequence[Mark]) -> dict[str, Any]:
    """Return the section of the page for one caption."""
    return {
        "pieces": list(pieces(parsed.text, found)),
        "rows": [(_cell(parsed.text[mark.start : mark.end]), mark) for mark in found],
        "bars": [(name, parsed.emotions[name]) for name in strongest_first(parsed.emotions)],
        "traits": _traits(parsed.profile),
        "bursts": parsed.bursts,
        "unknown": [word.word for word in parsed.unknown],
        "without_emotions": _without_emotions(parsed),
    }


def _legend(found: Sequence[Mark]) -> list[tuple[str, str, str, str]]:
    """Return label, kind, role and tone of what occurs: families of emotions, other kinds, then roles."""
    occurring = {getattr(mark, part) for mark in found for part in ("tone", "kind", "role")}
    colours = tones()["others"]
    grey = colours["trait"]
    rows = [(tone, (group, "emotion", "affirmed", tone)) for group, tone in tones()["emotions"].items()]
    rows += [
        ("burst", ("burst", "burst", "affirmed", colours["burst"])),
        (grey, ("voice", "trait", "affirmed", grey)),
        ("negated", ("negated", "emotion", "negated", grey)),
        ("past", ("past", "emotion", "past", grey)),
        ("quoted", ("spoken words", "quoted", "quoted", colours["quoted"])),
        ("dropped", ("no emotion here", "dropped", "dropped", colours["quoted"])),
        ("unknown", ("not in the lexicon", "unknown", "unknown", colours["unknown"])),
    ]
    return [row for occurs, row in rows if occurs in occurring]
