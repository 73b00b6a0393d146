"""`ShardRecord`: one JSON file a shard, which says that the shard is complete and what failed in it.

`notes/NAME.json` is written after `NAME.tar`, both atomically: a shard without a record is not done. From all
records a job collects `failures.jsonl` (clips that failed) and `left_out.jsonl` (clips that its settings
exclude). None of these files holds a time or a host name: the same job leaves the same bytes.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from budew.errors import FilteredError
from budew.io.files import remove_parts, whole_file

RECORDS, FAILURES, LEFT_OUT = "notes", "failures.jsonl", "left_out.jsonl"
MAX_REASONS = 3
"""Reasons that a summary names."""
_VARYING = re.compile(r"'[^']*'|\S*/\S*|\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class ClipFailure:
    """An item of the input that is in no output.

    Attributes:
        clip: its id, "" where there was not even a clip.
        reason: the error on one line.
        kind: class of the error.
        is_filtered: the settings of the job exclude it; it is no failure.
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
        tally: further counts of the job; records of earlier versions have none.
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


def remove_unfinished(out: Path, name: str) -> None:
    """Remove the temporary files of a shard and its record, which a killed run leaves."""
    for path in (shard_path(out, name), record_path(out, name)):
        remove_parts(path)


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


def json_text(value: Any) -> str:
    """Return JSON that is the same text for the same value."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


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
