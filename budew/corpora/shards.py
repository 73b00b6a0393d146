"""WebDataset shards: a tar of `<id>.flac|mp3|wav|ogg` + `<id>.json`, the same bytes every time.

Those of others may have `<id>.txt` instead: it is the transcript where the JSON has none.

A shard appears under its name only when it is complete: temporary name, flush to disk, rename. Reading
bounds every member before it is read, never uses a member's name as a path, and reports a tar without its end
mark as truncated and one with data behind that mark as damaged: a hole of zeros looks like the mark. The tar
iterator of webdataset 1.0 does none of the four.
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
"""Bytes that are read at once: more than any header record (a long name, the attributes of a member) has."""
MOST_PADDING = LARGEST_READ
"""Bytes of zeros behind the last member: tar fills its last record, of 10 KiB unless asked otherwise."""
MOST_INFLATED = 100
"""Largest ratio of bytes read to compressed bytes: audio shrinks to a third at best, JSON to a tenth or so;
deflate can shrink zeros to a thousandth."""
ALWAYS_INFLATED = 100 * 2**20
"""Bytes that any gzip file may expand to: silence shrinks as zeros do."""
_DESCRIBING = {"json", "txt"}
_DAMAGE = (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, OverflowError, RecursionError)
"""What reading a damaged tar or gzip file raises."""


class ShardClip(NamedTuple):
    """A clip of a shard; first byte and size of its encoded audio in the tar."""

    clip: Clip
    start: int
    size: int


def write_shard(path: str | Path, clips: Iterable[Clip]) -> int:
    """Write one shard and return how many clips are in it.

    The bytes depend on the clips alone. On any error there is no shard and no temporary file.

    Raises:
        CorpusError: two clips have one id, or a clip's audio or metadata cannot be written.
        OSError: the disk refuses.

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
    flush(path.parent)  # makes the rename last
    return count


def read_shard(path: str | Path, options: ReadOptions = AS_USUAL) -> Iterator[Clip]:
    """Read the clips of one `.tar`, `.tar.gz` or `.tgz`, in their order; audio comes as bytes.

    Audio without JSON is a clip without labels. Hidden files are left out (`._01.mp3` is no audio). A shard
    has no parts.

    Args:
        path: the shard.
        options: scale, media and what to do with errors.

    Raises:
        CorpusError: names the shard, the member and what is wrong: truncated, too large, empty, twice the
            same id, JSON without audio, no JSON…

    Example:
        >>> from budew.corpora import Clip, write_shard
        >>> write_shard("clips-00000.tar", [Clip("anna/01", b"fLaC", "flac", transcript="Hello.")])
        1
        >>> [(clip.id, clip.transcript) for clip in read_shard("clips-00000.tar")]
        [('anna/01', 'Hello.')]
    """
    return (found.clip for found in trace_shard(path, options))


def trace_shard(path: str | Path, options: ReadOptions = AS_USUAL) -> Iterator[ShardClip]:
    """Read a shard as `read_shard` does, with the place of the audio of each clip in the tar."""
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
            tar.members.clear()  # type: ignore[attr-defined]  # or every header stays in memory
    return len(seen)


@dataclass(slots=True)
class _Item:
    """Consecutive members of one name, by suffix, their places and sizes, and what is wrong with one."""

    key: str
    media: Media
    parts: dict[str, bytes] = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    fault: str = ""

    @property
    def audio(self) -> str | None:
        """Suffix of the best audio, or image."""
        return min(self.parts.keys() - _DESCRIBING, key=self.media.suffixes.index, default=None)

    def add(self, name: str, suffix: str, content: bytes | str, start: int) -> None:
        """Take a member: its content, or what is wrong with it as text."""
        if isinstance(content, str) or suffix in self.parts:
            wrong = content if isinstance(content, str) else "occurs twice: keep one of them"
            self.fault = self.fault or f"{name!r} {wrong}"
        else:
            self.parts[suffix] = content
            self.places[suffix] = start, len(content)
            for other in self.parts.keys() - {*_DESCRIBING, self.audio}:  # memory holds one audio
                del self.parts[other]


def _items(path: Path, options: ReadOptions) -> Iterator[_Item]:
    """Group members that follow one another by their names; report where the shard cannot be read on.

    A text neither begins nor ends an item: it waits for its audio, unless another text follows.
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
    """Yield the members that belong to clips: name, content or what is wrong with it as text, and where it
    begins.

    Raises one of `_DAMAGE` where the tar ends early, is no tar, or cannot be read.
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
        tar.members.clear()  # type: ignore[attr-defined]  # or every header stays in memory
        if tar.offset <= place:
            raise tarfile.ReadError(f"the header of {member.name[:80]!r} is invalid")
        place = tar.offset
        yield member


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, media: Media) -> bytes | str:
    """Read a member piece by piece: a size that is claimed but missing costs no memory."""
    if not member.isreg() or member.issparse():
        return "is not a plain file: pack the clip itself, not a link to it"
    most = LARGEST_AUDIO if media.owns(member.name) else LARGEST_JSON
    if member.size > most:
        return f"claims {member.size} bytes, more than the {most} allowed: cut it"
    content = tar.extractfile(member)
    return b"".join(iter(partial(content.read, LARGEST_READ), b"")) if content else b""


class BoundedReads:
    """A file, gzip or not, that a hostile tar cannot make read without end.

    tarfile reads a long name or a PAX header, whatever its size, at once; a megabyte of gzip can hold a
    gigabyte of zeros, and some hours of inflating them.

    Raises:
        tarfile.ReadError: in `read`, more than `LARGEST_READ` at once; in `read` and `seek`, more than
            `MOST_INFLATED` times the compressed bytes have come out.
    """

    def __init__(self, file: BinaryIO, *, gzipped: bool) -> None:
        self._packed, self._gzipped = file, gzipped
        self._file: Any = gzip.GzipFile(fileobj=file, mode="rb") if gzipped else file
        self.tell = self._file.tell

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        if not 0 <= size <= LARGEST_READ:
            raise tarfile.ReadError(f"a header of {size} bytes, more than the {LARGEST_READ} allowed")
        data: bytes = self._file.read(size)
        if self._gzipped and self.tell() > ALWAYS_INFLATED + MOST_INFLATED * self._packed.tell():
            raise tarfile.ReadError(f"the shard expands to more than {MOST_INFLATED} times its size")
        return data

    def seek(self, place: int) -> int:
        """Go to a place; in gzip forwards by reading, within the same bounds."""
        if not self._gzipped or place < self.tell():
            self._file.seek(place)
        else:
            while (rest := place - self.tell()) and self.read(min(rest, LARGEST_READ)):
                pass
        return int(self.tell())


def _check_end(tar: tarfile.TarFile) -> None:
    """Raise unless the tar ends with its mark and has nothing but padding behind it: tarfile takes a file cut
    between two members for complete, and a hole of zeros for the end.
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
    """Yield the JSON objects of a shard; faults are reported when the clips are read."""
    with suppress(*_DAMAGE):
        for name, content, _ in _members(path, json_only=True):
            with suppress(CorpusError):
                yield json_object(content, name) if isinstance(content, bytes) else {}
