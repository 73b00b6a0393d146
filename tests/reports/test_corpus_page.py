"""The page of a corpus loads nothing, escapes what the corpus says, and plays what was encoded anew."""

import base64
import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile

from budew.corpora import Caption, Clip, write_shard
from budew.curation.inspection import Inspection, inspect_corpus
from budew.profile import VoiceProfile
from budew.reports.corpus_page import corpus_html, write_corpus_page
from budew.taxonomy import EMOTIONS

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e"


class Page(HTMLParser):
    """Tags and attributes of a page, and whether all were closed in their order."""

    EMPTY = ("meta", "link", "line", "br", "rect")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            assert self.open.pop() == tag


def noise(seconds: float) -> bytes:
    file = io.BytesIO()
    samples = np.random.default_rng(1).normal(0, 0.1, round(16_000 * seconds))
    soundfile.write(file, samples, 16_000, format="FLAC")
    return file.getvalue()


@pytest.fixture
def inspected(tmp_path: Path) -> Inspection:
    """A corpus of every emotion in two languages, with a clip of hostile text and one that is broken."""
    clips = [
        Clip(
            f"clip {number}",
            noise(0.4),
            "flac",
            language="en" if number % 2 else "de",
            speaker=f"voice {number % 7}",
            profile=VoiceProfile({name: 0.5}, ["Yawn"], {"gender": "male", "Arousal": 3}),
        )
        for number, name in enumerate(EMOTIONS)
    ]
    hostile = Clip(
        HOSTILE.replace("/", "-"),
        noise(0.4),
        "flac",
        language=HOSTILE,
        speaker=HOSTILE,
        transcript=HOSTILE,
        captions=(Caption(HOSTILE),),
        profile=VoiceProfile({"Anger": 1}),
    )
    broken = Clip("broken " + HOSTILE.replace("/", "-"), b"not audio", "flac")
    write_shard(tmp_path / "a.tar", [*clips, hostile, broken])
    return inspect_corpus(tmp_path / "a.tar")


def test_hostile_text_stays_text(inspected: Inspection) -> None:
    page = corpus_html(inspected)
    assert page.count("&lt;script&gt;alert(1)") >= 6
    assert "\u202e" not in page
    for tag, attributes in Page(page).tags:
        assert tag not in ("script", "img", "iframe", "object")
        assert not [name for name in attributes if name.startswith("on")]


def test_nothing_is_loaded_from_elsewhere_and_every_tag_is_closed(inspected: Inspection) -> None:
    page = corpus_html(inspected)
    assert "://" not in page
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page
    assert Page(page).open == []
    for _, attributes in Page(page).tags:
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:").startswith("data:")


def test_every_emotion_is_plotted_and_the_strongest_clips_play(inspected: Inspection, tmp_path: Path) -> None:
    path = write_corpus_page(inspected, tmp_path / "new" / "page.html")
    page = path.read_text(encoding="utf-8")
    assert list(path.parent.iterdir()) == [path]
    for name in EMOTIONS:
        shown = name.replace("/", "/\u200b").replace("&", "&amp;")
        assert f'<span class="name">{shown}</span>' in page
        assert f'<th scope="row">{shown}</th>' in page
    sources = [attributes["src"] or "" for tag, attributes in Page(page).tags if tag == "audio"]
    assert len(sources) == len(inspected.examples) == 24
    for source in sources:
        prefix, encoded = source.split(",")
        assert prefix == "data:audio/mpeg;base64"
        info = soundfile.info(io.BytesIO(base64.b64decode(encoded)))
        assert info.duration == pytest.approx(0.4, abs=0.15)
    assert page.count('aria-label="extreme"') == 1


def test_voice_attributes_and_labels_that_are_not_understood_are_listed(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(noise(0.4))
    profile = {"emotions": None, "traits": {"Arousal": 3}}
    (tmp_path / "a.json").write_text(json.dumps({"profile": profile}))
    (tmp_path / "b.flac").write_bytes(noise(0.4))
    (tmp_path / "b.json").write_text(json.dumps({"emotion": "<joyfull>"}))
    text = corpus_html(inspect_corpus(tmp_path))
    assert "Arousal (0 very calm, 4 very excited)" in text
    assert "emotion: &lt;joyfull&gt;" in text


def test_the_same_corpus_gives_the_same_page(inspected: Inspection) -> None:
    assert corpus_html(inspected) == corpus_html(inspected)


def test_emotions_that_are_unknown_are_not_shown_as_none(tmp_path: Path) -> None:
    measured = Clip("a", noise(0.4), "flac", language="de", profile=VoiceProfile(None, (), {"pace": "fast"}))
    calm = Clip("b", noise(0.4), "flac", language="en", profile=VoiceProfile())
    write_shard(tmp_path / "measured.tar", [measured])
    write_shard(
        tmp_path / "mixed.tar", [measured, calm, replace(calm, id="c", profile=VoiceProfile({"Awe": 1}))]
    )
    alone, mixed = (corpus_html(inspect_corpus(tmp_path / name)) for name in ("measured.tar", "mixed.tar"))
    assert "no emotion" not in alone
    assert "<h2>Emotions</h2>" not in alone
    for page in (alone, mixed):
        assert '<div class="soft nothing">emotions unknown</div>' in page
        assert '<div class="name">emotions unknown</div><div class="big">1</div>' in page
    assert "of 2 whose emotions are known" in mixed
    assert '<span class="count">1</span><span class="share soft">50.0&nbsp;%</span>' in mixed


def test_an_empty_corpus_and_one_without_profiles_still_read(tmp_path: Path) -> None:
    write_shard(tmp_path / "empty.tar", [])
    write_shard(tmp_path / "bare.tar", [Clip("a", noise(0.4), "flac")])
    empty, bare = (corpus_html(inspect_corpus(tmp_path / name)) for name in ("empty.tar", "bare.tar"))
    assert "Emotions" not in empty
    assert "no profile" in bare
    assert Page(empty).open == Page(bare).open == []
