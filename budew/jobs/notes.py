"""What a job writes beside its shards: a note for each, the failures of all, and which job it was.

| file | what it says |
|---|---|
| `job.json` | the job and its settings: a folder holds the output of one |
| `notes/NAME.json` | that `NAME.tar` is complete, what it was made from and by, and which clips failed |
| `failures.jsonl` | all clips that failed, each with its shard and the reason |
| `left_out.jsonl` | the same for those that the settings of the job leave out |

No time and no host stands in any of them: the same job leaves the same bytes.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from budew.corpora.address import shown
from budew.corpora.manifest import Span
from budew.jobs.job import FilteredError, Job, JobError
from budew.jobs.units import Unit
from budew.version import __version__
from budew.whole_file import whole_file

JOB, NOTES, FAILURES, LEFT_OUT = "job.json", "notes", "failures.jsonl", "left_out.jsonl"


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that is in no output: the clip, "" where it was not even one, and why."""

    clip: str
    reason: str
    kind: str

    @property
    def is_filtered(self) -> bool:
        """Whether the settings left it out, and nothing was wrong."""
        return self.kind == FilteredError.__name__

    @classmethod
    def of(cls, clip: str, error: BaseException) -> "Failure":
        """Describe an error on one line."""
        kind = FilteredError if isinstance(error, FilteredError) else type(error)
        text = " ".join(str(error).split()) or type(error).__name__
        return cls(clip, text.encode("utf-8", "backslashreplace").decode()[:1000], kind.__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a shard that is complete.

    Attributes:
        clips: in the shard. There is no file where there are none.
        bytes: size of the shard.
        input_bytes: size of what it was made from.
        input_sha256: digest of what it was made from.
        made_by: job, settings and version of the package.
        failures: what failed or was left out, in the order of the input.
    """

    clips: int
    bytes: int
    input_bytes: int
    input_sha256: str
    made_by: Mapping[str, Any]
    failures: tuple[Failure, ...]


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
        path = note_path(out, unit)
        data = json.loads(path.read_text(encoding="utf-8"))
        note = Note(**{**data, "failures": tuple(Failure(**row) for row in data["failures"])})
        there = shard_path(out, unit).stat().st_size if note.clips else 0
        named = unit.named()
        now = unit.state(named)
        if there != note.bytes or now.bytes != note.input_bytes:
            return None
        older = now.changed <= path.stat().st_mtime_ns
        return note if older or input_digest(unit, named) == note.input_sha256 else None
    except (OSError, ValueError, TypeError, KeyError):
        return None  # not done, or not to be trusted: it is done again


def claim(out: Path, job: Job, clips_per_shard: int) -> None:
    """Write down which job the folder belongs to, or check that it is this one.

    Raises:
        JobError: the folder holds something else; names the first setting that differs.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / JOB
    wanted = json.loads(_text({**description(job), "clips_per_shard": clips_per_shard}))
    if not path.exists():
        others = next((entry.name for entry in sorted(out.iterdir()) if not entry.name.startswith(".")), None)
        if others is not None:
            raise JobError(f"{out} is not empty ({others} is in it): choose an empty folder")
        with whole_file(path) as file:
            file.write(_text(wanted))
        return
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JobError(f"{path} cannot be read ({error}): choose an empty folder") from error
    if there != wanted:
        raise JobError(f"{out} holds another job ({_difference(there, wanted)}): choose an empty folder")


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
        json.dumps({"shard": name, **asdict(failure)}, ensure_ascii=False) + "\n"
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


def input_digest(unit: Unit, named: Iterable[Path]) -> str:
    """Return SHA-256 of the input: of a shard, of the lines of a manifest and their audio, of loose files.

    Files that are many count with their names. What lies behind an address is not read twice: its digest is
    that of the address.

    Args:
        unit: whose input it is.
        named: the audio that its lines name, from `Unit.named`.
    """
    digest = hashlib.sha256()
    for path in unit.paths:
        if isinstance(path, str):
            digest.update(shown(path).encode())
        elif unit.span is not None:
            digest.update(_lines_of(path, unit.span))
        else:
            digest.update(_name_below(unit.folder, path) + _content(path))
    for path in named:
        folder = unit.files[0].parent
        inside = path.resolve().is_relative_to(folder.resolve())  # a link may lead to anything
        digest.update(_name_below(folder, path) + (_content(path) if inside else b""))
    return digest.hexdigest()


def _lines_of(path: Path, span: Span) -> bytes:
    with path.open("rb") as file:
        file.seek(span.start)
        return file.read(-1 if span.stop is None else span.stop - span.start)


def _name_below(folder: Path | None, path: Path) -> bytes:
    if folder is None:
        return b""
    return path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape") + b"\0"


def _content(path: Path) -> bytes:
    if not path.is_file():
        return b""  # a pipe or a device has no end
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        return f"unreadable: {error.strerror}".encode()


def note_path(out: Path, unit: Unit) -> Path:
    """Return where the note of a unit lies."""
    return out / NOTES / f"{unit.name}.json"


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _difference(there: Any, wanted: dict[str, Any]) -> str:
    if not isinstance(there, dict) or there.get("job") != wanted["job"]:
        return f"{there.get('job') if isinstance(there, dict) else there!r}, not {wanted['job']!r}"
    shards = "clips_per_shard"
    if there.get(shards) != wanted[shards]:
        return f"{there.get(shards)} clips a shard, not {wanted[shards]}"
    old, new = dict(there.get("settings") or {}), wanted["settings"]
    name = next((key for key in sorted({*old, *new}) if old.get(key) != new.get(key)), "settings")
    return f"{name} was {old.get(name)!r} and is {new.get(name)!r}"
