"""The output folder of a job: shards, their records, lists of failures, and the settings of the job.

| file | content |
|---|---|
| `NAME.tar` | a shard; it appears under this name when it is complete |
| `notes/NAME.json` | the `ShardRecord` of the shard, written after it: a shard without a record is not done |
| `failures.jsonl` | clips that failed, collected from all records |
| `left_out.jsonl` | clips that the settings exclude, collected from all records |
| `job.json` | job and settings; locked by the run that writes here |
| `README.md` | the data card, if clips have captions; one that was edited is kept |

A run of another job, or of the same job with other settings, is refused with a list of the differences, so
that a corpus is never a mixture of two. The version of this package is recorded in each record, but not
compared. No file has a time or a host name: the same job of the same version writes the same bytes.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from budew.corpora.data_card import RECORDS, flattened
from budew.errors import FilteredError, JobError
from budew.io.addresses import check_local
from budew.io.cards import CARD
from budew.io.files import claimed, remove_parts, whole_file
from budew.jobs.job import Job

JOB, FAILURES, LEFT_OUT = "job.json", "failures.jsonl", "left_out.jsonl"
MAX_REASONS = 3
"""Number of reasons that a summary shows."""
MAX_CHANGES, MAX_VALUE = 5, 60
"""Number of changed settings that an error shows, and of characters of a value."""
_VARYING = re.compile(r"'[^']*'|\S*/\S*|\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class ClipFailure:
    """An input item that is not in the output.

    Attributes:
        clip: id of the clip; "" if the item could not be read as a clip.
        reason: text of the error, on one line.
        kind: name of the class of the error.
        is_filtered: whether the settings of the job exclude the clip, so that it did not fail.
        details: measurements of a clip that was left out.
    """

    clip: str
    reason: str
    kind: str
    is_filtered: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, clip: str, error: BaseException) -> "ClipFailure":
        """Describe an error for the clip with the id `clip`, in at most 1,000 characters."""
        text = " ".join(str(error).split()) or type(error).__name__
        text = text.encode("utf-8", "backslashreplace").decode()[:1000]
        details = error.details if isinstance(error, FilteredError) else {}
        return cls(clip, text, type(error).__name__, isinstance(error, FilteredError), dict(details))


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """Record of a complete shard; the fields are the keys of its JSON file.

    Attributes:
        clips: number of clips in the shard; if it is 0, there is no shard file.
        bytes: size of the shard file.
        input_bytes: size of the input in bytes; for a job without input, the number of clips.
        input_sha256: SHA-256 digest of the input.
        made_by: `job`, `settings` and `version` of the package.
        failures: clips that failed or were left out, in the order in which the job reports them.
        tally: further counts of the job, by name, see `TallyingJob`.
        contents: counts of the clips for the data card, see `CardCounts`.
        earlier: `made_by` of the jobs that made the input, the first one first.
    """

    clips: int
    bytes: int
    input_bytes: int
    input_sha256: str
    made_by: Mapping[str, Any]
    failures: tuple[ClipFailure, ...]
    tally: Mapping[str, int] = field(default_factory=dict)
    contents: Mapping[str, Any] = field(default_factory=dict)
    earlier: Sequence[Mapping[str, Any]] = ()


def shard_path(out: Path, name: str) -> Path:
    """Return the path of the shard `name` in the output folder."""
    return out / f"{name}.tar"


def record_path(out: Path, name: str) -> Path:
    """Return the path of the record of the shard `name`."""
    return out / RECORDS / f"{name}.json"


def write_record(out: Path, name: str, record: ShardRecord) -> None:
    """Write the record that marks a shard as complete; the shard must be written before."""
    path = record_path(out, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(json_text(asdict(record)))


def read_record(out: Path, name: str) -> ShardRecord | None:
    """Return the record of a shard; None if the shard is missing or does not have the recorded size."""
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
    """Context for writing a shard and its record; temporary files left by a killed run are removed first.

    `locked_folder` cannot exclude a second run on file systems without locks, or after Slurm has queued the
    ranks. If two runs write the same unit, the second one removes the temporary files of the first.

    Raises:
        JobError: a second run removed the files of this one; the shard is written by the second run.
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
    if text and text != earlier:  # the folder of a finished job may be read-only
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
        JobError: the folder cannot be created, or has other content; the error names the settings that
            differ.
        CorpusError: `out` is a URL.
    """
    check_local(out)
    described = {"job": job.name, "settings": dict(job.settings()), "clips_per_shard": clips_per_shard}
    wanted: dict[str, Any] = json.loads(json_text(described))
    nearest = next((path for path in (out, *out.parents) if os.path.lexists(path)), out)
    if os.path.lexists(nearest) and not nearest.is_dir():
        raise JobError(f"{nearest} is not a folder: choose another path for the output")
    path = out / JOB
    if not path.exists():
        names = sorted(entry.name for entry in out.iterdir()) if nearest == out else []
        if visible := [name for name in names if not name.startswith(".") and name != CARD]:
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
    """Write `job.json`, and keep other runs out of the folder until the end of the context.

    Other runs are not kept out on file systems without locks, or while ranks run that Slurm has queued; see
    `writing_unit`.

    Raises:
        JobError: another run on this machine is using the folder, or it has other content, see
            `check_folder`.
        CorpusError: `out` is a URL.
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
    """List the first settings that differ, by dotted name: `cuts.pad was 0.1 and is now 0.2; …`."""
    before, after = flattened(old), flattened(new)
    differing = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    changes = [
        f"{name.removeprefix('settings.')} was {_value(before, name)} and is now {_value(after, name)}"
        for name in differing
    ]
    more = f"; {len(changes) - MAX_CHANGES} more changed" if len(changes) > MAX_CHANGES else ""
    return "; ".join(changes[:MAX_CHANGES]) + more


def json_text(value: Any) -> str:
    """Serialize a value as JSON, always as the same text for equal values."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _value(settings: Mapping[str, str], name: str) -> str:
    text = settings.get(name, "not there")
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
