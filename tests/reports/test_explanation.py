"""An explanation shows the whole caption, marks all that was read, and obeys nothing that a caption says."""

import io
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from budew.captions import ParsedCaption, frame_names, parse, render
from budew.captions.render import load_templates
from budew.profile import VoiceProfile
from budew.reports.explanation import (
    explanation_html,
    print_all_frames,
    print_explanation,
    write_explanation,
)
from budew.reports.marks import marks_of
from budew.taxonomy import EMOTION_GROUPS, EMOTIONS
from tests.reports.conftest import check_safe

CAPTIONS = (
    "She sounds deeply sad, with a trace of hope, no longer angry.",
    "An elderly woman with a thick Boston accent, in a very warm, breathy voice, whispers slowly; a nervous "
    "giggle, then she sobs. Perhaps fear rather than shame, without any relief.",
    'She says "I am so happy" in a flat voice, yet there is a deep sense of saudade, and she sounds deeply '
    "frobnicated.",
    "Utterly exhausted, deeply numb; intoxicated; extreme jealousy, some\n\tpride, a hint of doubt & <pain>.",
    "مرحبا بالعالم: angry, 非常に悲しい deeply ashamed, a sigh of relief 😢, with a Baßfränkisch accent",
    "A man reads the numbers, neutral.",
    "nothing [that] :smile: [red]is[/red] read",
    "",
)
HOSTILE = (
    "<script>alert(1)</script><mark title=\"'><img src=x onerror=alert(1)>angry</mark> &amp; </p></style> "
    "\x1b[31mfurious\x1b[0m \x1b]8;;https://example.org\x07sad\x9b2J \x00\x7f\x08\r proud \u202eynnuf\u2066 "
    "\udc80 she sounds deeply <b>frobnicated</b>, with an <i>Itali</i> accent"
)
FRAGMENTS = (
    "angry", "deeply", "sad", "no", "from", "to", "a sense of", "frobnicated", '"', "“", "says",
    "“I am glad”", "giggle",
    "Boston accent", "a", "warm", "breathy", "voice", ",", ".", "\n", "\r\n", "\x1b", "悲", "صوت",
    "<b>", "'frobnicated today'", "ﬀ", "no longer", "sounds deeply",
)  # fmt: skip
LONG = "The reading of the long and tedious minutes goes on and on, and is angry in the end. " * 120
PROFILE = VoiceProfile({"Fear": 0.25, "Pride": 1}, ["Sobs"], {"gender": "female", "accent": "French"})


class Page(HTMLParser):
    """Tags of a page, and of each caption its text and the marked pieces with their tooltips."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.captions: list[str] = []
        self.marked: list[list[tuple[str, str]]] = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "p" and dict(attrs).get("class") == "caption":
            self.captions.append("")
            self.marked.append([])
            self._open = "p"
        elif tag == "mark":
            self.marked[-1].append(("", dict(attrs)["title"] or ""))
            self._open = "mark"

    def handle_endtag(self, tag: str) -> None:
        if tag == self._open:
            self._open = "p" if tag == "mark" else ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.captions[-1] += data
        if self._open == "mark":
            text, title = self.marked[-1][-1]
            self.marked[-1][-1] = (text + data, title)


def shown(parsed: ParsedCaption, *, width: int = 100, color: bool = False, all_emotions: bool = False) -> str:
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        force_terminal=color,
        color_system="truecolor" if color else None,
        no_color=False,
    )
    print_explanation(parsed, console, all_emotions=all_emotions)
    return file.getvalue()


def without_brackets(text: str) -> str:
    return re.sub(r"\[[~?]?|[~?]?\]", "", text)


def test_the_page_holds_every_caption_exactly():
    assert Page(explanation_html([parse(text) for text in CAPTIONS])).captions == list(CAPTIONS)


def test_every_mention_is_marked_with_its_meaning_and_role():
    parsed_captions = [parse(text) for text in CAPTIONS]
    page = Page(explanation_html(parsed_captions))
    for parsed, marked in zip(parsed_captions, page.marked, strict=True):
        titles = dict(marked)
        for mention in parsed.mentions:
            if mention.role == "quoted":  # within the mark of the whole quotation
                continue
            title = titles[parsed.text[mention.start : mention.end]]
            word = mention.value if isinstance(mention.value, str) else ""
            assert (word or mention.name.replace("_", " ")) in title
            assert f" · {mention.role} · lexicon: {mention.phrase}" in title
        for unknown in parsed.unknown:
            assert "not in the lexicon" in titles[parsed.text[unknown.start : unknown.end]]


def test_a_mark_says_level_role_and_entry_in_words():
    text = 'A very warm but faintly cold voice, whispering; sad, no longer angry, without sobs, "not read"'
    assert [(text[mark.start : mark.end], mark.summary) for mark in marks_of(parse(text))] == [
        ("warm", "Warm vs. Cold · very warm · said · lexicon: warm"),
        ("cold", "Warm vs. Cold · towards very cold · said · lexicon: cold"),
        ("whispering", "style: whispered · said · lexicon: whispering"),
        ("sad", "Sadness · moderate · said · lexicon: sad"),
        ("angry", "Anger · absent · left behind · lexicon: angry"),
        ("sobs", "Sobs · absent · denied · lexicon: sobs"),
        ('"not read"', "spoken words, not parsed · quoted"),
    ]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25), st.sampled_from((" ", "")))
@example(["sounds deeply", "'frobnicated today'"], " ")
def test_marks_never_overlap_and_leave_no_mention_out(fragments: list[str], between: str):
    parsed = parse(between.join(fragments))
    found = marks_of(parsed)
    assert all(mark.start < mark.end for mark in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    marked = {(mark.start, mark.end, mark.role) for mark in found}
    for mention in parsed.mentions:
        if mention.role == "quoted":
            assert any(mark.start <= mention.start and mention.end <= mark.end for mark in found)
        else:
            assert (mention.start, mention.end, mention.role) in marked


def test_hostile_text_is_no_markup_in_the_page():
    text = explanation_html([parse(HOSTILE)])
    page, captions = check_safe(text.replace("https://", "")), Page(text).captions
    assert len(parse(HOSTILE).mentions) >= 4
    assert not page.of("b")
    assert len(page.of("mark")) == len(marks_of(parse(HOSTILE)))
    assert len(page.of("i")) == len(parse(HOSTILE).emotions)  # the bars
    assert "<script>alert(1)</script>" in captions[0]
    assert "\u241b[31m" in captions[0]
    assert captions[0].startswith(HOSTILE.partition("\x1b")[0])
    check_safe(explanation_html([parse(text) for text in CAPTIONS]))


@pytest.mark.parametrize("color", [False, True])
def test_hostile_text_is_no_command_to_the_terminal(color: bool):
    text = (
        re.sub(r"\x1b\[[\d;]*m", "", shown(parse(HOSTILE), color=color)) if color else shown(parse(HOSTILE))
    )
    assert not [letter for letter in text if ord(letter) < 32 and letter != "\n"]
    assert not re.search("[\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert "\x1b[31m" not in shown(parse(HOSTILE), color=color)
    assert "␛[31m" in text


@pytest.mark.parametrize("width", [20, 60, 200])
@pytest.mark.parametrize("text", CAPTIONS)
def test_without_colour_brackets_say_what_colours_would(text: str, width: int):
    output = shown(parse(text), width=width)
    assert "\x1b" not in output
    for mark in marks_of(parse(text)):
        piece = " ".join(text[mark.start : mark.end].split())
        opening = {"said": "[", "unknown": "[?"}.get(mark.role, "[~")
        assert (opening + piece).replace(" ", "") in re.sub(r"\s", "", output)


@pytest.mark.parametrize("width", [60, 200])
@pytest.mark.parametrize("text", [*CAPTIONS, LONG])
def test_the_terminal_shows_the_caption_to_the_letter_and_keeps_to_its_width(text: str, width: int):
    output = shown(parse(text), width=width)
    assert all(cell_len(line) <= width for line in output.splitlines())
    letters, wanted = (re.sub(r"\s", "", without_brackets(part)) for part in (output, text))
    assert letters.startswith(wanted)


def test_no_color_is_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "1")
    file = io.StringIO()
    print_explanation(parse(CAPTIONS[0]), Console(file=file, width=80, force_terminal=True))
    assert "[sad]" in file.getvalue()
    assert "[~angry~]" in file.getvalue()
    assert not re.search(r"\x1b\[[\d;]*\b[349]\d\b", file.getvalue())


def test_with_colour_families_differ_and_what_is_not_there_is_struck_through():
    output = shown(parse(CAPTIONS[0]), color=True)
    sad, hope, angry = (re.search(rf"\x1b\[([\d;]+)m{word}\x1b", output) for word in ("sad", "hope", "angry"))
    assert sad is not None
    assert hope is not None
    assert angry is not None
    assert sad[1] != hope[1]
    assert "9" in angry[1].split(";")
    assert "9" not in sad[1].split(";")
    assert "[sad]" not in output
    assert angry[1].startswith("2;9;")  # dim: it is over
    denied = re.search(r"\x1b\[([\d;]+)msobs\x1b", shown(parse("sad, without sobs"), color=True))
    assert denied is not None
    assert denied[1].startswith("9;")


@pytest.mark.parametrize("text", CAPTIONS)
def test_bars_show_all_that_is_said_and_are_as_long_as_the_level(text: str):
    parsed = parse(text)
    rows = dict(re.findall(r"^(\S.*?) +(━*─*)  \w+ *$", shown(parsed), flags=re.MULTILINE))
    steps = {name: bar.count("━") / len(bar) for name, bar in rows.items() if bar}
    assert steps == dict(parsed.emotions)
    assert list(steps.values()) == sorted(steps.values(), reverse=True)
    page = explanation_html([parsed])
    widths = re.findall(r'<i style="width:([\d.]+)%">', page)
    assert sorted(float(width) / 100 for width in widths) == sorted(parsed.emotions.values())
    for name in parsed.emotions:
        assert name.replace("/", "/\u200b").replace("&", "&amp;") in page


def test_all_forty_are_shown_on_request_in_their_order():
    output = shown(parse(CAPTIONS[0]), all_emotions=True)
    assert re.findall(r"^(\S.*?) +[━─]+  \w+ *$", output, flags=re.MULTILINE) == list(EMOTIONS)


def test_a_terminal_of_ascii_gets_ascii():
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    print_explanation(parse(CAPTIONS[0]), Console(file=file, width=80))
    file.flush()
    assert b"####" in file.buffer.getvalue()


def test_every_family_and_kind_has_its_colour():
    everything = VoiceProfile(dict.fromkeys(EMOTIONS, 1.0))
    tones = {mark.tone for mark in marks_of(parse(render(everything)))}
    assert len(tones) == len(EMOTION_GROUPS)


def test_the_page_is_written_whole_and_alone(tmp_path: Path):
    path = write_explanation([parse(HOSTILE)], tmp_path / "new" / "page.html")
    assert path.read_text(encoding="utf-8") == explanation_html([parse(HOSTILE)])
    assert list(path.parent.iterdir()) == [path]


def test_a_page_of_no_captions_says_so():
    assert "There are no captions." in explanation_html([])


def test_a_profile_is_shown_in_every_frame_with_its_emotions_marked():
    file = io.StringIO()
    print_all_frames(PROFILE, Console(file=file, width=2000), seed=3)
    blocks = re.split(r"\n\s*\n", file.getvalue().strip())
    assert [block.split()[0] for block in blocks] == list(frame_names())
    for block, frame in zip(blocks, load_templates().frames.values(), strict=True):
        heading, caption = block.splitlines()
        assert {frame.style, frame.view, frame.form} <= set(heading.split())
        assert parse(without_brackets(caption)).profile == PROFILE.quantized()
        marked = re.findall(r"\[(.*?)\]", caption)
        assert len(marked) == len(parse(without_brackets(caption)).mentions) >= 5
