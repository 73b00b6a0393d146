"""The page on rewriting loads nothing, escapes all that captions and accounts say, and shows what differs."""

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from budew.captions import render
from budew.corpora import Caption, Clip, write_shard
from budew.paraphrase.metrics import ParaphraseReport, paraphrase_report
from budew.profile import VoiceProfile
from budew.reports.formatting import visible
from budew.reports.paraphrase_page import rewriting_report, rewriting_summary, word_diff
from budew.reports.section_layout import report_html
from budew.reports.terminal_tables import report_tables
from budew.taxonomy import EMOTIONS
from tests.reports.conftest import HOSTILE, check_safe, on_page


def reported(folder: Path, *clips: Clip) -> ParaphraseReport:
    write_shard(folder / "clips.tar", clips)
    return paraphrase_report([folder / "clips.tar"])


def hostile(number: int) -> Clip:
    """A clip of which every text is hostile."""
    made_by = dict.fromkeys(("of", "backend", "model", "prompt", "style", "repaired"), HOSTILE)
    refusal = {"text": HOSTILE, **{key: [HOSTILE] for key in ("codes", "missed", "unknown", "added")}}
    account = {"candidates": 7, "refused": 1, "codes": {HOSTILE[:80]: 1}, "refusals": [refusal]}
    captions = (
        Caption(f"{HOSTILE} Sad. {number}", {"by": "paraphrase", **made_by}),
        Caption(HOSTILE, {"by": "paraphrase", "fallback": HOSTILE, "of": HOSTILE}),
    )
    profile = VoiceProfile({"Sadness": 1}, traits={"gender": "female"})
    name = f"{number}<script>alert(1)<" + "/script>"
    return Clip(name, b"RIFF", "wav", profile=profile, captions=captions, metadata={"paraphrase": account})


def test_hostile_text_stays_text(tmp_path) -> None:
    found = reported(tmp_path, *map(hostile, range(30)))
    page = report_html(rewriting_report(found))
    parsed = check_safe(page)
    assert page.count("&lt;script&gt;") > 60
    assert not [attributes for _, attributes in parsed.tags if "src" in attributes]


def test_differences_are_coloured_and_every_emotion_said_has_its_row(tmp_path) -> None:
    clips = []
    for number, name in enumerate(EMOTIONS):
        profile = VoiceProfile({name: 0.75})
        texts = [render(profile, seed=seed) for seed in (1, 2)]
        made_by = {"by": "paraphrase", "of": texts[0], "backend": "chat", "style": "prose"}
        captions = (Caption(texts[1], made_by),)
        clips.append(Clip(f"c{number}", b"RIFF", "wav", profile=profile, captions=captions))
    found = reported(tmp_path, *clips)
    page = report_html(rewriting_report(found))
    for name in EMOTIONS:
        assert f'<th scope="row">{on_page(name)}</th>' in page
    assert page.count('<mark class="new">') > 12
    assert page.count('<mark class="gone">') > 12
    assert page.count('<article class="rewriting">') == len(found.accepted) == 12
    assert page.count(" strong</p>") == 12  # what the profile holds
    assert 'class="small soft">and' not in page  # no list has more than 12 names


def test_the_tables_hold_the_numbers_of_the_report(tmp_path) -> None:
    text = render(VoiceProfile({"Fear": 0.75}), seed=1)
    counts = {"candidates": 4, "accepted": 1, "refused": 3, "requests": 2, "retried": 1}
    account = {**counts, "codes": {"short": 3}}
    known = {"profile": VoiceProfile({"Fear": 0.75}), "metadata": {"paraphrase": account}}
    made_by = [{"by": "paraphrase", "of": text, "backend": f"b{number}"} for number in range(13)]
    captions = [(Caption(text, by),) for by in made_by]
    clips = [Clip(f"c{n}", b"RIFF", "wav", captions=made, **known) for n, made in enumerate(captions)]
    report = rewriting_report(reported(tmp_path, *clips))
    assert {card.label: card.value for card in report.cards} == {
        "clips": 13, "captions": 13, "candidates": 52, "passed the gate": "25.0 %", "fallbacks": "0.0 %",
        "ρ before the gate": None, "ρ after the gate": pytest.approx(1),
    }  # fmt: skip
    console = Console(file=io.StringIO(), width=200)
    console.print(report_tables(rewriting_summary(report)))
    shown = " ".join(console.file.getvalue().split())
    for row in (
        r"candidates 25\.0 % 0\.0 % 0\.0 % 75\.0 %",
        r"26 requests, 0 unanswered, 13 retried",
        r"refused, by first reason short 39",
        r"backends .*b8 1 and 1 more",
        r"distinct-1( 0\.\d{3}){3} more",
        r"self-BLEU( 100\.0){3} less",
        r"exact level 1\.000 \(1\.000…1\.000\)",
    ):
        assert re.search(row, shown), row
    assert "By emotion" not in shown


def test_a_corpus_of_fallbacks_alone_has_a_page(tmp_path) -> None:
    clip = Clip("a", b"RIFF", "wav", captions=(Caption("A man.", {"by": "paraphrase", "fallback": "x"}),))
    page = report_html(rewriting_report(reported(tmp_path, clip)))
    assert "Fidelity</h2>" not in check_safe(page).text


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_pieces_of_a_difference_are_the_texts(one: str, other: str) -> None:
    left, right = word_diff(one, other)
    if one.strip():
        assert "".join(text for text, _ in left) == visible(one)
    if other.strip():
        assert "".join(text for text, _ in right) == visible(other)
    same = word_diff(one, one)[0]
    assert not any(changed for _, changed in same)


def test_only_words_that_the_other_has_not_are_marked() -> None:
    left, right = word_diff("A sad woman, sobbing.", "A woman: sad, Sobbing")
    assert [text.strip() for text, changed in left if changed] in (["sad"], ["woman,"])
    assert len([text for text, changed in right if changed]) == 1
