"""Download known corpora that have a public URL, and extract their archives.

An interrupted download continues where it stopped, if the server allows it. Published checksums are verified.
Only plain files are extracted: hidden files, links and devices are left out, a name that leads out of the
folder is an error, and the size of the extracted files is limited.
"""

import hashlib
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from budew.corpora.named.definition import Download, NamedCorpus
from budew.corpora.remote import BLOCK, DownloadProgress, download_file, local_name
from budew.corpora.shards import ALWAYS_INFLATED, MOST_INFLATED
from budew.errors import CorpusError
from budew.io.addresses import check_local, without_secrets
from budew.io.disk import disk_errors, temporary_folder

DOWNLOADS = ".downloads"
"""Hidden folder in the output folder, with the downloaded archives until all of them are extracted."""
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
_LINK = 0o12
"""File type of a symbolic link in a zip file: the upper bits of the attributes of a member."""
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    EOFError,
    lzma.LZMAError,
    zlib.error,
    ValueError,
    RuntimeError,
)
"""Errors raised when a damaged or encrypted archive is read, besides `OSError` without a number."""


def get_corpus(corpus: NamedCorpus, out: Path, progress: DownloadProgress | None = None) -> int:
    """Download a corpus into a folder and extract its archives; return the number of files.

    If it is interrupted, the same call continues.

    Args:
        corpus: definition of the corpus.
        out: output folder, made if it does not exist. It must be empty, except for an interrupted download.
        progress: called with the number of bytes downloaded so far and the size of the file, if known.

    Raises:
        CorpusError: the corpus has no public URL; the folder is not empty; the server cannot be reached; a
            checksum differs; an archive is damaged, or a name in it leads out of the folder.
        JobError: the disk is full.

    Example:
        >>> from budew.corpora import known_corpus
        >>> get_corpus(known_corpus("emodb"), Path("EmoDB"))  # doctest: +SKIP
        1068
    """
    check_local(out)
    if not corpus.downloads:
        hub = corpus.hub and f"it is read from {corpus.hub} if no folder is given (a copy: hf download)"
        remedy = hub or f"request the corpus from {corpus.address or 'its authors'}"
        raise CorpusError(f"{corpus.title} has no public download address: {remedy}")
    others = [path.name for path in out.iterdir() if path.name != DOWNLOADS] if out.is_dir() else []
    if any(not name.startswith(".budew-") for name in others):
        raise CorpusError(
            f"the folder {out} is not empty (it has {sorted(others)[0]}): choose an empty folder"
        )
    archives = out / DOWNLOADS
    with disk_errors(out):
        archives.mkdir(parents=True, exist_ok=True)
        files = [_downloaded(download, archives, progress) for download in corpus.downloads]
        with temporary_folder(out) as extracted:
            count = sum(_extract(file, extracted) for file in files)
            for path in sorted(extracted.iterdir()):
                path.rename(out / path.name)
        for path in archives.iterdir():
            path.unlink()
        archives.rmdir()
    return count


def url_file_name(url: str) -> str:
    """Return the file name in a URL, changed so that it is safe as a local name."""
    return local_name(PurePosixPath(unquote(urlsplit(url).path)).name) or "file"


def _downloaded(file: Download, folder: Path, progress: DownloadProgress | None) -> Path:
    """Return the local path of a file; download the file if it is missing."""
    path = folder / (file.name or url_file_name(file.url))
    part = path.with_name(f"{path.name}.part")
    if not path.exists():
        try:
            download_file(file.url, part, progress)
        except CorpusError as error:
            raise CorpusError(f"{error} (run the same command again to continue)") from error
        kind, _, digest = (file.checksum or "").partition(":")
        with part.open("rb") as content:
            found = hashlib.file_digest(content, kind).hexdigest() if kind else ""
        if found != digest:
            part.unlink()
            fault = (
                "its checksum is not the published one: try again, or look for a new version of the corpus"
            )
            raise CorpusError(f"{without_secrets(file.url)}: {fault}")
        part.rename(path)
    return path


def _extract(archive: Path, folder: Path) -> int:
    """Extract an archive into a folder, or move any other file there; return the number of files."""
    if not archive.name.lower().endswith((".zip", *_TARS)):
        archive.rename(folder / archive.name)
        return 1
    most = max(ALWAYS_INFLATED, MOST_INFLATED * archive.stat().st_size)
    count = written = 0
    with _damage_reported(archive):
        for name, content in _members(archive):
            path = PurePosixPath(name)
            odd = any(not letter.isprintable() or letter in "\\:" for letter in name)
            if path.is_absolute() or ".." in path.parts or not path.parts or odd:
                fault = f"contains {name[:80]!r}, a path outside of the archive: do not use this archive"
                raise CorpusError(f"{archive.name} {fault}")
            if any(part.startswith(".") or part == "__MACOSX" for part in path.parts):
                continue
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            with content() as source, (folder / path).open("xb") as file:
                while data := source.read(BLOCK):
                    written += file.write(data)
                    if written > most:
                        fault = (
                            f"the archive expands to more than {MOST_INFLATED} times its size: do not use it"
                        )
                        raise CorpusError(f"{archive.name}: {fault}")
            count += 1
    return count


def _members(archive: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """Yield the name of each plain file in an archive, and a function that opens it."""
    if archive.name.lower().endswith(".zip"):
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                if not info.is_dir() and info.external_attr >> 28 != _LINK:
                    yield info.filename, partial(packed.open, info)
    else:
        with tarfile.open(archive) as tar:
            for member in tar:
                content: Any = partial(tar.extractfile, member)  # not None for a plain file
                if member.isfile():
                    yield member.name, content


@contextmanager
def _damage_reported(archive: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise CorpusError(
            f"{archive.name} has two files of the name {error.filename}: download the corpus again"
        ) from error
    except CorpusError:
        raise
    except (*_DAMAGE, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # an error of the disk
            raise
        archive.unlink()
        fault = f"is damaged ({error}) and was removed: run the same command again"
        raise CorpusError(f"{archive.name} {fault}") from error
