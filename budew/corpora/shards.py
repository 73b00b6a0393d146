"""WebDataset shards: a tar of `<id>.flac|mp3|wav|ogg` + `<id>.json`, the same bytes every time.

A shard appears under its name only when it is complete: temporary name, flush to disk, rename. Reading
bounds every member before it is read, never uses a member's name as a path, and takes a tar without its end
mark for what it is, truncated; the tar iterator of webdataset 1.0 does none of the three, so only its
grouping is used.
"""

import gzip
import json
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from webdataset.tariterators import group_by_keys
from webdataset.writer import TarWriter

from budew.corpora.clip import Clip
from budew.corpora.errors import CorpusError, OnBad, report
from budew.corpora.formats import LARGEST_AUDIO, SUFFIXES, is_audio_name
from budew.corpora.sidecar import LARGEST_JSON, json_object

LARGEST_HEADER = 2**20
"""Bytes of one header record: a long name, or the attributes of a member."""


def write_shard(path: str | Path, clips: Iterable[Clip]) -> int:
    """Write one shard and return how many clips are in it.

    The bytes depend on the clips alone. On any error there is no shard and no temporary file.

    Raises:
        CorpusError: two clips have one id, or a clip's audio or metadata cannot be written.
        OSError: the disk refuses.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("wb") as file:
            count = _write(file, clips)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return count


def read_shard(path: str | Path, *, on_bad: OnBad | None = None) -> Iterator[Clip]:
    """Read the clips of one `.tar`, `.tar.gz` or `.tgz`, in their order; audio comes as bytes.

    Args:
        path: the shard.
        on_bad: called with the error of each bad item, and the reading goes on; without it the error is
            raised.

    Raises:
        CorpusError: names the shard, the member and what is wrong: truncated, too large, twice the same id,
            no JSON…
    """
    path = Path(path)
    seen: set[str] = set()

    def broken_pair(error: Exception) -> bool:
        name = str(error.args[0]).partition(": duplicate file name")[0]
        report(CorpusError(f"{path}: {name!r} is there twice: keep one of them"), on_bad)
        return True

    for sample in group_by_keys(_members(path, on_bad), keys=_split_name, handler=broken_pair):
        try:
            clip = _clip(sample, path)
            if clip is None:
                continue
            if clip.id in seen:
                raise CorpusError(f"{path}: the clip {clip.id!r} is there twice: keep one of them")
        except CorpusError as error:
            report(error, on_bad)
            continue
        seen.add(clip.id)
        yield clip


def shard_key(id: str) -> str:
    """Return a clip's name in a shard: its id with dots escaped, as a name ends at its first."""
    folder, slash, last = id.rpartition("/")
    return folder + slash + last.replace("%", "%25").replace(".", "%2E")


def _write(file: BinaryIO, clips: Iterable[Clip]) -> int:
    seen: set[str] = set()
    with TarWriter(
        file, mtime=0, user="budew", group="budew", mode=0o644, encoder=False, format="PAX_FORMAT"
    ) as tar:
        for clip in clips:
            if clip.id in seen:
                raise CorpusError(f"two clips have the id {clip.id!r}: give each its own")
            seen.add(clip.id)
            tar.write(_pair(clip))
    return len(seen)


def _pair(clip: Clip) -> dict[str, Any]:
    if clip.format not in SUFFIXES:
        raise CorpusError(
            f"clip {clip.id!r}: {clip.format!r} is no audio format: use one of {', '.join(SUFFIXES)}"
        )
    try:
        audio = clip.audio if isinstance(clip.audio, bytes) else clip.audio.read_bytes()
        described = json.dumps(clip.to_dict(), sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
    except OSError as error:
        raise CorpusError(f"clip {clip.id!r}: {clip.audio!s} cannot be read ({error.strerror})") from error
    except (TypeError, ValueError) as error:
        raise CorpusError(f"clip {clip.id!r}: its metadata cannot be written as JSON: {error}") from error
    return {"__key__": shard_key(clip.id), clip.format: audio, "json": described}


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _split_name(name: str) -> tuple[str | None, str | None]:
    """Split at the last dot: in names of the wild the dots before it belong to the key."""
    key, dot, suffix = name.removeprefix("./").rpartition(".")
    return (key, suffix) if dot and key else (None, None)


def _members(path: Path, on_bad: OnBad | None) -> Iterator[dict[str, Any]]:
    try:
        with (
            gzip.open(path) if path.suffix in (".gz", ".tgz") else path.open("rb") as file,
            tarfile.open(fileobj=cast(Any, bounded := _BoundedReads(file)), mode="r:") as tar,
        ):
            for member in iter(tar.next, None):
                tar.members.clear()  # type: ignore[attr-defined]  # or every header stays in memory
                if not is_audio_name(member.name) and not member.name.lower().endswith(".json"):
                    continue
                problem = _problem(member)
                if problem:
                    report(CorpusError(f"{path}: {member.name!r} {problem}"), on_bad)
                    continue
                with bounded.up_to(LARGEST_AUDIO):
                    content = tar.extractfile(member)
                    data = content.read() if content else b""
                yield {"fname": member.name, "data": data, "__url__": str(path)}
            _check_end(tar)
    except OSError as error:
        reason = error.strerror or str(error)
        report(CorpusError(f"{path}: the shard cannot be read ({reason}): copy or make it again"), on_bad)
    except (tarfile.TarError, EOFError, zlib.error, ValueError, RecursionError) as error:
        report(
            CorpusError(f"{path}: the shard is damaged or truncated ({error}): copy or make it again"), on_bad
        )


class _BoundedReads:
    """A file that refuses to be read in large pieces: tarfile reads a long name or a PAX header, whatever its
    size, at once.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._most = LARGEST_HEADER
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self._most:
            raise tarfile.ReadError(f"a header of {size} bytes, more than the {self._most} allowed")
        data: bytes = self._file.read(size)
        return data

    @contextmanager
    def up_to(self, most: int) -> Iterator[None]:
        """Allow more for a while: a member whose size is known."""
        self._most = most
        try:
            yield
        finally:
            self._most = LARGEST_HEADER


def _problem(member: tarfile.TarInfo) -> str:
    if not member.isreg():
        return "is not a plain file: pack the clip itself, not a link to it"
    most = LARGEST_AUDIO if is_audio_name(member.name) else LARGEST_JSON
    return f"claims {member.size} bytes, more than the {most} allowed: cut it" if member.size > most else ""


def _check_end(tar: tarfile.TarFile) -> None:
    """Raise unless the tar ends with its mark: tarfile takes a file cut between two members for complete."""
    assert tar.fileobj is not None  # noqa: S101  # open for reading
    tar.fileobj.seek(tar.offset)
    if tar.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("the end mark is missing")


def _clip(sample: dict[str, Any], path: Path) -> Clip | None:
    key = sample["__key__"]
    suffix = next((suffix for suffix in SUFFIXES if suffix in sample), None)
    if suffix is None:
        raise CorpusError(f"{path}: {key + '.json'!r} has no audio beside it: add it or remove the JSON")
    name = key.replace("%2E", ".").replace("%25", "%")
    described = json_object(sample["json"], f"{path}: {key}.json") if "json" in sample else {}
    try:
        return Clip.from_dict(described, audio=sample[suffix], format=suffix, id=name)
    except CorpusError as error:
        raise CorpusError(f"{path}: {error}") from error
