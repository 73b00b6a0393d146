"""Downloads continue, are checked, and are extracted without a name of the archive leaving the folder."""

import hashlib
import http.server
import io
import re
import tarfile
import threading
import zipfile
from pathlib import Path
from typing import ClassVar

import pytest

from budew.corpora import read
from budew.corpora.named.definition import Download, known_corpora, known_corpus
from budew.corpora.named.downloads import DOWNLOADS, get_corpus, url_file_name
from budew.errors import CorpusError


class Server(http.server.BaseHTTPRequestHandler):
    """Serves `files`, and with `ranges` parts of them; with `breaks` the next answers break off half way."""

    files: ClassVar[dict[str, bytes]]
    ranges: ClassVar[bool]
    breaks: ClassVar[list[bool]]
    sent: ClassVar[list[int]]

    def do_GET(self):
        content = self.files.get(self.path.partition("?")[0])
        if content is None:
            self.send_error(404)
            return
        asked = self.headers.get("Range", "").removeprefix("bytes=").rstrip("-")
        start = int(asked) if asked and self.ranges else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        broken = bool(self.breaks and self.breaks.pop())
        part = content[start : start + (len(content) - start) // 2] if broken else content[start:]
        self.sent.append(len(part))
        self.wfile.write(part)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    """A server on the loopback; gives the class that holds its state, with `url`."""
    Server.files, Server.ranges, Server.breaks, Server.sent = {}, True, [], []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        Server.url = f"http://127.0.0.1:{running.server_port}"
        yield Server
        running.shutdown()


@pytest.fixture
def sound(voice) -> bytes:
    return voice("a.wav", seconds=0.2).read_bytes()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def served(server, name: str, content: bytes, **more) -> object:
    """Return EmoDB with a download at the server."""
    server.files[f"/{name}"] = content
    download = Download(url=f"{server.url}/{name}", **more)
    return known_corpus("emodb").model_copy(update={"downloads": (download,)})


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tgz", "tar.xz"])
def test_an_archive_is_extracted_and_reads_as_its_corpus(server, sound, tmp_path, kind):
    files = {
        "EmoDB/wav/03a01Fa.wav": sound,
        "EmoDB/.hidden": b"x",
        "__MACOSX/a": b"x",
        "EmoDB/readme.txt": b"x",
    }
    content = (
        zipped(files) if kind == "zip" else tarred(files, {"tar": "w", "tar.xz": "w:xz"}.get(kind, "w:gz"))
    )
    corpus = served(server, f"x.{kind}", content, checksum=f"md5:{hashlib.md5(content).hexdigest()}")
    assert get_corpus(corpus, tmp_path / "out") == 2
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == [
        "03a01Fa.wav", "EmoDB", "readme.txt", "wav"
    ]  # fmt: skip
    (clip,) = read(f"emodb:{tmp_path}/out")
    assert dict(clip.profile.emotions) == {"Elation": 0.5}


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_breaks_off_continues_where_it_stopped(server, tmp_path, ranges):
    content = bytes(range(256)) * 20_000
    server.ranges, server.breaks = ranges, [True]
    corpus = served(server, "a.csv", content)
    with pytest.raises(CorpusError, match="run the same command again to continue"):
        get_corpus(corpus, tmp_path)
    assert get_corpus(corpus, tmp_path) == 1
    assert (tmp_path / "a.csv").read_bytes() == content
    again = sum(server.sent) - len(content)  # a chunk that was not complete comes again
    assert again < 2**20 if ranges else again == len(content) // 2


def test_nothing_of_a_part_remains_that_is_not_continued(server, tmp_path):
    server.ranges = False
    corpus = served(server, "a.csv", b"new")
    (tmp_path / DOWNLOADS).mkdir()
    (tmp_path / DOWNLOADS / "a.csv.part").write_bytes(b"of an older and longer file")
    get_corpus(corpus, tmp_path)
    assert (tmp_path / "a.csv").read_bytes() == b"new"


def test_a_complete_part_is_not_asked_for_again(server, tmp_path):
    corpus = served(server, "a.csv", b"all of it")
    (tmp_path / DOWNLOADS).mkdir()
    (tmp_path / DOWNLOADS / "a.csv.part").write_bytes(b"all of it")
    assert get_corpus(corpus, tmp_path) == 1
    assert (tmp_path / "a.csv").read_bytes() == b"all of it"
    assert server.sent == []


def test_another_checksum_is_refused_and_nothing_is_extracted(server, sound, tmp_path):
    corpus = served(server, "x.zip", zipped({"03a01Fa.wav": sound}), checksum=f"md5:{'0' * 32}")
    with pytest.raises(CorpusError, match="its checksum is not the published one"):
        get_corpus(corpus, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").rglob("*")] == [DOWNLOADS]


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize(
    "name", ["../../a.wav", "/etc/a.wav", "a/../../b.wav", "a\\b.wav", "C:/a.wav", "a\n.wav"]
)
def test_a_name_that_leads_out_is_refused(server, sound, tmp_path, pack, name):
    corpus = served(
        server, "x.zip" if pack is zipped else "x.tgz", pack({"wav/03a01Fa.wav": sound, name: sound})
    )
    before = sorted(tmp_path.parent.iterdir())
    with pytest.raises(CorpusError, match="a path outside of the archive"):
        get_corpus(corpus, tmp_path / "out")
    assert sorted(tmp_path.parent.iterdir()) == before
    assert [path.name for path in (tmp_path / "out").iterdir()] == [DOWNLOADS]


def test_links_and_devices_are_left_out(server, sound, tmp_path):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"link{kind!r}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("03a01Fa.wav")
        info.size = len(sound)
        archive.addfile(info, io.BytesIO(sound))
    assert get_corpus(served(server, "x.tar", out.getvalue()), tmp_path / "tar") == 1
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("03a01Fa.wav", sound)
    assert get_corpus(served(server, "y.zip", packed.getvalue()), tmp_path / "zip") == 1
    assert [path.name for path in (tmp_path / "zip").iterdir()] == ["03a01Fa.wav"]


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_archive_that_expands_without_bound_is_refused(server, tmp_path, pack, monkeypatch):
    monkeypatch.setattr("budew.corpora.named.downloads.ALWAYS_INFLATED", 10_000)
    corpus = served(server, "x.zip" if pack is zipped else "x.tgz", pack({"a.wav": bytes(20_000_000)}))
    with pytest.raises(CorpusError, match="expands to more than 100 times its size"):
        get_corpus(corpus, tmp_path)
    assert not list(tmp_path.rglob("*.wav"))


@pytest.mark.parametrize("name", ["x.zip", "x.tgz", "x.tar.xz", "x.tar"])
def test_a_damaged_archive_is_removed_so_that_the_next_call_asks_for_it_again(server, sound, tmp_path, name):
    whole = (
        zipped({"03a01Fa.wav": sound})
        if name == "x.zip"
        else tarred({"03a01Fa.wav": sound}, {"x.tar": "w", "x.tar.xz": "w:xz"}.get(name, "w:gz"))
    )
    corpus = served(server, name, whole[: len(whole) // 2])
    with pytest.raises(CorpusError, match=r"is damaged .* run the same command again"):
        get_corpus(corpus, tmp_path / "out")
    server.files[f"/{name}"] = whole
    assert get_corpus(corpus, tmp_path / "out") == 1


def test_corpora_that_cannot_be_downloaded_say_why(server, tmp_path):
    savee = known_corpus("savee")
    with pytest.raises(CorpusError, match=rf"SAVEE .*{re.escape(savee.address)}"):
        get_corpus(savee, tmp_path)
    corpus = served(server, "x.zip", b"")
    server.files.clear()
    with pytest.raises(CorpusError, match=r"/x\.zip: cannot be downloaded \(404"):
        get_corpus(corpus, tmp_path / "new")
    (tmp_path / "mine.wav").write_bytes(b"x")
    with pytest.raises(CorpusError, match=rf"{tmp_path.name}\b.*mine\.wav"):
        get_corpus(corpus, tmp_path)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://h/a/x.zip?dl=1", "x.zip"),
        ("https://h/metadata%20of%20train%20set%20.csv", "metadata of train set .csv"),
        ("https://h/a%2F..%2F", ".._"),
        ("https://h/", "file"),
    ],
)
def test_the_name_of_a_file_at_an_address_may_be_used_here(url, name):
    assert url_file_name(url) == name or (
        Path(url_file_name(url)).name == url_file_name(url) and "/" not in url_file_name(url)
    )


def test_every_download_has_the_licence_or_the_page_of_its_corpus():
    for name, corpus in known_corpora().items():
        assert not corpus.downloads or corpus.address, name
