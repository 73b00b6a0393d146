"""Refuse an output folder that overlaps the source: a later run would read it, or replace the source.

A later run reads every file below a folder, and every match of a pattern. A manifest, a shard or a dataset of
`save_to_disk` is read by its name: files beside it do not matter.
"""

import os
from collections.abc import Iterable
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path

from budew.corpora.folders import saved_tables
from budew.corpora.named.named_folder import split_name
from budew.corpora.sources import numbered_names
from budew.errors import CorpusError
from budew.io.addresses import is_address


def check_no_overlap(source: str | Path, files: Iterable[Path], out: Path) -> None:
    """Raise where the input is in the output folder, or a later run could read what this one writes.

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
            is_read = place.is_relative_to(searched.resolve()) and not saved_tables(searched)
        else:
            is_read = not searched.exists() and _may_match(searched, place)
        if is_read:
            raise CorpusError(f"the output {out} is in the source {searched}: choose a folder outside it")


def _may_match(pattern: Path, folder: Path) -> bool:
    """Return whether a glob pattern fits the folder, one above it, or the beginnings of paths below it."""
    plain = next((number for number, part in enumerate(pattern.parts) if has_magic(part)), None)
    if plain is None:
        return False
    root = Path(*pattern.parts[:plain]).resolve()
    if not folder.is_relative_to(root):
        return False
    for part, wanted in zip(folder.relative_to(root).parts, pattern.parts[plain:], strict=False):
        if wanted == "**":
            break
        if not fnmatchcase(part, wanted):
            return False
    return True
