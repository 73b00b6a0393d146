"""What a format makes of each clip, with a word on those that it cannot express."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO, TypeVar

from budew.audio.formats import LARGEST_AUDIO, SUFFIXES
from budew.corpora.clip import Clip
from budew.corpora.sidecar import LARGEST_JSON
from budew.errors import CorpusError, OnBad, report

T = TypeVar("T")


def expressed(
    clips: Iterable[Clip], express: Callable[[Clip], T], *, on_bad: OnBad | None = None
) -> Iterator[T]:
    """Give what `express` makes of each clip, in order. Holds the ids: some 100 bytes a clip.

    Args:
        clips: errors of reading them are raised.
        express: raises `CorpusError`, or what conversions raise, for a clip that it cannot express.
        on_bad: called with the error of each such clip, and of one whose id was there before; without it the
            error is raised.
    """
    seen: set[str] = set()
    for clip in clips:
        try:
            if clip.id in seen:
                raise CorpusError(f"two clips have the id {clip.id!r}: give each its own")
            made = express(clip)
        except CorpusError as error:
            report(error, on_bad)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            report(CorpusError(f"clip {clip.id!r}: cannot be written ({reason}): correct its fields"), on_bad)
        else:
            seen.add(clip.id)
            yield made


def parts(items: Iterable[T], size: int) -> Iterator[Iterator[T]]:
    """Give the items in parts of `size`, lazily: each part is to be used up before the next."""
    if size < 1:
        raise ValueError(f"a part of {size} clips is none: ask for 1 or more")
    rest = iter(items)
    for first in rest:
        yield chain([first], islice(rest, size - 1))


def audio_bytes(clip: Clip) -> bytes:
    """Return the encoded audio.

    Raises:
        CorpusError: there is none, it cannot be read, it is larger than `LARGEST_AUDIO`, or its format is
            unknown.
    """
    _check_audio(clip)
    try:
        return clip.audio if isinstance(clip.audio, bytes) else clip.audio.read_bytes()
    except OSError as error:
        raise _unreadable(clip, error) from error


def write_audio(path: Path, audio: bytes) -> None:
    """Write a new file; its folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(audio)


def write_lines(file: TextIO, lines: Iterable[str]) -> int:
    """Write lines and return how many."""
    return sum(1 for line in lines if file.write(line + "\n"))


def as_json(value: Any) -> str:
    """Return strict JSON on one line, the same for equal values.

    Raises:
        ValueError, TypeError, RecursionError: it is no value of JSON, or longer than readers accept.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    size = len(text.encode())  # which tells of half characters, too
    if size > LARGEST_JSON:
        raise ValueError(f"{size} bytes of JSON are more than the {LARGEST_JSON} allowed")
    return text


def _check_audio(clip: Clip) -> None:
    if clip.format not in SUFFIXES:
        raise CorpusError(
            f"clip {clip.id!r}: {clip.format!r} is no audio format: use one of {', '.join(SUFFIXES)}"
        )
    try:
        size = len(clip.audio) if isinstance(clip.audio, bytes) else clip.audio.stat().st_size
    except OSError as error:
        raise _unreadable(clip, error) from error
    if not 0 < size <= LARGEST_AUDIO:
        raise CorpusError(
            f"clip {clip.id!r}: {size} bytes of audio are not between 1 and {LARGEST_AUDIO}: cut or remove it"
        )


def _unreadable(clip: Clip, error: OSError) -> CorpusError:
    return CorpusError(f"clip {clip.id!r}: {clip.audio!s} cannot be read ({error.strerror}): check the path")
