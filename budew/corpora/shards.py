"""WebDataset shards: a tar of `<id>.flac|mp3|wav|ogg` + `<id>.json`, the same bytes every time.

A shard appears under its name only when it is complete: temporary name, flush to disk, rename. Reading
bounds every member before it is read, never uses a member's name as a path, and takes a tar without its end
mark for what it is, truncated, and one with data behind that mark for what it is, damaged: a hole of zeros
looks like the mark. The tar iterator of webdataset 1.0 does none of the four.
"""

import gzip
import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from budew.audio.formats import LARGEST_AUDIO, SUFFIXES, is_audio_name
from budew.corpora.bounded_gzip import Inflated
from budew.corpora.clip import Clip
from budew.corpora.labels import Scales, described
from budew.corpora.sidecar import LARGEST_JSON, json_object
from budew.errors import CorpusError, OnBad, report

LARGEST_HEADER = 2**20
"""Bytes of one header record: a long name, or the attributes of a member."""
MOST_PADDING = 2**20
"""Bytes of zeros behind the last member: tar fills its last record, of 10 KiB unless asked otherwise. What is
not yet downloaded of a file whose room was reserved is more.
"""


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
    flush(path.parent)  # makes the rename last
    return count


def read_shard(path: str | Path, *, scale: str | None = None, on_bad: OnBad | None = None) -> Iterator[Clip]:
    """Read the clips of one `.tar`, `.tar.gz` or `.tgz`, in their order; audio comes as bytes.

    Audio without JSON is a clip without labels. Hidden files are left out (`._01.mp3` is no audio).

    Args:
        path: the shard.
        scale, on_bad: as for `budew.read`.

    Raises:
        CorpusError: names the shard, the member and what is wrong: truncated, too large, empty, twice the
            same id, JSON without audio, no JSON…
    """
    path = Path(path)
    scales = Scales(scale, lambda: _descriptions(path))
    seen: set[str] = set()
    for item in _items(path, on_bad):
        try:
            clip = _clip(item, path, scales)
            if clip.id in seen:
                raise CorpusError(f"{path}: the clip {clip.id!r} is there twice: keep one of them")
        except CorpusError as error:
            report(error, on_bad)
            continue
        seen.add(clip.id)
        yield clip


def flush(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk: they last through a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def shard_stem(path: Path) -> str:
    """Return the name of a shard without `.tar`, `.tar.gz` or `.tgz`."""
    name = path.name.removesuffix(".gz")
    return name.rpartition(".")[0] or name


def shard_key(id: str) -> str:
    """Return a clip's name in a shard: its id with dots escaped, as a name ends at its first."""
    folder, slash, last = id.rpartition("/")
    return folder + slash + last.replace("%", "%25").replace(".", "%2E")


def _write(file: BinaryIO, clips: Iterable[Clip]) -> int:
    seen: set[str] = set()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for clip in clips:
            if clip.id in seen:
                raise CorpusError(f"two clips have the id {clip.id!r}: give each its own")
            seen.add(clip.id)
            for suffix, content in sorted(_pair(clip).items()):
                member = tarfile.TarInfo(f"{shard_key(clip.id)}.{suffix}")
                member.size, member.mode = len(content), 0o644
                member.uname = member.gname = "budew"
                tar.addfile(member, io.BytesIO(content))
            tar.members.clear()  # type: ignore[attr-defined]  # or every header stays in memory
    return len(seen)


def _pair(clip: Clip) -> dict[str, bytes]:
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
    return {clip.format: audio, "json": described}


class _DamagedError(Exception):
    """The shard cannot be read from here on."""


@dataclass(slots=True)
class _Item:
    """The members of one name: the best of its audio, its JSON, or what is wrong with one of them."""

    key: str
    suffix: str | None = None
    audio: bytes = b""
    json: bytes | None = None
    problem: str | None = None

    def add(self, suffix: str, data: bytes) -> bool:
        """Take a member; False if there is one of this kind."""
        if suffix == "json":
            free, self.json = self.json is None, data if self.json is None else self.json
            return free
        if suffix == self.suffix:
            return False
        if self.suffix is None or SUFFIXES.index(suffix) < SUFFIXES.index(self.suffix):
            self.suffix, self.audio = suffix, data
        return True


def _items(path: Path, on_bad: OnBad | None) -> Iterator[_Item]:
    """Put members of one name that follow one another together."""
    item = None
    try:
        for name, data in _members(path):
            key, suffix = _split_name(name)
            if item is None or key != item.key:
                if item is not None:
                    yield item
                item = _Item(key)
            if isinstance(data, str):
                item.problem = item.problem or f"{name!r} {data}"
            elif not item.add(suffix, data):
                item.problem = item.problem or f"{name!r} is there twice: keep one of them"
    except _DamagedError as damage:
        if item is not None and item.problem:
            item.problem += f"; there the shard is damaged or truncated ({damage})"
            yield item
            return
        if item is not None and item.suffix is not None and item.json is not None:
            yield item
            item = None
        where = f" in or behind {item.key!r}, which is left out" if item is not None else ""
        fault = f"is damaged or truncated{where} ({damage}): copy or make it again"
        report(CorpusError(f"{path}: the shard {fault}"), on_bad)
        return
    except OSError as error:
        reason = error.strerror or str(error)
        report(CorpusError(f"{path}: the shard cannot be read ({reason}): copy or make it again"), on_bad)
        return
    if item is not None:
        yield item


def _split_name(name: str) -> tuple[str, str]:
    """Split at the last dot: in names of the wild the dots before it belong to the key."""
    key, _, suffix = name.removeprefix("./").rpartition(".")
    return key, suffix.lower()


def _members(path: Path, *, audio: bool = True) -> Iterator[tuple[str, bytes | str]]:
    """Yield the members that belong to clips: name and content, or its fault as text.

    Raises:
        _DamagedError: the tar ends before its end, or is none.
        OSError: it cannot be read.
    """
    try:
        with (
            path.open("rb") as file,
            tarfile.open(fileobj=cast(Any, _BoundedReads(_inflated(file, path))), mode="r:") as tar,
        ):
            for member in _headers(tar):
                if _is_part(member.name) and (audio or not is_audio_name(member.name)):
                    yield member.name, _problem(member) or _content(tar, member)
            _check_end(tar)
    except gzip.BadGzipFile as error:
        raise _DamagedError(str(error)) from error
    except (tarfile.TarError, EOFError, zlib.error, ValueError, OverflowError, RecursionError) as error:
        raise _DamagedError(str(error)) from error


def _inflated(file: BinaryIO, path: Path) -> BinaryIO | Inflated:
    return Inflated(file) if path.suffix.lower() in (".gz", ".tgz") else file


def _headers(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    place = -1
    for member in iter(tar.next, None):
        tar.members.clear()  # type: ignore[attr-defined]  # or every header stays in memory
        if tar.offset <= place:
            raise tarfile.ReadError(f"the header of {member.name[:80]!r} makes no sense")
        place = tar.offset
        yield member


def _is_part(name: str) -> bool:
    """Return whether a member belongs to a clip: audio or JSON by its name, and not hidden."""
    last = name.rpartition("/")[2]
    hidden = last.startswith(".") and not last.startswith("..")
    return not hidden and (is_audio_name(name) or name.lower().endswith(".json"))


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """Read a member piece by piece: what it claims and does not hold costs no memory."""
    content = tar.extractfile(member)
    return b"".join(iter(partial(content.read, LARGEST_HEADER), b"")) if content else b""


class _BoundedReads:
    """A file that refuses to be read in large pieces: tarfile reads a long name or a PAX header, whatever its
    size, at once.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes, more than the {LARGEST_HEADER} allowed")
        data: bytes = self._file.read(size)
        return data


def _problem(member: tarfile.TarInfo) -> str:
    if not member.isreg() or member.issparse():
        return "is not a plain file: pack the clip itself, not a link to it"
    most = LARGEST_AUDIO if is_audio_name(member.name) else LARGEST_JSON
    return f"claims {member.size} bytes, more than the {most} allowed: cut it" if member.size > most else ""


def _check_end(tar: tarfile.TarFile) -> None:
    """Raise unless the tar ends with its mark and has nothing but padding behind it: tarfile takes a file cut
    between two members for complete, and a hole of zeros for the end.
    """
    assert tar.fileobj is not None  # noqa: S101  # open for reading
    tar.fileobj.seek(tar.offset)
    if tar.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("the end mark is missing")
    padding = MOST_PADDING if tar.offset else tarfile.RECORDSIZE - tarfile.BLOCKSIZE
    rest = tar.fileobj.read(padding) + tar.fileobj.read(1)
    if rest.strip(b"\0"):
        raise tarfile.ReadError(
            f"data follows the end mark at byte {tar.offset}: zeros in it, or two tars joined"
        )
    if len(rest) > padding:
        raise tarfile.ReadError(f"nothing but zeros from byte {tar.offset} on")


def _clip(item: _Item, path: Path, scales: Scales) -> Clip:
    if item.problem:
        raise CorpusError(f"{path}: {item.problem}")
    if item.suffix is None:
        raise CorpusError(
            f"{path}: {item.key + '.json'!r} has no audio beside it: pack the two next to each other"
        )
    if not item.audio:
        raise CorpusError(f"{path}: {f'{item.key}.{item.suffix}'!r} is empty: copy or record it again")
    name = item.key.replace("%2E", ".").replace("%25", "%")
    row = json_object(item.json, f"{path}: {item.key}.json") if item.json is not None else {}
    try:
        fields = described(row, shard_stem(path), scales)
        return Clip.from_dict(fields, audio=item.audio, format=item.suffix, id=name)
    except CorpusError as error:
        named = error if repr(name[:80])[:-1] in str(error) else f"clip {name[:80]!r}: {error}"
        raise CorpusError(f"{path}: {named}") from error


def _descriptions(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a shard; faults are reported when the clips are read."""
    with suppress(_DamagedError, OSError):
        for name, data in _members(path, audio=False):
            with suppress(CorpusError):
                yield json_object(data, name) if isinstance(data, bytes) else {}
