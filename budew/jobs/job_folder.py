"""The output folder of a job: shards, their records, what failed, and whose folder it is.

| file | content |
|---|---|
| `NAME.tar` | a shard; it appears under this name when it is complete |
| `notes/NAME.json` | its `ShardRecord`, written after it: a shard without a record is not done |
| `failures.jsonl` | clips that failed, collected from all records |
| `left_out.jsonl` | clips that the settings exclude, collected from all records |
| `job.json` | job and settings, locked by the run that writes here |

Another job, or the same with other settings, is refused with a list of the differences, so that no corpus
mixes two of them. The version of this package is recorded in each record, and not compared. No file holds a
time or a host name: the same job of the same version leaves the same bytes.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from budew.errors import FilteredError, JobError
from budew.io.addresses import check_local
from budew.io.files import claimed, remove_parts, whole_file
from budew.jobs.job import Job

JOB, RECORDS, FAILURES, LEFT_OUT = "job.json", "notes", "failures.jsonl", "left_out.jsonl"
MAX_REASONS = 3
"""Reasons that a summary names."""
MAX_CHANGES, MAX_VALUE = 5, 60
"""Changed settings that an error names, and the characters of a value."""
_VARYING = re.compile(r"'[^']*'|\S*/\S*|\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class ClipFailure:
    """An item of the input that is in no output.

    Attributes:
        clip: its id, "" where there was not even a clip.
        reason: the error on one line.
        kind: class of the error.
        is_filtered: the settings of the job exclude the clip; it is no failure.
        details: measurements of a clip that was left out.
    """

    clip: str
    reason: str
    kind: str
    is_filtered: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, clip: str, error: BaseException) -> "ClipFailure":
        """Describe an error in at most 1,000 characters."""
        text = " ".join(str(error).split()) or type(error).__name__
        text = text.encode("utf-8", "backslashreplace").decode()[:1000]
        details = error.details if isinstance(error, FilteredError) else {}
        return cls(clip, text, type(error).__name__, isinstance(error, FilteredError), dict(details))


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """A complete shard: its size, its input, what made it and what failed. The fields are the JSON keys.

    Attributes:
        clips: number of clips in the shard; with 0 there is no file.
        bytes: size of the shard.
        input_bytes: size of the input; without input the number of clips.
        input_sha256: digest of the input.
        made_by: job, settings and version of the package.
        failures: clips that failed or were left out, in the order of the input.
        tally: further counts of the job.
    """

    clips: int
    bytes: int
    input_bytes: int
    input_sha256: str
    made_by: Mapping[str, Any]
    failures: tuple[ClipFailure, ...]
    tally: Mapping[str, int] = field(default_factory=dict)


def shard_path(out: Path, name: str) -> Path:
    """Return the path of a shard in the output folder."""
    return out / f"{name}.tar"


def record_path(out: Path, name: str) -> Path:
    """Return the path of the record of a shard."""
    return out / RECORDS / f"{name}.json"


def write_record(out: Path, name: str, record: ShardRecord) -> None:
    """Write the record that marks a shard as complete; the shard has to be there already."""
    path = record_path(out, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(json_text(asdict(record)))


def read_record(out: Path, name: str) -> ShardRecord | None:
    """Return the record of a shard; None unless the shard is there, with the recorded size."""
    try:
        data = json.loads(record_path(out, name).read_text(encoding="utf-8"))
        failures = tuple(ClipFailure(**row) for row in data["failures"])
        record = ShardRecord(**{**data, "failures": failures})
        size = shard_path(out, name).stat().st_size if record.clips else 0
        return record if size == record.bytes else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


@contextmanager
def writing_unit(out: Path, name: str) -> Iterator[None]:
    """Remove the temporary files of a shard and its record, which a killed run leaves, before writing both.

    Where `locked_folder` cannot keep a second run out, on file systems without locks and after Slurm has
    queued the ranks, two runs may write a unit at once: the second one then removes the first one's files.

    Raises:
        JobError: that has happened to this run; the shard is the second run's.
    """
    paths = (shard_path(out, name), record_path(out, name))
    for path in paths:
        remove_parts(path)
    try:
        yield
    except FileNotFoundError as error:
        if str(error.filename) not in map(str, paths):
            raise
        raise JobError(f"{error.filename}: another run writes it too, or removed it: end that run") from error


def write_failures(
    out: Path, records: Mapping[str, ShardRecord], *, filtered: bool
) -> tuple[int, tuple[tuple[str, int], ...]]:
    """Collect the failures of all shards in `failures.jsonl`, or the filtered clips in `left_out.jsonl`.

    Returns:
        The number of items, and the most frequent reasons with their counts. Without items there is no file.
    """
    path = out / (LEFT_OUT if filtered else FAILURES)
    found = [
        (shard, failure)
        for shard, record in records.items()
        for failure in record.failures
        if failure.is_filtered == filtered
    ]
    text = "".join(_line(shard, failure) for shard, failure in found)
    earlier = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    if text and text != earlier:  # a folder in which all is done may be read-only
        with whole_file(path) as file:
            file.write(text)
    elif earlier and not text:
        path.unlink()
    return len(found), _frequent_reasons([failure for _, failure in found])


def _line(shard: str, failure: ClipFailure) -> str:
    row = {"shard": shard, "clip": failure.clip, "reason": failure.reason, "kind": failure.kind}
    return json.dumps({**row, **failure.details}, ensure_ascii=False) + "\n"


def _frequent_reasons(failures: list[ClipFailure]) -> tuple[tuple[str, int], ...]:
    """Return the most frequent reasons; those that differ only in names, paths and numbers count as one."""
    examples, counts = dict[str, str](), Counter[str]()
    for failure in failures:
        text = failure.reason.replace(f"'{failure.clip}'", "'…'")
        kind = _VARYING.sub("…", text)
        examples.setdefault(kind, text)
        counts[kind] += 1
    return tuple((examples[kind], count) for kind, count in counts.most_common(MAX_REASONS))


def check_folder(out: Path, job: Job, clips_per_shard: int) -> dict[str, Any]:
    """Return the content of `job.json` if the folder may hold the output of the job. Writes nothing.

    Raises:
        JobError: there can be no such folder, or it holds something else; names the settings that differ.
        CorpusError: it is a URL.
    """
    check_local(out)
    described = {"job": job.name, "settings": dict(job.settings()), "clips_per_shard": clips_per_shard}
    wanted: dict[str, Any] = json.loads(json_text(described))
    nearest = next((path for path in (out, *out.parents) if os.path.lexists(path)), out)
    if os.path.lexists(nearest) and not nearest.is_dir():
        raise JobError(f"{nearest} is no folder: choose another one for the output")
    path = out / JOB
    if not path.exists():
        names = sorted(entry.name for entry in out.iterdir()) if nearest == out else []
        if visible := [name for name in names if not name.startswith(".")]:
            raise JobError(f"{out} is not empty ({visible[0]} is in it): choose an empty folder")
        return wanted
    try:
        found = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise JobError(f"{path} cannot be read ({error}): choose an empty folder") from error
    if found.get("job") != wanted["job"]:
        raise JobError(
            f"{out} holds another job ({found.get('job')!r}, not {wanted['job']!r}): choose an empty folder"
        )
    if found != wanted:
        raise JobError(
            f"{out} holds this job with other settings ({changed_settings(found, wanted)}): "
            "choose an empty folder"
        )
    return wanted


@contextmanager
def locked_folder(out: Path, job: Job, clips_per_shard: int) -> Iterator[None]:
    """Write `job.json` and keep other runs out of the folder until the end of the context.

    Not on file systems without locks, nor while ranks run that Slurm has queued: see `writing_unit`.

    Raises:
        JobError: another run on this machine holds it, or as `check_folder`.
        CorpusError: it is a URL.
    """
    content = check_folder(out, job, clips_per_shard)
    out.mkdir(parents=True, exist_ok=True)
    if not (out / JOB).exists():
        with whole_file(out / JOB) as file:
            file.write(json_text(content))
    busy = JobError(f"another run is running in {out}: wait for it, or end it first")
    with claimed(out / JOB, busy) as is_locked:
        if is_locked:  # else another run may be writing them
            for name in (JOB, FAILURES, LEFT_OUT):
                remove_parts(out / name)
        yield


def changed_settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return the first settings that differ, by dotted name: `cuts.pad was 0.1 and is now 0.2; …`."""
    before, after = _flattened(old), _flattened(new)
    differing = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    changes = [
        f"{name.removeprefix('settings.')} was {_value(before, name)} and is now {_value(after, name)}"
        for name in differing
    ]
    more = f"; {len(changes) - MAX_CHANGES} more changed" if len(changes) > MAX_CHANGES else ""
    return "; ".join(changes[:MAX_CHANGES]) + more


def _flattened(value: Any, name: str = "") -> dict[str, str]:
    """Return settings as JSON by dotted name."""
    if not isinstance(value, Mapping) or not value:
        return {name: json.dumps(value, ensure_ascii=False)}
    flat: dict[str, str] = {}
    for key in value:
        flat.update(_flattened(value[key], f"{name}.{key}" if name else key))
    return flat


def json_text(value: Any) -> str:
    """Return JSON that is the same text for the same value."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _value(settings: Mapping[str, str], name: str) -> str:
    text = settings.get(name, "not there")
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
