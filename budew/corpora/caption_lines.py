"""JSON Lines with captions in, the same objects with their emotions out.

About 20,000 captions a second on one core; memory holds one line.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from budew.captions import parse
from budew.corpora.text_files import json_object, numbered_lines
from budew.errors import CorpusError, InputError, OnBad, report


def parse_lines(
    lines: BinaryIO, *, name: str, into: str | None = None, on_bad: OnBad | None = None
) -> Iterator[dict[str, Any]]:
    """Add `emotions` (canonical name → intensity in (0, 1]) to each object, read from its `caption`.

    Args:
        lines: a file of JSON Lines, open for reading bytes. Empty lines are passed over.
        name: what errors call the file.
        into: instead of `emotions`, the whole reading (`VoiceProfile.to_dict`) under this name, which no
            object has yet; without it, `emotions` that are there already are replaced.
        on_bad: called with the error of each bad line, and reading continues; without it the error is
            raised.

    Raises:
        CorpusError: names the file, the line and what is wrong: not an object, no caption, not a text, or the
            name of `into` is taken.
        InputError: `into` is empty or "caption".

    Example:
        >>> from io import BytesIO
        >>> list(parse_lines(BytesIO(b'{"caption": "A very sad voice."}'), name="captions.jsonl"))
        [{'caption': 'A very sad voice.', 'emotions': {'Sadness': 0.75}}]
    """
    if into is not None and (not into.strip() or into == "caption"):
        raise InputError(f"the result cannot be stored under {into!r}: choose another key")
    for number, line in numbered_lines(lines, name, on_bad=on_bad):
        where = f"{name}: line {number}"
        try:
            record = json_object(line, where)
            if not isinstance(record.get("caption"), str):
                raise CorpusError(f'{where} has no text under "caption": add it')
            if into in record:
                raise CorpusError(f"{where} already has the key {into!r}: choose another")
        except CorpusError as error:
            report(error, on_bad)
            continue
        read = parse(record["caption"])
        added = {"emotions": dict(read.emotions)} if into is None else {into: read.profile.to_dict()}
        yield {**record, **added}
