"""Folders that `datasets` writes with `save_to_disk`: which Arrow files belong to them, in which order."""

import os
from pathlib import Path, PurePosixPath

from budew.corpora.sidecar import read_json
from budew.errors import CorpusError

_SPLITS = "dataset_dict.json"
_STATE = "state.json"


def saved_tables(folder: Path) -> list[Path]:
    """Return the Arrow files of a saved data set, of all of its splits; nothing where the folder is none.

    Files that lie there besides, such as the cache of `map`, are none of it.

    Raises:
        CorpusError: its JSON is broken, or names a file that lies elsewhere or not at all.
    """
    if os.path.isfile(folder / _SPLITS):  # False, too, where the folder may not be looked into: see its list
        splits = read_json(folder / _SPLITS).get("splits")
        names = splits if isinstance(splits, list) else []
        return [table for name in names for table in _tables(_inside(folder, name))]
    return _tables(folder)


def _tables(folder: Path) -> list[Path]:
    if not os.path.isfile(folder / _STATE):
        return []
    files = read_json(folder / _STATE).get("_data_files")
    named = [file.get("filename") if isinstance(file, dict) else None for file in files or ()]
    return [_inside(folder, name) for name in named] if isinstance(files, list) else []


def _inside(folder: Path, name: object) -> Path:
    plain = isinstance(name, str) and len(PurePosixPath(name).parts) == 1 and name not in (".", "..")
    if not plain or not (folder / str(name)).exists():
        fault = f"its JSON names {str(name)[:80]!r}, which does not lie in it: save the data set again"
        raise CorpusError(f"{folder}: {fault}")
    return folder / str(name)
