"""Control characters made visible: captions and names come from outside, and none may command a terminal."""

# Bidirectional overrides and isolates reorder the text behind them, and half a character is none.
_REPLACED = (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000))
_VISIBLE = {
    **dict.fromkeys(_REPLACED, "\ufffd"),
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: "\u2421",
}
"""Control characters as the pictures that Unicode has for them; each a single character."""


def visible(text: str) -> str:
    """Return a text with its control characters replaced by visible ones; line ends and tabs stay."""
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def visible_name(name: object) -> str:
    """Return the name of a file or folder as one line without control characters."""
    return str(name).translate(_VISIBLE | {9: "\u2409", 10: "\u240a"})
