"""Refuse an output folder that overlaps the source.

Otherwise a later run would read the output, or the output would replace files of the source. A source that is
a folder or a pattern is read with every file below it, or every match. A manifest, a shard or a dataset of
`save_to_disk` does not include files beside it.
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
    """Raise an error if the source is in the output folder, or a later run would read the output.

    Args:
        source: anything that `budew.read` takes.
        files: files of the source.
        out: output folder, which may not exist yet.

    Raises:
        CorpusError: source and output overlap.
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
    """Return whether a glob pattern could match a folder, a folder above it, or paths below it."""
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
