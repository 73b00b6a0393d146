"""A folder of files that appears whole or not at all, in an empty place or instead of an earlier export.

The files grow in a hidden folder inside `out`, where no loader looks, and move to their places when the last
one is complete. A hidden `.budew-export.json` lists the entries of `out` that are ours: only those are ever
replaced unasked.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from budew.corpora.text_files import read_json_object
from budew.errors import CorpusError
from budew.io.addresses import check_local
from budew.io.disk import place_of, remedy_for
from budew.io.files import claimed, flush
from budew.version import __version__

RECORD = ".budew-export.json"
"""Says what wrote a folder, and which of its entries."""
_UNFINISHED = ".budew-export-unfinished"
_REPLACED = ".budew-export-replaced"


def write_folder(out: str | Path, fill: Callable[[Path], int], *, format: str, overwrite: bool) -> int:
    """Let `fill` write files into an empty folder, then move them into `out`; return its count of clips.

    On any error on the way, `out` is as it was.

    Args:
        out: made if need be. What an earlier export left in it is replaced.
        fill: writes into the folder that it is given and returns how many clips are in it.
        format: name of the format, for the record.
        overwrite: write into `out` although it holds entries of others; those of the same name are replaced,
            the rest stays.

    Raises:
        CorpusError: `out` holds entries of others, another export is running in it, or `fill` wrote no clip.
        OSError: the disk refuses; names `out`.
    """
    out = Path(out)
    check_local(out)
    if os.path.lexists(out) and not out.is_dir():
        raise CorpusError(f"{out} is not a folder: choose another name")
    made = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    busy = CorpusError(f"another export is running in {out}: wait for it, or end it first")
    with claimed(out, busy):
        unfinished = out / _UNFINISHED
        try:
            earlier = _earlier_entries(out, overwrite)
            _remove(unfinished)  # of a run that was killed
            unfinished.mkdir()
            count = fill(unfinished)
            if not count:
                raise CorpusError(f"{out}: no clip to write: see the reported errors, or check the source")
            _move_in(out, earlier, {"format": format, "clips": count})
        except OSError as error:
            if remedy_for(error) is None:
                raise
            raise OSError(error.errno, os.strerror(error.errno or 0), str(place_of(error, out))) from error
        finally:
            _remove(unfinished)
            if made and not any(out.iterdir()):
                out.rmdir()
    return count


def _earlier_entries(out: Path, overwrite: bool) -> set[str]:
    """Return the entries that an earlier export left, or raise where there are others.

    The record may come from anywhere: only plain names count.
    """
    record = out / RECORD
    names = read_json_object(record).get("entries") if record.is_file() else []
    texts = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    earlier = {name for name in texts if name and name == Path(name).name and not name.startswith(".")}
    others = sorted({path.name for path in out.iterdir()} - earlier - {RECORD, _UNFINISHED, _REPLACED})
    if others and not overwrite:
        fault = f"the folder contains {others[0]!r}, which is not from an export"
        raise CorpusError(f"{out}: {fault}: choose another folder, or add --overwrite")
    return earlier


def _move_in(out: Path, earlier: set[str], about: dict[str, str | int]) -> None:
    unfinished, replaced = out / _UNFINISHED, out / _REPLACED
    entries = sorted(path.name for path in unfinished.iterdir())
    os.sync()  # a million small files at once: flushing each takes 5.5 ms, writing it 0.2 ms
    _write_record(out, about, sorted({*entries, *earlier}))  # a run killed from here on knows all of them
    _remove(replaced)
    replaced.mkdir()
    for name in {*entries, *earlier}:
        if os.path.lexists(out / name):
            (out / name).rename(replaced / name)
    for name in entries:
        (unfinished / name).rename(out / name)
    _write_record(out, about, entries)
    flush(out)
    _remove(replaced)


def _write_record(out: Path, about: dict[str, str | int], entries: list[str]) -> None:
    record = {"by": f"budew {__version__}", **about, "entries": entries}
    unfinished = out / _UNFINISHED / RECORD
    unfinished.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(out / RECORD)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
