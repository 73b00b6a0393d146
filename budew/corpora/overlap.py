"""Refuse an output folder that overlaps the source: a later run would read it, or replace the source.

A later run reads every file below a folder that is not hidden, and every match of a pattern. A manifest, a
shard or a dataset of `save_to_disk` is read by its name: files beside it do not matter.
"""

import os
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path

from budew.corpora.folders import saved_tables
from budew.corpora.named.named_folder import split_name
from budew.corpora.sources import numbered_names
from budew.errors import CorpusError
from budew.io.addresses import is_address


def check_no_overlap(source: str | Path, files: Iterable[Path], written: Sequence[str], out: Path) -> None:
    """Raise where the input is in the output folder, or a later run would read what this one writes.

    Args:
        source: what is read.
        files: of it, those that are here.
        written: files that will be there, relative to `out`; those of which a pattern may match one.
        out: folder of the output, there or not.

    Raises:
        CorpusError: names the folder or the file, and says what to choose.
    """
    place = out.resolve()
    for path in files:
        if Path(os.path.realpath(path)).is_relative_to(place):
            raise CorpusError(f"{path} is in the output folder {out}: choose another folder for it")
    if is_address(source):
        return
    _, source = split_name(source)
    for searched in map(Path, [source] if Path(source).exists() else numbered_names(str(source))):
        if searched.is_dir():
            if _is_below(place, searched.resolve()) and not saved_tables(searched):
                raise CorpusError(f"the output {out} is in the source {searched}: choose a folder outside it")
        elif not searched.exists():
            found = next((name for name in written if _is_found(place / name, searched)), None)
            if found is not None:
                fault = f"the next run would read it, for {searched} matches it"
                raise CorpusError(f"{out / found}: {fault}: choose a folder that the pattern does not match")


def _is_below(path: Path, folder: Path) -> bool:
    """Return whether a walk through the folder, which skips hidden entries, reaches the path."""
    return path.is_relative_to(folder) and not _hidden(path.relative_to(folder).parts)


def _is_found(path: Path, pattern: Path) -> bool:
    """Return whether a pattern matches the path, or a folder above it."""
    parts = pattern.parts
    plain = next((number for number, part in enumerate(parts) if has_magic(part)), len(parts))
    root = Path(*parts[:plain]).resolve()
    if not path.is_relative_to(root):
        return False
    below = path.relative_to(root).parts
    return any(
        _matches(below[:end], parts[plain:]) and not _hidden(below[end:]) for end in range(len(below) + 1)
    )


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether `glob` matches the parts of a path with those of a pattern."""
    if not pattern:
        return not parts
    first, *rest = pattern
    if first == "**":
        ends = range(len(parts) + 1)
        return any(_matches(parts[end:], rest) for end in ends if not _hidden(parts[:end]))
    fits = bool(parts) and fnmatchcase(parts[0], first) and (first[0] == "." or not _hidden(parts[:1]))
    return fits and _matches(parts[1:], rest)


def _hidden(parts: Sequence[str]) -> bool:
    return any(part.startswith(".") for part in parts)
