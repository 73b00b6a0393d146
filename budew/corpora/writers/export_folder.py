"""Write the files of an export into a folder all together, replacing those of an earlier export.

Files are written in a hidden folder inside `out`, which no loader reads, and moved when all are complete. A
hidden file `.budew-export.json` lists the entries of `out` that budew wrote: only these are replaced without
`overwrite`. A `README.md` that budew did not write, or that was edited, is kept.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from budew.corpora.text_files import read_json_object
from budew.errors import CorpusError
from budew.io.addresses import check_local
from budew.io.cards import CARD, keeps_own_card
from budew.io.disk import place_of, remedy_for
from budew.io.files import claimed, flush
from budew.version import __version__

RECORD = ".budew-export.json"
"""Hidden file with the version of budew that wrote a folder, and the names of the entries that it wrote."""
_UNFINISHED = ".budew-export-unfinished"
_REPLACED = ".budew-export-replaced"


def write_folder(out: str | Path, fill: Callable[[Path], int], *, format: str, overwrite: bool) -> int:
    """Let `fill` write files into an empty folder, move them into `out`, and return the number of clips.

    If an error occurs, `out` is unchanged.

    Args:
        out: output folder; made if it does not exist. Files of an earlier export in it are replaced.
        fill: writes files into the folder that it is called with, and returns the number of clips.
        format: name of the format, which is recorded in `.budew-export.json`.
        overwrite: write even if `out` has entries that are not from an export; those of the same name are
            replaced, the others stay.

    Raises:
        CorpusError: `out` has other entries, another export is writing to it, or `fill` wrote no clip.
        OSError: the disk is full or cannot be written; the error has the path of `out`.
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
            _remove(unfinished)  # may be left by a run that was killed
            unfinished.mkdir()
            count = fill(unfinished)
            if not count:
                raise CorpusError(f"{out}: no clip to write: see the reported errors, or check the source")
            if keeps_own_card(out):
                _remove(unfinished / CARD)
                earlier.discard(CARD)
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
    """Return the entries of an earlier export; raise an error if there are others and `overwrite` is False.

    The record may be from somebody else: only plain names in it are accepted.
    """
    record = out / RECORD
    names = read_json_object(record).get("entries") if record.is_file() else []
    texts = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    earlier = {name for name in texts if name and name == Path(name).name and not name.startswith(".")}
    own = {RECORD, CARD, _UNFINISHED, _REPLACED}
    others = sorted({path.name for path in out.iterdir()} - earlier - own)
    if others and not overwrite:
        fault = f"the folder contains {others[0]!r}, which no earlier export wrote"
        raise CorpusError(f"{out}: {fault}: choose another folder, or add --overwrite")
    return earlier


def _move_in(out: Path, earlier: set[str], about: dict[str, str | int]) -> None:
    unfinished, replaced = out / _UNFINISHED, out / _REPLACED
    entries = sorted(path.name for path in unfinished.iterdir())
    os.sync()  # a million small files at once: flushing each takes 5.5 ms, writing it 0.2 ms
    # The record lists old and new entries while they are moved, for the next run if this one is killed.
    _write_record(out, about, sorted({*entries, *earlier}))
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
