"""An explanation shows the whole caption, marks all that was read, and obeys nothing that a caption says."""

import io
import re
from html import unescape
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from budew.captions import ContentSelection, ParsedCaption, frame_names, parse, render
from budew.captions.render import load_templates
from budew.profile import VoiceProfile
from budew.reports.explanation import explanation_html, marks_of, print_all_frames, print_explanation
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


def page_captions(page: str) -> list[tuple[str, dict[str, str]]]:
    """Return the text of each caption of a page, and the titles of its marks by the marked text."""

    def text(markup: str) -> str:
        return unescape(re.sub(r"<[^>]*>", "", markup))

    bodies = re.findall(r'<p class="caption"[^>]*>(.*?)</p>', page, re.S)
    marks = [re.findall(r'<mark[^>]*title="([^"]*)"[^>]*>(.*?)</mark>', body, re.S) for body in bodies]
    titles = [{text(marked): unescape(title) for title, marked in found} for found in marks]
    return list(zip(map(text, bodies), titles, strict=True))


def shown(parsed: ParsedCaption, *, width: int = 100, color: bool = False) -> str:
    file = io.StringIO()
    system = "truecolor" if color else None
    console = Console(file=file, width=width, force_terminal=color, color_system=system, no_color=False)
    print_explanation(parsed, console)
    return file.getvalue()


def without_brackets(text: str) -> str:
    return re.sub(r"\[[~?]?|[~?]?\]", "", text)


def test_the_page_holds_every_caption_exactly_and_marks_every_mention_with_meaning_and_role():
    parsed_captions = [parse(text) for text in CAPTIONS]
    page = explanation_html(parsed_captions)
    check_safe(page)
    assert [text for text, _ in page_captions(page)] == list(CAPTIONS)
    for parsed, (_, titles) in zip(parsed_captions, page_captions(page), strict=True):
        for mention in parsed.mentions:
            if mention.role == "quoted":  # within the mark of the whole quotation
                continue
            title = titles[parsed.text[mention.start : mention.end]]
            word = mention.value if isinstance(mention.value, str) else ""
            assert (word or mention.name.replace("_", " ")) in title
            assert f" · {mention.role} · " in title
            assert title.endswith(f" · lexicon: {mention.phrase}")
        for unknown in parsed.unknown:
            assert "not in the lexicon" in titles[parsed.text[unknown.start : unknown.end]]


def test_a_mark_says_level_role_and_entry_in_words():
    text = 'A very warm but faintly cold voice, whispering; sad, no longer angry, without sobs, "not read"'
    assert [(text[mark.start : mark.end], mark.summary) for mark in marks_of(parse(text))] == [
        ("warm", "Warm vs. Cold · very warm · affirmed · because of: very · lexicon: warm"),
        ("cold", "Warm vs. Cold · towards very cold · affirmed · lexicon: cold"),
        ("whispering", "style: whispered · affirmed · lexicon: whispering"),
        ("sad", "Sadness · moderate · affirmed · lexicon: sad"),
        ("angry", "Anger · absent · past · because of: no longer · lexicon: angry"),
        ("sobs", "Sobs · absent · negated · because of: without · lexicon: sobs"),
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


def test_hostile_text_is_neither_markup_in_the_page_nor_a_command_to_the_terminal():
    text = explanation_html([parse(HOSTILE)])
    page, ((caption, _),) = check_safe(text.replace("https://", "")), page_captions(text)
    assert len(parse(HOSTILE).mentions) >= 4
    assert not page.of("b")
    assert len(page.of("mark")) == len(marks_of(parse(HOSTILE)))
    assert len(page.of("i")) == len(parse(HOSTILE).emotions)  # the bars
    assert "\u241b[31m" in caption
    assert caption.startswith(HOSTILE.partition("\x1b")[0])
    for color in (False, True):
        output = shown(parse(HOSTILE), color=color)
        printed = re.sub(r"\x1b\[[\d;]*m", "", output) if color else output
        assert not [letter for letter in printed if ord(letter) < 32 and letter != "\n"]
        assert not re.search("[\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", printed)
        assert "\x1b[31m" not in output
        assert "␛[31m" in printed


@pytest.mark.parametrize("width", [20, 60])
@pytest.mark.parametrize("text", [*CAPTIONS, LONG], ids=lambda text: text[:12])
def test_the_terminal_shows_the_caption_to_the_letter_with_brackets_for_colours(text: str, width: int):
    output = shown(parse(text), width=width)
    letters = re.sub(r"\s", "", output)
    for mark in marks_of(parse(text)):
        piece = {"affirmed": "[", "unknown": "[?"}.get(mark.role, "[~") + text[mark.start : mark.end]
        assert re.sub(r"\s", "", piece) in letters
    assert without_brackets(letters).startswith(without_brackets(re.sub(r"\s", "", text)))
    assert width == 20 or all(cell_len(line) <= width for line in output.splitlines())


def test_with_colour_families_differ_and_what_is_not_there_is_struck_through():
    def style(word: str, caption: str) -> str:
        return re.findall(rf"\x1b\[([\d;]+)m{word}\x1b", shown(parse(caption), color=True))[0]

    sad, hope, angry = (style(word, CAPTIONS[0]) for word in ("sad", "hope", "angry"))
    assert sad != hope
    assert "9" not in sad.split(";")
    assert angry.startswith("2;9;")  # dim: it is over
    assert style("sobs", "sad, without sobs").startswith("9;")
    assert "[sad]" not in shown(parse(CAPTIONS[0]), color=True)


def test_a_terminal_without_colours_gets_brackets_and_one_of_ascii_gets_ascii(monkeypatch):
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    print_explanation(parse(CAPTIONS[0]), Console(file=file, width=80))
    file.flush()
    assert b"####" in file.buffer.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = io.StringIO()
    print_explanation(parse(CAPTIONS[0]), Console(file=plain, width=80, force_terminal=True))
    assert "[sad]" in plain.getvalue()
    assert "[~angry~]" in plain.getvalue()
    assert not re.search(r"\x1b\[[\d;]*\b[349]\d\b", plain.getvalue())


@pytest.mark.parametrize("text", CAPTIONS)
def test_bars_show_all_that_is_said_and_are_as_long_as_the_level(text: str):
    parsed = parse(text)
    rows = dict(re.findall(r"^(\S.*?) +(━*─*)  \w+ *$", shown(parsed), flags=re.MULTILINE))
    steps = {name: bar.count("━") / len(bar) for name, bar in rows.items() if bar}
    assert steps == dict(parsed.emotions)
    assert list(steps.values()) == sorted(steps.values(), reverse=True)
    widths = re.findall(r'<i style="width:([\d.]+)%">', explanation_html([parsed]))
    assert [float(width) / 100 for width in widths] == list(steps.values())


def test_every_family_has_its_colour_and_no_captions_are_a_page():
    everything = VoiceProfile(dict.fromkeys(EMOTIONS, 1.0))
    parsed = parse(render(everything, selection=ContentSelection(max_words=1000)))
    assert len({mark.tone for mark in marks_of(parsed)}) == len(EMOTION_GROUPS)
    assert "There are no captions." in explanation_html([])


def test_a_profile_is_shown_in_every_frame_with_its_emotions_marked():
    file = io.StringIO()
    print_all_frames(
        PROFILE, Console(file=file, width=2000), seed=3, style=None, selection=ContentSelection()
    )
    blocks = re.split(r"\n\s*\n", file.getvalue().strip())
    assert [block.split()[0] for block in blocks] == list(frame_names())
    for block, frame in zip(blocks, load_templates().frames.values(), strict=True):
        heading, caption = block.splitlines()
        assert {frame.style, frame.view, frame.form} <= set(heading.split())
        assert parse(without_brackets(caption)).profile == PROFILE.quantized()
        marked = re.findall(r"\[(.*?)\]", caption)
        assert len(marked) == len(parse(without_brackets(caption)).mentions) >= 5
