"""What an acted corpus says of itself beside its shards, so that a run that was stopped goes on.

| file | what it says |
|---|---|
| `corpus.json` | the plan and who speaks it: a folder holds one corpus |
| `notes/NAME.json` | that `NAME.tar` is complete, how large it is, and which clips are not in it |
| `failures.jsonl` | all clips that could not be made, each with the reason |
| `left_out.jsonl` | the same for those that a check did not let through |

A shard comes before its note, and both appear whole: what has no note is not done.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from budew.jobs.changes import told_changes
from budew.jobs.job import FilteredError
from budew.synthesis.acting.errors import ActingError
from budew.version import __version__
from budew.whole_file import whole_file

CORPUS, NOTES, FAILURES, LEFT_OUT = "corpus.json", "notes", "failures.jsonl", "left_out.jsonl"
_LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class Failure:
    """A clip that is in no shard.

    Attributes:
        clip: its id.
        reason: why, in one line.
        kind: of error.
        left_out: whether nothing went wrong, and a check did not let it through.
        details: what the error measured.
    """

    clip: str
    reason: str
    kind: str
    left_out: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, clip: str, error: Exception) -> "Failure":
        """Describe an error on one line; what it has in `details` is kept."""
        text = " ".join(str(error).split()) or type(error).__name__
        text = text.encode("utf-8", "backslashreplace").decode()[:_LONGEST_REASON]
        left_out, details = isinstance(error, FilteredError), dict(getattr(error, "details", {}))
        return cls(clip, text, type(error).__name__, left_out, details)

    def row(self, shard: str) -> dict[str, Any]:
        """Return the line of `failures.jsonl` or `left_out.jsonl`."""
        return {"shard": shard, "clip": self.clip, "reason": self.reason, "kind": self.kind, **self.details}


@dataclass(frozen=True, slots=True)
class Note:
    """A shard that is complete: clips planned and written, bytes, and the clips that are not in it.

    There is no file where there are no clips.
    """

    planned: int
    clips: int
    bytes: int
    failures: tuple[Failure, ...]


def claim(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write down what the folder holds, or check that it holds the same, or the beginning of it.

    Raises:
        ActingError: it holds something else, or more; names what changed.
    """
    path = folder / CORPUS
    wanted = json.loads(_text({"made_by": "budew corpus act", "version": __version__, **settings}))
    if path.exists():
        there = _read(path)
        other = next(
            (name for name in sorted({*there, *wanted}) if there.get(name) != wanted.get(name)), None
        )
        if other == "clips" and {**there, "clips": 0} == {**wanted, "clips": 0}:
            if not isinstance(there["clips"], int) or there["clips"] > wanted["clips"]:
                raise ActingError(f"{folder} holds {there['clips']} clips already: ask for as many or more")
        elif other is not None:
            raise ActingError(
                f"{folder} holds another corpus ({told_changes(there, wanted)}): choose an empty folder"
            )
    else:
        strange = next((entry.name for entry in sorted(folder.iterdir()) if entry.name[0] != "."), None)
        if strange is not None:
            raise ActingError(f"{folder} is not empty ({strange} is in it): choose an empty folder")
    with whole_file(path) as file:
        file.write(_text(wanted))


def _read(path: Path) -> dict[str, Any]:
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ActingError(f"{path} cannot be read ({error}): choose an empty folder") from error
    if not isinstance(there, dict):
        raise ActingError(f"{path} describes no corpus: choose an empty folder")
    return there


def write_note(folder: Path, shard: str, note: Note) -> None:
    """Write the note that makes a shard done."""
    path = _note_path(folder, shard)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(_text(asdict(note)))


def read_note(folder: Path, shard: str) -> Note | None:
    """Return the note of a shard that is done and whose file is still what it was."""
    try:
        data = json.loads(_note_path(folder, shard).read_text(encoding="utf-8"))
        note = Note(**{**data, "failures": tuple(Failure(**row) for row in data["failures"])})
        size = (folder / shard).stat().st_size if note.clips else 0
        return note if size == note.bytes else None
    except (OSError, ValueError, TypeError, KeyError):
        return None  # not done, or not to be trusted: it is made again


def gather(folder: Path, shards: Iterable[str], *, left_out: bool) -> int:
    """Write the clips that failed, or were left out, into one file in the order of the plan; return how many.

    Without any there is no such file.
    """
    notes = ((shard, read_note(folder, shard)) for shard in shards)
    rows = [
        failure.row(shard)
        for shard, note in notes
        if note
        for failure in note.failures
        if failure.left_out == left_out
    ]
    path = folder / (LEFT_OUT if left_out else FAILURES)
    if not rows:
        path.unlink(missing_ok=True)
        return 0
    with whole_file(path) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return len(rows)


def remove_unfinished(folder: Path) -> None:
    """Remove what a run that was killed left under temporary names."""
    for place, pattern in (
        (folder, ".*.tar.*.unfinished"),
        (folder, ".*.part"),
        (folder / NOTES, ".*.json.*.part"),
    ):
        for stale in place.glob(pattern):
            stale.unlink(missing_ok=True)


def _note_path(folder: Path, shard: str) -> Path:
    return folder / NOTES / f"{Path(shard).stem}.json"


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
