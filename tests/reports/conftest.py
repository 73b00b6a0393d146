"""What the tests of all pages share: a parser, hostile text, recordings."""

import base64
import io
from html.parser import HTMLParser

import pytest
import soundfile

from budew.evaluation import Pair
from budew.profile import VoiceProfile
from tests.evaluation.conftest import _vowel, clips, corpus, pairs  # noqa: F401  # fixtures

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e"


class Page(HTMLParser):
    """Tags and attributes of a page; refuses tags that are not closed in their order."""

    EMPTY = ("meta", "link", "line", "br", "rect")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            assert self._open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all tags of a name."""
        return [attributes for name, attributes in self.tags if name == tag]


def on_page(name: str) -> str:
    """Return the name of an emotion as pages show it."""
    return name.replace("/", "/\u200b").replace("&", "&amp;")


def seconds_played(page: Page) -> list[float]:
    """Return the durations of the players of a page, all of mp3."""
    sources = [(audio["src"] or "").split(",") for audio in page.of("audio")]
    assert {prefix for prefix, _ in sources} == {"data:audio/mpeg;base64"}
    return [soundfile.info(io.BytesIO(base64.b64decode(mp3))).duration for _, mp3 in sources]


def check_safe(text: str) -> Page:
    """Assert that a page loads nothing, runs nothing and holds no invisible character; return it parsed."""
    page = Page(text)
    assert not [part for part in ("url(", "@import", "\u202e") if part in text]
    assert "default-src 'none'" in text
    for tag, attributes in page.tags:
        assert tag not in ("script", "img", "iframe", "object", "base", "form")
        assert not [name for name in attributes if name.startswith("on")]
        assert not [value for value in attributes.values() if "://" in (value or "")]
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:").startswith("data:")
    return page


@pytest.fixture(scope="session")
def labelled_pairs() -> list[Pair]:
    """Clips with emotions or none, bursts, gender, age and style, and captions that are often right."""
    rows = []
    for n in range(24):
        gender, age = ("female", "male")[n % 2], ("child", "adult", "elderly")[n % 3]
        label = VoiceProfile(
            {"Sadness": 0.5} if n % 4 else {},
            ("Sobs", "Chuckle")[: n % 3],
            {"gender": gender, "age": age, "style": "whispered"},
        )
        predicted = VoiceProfile(
            {"Sadness": 0.5, "Hope/Optimism": 0.25} if n % 3 else {},
            ("Quiet Sob", "Yawn")[: n % 2 + 1],
            {"gender": "female"} | ({"age": age} if n % 5 else {}),
        )
        rows.append(Pair(f"{n:02d}", label, predicted, "A caption.", speaker=f"s{n % 6}"))
    return rows
