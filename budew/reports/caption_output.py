"""How captions of recordings are shown: as text for people, as one JSON array, as JSON Lines for programs.

Each result is written when it is there, so that a long job can be watched and read by another program.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from budew.inference import Captioned, Failure
from budew.taxonomy import EMOTIONS
from budew.terminal import as_json, say_error

Results = Iterable[Captioned | Failure]


def show_captions(results: Results, file: TextIO, *, format: str, scores: bool, named: bool) -> bool:
    """Write results to `file`, what is wrong to stderr; return whether no audio was bad or damaged.

    Args:
        results: from `Captioner.caption_files`.
        file: open for writing text.
        format: "text", "json" (one array) or "jsonl". A failure in JSON has `source` and `error`; damaged
            audio has the caption of what could be used, and `damaged`.
        scores: add the emotions as numbers; in JSON all 40, under `scores`.
        named: as text, put the name of the recording before its caption.
    """
    bad = 0
    write = {"text": _write_text, "json": _write_json, "jsonl": _write_jsonl}[format]

    def told() -> Iterator[Captioned | Failure]:
        nonlocal bad
        for result in results:
            bad += _tell(result)
            yield result

    write(told(), file, scores, named)
    return not bad


def _tell(result: Captioned | Failure) -> bool:
    """Tell on stderr what is wrong with a result, a line each; return whether the audio is bad."""
    if isinstance(result, Failure):
        say_error(result)
        return True
    for warning in result.warnings:
        say_error(f"warning: {result.source}: {warning}")
    if result.damaged:
        say_error(f"{result.source}: {result.damaged}")
    return result.damaged is not None


def _write_text(results: Results, file: TextIO, scores: bool, named: bool) -> None:
    for result in results:
        if isinstance(result, Captioned):
            lines = [*result.caption.splitlines(), *(_score_lines(result) if scores else ())]
            shown = [result.source, *(f"  {line}" for line in lines)] if named else lines
            print("\n".join(shown), file=file, flush=True)


def _score_lines(result: Captioned) -> Iterator[str]:
    """Give one line an emotion, the strongest first; those at zero are left out."""
    strongest_first = sorted(result.emotions.items(), key=lambda item: -item[1])
    return (f"{intensity:.2f}  {name}" for name, intensity in strongest_first)


def _write_json(results: Results, file: TextIO, scores: bool, named: bool) -> None:
    separator = "["
    for result in results:
        print(f"{separator}\n{as_json(_record(result, scores))}", end="", file=file, flush=True)
        separator = ","
    print("\n]" if separator == "," else "[]", file=file)


def _write_jsonl(results: Results, file: TextIO, scores: bool, named: bool) -> None:
    for result in results:
        print(as_json(_record(result, scores)), file=file, flush=True)


def _record(result: Captioned | Failure, scores: bool) -> dict[str, Any]:
    if isinstance(result, Failure):
        return {"source": result.source, "error": result.reason}
    if not scores:
        return result.to_dict()
    return {**result.to_dict(), "scores": {name: result.emotions.get(name, 0.0) for name in EMOTIONS}}
