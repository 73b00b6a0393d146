"""Text for pages and terminals: numbers, shares, and control characters made visible.

Captions and names are external input, and must not control a terminal.
"""

# Bidirectional overrides and isolates reorder the text after them; unpaired surrogates cannot be encoded.
_REPLACED = (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000))
_VISIBLE = {
    **dict.fromkeys(_REPLACED, "\ufffd"),
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: "\u2421",
}
"""Control characters as the pictures that Unicode has for them; each a single character."""

LISTED = 12
"""Largest number of names in each list of a table or a page; the JSON has all of them."""


def visible(text: str) -> str:
    """Replace control characters in a text by visible ones, except line ends and tabs."""
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def visible_name(name: object) -> str:
    """Return the name of a file or folder as one line without control characters."""
    return str(name).translate(_VISIBLE | {9: "\u2409", 10: "\u240a"})


def written(value: float | None, digits: int = 2) -> str:
    """Format a metric with `digits` decimals; a dash if it is undefined."""
    return "–" if value is None else f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")


def share(part: float, whole: float) -> str:
    """Format `part` in per cent of `whole`; a dash if `whole` is 0."""
    return f"{100 * part / whole:.1f} %" if whole else "–"
