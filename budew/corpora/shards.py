"""Read and write WebDataset shards: tar files of `<id>.flac|mp3|wav|ogg` and `<id>.json`.

Shards of other tools may have `<id>.txt`: its text is the transcript if the JSON has none.

A shard is written under a temporary name and renamed when it is complete; the same clips give the same bytes.
Reading limits the size of every member and never uses the name of a member as a path. A tar without its end
mark is reported as truncated, and a tar with data after the mark as damaged: a hole of zeros looks like the
mark. The tar iterator of webdataset 1.0 does none of this.
"""

import gzip
import io
import os
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from budew.audio.formats import LARGEST_AUDIO
from budew.corpora.clip import Clip
from budew.corpora.labels import Scales, described
from budew.corpora.media import AUDIO, Media
from budew.corpora.reading import AS_USUAL, ReadOptions, distinct_clips
from budew.corpora.text_files import LARGEST_JSON, json_line, json_object, plain_text
from budew.errors import CorpusError
from budew.io.files import flush, replaced_file

LARGEST_READ = 2**20
"""Largest number of bytes read at once; header records (long names, attributes of a member) are smaller."""
MOST_PADDING = LARGEST_READ
"""Largest number of zero bytes after the last member: tar pads its last record, by default to 10 KiB."""
MOST_INFLATED = 100
"""Largest allowed ratio of uncompressed to compressed bytes: audio reaches about 3, JSON about 10, but zeros,
as in a hostile file, 1,000."""
ALWAYS_INFLATED = 100 * 2**20
"""A gzip file may always expand to this many bytes, because silence compresses as well as zeros."""
_DESCRIBING = {"json", "txt"}
_DAMAGE = (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, OverflowError, RecursionError)
"""Errors raised when a damaged tar or gzip file is read."""


class ShardClip(NamedTuple):
    """A clip of a shard, with position (`start`) and size of its encoded audio in the tar, in bytes."""

    clip: Clip
    start: int
    size: int


def write_shard(path: str | Path, clips: Iterable[Clip]) -> int:
    """Write clips to one shard and return their number.

    The bytes of the shard depend only on the clips. After an error, neither a shard nor a temporary file is
    left.

    Args:
        path: path of the shard, which ends in `.tar`; missing folders are made.
        clips: clips with different ids.

    Raises:
        CorpusError: two clips have the same id, or the audio or metadata of a clip cannot be written.
        OSError: the disk is full or cannot be written.

    Example:
        >>> from budew.corpora import Clip
        >>> write_shard("train/clips-00000.tar", [Clip("anna/01", b"fLaC", "flac")])
        1
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced_file(path) as part, part.open("wb") as file:
        count = _write(file, clips)
        file.flush()
        os.fsync(file.fileno())
    flush(path.parent)  # so that the rename survives a power failure
    return count


def read_shard(path: str | Path, options: ReadOptions = AS_USUAL) -> Iterator[Clip]:
    """Read the clips of one `.tar`, `.tar.gz` or `.tgz`, in their order; `Clip.audio` has the bytes.

    Audio without JSON is a clip without labels. Hidden files, such as `._01.mp3`, are left out.

    Args:
        path: path of the shard.
        options: options for reading.

    Raises:
        CorpusError: the shard is damaged or truncated, or a member is too large, empty, invalid JSON, JSON
            without audio, or has the id of another; the message names the member.

    Example:
        >>> from budew.corpora import Clip, write_shard
        >>> write_shard("clips-00000.tar", [Clip("anna/01", b"fLaC", "flac", transcript="Hello.")])
        1
        >>> [(clip.id, clip.transcript) for clip in read_shard("clips-00000.tar")]
        [('anna/01', 'Hello.')]
    """
    return (found.clip for found in trace_shard(path, options))


def trace_shard(path: str | Path, options: ReadOptions = AS_USUAL) -> Iterator[ShardClip]:
    """Read a shard as `read_shard` does; also return the position of the audio of each clip in the tar."""
    path = Path(path)
    scales = Scales(options.scale, lambda: _descriptions(path))
    place = (0, 0)

    def items() -> Iterator[tuple[str, Callable[[], Clip]]]:
        nonlocal place
        for item in _items(path, options):
            place = item.places.get(item.audio or "", (0, 0))
            yield str(path), partial(_clip, item, path, scales)

    for clip in distinct_clips(items(), options):
        yield ShardClip(clip, *place)


def shard_stem(path: Path) -> str:
    """Return the file name of a shard without `.tar`, `.tar.gz` or `.tgz`."""
    name = path.name.removesuffix(".gz")
    return name.rpartition(".")[0] or name


def shard_key(id: str) -> str:
    """Return the name of a clip in a shard: its id with dots escaped, because the first dot ends the name."""
    folder, slash, last = id.rpartition("/")
    return folder + slash + last.replace("%", "%25").replace(".", "%2E")


def _write(file: BinaryIO, clips: Iterable[Clip]) -> int:
    seen: set[str] = set()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for clip in clips:
            if clip.id in seen:
                raise CorpusError(f"two clips have the id {clip.id!r}: change one of the ids")
            seen.add(clip.id)
            audio = clip.encoded()
            try:
                pair = {clip.format: audio, "json": json_line(clip.to_dict()).encode()}
            except (TypeError, ValueError) as error:
                fault = f"its metadata cannot be written as JSON: {error}"
                raise CorpusError(f"clip {clip.id!r}: {fault}") from error
            for suffix, content in sorted(pair.items()):
                member = tarfile.TarInfo(f"{shard_key(clip.id)}.{suffix}")
                member.size, member.mode = len(content), 0o644
                member.uname = member.gname = "budew"
                tar.addfile(member, io.BytesIO(content))
            tar.members.clear()  # type: ignore[attr-defined]  # otherwise all headers stay in memory
    return len(seen)


@dataclass(slots=True)
class _Item:
    """Consecutive members of a shard with the same name, which become a clip.

    `parts` has their contents by suffix, `places` their positions and sizes in the tar, and `fault` the
    message of the first error.
    """

    key: str
    media: Media
    parts: dict[str, bytes] = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    fault: str = ""

    @property
    def audio(self) -> str | None:
        """Suffix of the preferred audio (or image) among the members; None without any."""
        return min(self.parts.keys() - _DESCRIBING, key=self.media.suffixes.index, default=None)

    def add(self, name: str, suffix: str, content: bytes | str, start: int) -> None:
        """Add a member: its content as bytes, or as text the message of what is wrong with it."""
        if isinstance(content, str) or suffix in self.parts:
            wrong = content if isinstance(content, str) else "occurs twice: keep one of them"
            self.fault = self.fault or f"{name!r} {wrong}"
        else:
            self.parts[suffix] = content
            self.places[suffix] = start, len(content)
            for other in self.parts.keys() - {*_DESCRIBING, self.audio}:  # only one audio stays in memory
                del self.parts[other]


def _items(path: Path, options: ReadOptions) -> Iterator[_Item]:
    """Group consecutive members of the same name; report an error where the rest of the shard is unreadable.

    A `.txt` member does not begin or end a group: it is added to the group of its audio, which may follow.
    """
    item = text = None
    try:
        for name, content, start in _members(path, options.media):
            key, _, suffix = name.removeprefix("./").rpartition(".")  # dots before the last belong to the key
            if suffix.lower() == "txt" and (item is None or key != item.key):
                text = _Item(key, options.media)
                text.add(name, "txt", content, start)
                continue
            if item is None or key != item.key:
                if item is not None:
                    yield item
                item = text if text is not None and text.key == key else _Item(key, options.media)
            item.add(name, suffix.lower(), content, start)
    except _DAMAGE as damage:
        where = ""
        if item is not None and item.fault:
            item.fault += f"; there the shard is damaged or truncated ({damage})"
            yield item
            return
        if item is not None and item.audio and "json" in item.parts:
            yield item
        elif item is not None:
            where = f" in or after {item.key!r}, which is left out"
        fault = f"the shard is damaged or truncated{where} ({damage}): copy or make it again"
        options.report(CorpusError(f"{path}: {fault}"))
        return
    if item is not None:
        yield item


def _members(
    path: Path, media: Media = AUDIO, *, json_only: bool = False
) -> Iterator[tuple[str, bytes | str, int]]:
    """Yield the members that belong to clips: name, content, and position in the tar.

    The content is text if it is the message of an error. Raises one of `_DAMAGE` if the file ends early, is
    not a tar, or cannot be read.
    """
    with path.open("rb") as file:
        bounded = BoundedReads(file, gzipped=path.suffix.lower() in (".gz", ".tgz"))
        with tarfile.open(fileobj=cast(Any, bounded), mode="r:") as tar:
            for member in _headers(tar):
                last = member.name.rpartition("/")[2]
                hidden = last.startswith(".") and not last.startswith("..")
                described = last.lower().endswith(".json" if json_only else (".json", ".txt"))
                if not hidden and (described or (media.owns(last) and not json_only)):
                    yield member.name, _content(tar, member, media), member.offset_data
            _check_end(tar)


def _headers(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    place = -1
    for member in iter(tar.next, None):
        tar.members.clear()  # type: ignore[attr-defined]  # otherwise all headers stay in memory
        if tar.offset <= place:
            raise tarfile.ReadError(f"the header of {member.name[:80]!r} is invalid")
        place = tar.offset
        yield member


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, media: Media) -> bytes | str:
    """Read a member in pieces, so that a wrong large size in its header takes no memory."""
    if not member.isreg() or member.issparse():
        return "is not a plain file: pack the clip itself, not a link to it"
    most = LARGEST_AUDIO if media.owns(member.name) else LARGEST_JSON
    if member.size > most:
        return f"claims {member.size} bytes, more than the {most} allowed: cut it"
    content = tar.extractfile(member)
    return b"".join(iter(partial(content.read, LARGEST_READ), b"")) if content else b""


class BoundedReads:
    """Wrapper of a file, gzip or not, that limits how much a hostile tar can make tarfile read.

    tarfile reads a long name or a PAX header of any size at once, and a megabyte of gzip can expand to a
    gigabyte of zeros.

    Args:
        file: file opened for reading bytes.
        gzipped: whether it is compressed by gzip.

    Raises:
        tarfile.ReadError: `read` is called with more than `LARGEST_READ`; or the file expands to more than
            `MOST_INFLATED` times its compressed size.
    """

    def __init__(self, file: BinaryIO, *, gzipped: bool) -> None:
        self._packed, self._gzipped = file, gzipped
        self._file: Any = gzip.GzipFile(fileobj=file, mode="rb") if gzipped else file
        self.tell = self._file.tell

    def read(self, size: int) -> bytes:
        """Return `size` bytes; fewer at the end of the file."""
        if not 0 <= size <= LARGEST_READ:
            raise tarfile.ReadError(f"a header of {size} bytes, more than the {LARGEST_READ} allowed")
        data: bytes = self._file.read(size)
        if self._gzipped and self.tell() > ALWAYS_INFLATED + MOST_INFLATED * self._packed.tell():
            raise tarfile.ReadError(f"the shard expands to more than {MOST_INFLATED} times its size")
        return data

    def seek(self, place: int) -> int:
        """Move to a position, in bytes; in gzip, moving forwards reads, within the same limits."""
        if not self._gzipped or place < self.tell():
            self._file.seek(place)
        else:
            while (rest := place - self.tell()) and self.read(min(rest, LARGEST_READ)):
                pass
        return int(self.tell())


def _check_end(tar: tarfile.TarFile) -> None:
    """Raise `ReadError` unless the tar ends with its end mark, followed by nothing but padding.

    tarfile itself accepts a file that is cut between two members, and takes a hole of zeros for the end.
    """
    assert tar.fileobj is not None  # noqa: S101  # open for reading
    tar.fileobj.seek(tar.offset)
    if tar.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("the end-of-archive mark is missing")
    rest = tar.fileobj.read(MOST_PADDING if tar.offset else tarfile.RECORDSIZE)  # an empty tar is one record
    if rest.strip(b"\0") or tar.fileobj.read(1):
        raise tarfile.ReadError(
            f"more than padding follows the end mark at byte {tar.offset}: zeros in it, or joined tars"
        )


def _clip(item: _Item, path: Path, scales: Scales) -> Clip:
    if item.fault:
        raise CorpusError(item.fault)
    suffix, name = item.audio, item.key.replace("%2E", ".").replace("%25", "%")
    if suffix is None:
        raise CorpusError(
            f"{item.key + '.json'!r} has no {item.media.name} beside it: pack the two next to each other"
        )
    if not item.parts[suffix]:
        raise CorpusError(f"{f'{item.key}.{suffix}'!r} is empty: copy or record it again")
    try:
        row = json_object(item.parts["json"], "its JSON") if "json" in item.parts else {}
        fields = described(row, shard_stem(path), scales, media=item.media)
        if fields.get("transcript") is None and "txt" in item.parts:
            fields["transcript"] = plain_text(item.parts["txt"], "its text")
    except CorpusError as error:
        raise CorpusError(f"clip {name[:80]!r}: {error}") from error
    return Clip.from_dict(fields, audio=item.parts[suffix], format=suffix, id=name)


def _descriptions(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a shard; broken ones are skipped here, and reported when clips are read."""
    with suppress(*_DAMAGE):
        for name, content, _ in _members(path, json_only=True):
            with suppress(CorpusError):
                yield json_object(content, name) if isinstance(content, bytes) else {}
