"""The output folder of a job: `job.json` names job and settings, and one run at a time may write there.

A folder holds the output of one job. Another job, or the same with other settings, is refused with a list of
the differences, so that no corpus mixes two of them.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from budew.errors import JobError
from budew.io.addresses import check_local
from budew.io.files import claimed, remove_parts, whole_file
from budew.jobs.job import Job
from budew.jobs.shard_records import FAILURES, LEFT_OUT, json_text

JOB = "job.json"
MAX_CHANGES, MAX_VALUE = 5, 60
"""Changed settings that an error names, and the characters of a value."""


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
        if is_locked:  # else another run may be writing them; units are idempotent, so two only cost time
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


def _value(settings: Mapping[str, str], name: str) -> str:
    text = settings.get(name, "not there")
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
