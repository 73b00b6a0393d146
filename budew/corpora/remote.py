"""Shards at an address: `https://…/x.tar`, `s3://bucket/x.tar`, `hf://datasets/owner/name/x.tar`.

A file is downloaded as a whole to a temporary place, bounded in size, read as any local one, and deleted.
`http` and `https` need nothing but Python; other schemes are those of fsspec and its drivers (`s3fs`,
`gcsfs`…), with credentials from where these look for them. What stands in an address before `@` or behind `?`
may be secret: no error shows it, also where a server echoes it.
"""

import base64
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from glob import has_magic
from http import HTTPStatus
from http.client import responses
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.error import HTTPError
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import Request, urlopen

import fsspec  # type: ignore[import-untyped]

from budew.corpora.clip import Clip
from budew.corpora.reading import ReadOptions
from budew.errors import CorpusError
from budew.io.addresses import redact, without_secrets
from budew.io.disk import temporary_folder

LARGEST_DOWNLOAD = 64 * 2**30
"""Largest file in bytes; a shard is some gigabytes at most."""
TIMEOUT = 60.0
"""Seconds that a server may stay silent."""
BLOCK = 2**20
"""Bytes that are read at once."""
_WEB = ("http", "https")

ReadFile = Callable[[Path, ReadOptions], Iterator[Clip]]
DownloadProgress = Callable[[int, int | None], None]
"""Called with the bytes that are there, and the size of the file where that is known."""


def addresses(source: str) -> list[str]:
    """Return the files that an address with `*` or `[…]` stands for, sorted; one without stands for itself.

    Raises:
        CorpusError: the server cannot list files (http and https never can), nothing matches, or the driver
            of the scheme is not installed.
    """
    of_web = urlsplit(source).scheme in _WEB
    if of_web and "*" in source.partition("?")[0]:
        fault = "web servers do not list files: name each, or number them as in {000..012}"
        raise CorpusError(f"{without_secrets(source)}: {fault}")
    if of_web or not has_magic(source):
        return [source]
    files, path = _file_system(source)
    try:
        found = sorted(files.unstrip_protocol(name) for name in files.glob(path))
    except Exception as error:  # drivers raise what they like
        raise _unreachable(source, error) from error
    if not found:
        raise CorpusError(f"{without_secrets(source)}: not found: check the URL")
    return found


def read_remote(address: str, read: ReadFile, options: ReadOptions) -> Iterator[Clip]:
    """Download a file and read its clips with `read`; audio comes as bytes.

    Raises:
        CorpusError: it cannot be downloaded, is too large, or an item is bad; names the address.
        OSError: the temporary place is full; names it.
    """
    with ExitStack() as stack:
        try:
            path = stack.enter_context(downloaded(address))
        except CorpusError as error:
            options.report(error)
            return

        def renamed(error: CorpusError) -> CorpusError:
            parts = (redact(part, address) for part in str(error).split(str(path)))
            return CorpusError(without_secrets(address).join(parts))

        on_bad = options.on_bad
        renaming = None if on_bad is None else lambda error: on_bad(renamed(error))
        try:
            for clip in read(path, replace(options, on_bad=renaming)):
                yield clip if isinstance(clip.audio, bytes) else replace(clip, audio=clip.audio.read_bytes())
        except CorpusError as error:
            raise renamed(error) from error


@contextmanager
def downloaded(address: str) -> Iterator[Path]:
    """Give a local copy of a file, under its own name, for as long as it is needed.

    Raises:
        CorpusError: it cannot be downloaded, is truncated, or is larger than `LARGEST_DOWNLOAD`.
        OSError: the temporary place is full; names it.
    """
    with temporary_folder() as folder:
        parts = urlsplit(address)
        where = PurePosixPath(
            "/", unquote(parts.path if parts.scheme in _WEB else f"{parts.netloc}/{parts.path}")
        )
        name = local_name(where.name) or "file"
        path = folder / (local_name(where.parent.name) or "folder") / name  # its folder may be a label
        path.parent.mkdir(exist_ok=True)
        try:
            download_file(address, path)
        except OSError as error:  # what the network does is a CorpusError
            raise OSError(error.errno, error.strerror, str(folder)) from error
        yield path


def download_file(address: str, path: Path, progress: DownloadProgress | None = None) -> None:
    """Download a file; where a part of it is at `path`, it is continued if the server allows it.

    Raises:
        CorpusError: it cannot be downloaded, is truncated, or is larger than `LARGEST_DOWNLOAD`.
        OSError: the disk refuses.
    """
    path.touch()
    with path.open("r+b") as file:
        for data, start, size in _pieces(address, path.stat().st_size):
            file.seek(start)
            file.truncate()  # of a part that is not continued
            file.write(data)
            if progress is not None:
                progress(file.tell(), size)


def _pieces(address: str, start: int) -> Iterator[tuple[bytes, int, int | None]]:
    """Yield the content of a remote file from `start` on, or all of it: bytes, their place, its whole size.

    Raises:
        CorpusError: as `download_file`.
    """
    try:
        with _opened(address, start) as (remote, place, size):
            while data := remote.read(BLOCK):
                if max(place + len(data), size or 0) > LARGEST_DOWNLOAD:
                    fault = (
                        f"the file is larger than the {LARGEST_DOWNLOAD} bytes allowed: cut it into shards"
                    )
                    raise CorpusError(f"{without_secrets(address)}: {fault}")
                yield data, place, size
                place += len(data)
        if size is not None and place < size:
            fault = f"the download broke off after {place:,} of {size:,} bytes: try again"
            raise CorpusError(f"{without_secrets(address)}: {fault}")
    except CorpusError:
        raise
    except Exception as error:  # drivers raise what they like
        if not (
            start
            and isinstance(error, HTTPError)
            and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        ):
            raise _unreachable(address, error) from error  # the part at `path` is complete


def local_name(name: str) -> str:
    """Return a name as a file or folder here may have it, \"\" for one that leads elsewhere."""
    safe = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name)
    return "" if safe in (".", "..") else safe[-200:]


@contextmanager
def _opened(address: str, start: int) -> Iterator[tuple[BinaryIO, int, int | None]]:
    """Open a remote file; give it, where it stands (`start`, or 0), and its size where that is known."""
    parts = urlsplit(address)
    if parts.scheme in _WEB:
        with urlopen(_request(parts, start), timeout=TIMEOUT) as answer:  # noqa: S310  # http or https
            place = start if answer.status == HTTPStatus.PARTIAL_CONTENT else 0
            length = answer.headers.get("Content-Length")
            encoded = answer.headers.get("Content-Encoding", "identity") != "identity"
            yield answer, place, place + int(length) if length and not encoded else None
        return
    files, path = _file_system(address)
    size = files.info(path).get("size")
    with files.open(path, "rb") as file:
        yield file, 0, size if isinstance(size, int) else None


def _request(parts: SplitResult, start: int) -> Request:
    """Return a request that sends user and password to the server of the address and to no other."""
    user, _, host = parts.netloc.rpartition("@")
    request = Request(parts._replace(netloc=host, fragment="").geturl())  # noqa: S310  # http or https
    if user:
        secret = base64.b64encode(unquote(user).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {secret}")
    request.add_header("User-Agent", "budew")
    if start:
        request.add_header("Range", f"bytes={start}-")
    return request


def _file_system(address: str) -> tuple[Any, str]:
    try:
        files, path = fsspec.core.url_to_fs(address)
    except Exception as error:  # a driver that is missing, or what drivers like to raise
        raise _unreachable(address, error) from error
    return files, path


def _unreachable(address: str, error: Exception) -> CorpusError:
    """Return an error with the reason, without secrets."""
    if isinstance(error, HTTPError):
        reason = f"{error.code} {responses.get(error.code, '')}".strip()  # the server's text may echo secrets
    elif isinstance(error, FileNotFoundError):
        reason = "there is no such file"
    else:
        fault = getattr(error, "strerror", None) or str(getattr(error, "reason", "") or error)
        reason = " ".join(redact(fault, address).split())[:200] or type(error).__name__
    return CorpusError(
        f"{without_secrets(address)}: cannot be downloaded ({reason}): check the URL and your access"
    )
