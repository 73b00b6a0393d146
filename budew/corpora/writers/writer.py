"""`write`: clips into a folder in one of the `FORMATS`; the folder is complete or unchanged.

| format | tables | audio |
|---|---|---|
| parquet | `clips-00000.parquet`… for Hugging Face `datasets` | in the table, as it is encoded |
| parler | the same with dataspeech's columns, for Parler-TTS | in the table, as it is encoded |
| jsonl | `clips.jsonl`, a manifest | `audio/`, as it is encoded |
| ljspeech | `metadata.csv` and `clips.jsonl` | `wavs/`, 16-bit mono |
| lhotse | `recordings.jsonl.gz`, `supervisions.jsonl.gz` | `audio/`, as libsndfile can open it |

`parquet_tables` and `text_manifests` declare what each column or line holds. `budew.read` reads all of them.
"""

import gzip
import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, TextIO, TypeVar, cast
from urllib.parse import quote

from budew.corpora.clip import Clip, check_not_withheld
from budew.corpora.sidecar import LARGEST_JSON
from budew.corpora.writers import text_manifests
from budew.corpora.writers.export_folder import write_folder
from budew.errors import CorpusError, InputError, OnBad, report

T = TypeVar("T")
CLIPS_PER_FILE = 1_000
LONGEST_PART = 200
"""Characters of one part of a path; a suffix follows. File systems allow 255 bytes."""


@dataclass(frozen=True, slots=True)
class Files:
    """A format with audio in files, and lines in text files (`tables`) beside them.

    Attributes:
        tables: names of the text files; `.gz` is compressed.
        folder: of the audio files.
        flat: whether slashes of an id are escaped, for loaders that do not look into folders.
        encode: returns the audio of a clip as it is stored, with its suffix.
        lines: returns the line of a clip in each table, given where and how its audio is stored.
    """

    tables: tuple[str, ...]
    folder: str
    flat: bool
    encode: Callable[[Clip], text_manifests.Stored]
    lines: Callable[[Clip, text_manifests.Stored, str], tuple[str, ...]]


_JSONL = Files(("clips.jsonl",), "audio", False, text_manifests.unchanged, text_manifests.jsonl_lines)
_LHOTSE = Files(
    ("recordings.jsonl.gz", "supervisions.jsonl.gz"),
    "audio",
    False,
    text_manifests.for_libsndfile,
    text_manifests.lhotse_lines,
)
FORMATS = ("parquet", "jsonl", "parler", "ljspeech", "lhotse")


def write(
    out: str | Path,
    clips: Iterable[Clip],
    *,
    to: str,
    clips_per_file: int | None = None,
    sampling_rate: int | None = None,
    overwrite: bool = False,
    on_bad: OnBad | None = None,
) -> int:
    """Write clips in one of the `FORMATS`; return how many are in it.

    Memory holds the ids, some 100 bytes a clip, and for parquet and parler about 100 MB of clips. parler has
    a row a caption: the second caption of the clip `x` is the row `x#2`. Clips are read once, and errors of
    reading them are raised. The other arguments and errors are those of `budew.corpora.export`.
    """
    check_options(to, clips_per_file=clips_per_file, sampling_rate=sampling_rate)
    if to in ("parquet", "parler"):
        from budew.corpora.writers import parquet_tables  # pyarrow takes half a second

        fill = partial(
            parquet_tables.write_files,
            parquet_tables.FORMATS[to],
            clips_per_file=clips_per_file or CLIPS_PER_FILE,
        )
    else:
        rate = sampling_rate or text_manifests.LJSPEECH_RATE
        wavs = partial(text_manifests.as_wav, sampling_rate=rate)
        ljspeech = Files(("metadata.csv", "clips.jsonl"), "wavs", True, wavs, text_manifests.ljspeech_lines)
        fill = partial(_write_files, {"jsonl": _JSONL, "lhotse": _LHOTSE, "ljspeech": ljspeech}[to])
    checked = _distinct(clips, on_bad)
    return write_folder(out, lambda folder: fill(folder, checked, on_bad), format=to, overwrite=overwrite)


def check_options(to: str, *, clips_per_file: int | None, sampling_rate: int | None) -> None:
    """Raise `InputError` for an unknown format, or an option that it does not have."""
    if to not in FORMATS:
        known = ", ".join(FORMATS)
        raise InputError(f"{to!r} is not one of {known}; WebDataset is written by budew corpus convert")
    for name, value, having in (
        ("clips per file", clips_per_file, ("parquet", "parler")),
        ("sampling rate", sampling_rate, ("ljspeech",)),
    ):
        if value is not None and (to not in having or value < 1):
            raise InputError(f"{to} takes no {name} of {value}: remove it, or choose another format")


def expressed(clips: Iterable[Clip], express: Callable[[Clip], T], on_bad: OnBad | None) -> Iterator[T]:
    """Yield what `express` returns of each clip; report the clips for which it raises an error."""
    for clip in clips:
        try:
            made = express(clip)
        except CorpusError as error:
            report(error, on_bad)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            report(CorpusError(f"clip {clip.id!r}: cannot be written ({reason}): correct its fields"), on_bad)
        else:
            yield made


def _distinct(clips: Iterable[Clip], on_bad: OnBad | None) -> Iterator[Clip]:
    """Pass on clips with an id of their own that may be written."""
    seen: set[str] = set()

    def checked(clip: Clip) -> Clip:
        if clip.id in seen:
            raise CorpusError(f"two clips have the id {clip.id!r}: give each its own")
        check_not_withheld(clip)
        seen.add(clip.id)
        return clip

    return expressed(clips, checked, on_bad)


def _write_files(form: Files, folder: Path, clips: Iterable[Clip], on_bad: OnBad | None) -> int:
    names = FileNames(flat=form.flat)
    (folder / form.folder).mkdir()

    def stored(clip: Clip) -> tuple[str, ...]:
        audio = form.encode(clip)
        path = f"{form.folder}/{names.name(clip.id)}.{audio.suffix}"
        lines = form.lines(clip, audio, path)
        if any(len(line.encode()) > LARGEST_JSON for line in lines):  # half a character is refused, too
            raise CorpusError(f"clip {clip.id!r}: has more than {LARGEST_JSON} bytes of text: shorten it")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(audio.encoded)
        return lines

    count = 0
    with ExitStack() as stack:
        files = [stack.enter_context(_text_file(folder / name)) for name in form.tables]
        for lines in expressed(clips, stored, on_bad):
            count += 1
            for file, line in zip(files, lines, strict=True):
                file.write(line + "\n")
    return count


@contextmanager
def _text_file(path: Path) -> Iterator[TextIO]:
    """Open a file for text; one with the suffix `.gz` without the name and time that differ between runs."""
    with ExitStack() as stack:
        file: BinaryIO = stack.enter_context(path.open("wb"))
        if path.suffix == ".gz":
            packed = gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)
            file = cast(BinaryIO, stack.enter_context(packed))
        yield stack.enter_context(io.TextIOWrapper(file, encoding="utf-8", newline="\n"))


class FileNames:
    """Gives each clip of a corpus a file name, without suffix, that is safe on any disk.

    Letters, digits and `-_.~` stay, slashes make folders, the rest is escaped as in an address: `unquote`
    returns the id. Escaped are, too: `Anna` after `anna`, for disks that know no case; a leading dot, which
    hides a file; a dot in a folder, as a file may have that name. Parts of more than 200 characters are cut
    into folders that end in `%`. Holds all names, some 100 bytes a clip.

    Args:
        flat: escape slashes, too.
    """

    def __init__(self, *, flat: bool = False) -> None:
        self._flat = flat
        self._used: set[str] = set()

    def name(self, id: str) -> str:
        """Return a relative path that no other id has got, in any case."""
        *folders, last = [id] if self._flat else id.split("/")
        name = _joined(
            [*(quote(part, safe="").replace(".", "%2E") for part in folders), quote(last, safe="")]
        )
        if name.lower() in self._used:
            escaped = ("".join(f"%{byte:02X}" for byte in part.encode()) for part in (*folders, last))
            name = _joined(list(escaped))
        self._used.add(name.lower())
        return name


def _joined(parts: list[str]) -> str:
    visible = (re.sub(r"^\.", "%2E", part) for part in parts)
    cut = ([part[at : at + LONGEST_PART] for at in range(0, len(part), LONGEST_PART)] for part in visible)
    return "/".join("%/".join(pieces) for pieces in cut)
