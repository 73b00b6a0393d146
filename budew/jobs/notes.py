"""What a job writes beside its shards: a note for each, the failures of all, and which job it was.

| file | what it says |
|---|---|
| `job.json` | the job and its settings: a folder holds the output of one |
| `notes/NAME.json` | that `NAME.tar` is complete, what it was made from and by, and which clips failed |
| `failures.jsonl` | all clips that failed, each with its shard and the reason |
| `left_out.jsonl` | the same for those that the settings of the job leave out |

No time and no host stands in any of them: the same job leaves the same bytes.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from budew.addresses import check_local
from budew.errors import FilteredError, JobError
from budew.files import whole_file
from budew.jobs.changes import told_changes
from budew.jobs.job import Job
from budew.jobs.unit import Unit
from budew.version import __version__

JOB, NOTES, FAILURES, LEFT_OUT = "job.json", "notes", "failures.jsonl", "left_out.jsonl"


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that is in no output.

    Attributes:
        clip: its id, "" where it was not even a clip.
        reason: why, in one line.
        kind: of error.
        is_filtered: whether nothing was wrong, and the settings left it out.
        details: what was measured of it, if it was left out.
    """

    clip: str
    reason: str
    kind: str
    is_filtered: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, clip: str, error: BaseException) -> "Failure":
        """Describe an error on one line."""
        text = " ".join(str(error).split()) or type(error).__name__
        text = text.encode("utf-8", "backslashreplace").decode()[:1000]
        if isinstance(error, FilteredError):
            return cls(clip, text, type(error).__name__, True, dict(error.details))
        return cls(clip, text, type(error).__name__)

    def row(self, shard: str) -> dict[str, Any]:
        """Return the line of `failures.jsonl` or `left_out.jsonl`."""
        return {"shard": shard, "clip": self.clip, "reason": self.reason, "kind": self.kind, **self.details}


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a shard that is complete.

    Attributes:
        clips: in the shard. There is no file where there are none.
        bytes: size of the shard.
        input_bytes: size of what it was made from; of a plan, the clips planned.
        input_sha256: digest of what it was made from.
        made_by: job, settings and version of the package.
        failures: what failed or was left out, in the order of the input.
        tally: what else the job counted.
    """

    clips: int
    bytes: int
    input_bytes: int
    input_sha256: str
    made_by: Mapping[str, Any]
    failures: tuple[Failure, ...]
    tally: Mapping[str, int] = field(default_factory=dict)


def shard_path(out: Path, unit: Unit) -> Path:
    """Return where the output of a unit lies."""
    return out / f"{unit.name}.tar"


def write_note(out: Path, unit: Unit, note: Note) -> None:
    """Write the note that makes a unit done. Comes after its shard."""
    path = note_path(out, unit)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(_text(asdict(note)))


def read_note(out: Path, unit: Unit) -> Note | None:
    """Return the note of a unit that is done and whose input and output are still what they were.

    Looks at each file of the input, and at the audio that a manifest names: call it once a run.

    An input that is newer than its note is the same if its digest is.
    """
    try:
        note = output_note(out, unit)
        if note is None:
            return None
        made_from = unit.input()
        now = made_from.state()
        if now.bytes != note.input_bytes:
            return None
        older = now.changed <= note_path(out, unit).stat().st_mtime_ns
        return note if older or made_from.digest() == note.input_sha256 else None
    except OSError:
        return None  # not done, or not to be trusted: it is done again


def output_note(out: Path, unit: Unit) -> Note | None:
    """Return the note of a unit whose output is still what it was, whatever became of its input."""
    try:
        data = json.loads(note_path(out, unit).read_text(encoding="utf-8"))
        note = Note(**{**data, "failures": tuple(Failure(**row) for row in data["failures"])})
        there = shard_path(out, unit).stat().st_size if note.clips else 0
        return note if there == note.bytes else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def claim(out: Path, job: Job, clips_per_shard: int) -> None:
    """Write down which job the folder belongs to, or check that it is this one.

    Raises:
        JobError, CorpusError: as for `check_claim`.
    """
    wanted = check_claim(out, job, clips_per_shard)
    out.mkdir(parents=True, exist_ok=True)
    if not (out / JOB).exists():
        with whole_file(out / JOB) as file:
            file.write(_text(wanted))


def check_claim(out: Path, job: Job, clips_per_shard: int) -> dict[str, Any]:
    """Return what `job.json` says of the job, once it may have the folder. Writes nothing.

    Raises:
        JobError: the folder is none, or holds something else; names the settings that changed.
        CorpusError: it is an address.
    """
    check_local(out)
    wanted: dict[str, Any] = json.loads(_text({**description(job), "clips_per_shard": clips_per_shard}))
    path, is_there = out / JOB, _is_folder(out)
    if not path.exists():
        names = sorted(entry.name for entry in out.iterdir()) if is_there else []
        others = next((name for name in names if not name.startswith(".")), None)
        if others is not None:
            raise JobError(f"{out} is not empty ({others} is in it): choose an empty folder")
        return wanted
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JobError(f"{path} cannot be read ({error}): choose an empty folder") from error
    if there != wanted:
        raise JobError(f"{out} holds {_difference(there, wanted)}: choose an empty folder")
    return wanted


def _is_folder(out: Path) -> bool:
    """Tell whether a folder is there or, False, can be made, as far as files and links are in the way."""
    nearest = next((path for path in (out, *out.parents) if os.path.lexists(path)), out)
    if os.path.lexists(nearest) and not nearest.is_dir():
        kind = "a file" if nearest.exists() else "a link that leads nowhere"
        raise JobError(f"{nearest} is {kind}, not a folder: choose another one for the output")
    return nearest == out


def description(job: Job) -> dict[str, Any]:
    """Return the job as its notes tell it."""
    return {"job": job.name, "settings": dict(job.settings())}


def made_by(job: Job) -> dict[str, Any]:
    """Return what made an output: job, settings, version."""
    return {**description(job), "version": __version__}


def gather(out: Path, notes: Mapping[str, Note], *, filtered: bool) -> int:
    """Write what failed in all shards, or what was filtered, to one file in the order of the notes.

    Returns:
        How many they are. Where there is none there is no such file.
    """
    path = out / (LEFT_OUT if filtered else FAILURES)
    rows = [
        json.dumps(failure.row(name), ensure_ascii=False) + "\n"
        for name, note in notes.items()
        for failure in note.failures
        if failure.is_filtered == filtered
    ]
    there = path.read_text(encoding="utf-8", errors="replace") if path.exists() else None
    if there != ("".join(rows) or None):  # a folder in which all is done may be read-only
        with whole_file(path) as file:
            file.writelines(rows)
        if not rows:
            path.unlink()
    return len(rows)


def note_path(out: Path, unit: Unit) -> Path:
    """Return where the note of a unit lies."""
    return out / NOTES / f"{unit.name}.json"


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _difference(there: Any, wanted: dict[str, Any]) -> str:
    if not isinstance(there, dict) or there.get("job") != wanted["job"]:
        earlier = there.get("job") if isinstance(there, dict) else there
        return f"another job ({earlier!r}, not {wanted['job']!r})"
    return f"this job with other settings ({told_changes(_flat(there), _flat(wanted))})"


def _flat(job: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a job and what else decides its output, side by side."""
    settings = job.get("settings")
    return {**job, **(settings if isinstance(settings, dict) else {}), "settings": None}
