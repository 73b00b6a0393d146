"""Downloads of known corpora that have a public address, and their archives as folders.

A download that broke off continues where it stopped, if the server allows it; a published checksum is
checked. Of an archive the plain files are written: hidden ones, links and devices are left out, a name that
leads out of the folder is an error, and nothing expands without bound.
"""

import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast
from urllib.parse import unquote, urlsplit

from budew.corpora.named.definition import Download, NamedCorpus
from budew.corpora.shards import ALWAYS_INFLATED, MOST_INFLATED
from budew.errors import CorpusError, require
from budew.io.addresses import check_local, shown
from budew.io.disk import disk_errors, temporary_folder

DOWNLOADS = ".downloads"
"""Hidden folder in the output with the archives, until all of them are extracted."""
TIMEOUT = 60.0
"""Seconds that a server may stay silent."""
_CHUNK = 2**20
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    EOFError,
    lzma.LZMAError,
    zlib.error,
    ValueError,
    RuntimeError,
)
"""What reading a damaged or encrypted archive raises, besides `OSError` without a number."""
Progress = Callable[[int, int | None], None]
"""Called with the bytes of the present download that are there, and its size where that is known."""


@dataclass(frozen=True, slots=True)
class Member:
    """A plain file in an archive.

    Attributes:
        name: as the archive has it.
        opened: opens its content.
    """

    name: str
    opened: Callable[[], IO[bytes]]


def get_corpus(corpus: NamedCorpus, out: Path, progress: Progress | None = None) -> int:
    """Download a corpus into a folder, and extract its archives; return the number of files.

    Args:
        corpus: its definition.
        out: made if it is missing; empty, but for what an earlier call left.
        progress: called while bytes come in.

    Raises:
        CorpusError: the corpus has no public address; the folder is not empty; the server cannot be reached;
            the checksum is another one; an archive is damaged, or a name in it leads out of the folder.
        JobError: the disk is full.
        MissingExtraError: pooch is not installed.
    """
    check_local(out)
    if not corpus.downloads:
        where = corpus.address or "its authors"
        raise CorpusError(f"{corpus.title} has no public address for its files: ask for it at {where}")
    others = [path.name for path in out.iterdir() if path.name != DOWNLOADS] if out.is_dir() else []
    if any(not name.startswith(".budew-") for name in others):
        raise CorpusError(f"{out}: is not empty ({sorted(others)[0]}): choose an empty folder")
    kept = out / DOWNLOADS
    with disk_errors(out):
        kept.mkdir(parents=True, exist_ok=True)
        files = [_downloaded(download, kept, progress) for download in corpus.downloads]
        with temporary_folder(out) as made:
            count = sum(_extract(file, made) for file in files)
            for path in sorted(made.iterdir()):
                path.rename(out / path.name)
        for path in kept.iterdir():
            path.unlink()
        kept.rmdir()
    return count


def _downloaded(download: Download, folder: Path, progress: Progress | None) -> Path:
    """Return the file of a download, which is there or comes now."""
    pooch: Any = require("pooch", extra="corpora", purpose="budew corpora get")
    pooch.get_logger().setLevel("ERROR")
    name = download.name or url_file_name(download.url)
    try:
        pooch.retrieve(
            download.url,
            known_hash=download.checksum,
            fname=name,
            path=folder,
            downloader=partial(_fetch, folder / f"{name}.part", progress),
        )
    except OSError as error:
        if error.errno is not None and not isinstance(error, ConnectionError):  # of the disk
            raise
        reason = " ".join(str(error).split())[:200]
        fault = f"cannot be downloaded ({reason}): run the same command again to continue"
        raise CorpusError(f"{shown(download.url)}: {fault}") from error
    except ValueError as error:  # the checksum is another one
        fault = (
            "its checksum is not the published one: try again, or see whether the corpus has a new version"
        )
        raise CorpusError(f"{shown(download.url)}: {fault}") from error
    return folder / name


def _fetch(part: Path, progress: Progress | None, url: str, target: str, _: object) -> None:
    """Download a file to `target`, continuing what `part` has; the downloader of pooch."""
    requests: Any = require("requests", extra="corpora", purpose="budew corpora get")
    done = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "budew", **({"Range": f"bytes={done}-"} if done else {})}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code != requests.codes.requested_range_not_satisfiable:  # all of it is there
            answer.raise_for_status()
            continued = answer.status_code == requests.codes.partial_content
            done = done if continued else 0
            length = answer.headers.get("Content-Length")
            size = done + int(length) if length else None
            with part.open("ab" if continued else "wb") as file:
                for data in answer.iter_content(_CHUNK):
                    done += file.write(data)
                    if progress is not None:
                        progress(done, size)
            if size is not None and done < size:
                raise ConnectionError(f"broke off after {done:,} of {size:,} bytes")
    os.replace(part, target)


def url_file_name(url: str) -> str:
    """Return the name of the file at an address, such as may be used here."""
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    return (
        "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name) or "file"
    )


def _extract(archive: Path, folder: Path) -> int:
    """Write the files of an archive below a folder, or the file that is none; return their number."""
    name = archive.name.lower()
    if not name.endswith((".zip", *_TARS)):
        archive.rename(folder / archive.name)
        return 1
    most = max(ALWAYS_INFLATED, MOST_INFLATED * archive.stat().st_size)
    count = written = 0
    with _damage(archive), (_zip_members if name.endswith(".zip") else _tar_members)(archive) as members:
        for member in members:
            path = folder / safe_path(member.name, archive)
            if any(part.startswith(".") or part == "__MACOSX" for part in path.relative_to(folder).parts):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with member.opened() as source, path.open("xb") as file:
                while data := source.read(_CHUNK):
                    written += file.write(data)
                    if written > most:
                        fault = f"expands to more than {MOST_INFLATED} times its size: it is no corpus"
                        raise CorpusError(f"{archive.name}: {fault}")
            count += 1
    return count


def safe_path(name: str, archive: Path) -> Path:
    """Return the name of a member as a relative path below any folder.

    Raises:
        CorpusError: it is absolute, leads out, or has a character that no name of a file here should have.
    """
    path = PurePosixPath(name)
    odd = any(not letter.isprintable() or letter in "\\:" for letter in name)
    if path.is_absolute() or ".." in path.parts or not path.parts or odd:
        raise CorpusError(
            f"{archive.name}: holds {name[:80]!r}, which leads out of its folder: do not use it"
        )
    return Path(*path.parts)


@contextmanager
def _zip_members(path: Path) -> Iterator[Iterator[Member]]:
    with zipfile.ZipFile(path) as archive:
        yield (
            Member(info.filename, partial(archive.open, info))
            for info in archive.infolist()
            if not info.is_dir() and not _is_link(info)
        )


@contextmanager
def _tar_members(path: Path) -> Iterator[Iterator[Member]]:
    with tarfile.open(path) as archive:

        def opened(info: tarfile.TarInfo) -> IO[bytes]:
            return cast(IO[bytes], archive.extractfile(info))  # of a plain file it is not None

        yield (Member(info.name, partial(opened, info)) for info in archive if info.isfile())


def _is_link(info: zipfile.ZipInfo) -> bool:
    return (info.external_attr >> 28) == 0o12


@contextmanager
def _damage(archive: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise CorpusError(f"{archive.name}: holds one name twice ({error.filename})") from error
    except CorpusError:
        raise
    except (*_DAMAGE, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the disk
            raise
        archive.unlink()
        fault = f"is damaged ({error}), and was removed: run the same command again"
        raise CorpusError(f"{archive.name}: {fault}") from error
