"""The shards of a job apart from its source, which the next run would else read as well."""

from collections.abc import Sequence
from pathlib import Path

from budew.addresses import check_local
from budew.corpora.apart import check_apart as check_files_apart
from budew.jobs.notes import FAILURES, LEFT_OUT
from budew.jobs.units import InputUnit


def check_apart(source: str | Path, units: Sequence[InputUnit], out: Path) -> None:
    """Raise where the input lies in the output folder, or a later run would read what this one writes.

    Args:
        source: what the units were planned from.
        units: the plan.
        out: folder of the output, there or not.

    Raises:
        CorpusError: names the folder or the file, and says what to choose.
    """
    check_local(out)
    files = (file for unit in units for file in unit.files[:1])
    check_files_apart(source, files, [*(f"{unit.name}.tar" for unit in units), FAILURES, LEFT_OUT], out)
