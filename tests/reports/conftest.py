"""What the tests of all pages share: a parser, hostile text, recordings."""

from html.parser import HTMLParser

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


def check_safe(text: str) -> Page:
    """Assert that a page loads nothing, runs nothing and holds no invisible character; return it parsed."""
    page = Page(text)
    assert not [part for part in ("://", "url(", "@import", "\u202e") if part in text]
    assert "default-src 'none'" in text
    for tag, attributes in page.tags:
        assert tag not in ("script", "img", "iframe", "object", "base", "form")
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:").startswith("data:")
    return page
