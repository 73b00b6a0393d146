"""Files of a job beside its shards: a note for each, the failures of all, and the settings.

| file | content |
|---|---|
| `job.json` | the job and its settings: a folder holds the output of one |
| `notes/NAME.json` | that `NAME.tar` is complete, its input and settings, and which clips failed |
| `failures.jsonl` | all clips that failed, each with its shard and the reason |
| `left_out.jsonl` | the same for those that the settings of the job leave out |

None of them holds a time or a host name: the same job leaves the same bytes.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from budew.addresses import check_local
from budew.errors import FilteredError, JobError
from budew.files import whole_file
from budew.jobs.job import Job
from budew.version import __version__

if TYPE_CHECKING:
    from budew.jobs.units import Unit

JOB, NOTES, FAILURES, LEFT_OUT = "job.json", "notes", "failures.jsonl", "left_out.jsonl"
MAX_REASONS = 3
"""Reasons that a report names."""
MAX_CHANGES, MAX_VALUE = 5, 60
"""Changed settings that an error names, and the characters of a value."""
_VARYING = re.compile(r"'[^']*'|\S*/\S*|\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that is in no output.

    Attributes:
        clip: its id, "" where there was not even a clip.
        reason: the error on one line.
        kind: class of the error.
        is_filtered: whether the settings left it out, and nothing was wrong.
        details: measurements of a clip that was left out.
    """

    clip: str
    reason: str
    kind: str
    is_filtered: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, clip: str, error: BaseException) -> "Failure":
        """Describe an error in at most 1,000 characters."""
        text = " ".join(str(error).split()) or type(error).__name__
        text = text.encode("utf-8", "backslashreplace").decode()[:1000]
        details = error.details if isinstance(error, FilteredError) else {}
        return cls(clip, text, type(error).__name__, isinstance(error, FilteredError), dict(details))


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a complete shard.

    Attributes:
        clips: in the shard. With 0 there is no file.
        bytes: size of the shard.
        input_bytes: size of the input; without input the number of clips.
        input_sha256: digest of the input.
        made_by: job, settings and version of the package.
        failures: what failed or was left out, in the order of the input.
        tally: what else the job counted; notes of earlier versions have none.
    """

    clips: int
    bytes: int
    input_bytes: int
    input_sha256: str
    made_by: Mapping[str, Any]
    failures: tuple[Failure, ...]
    tally: Mapping[str, int] = field(default_factory=dict)


def shard_path(out: Path, unit: "Unit") -> Path:
    """Return the path of a unit's output."""
    return out / f"{unit.name}.tar"


def note_path(out: Path, unit: "Unit") -> Path:
    """Return the path of a unit's note."""
    return out / NOTES / f"{unit.name}.json"


def write_note(out: Path, unit: "Unit", note: Note) -> None:
    """Write the note that makes a unit done. Comes after its shard."""
    path = note_path(out, unit)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(_text(asdict(note)))


def read_note(out: Path, unit: "Unit") -> Note | None:
    """Return the note of a unit that is done and whose input and output are unchanged.

    Checks each file of the input, and the audio that a manifest names. An input that is newer than its note
    is unchanged if its digest is.
    """
    note = output_note(out, unit)
    try:
        if note is None or (now := unit.state()).bytes != note.input_bytes:
            return None
        older = now.changed <= note_path(out, unit).stat().st_mtime_ns
        return note if older or unit.digest() == note.input_sha256 else None
    except OSError:
        return None  # the unit is done again


def output_note(out: Path, unit: "Unit") -> Note | None:
    """Return the note of a unit whose output is unchanged, whatever became of its input."""
    try:
        data = json.loads(note_path(out, unit).read_text(encoding="utf-8"))
        note = Note(**{**data, "failures": tuple(Failure(**row) for row in data["failures"])})
        size = shard_path(out, unit).stat().st_size if note.clips else 0
        return note if size == note.bytes else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def claim(out: Path, job: Job, clips_per_shard: int) -> None:
    """Write `job.json` where the job may have the folder. Errors are those of `check_claim`."""
    wanted = check_claim(out, job, clips_per_shard)
    out.mkdir(parents=True, exist_ok=True)
    if not (out / JOB).exists():
        with whole_file(out / JOB) as file:
            file.write(_text(wanted))


def check_claim(out: Path, job: Job, clips_per_shard: int) -> dict[str, Any]:
    """Return the content of `job.json` if the job may have the folder. Writes nothing.

    Raises:
        JobError: the folder cannot be one, or holds something else; names the settings that differ.
        CorpusError: it is an address.
    """
    check_local(out)
    wanted: dict[str, Any] = json.loads(_text({**description(job), "clips_per_shard": clips_per_shard}))
    nearest = next((path for path in (out, *out.parents) if os.path.lexists(path)), out)
    if os.path.lexists(nearest) and not nearest.is_dir():
        raise JobError(f"{nearest} is no folder: choose another one for the output")
    path = out / JOB
    if not path.exists():
        names = sorted(entry.name for entry in out.iterdir()) if nearest == out else []
        if others := [name for name in names if not name.startswith(".")]:
            raise JobError(f"{out} is not empty ({others[0]} is in it): choose an empty folder")
        return wanted
    try:
        found = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise JobError(f"{path} cannot be read ({error}): choose an empty folder") from error
    if found != wanted:
        raise JobError(f"{out} holds {_difference(found, wanted)}: choose an empty folder")
    return wanted


def description(job: Job) -> dict[str, Any]:
    """Return name and settings of a job."""
    return {"job": job.name, "settings": dict(job.settings())}


def made_by(job: Job) -> dict[str, Any]:
    """Return what made an output: job, settings, version."""
    return {**description(job), "version": __version__}


def gather(
    out: Path, notes: Mapping[str, Note], *, filtered: bool
) -> tuple[int, tuple[tuple[str, int], ...]]:
    """Write what failed in all shards, or what was left out, to one file in the order of the notes.

    Returns:
        How many items, and the most frequent reasons with their counts. For none there is no file.
    """
    path = out / (LEFT_OUT if filtered else FAILURES)
    found = [
        (shard, failure)
        for shard, note in notes.items()
        for failure in note.failures
        if failure.is_filtered == filtered
    ]
    rows = [
        {"shard": shard, "clip": of.clip, "reason": of.reason, "kind": of.kind, **of.details}
        for shard, of in found
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    earlier = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    if text and text != earlier:  # a folder in which all is done may be read-only
        with whole_file(path) as file:
            file.write(text)
    elif earlier and not text:
        path.unlink()
    return len(rows), _reasons([failure for _, failure in found])


def _reasons(failures: list[Failure]) -> tuple[tuple[str, int], ...]:
    """Return the most frequent reasons. Those that differ in names, paths and numbers alone count as one."""
    examples, counts = dict[str, str](), Counter[str]()
    for failure in failures:
        text = failure.reason.replace(f"'{failure.clip}'", "'…'")
        kind = _VARYING.sub("…", text)
        examples.setdefault(kind, text)
        counts[kind] += 1
    return tuple((examples[kind], count) for kind, count in counts.most_common(MAX_REASONS))


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _difference(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    if found.get("job") != wanted["job"]:
        return f"another job ({found.get('job')!r}, not {wanted['job']!r})"
    return f"this job with other settings ({changed_settings(found, wanted)})"


def changed_settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return the first settings that differ, by dotted name: `cuts.pad was 0.1 and is now 0.2; …`."""
    before, after = _flat(old), _flat(new)
    changes = [
        f"{name.removeprefix('settings.')} was {_shown(before, name)} and is now {_shown(after, name)}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]
    more = f"; {len(changes) - MAX_CHANGES} more changed" if len(changes) > MAX_CHANGES else ""
    return "; ".join(changes[:MAX_CHANGES]) + more


def _flat(value: Any, name: str = "") -> dict[str, str]:
    """Return settings as JSON by dotted name."""
    if not isinstance(value, Mapping) or not value:
        return {name: json.dumps(value, ensure_ascii=False)}
    inside = (_flat(value[key], f"{name}.{key}" if name else key) for key in value)
    return {key: text for part in inside for key, text in part.items()}


def _shown(settings: Mapping[str, str], name: str) -> str:
    text = settings.get(name, "not there")
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
