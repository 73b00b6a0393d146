"""Read files at a URL: `https://…/x.tar`, `s3://bucket/x.tar`, `hf://datasets/owner/name/x.tar`.

A file is downloaded to a temporary folder, with a limit on its size, read like a local file, and deleted.
`http` and `https` only need Python; other schemes need fsspec and its drivers (`s3fs`, `gcsfs`, …), which
find credentials themselves. The parts of a URL before `@` and after `?` may be secret: errors never show
them, also if a server repeats them.
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
"""Largest file that is downloaded, in bytes; shards usually have some gigabytes at most."""
TIMEOUT = 60.0
"""A download fails if the server sends nothing for this many seconds."""
BLOCK = 2**20
"""Number of bytes that are read at once."""
_WEB = ("http", "https")

ReadFile = Callable[[Path, ReadOptions], Iterator[Clip]]
"""Function that reads the clips of a local file, such as `read_one`."""
DownloadProgress = Callable[[int, int | None], None]
"""Called with the number of bytes downloaded so far, and the size of the file (None if unknown)."""


def addresses(source: str) -> list[str]:
    """Return the URLs of the files that match a URL with `*` or `[…]`, sorted.

    A URL without wildcards is returned as it is.

    Raises:
        CorpusError: the server cannot list files (http and https never can), no file matches, or the driver
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
    except Exception as error:  # drivers may raise any error
        raise _unreachable(source, error) from error
    if not found:
        raise CorpusError(f"{without_secrets(source)}: not found: check the URL")
    return found


def read_remote(address: str, read: ReadFile, options: ReadOptions) -> Iterator[Clip]:
    """Download a file and yield its clips; `Clip.audio` has the bytes.

    Args:
        address: URL of the file.
        read: function that reads the clips of the downloaded file.
        options: options for reading.

    Raises:
        CorpusError: the file cannot be downloaded or is too large, or an item is broken; the message has the
            URL, without secrets.
        OSError: the temporary folder is full.
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
    """Context manager: download a file to a temporary folder, give its path, and delete it in the end.

    The copy has the same file name, and its folder has the name of the original folder, because that may
    be a label.

    Raises:
        CorpusError: the file cannot be downloaded, is truncated, or is larger than `LARGEST_DOWNLOAD`.
        OSError: the temporary folder is full.
    """
    with temporary_folder() as folder:
        parts = urlsplit(address)
        where = PurePosixPath(
            "/", unquote(parts.path if parts.scheme in _WEB else f"{parts.netloc}/{parts.path}")
        )
        name = local_name(where.name) or "file"
        path = folder / (local_name(where.parent.name) or "folder") / name  # the folder's name may be a label
        path.parent.mkdir(exist_ok=True)
        try:
            download_file(address, path)
        except OSError as error:  # of the disk: network errors are a CorpusError
            raise OSError(error.errno, error.strerror, str(folder)) from error
        yield path


def download_file(address: str, path: Path, progress: DownloadProgress | None = None) -> None:
    """Download a file. If an earlier part of it is at `path`, continue it if the server allows that.

    Args:
        address: URL of the file.
        path: local file to write.
        progress: called after each block of bytes.

    Raises:
        CorpusError: the file cannot be downloaded, is truncated, or is larger than `LARGEST_DOWNLOAD`.
        OSError: the disk is full or cannot be written.
    """
    path.touch()
    with path.open("r+b") as file:
        for data, start, size in _pieces(address, path.stat().st_size):
            file.seek(start)
            file.truncate()  # removes an earlier part that is not continued
            file.write(data)
            if progress is not None:
                progress(file.tell(), size)


def _pieces(address: str, start: int) -> Iterator[tuple[bytes, int, int | None]]:
    """Yield a remote file in blocks: their bytes, their position, and the size of the file if known.

    The first block is at `start`, or at 0 if the server does not continue downloads.

    Raises:
        CorpusError: in the cases of `download_file`.
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
    except Exception as error:  # drivers may raise any error
        if not (
            start
            and isinstance(error, HTTPError)
            and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        ):
            raise _unreachable(address, error) from error  # the part at `path` is complete


def local_name(name: str) -> str:
    """Return a name that is safe as that of a local file or folder; \"\" for "." and ".."."""
    safe = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name)
    return "" if safe in (".", "..") else safe[-200:]


@contextmanager
def _opened(address: str, start: int) -> Iterator[tuple[BinaryIO, int, int | None]]:
    """Open a remote file; give it, its position (`start`, or 0), and its size (None if unknown)."""
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
    """Return a request that sends user and password only to the server in the URL, not after redirects."""
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
    except Exception as error:  # a missing driver, or any error of a driver
        raise _unreachable(address, error) from error
    return files, path


def _unreachable(address: str, error: Exception) -> CorpusError:
    """Return a `CorpusError` with the reason of an error, without secrets."""
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
