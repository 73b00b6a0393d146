"""The gate for captions from anywhere: JSON Lines of captions with the profiles that they should express."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from budew.corpora.sidecar import json_object, numbered_lines
from budew.errors import CorpusError, InputError, OnBad, report
from budew.paraphrase.gate import Gate
from budew.profile import VoiceProfile


def judged_lines(
    lines: BinaryIO, *, name: str, gate: Gate, on_bad: OnBad | None = None
) -> Iterator[dict[str, Any]]:
    """Add `accepted`, `reasons` (code and what), `missed` and `unknown` to each object.

    Args:
        lines: a file of JSON Lines, open for reading bytes: each has `caption` and `profile`, as
            `VoiceProfile.to_dict` writes it, and may have the template as `source` and what is spoken as
            `transcript`.
        name: what errors call the file.
        gate: how strict to be.
        on_bad: called with the error of each bad line, and the reading goes on; without it the error is
            raised.

    Raises:
        CorpusError: names the file, the line and what is wrong.
    """
    for number, line in numbered_lines(lines, name, on_bad=on_bad):
        where = f"{name}: line {number}"
        try:
            yield _judged(json_object(line, where), where, gate)
        except CorpusError as error:
            report(error, on_bad)


def _judged(record: dict[str, Any], where: str, gate: Gate) -> dict[str, Any]:
    caption = record.get("caption")
    if not isinstance(caption, str):
        raise CorpusError(f'{where}: has no text under "caption": add it')
    source, transcript = (_text(record, key, where) for key in ("source", "transcript"))
    try:
        profile = VoiceProfile.from_dict(record["profile"])
    except KeyError as error:
        raise CorpusError(f'{where}: has no "profile" to compare the caption with: add it') from error
    except InputError as error:
        raise CorpusError(f"{where}: {error}") from error
    verdict = gate.judge(caption, profile, source=source, transcript=transcript)
    return {
        **record,
        "accepted": verdict.accepted,
        "reasons": [{"code": reason.code, "what": reason.what} for reason in verdict.reasons],
        "missed": list(verdict.missed),
        "unknown": list(verdict.unknown),
    }


def _text(record: dict[str, Any], key: str, where: str) -> str:
    text = record.get(key)
    if text is not None and not isinstance(text, str):
        raise CorpusError(f'{where}: what is under "{key}" is not text: correct or remove it')
    return text or ""
