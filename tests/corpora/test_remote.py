"""Shards at addresses read as local ones do; downloads are bounded and go away; secrets stay secret."""

import base64
import http.server
import io
import tarfile
import tempfile
import threading
import time
from typing import ClassVar
from urllib.parse import parse_qs, quote

import fsspec
import pytest

from budew.corpora import Clip, read, write_shard
from budew.corpora.remote import downloaded
from budew.corpora.sources import matches, read_one
from budew.errors import CorpusError


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `files`; `/moved/x` leads to `/x`, `/locked/x` wants a password, `/cut/x` breaks off.

    `/stuck/x` stops half way.
    """

    files: ClassVar[dict[str, bytes]]
    seen: ClassVar[list[tuple[str, str | None]]]

    def do_GET(self):
        path = self.path.partition("?")[0]
        self.seen.append((self.path, self.headers.get("Authorization")))
        if path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", path.removeprefix("/moved"))
            self.end_headers()
            return
        said = base64.b64decode((self.headers.get("Authorization") or "").removeprefix("Basic ")).decode()
        if path.startswith("/locked/") and said != "anna:s3cret":
            self.send_error(401, f"Unauthorized {said} {self.path}")
            return
        if path.startswith("/echo/"):
            self._echo(path)
            return
        content = self.files.get(path.rpartition("/")[2])
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if path.startswith("/stuck/"):
            self.wfile.write(content[: len(content) // 2])
            time.sleep(60)
        self.wfile.write(content[: len(content) // 2] if path.startswith("/cut/") else content)

    def _echo(self, path):
        """Say all that is secret, in the status, in place of it, or as the name of something in a shard."""
        sent = self.headers["Authorization"]
        pair = base64.b64decode(sent.removeprefix("Basic "))
        query = self.path.partition("?")[2]
        told = f"{sent} {base64.b64encode(b'I am ' + pair).decode()} {quote(query, safe='')} {self.path}"
        told += f" {base64.b64encode(parse_qs(query)['sig'][0].encode()).decode()}"
        if path.endswith("status.tar"):
            self.send_error(401, told)
        elif path.endswith("junk.tar"):
            self.wfile.write(f"{told}\r\n\r\n".encode())
            self.close_connection = True
        else:
            shard = io.BytesIO()
            with tarfile.open(fileobj=shard, mode="w") as tar:
                tar.addfile(tarfile.TarInfo(f"{told}.json"))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(shard.getvalue())

    def log_message(self, *_args):
        pass


@pytest.fixture
def requests():
    """Paths and credentials that the server was asked with."""
    return []


@pytest.fixture
def server(voice, tmp_path, monkeypatch, requests):
    """The address of a server with `a.tar`, `b.tar` and `voice.mp3`; temporary files go to `tmp`."""
    mp3 = voice("voice.mp3", seconds=0.05)
    for name in "ab":
        write_shard(tmp_path / f"{name}.tar", [Clip(name, mp3, "mp3", transcript=name)])
    files = {name: (tmp_path / name).read_bytes() for name in ("a.tar", "b.tar", "voice.mp3")}
    files |= {"bad.tar": b"no tar", **dict.fromkeys(("train-0.tar", "..%2f..%2f..", ""), b"x")}
    handler = type("Here", (Handler,), {"files": files, "seen": requests})
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.fixture
def memory(server, tmp_path):
    """The same shards at `memory://shards/`."""
    files = fsspec.filesystem("memory")
    for name in ("a.tar", "b.tar"):
        files.pipe(f"/shards/{name}", (tmp_path / name).read_bytes())
    yield "memory://shards"
    files.rm("/shards", recursive=True)


@pytest.mark.parametrize("way", ["status", "junk", "content"])
def test_secrets_that_a_server_echoes_are_hidden_in_every_form(server, way):
    address = (
        server.replace("http://", "http://anna:s3%2Fcr%40t@") + f"/echo/{way}.tar?part=17&sig=t%2F0ken%3D"
    )
    errors = []
    assert list(read(address, on_bad=errors.append)) == []
    (told,) = map(str, errors)
    assert told.startswith(f"{server}/echo/{way}.tar: ")
    for secret in ("anna:s3/cr@t", "s3/cr@t", "t/0ken="):
        encoded = base64.b64encode(secret.encode()).decode()
        for form in (secret, quote(secret, safe=""), quote(quote(secret, safe=""), safe=""), encoded):
            assert form.rstrip("=") not in told
    assert "Basic" in told or way != "content"  # what is no secret is still told


def test_a_file_is_bounded_whether_the_server_says_its_size_or_not(server, memory, monkeypatch):
    monkeypatch.setattr("budew.corpora.remote.LARGEST_DOWNLOAD", 100)
    for address in (f"{server}/a.tar", f"{memory}/a.tar"):
        with pytest.raises(CorpusError, match="is larger than the 100 bytes allowed"):
            list(read(address))


def test_a_remote_file_reads_as_the_local_one(server, memory, tmp_path):
    local = list(read(tmp_path / "a.tar"))
    for address in (f"{server}/some/a.tar", f"{server}/moved/a.tar?x=1", f"{memory}/a.tar"):
        assert list(read(address)) == local
    (clip,) = read(f"{server}/voice.mp3")
    assert (clip.id, clip.format) == ("voice", "mp3")
    assert clip.audio == (tmp_path / "voice.mp3").read_bytes()
    assert [clip.id for entry in matches(f"{memory}/*.tar") for clip in read_one(entry)] == ["a", "b"]
    assert matches(server + "/x/{08..11}.tar") == [f"{server}/x/{n}.tar" for n in ("08", "09", "10", "11")]


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("{server}/missing.tar", "cannot be downloaded (404"),
        ("{server}/cut/a.tar", "broke off after"),
        ("{server}/bad.tar", "the shard is damaged"),
        ("{server}/clips.csv", "a manifest is read next to its audio"),
        ("{server}/locked/a.tar", "cannot be downloaded (401"),
        ("{server}/*.tar", "do not list files"),
        ("http://127.0.0.1:9/a.tar", "cannot be downloaded"),
        ("nosuch://x/a.tar", ""),
        ("memory://nowhere/a.tar", "cannot be downloaded (there is no such file"),
        ("memory://nowhere/*.tar", "not found"),
    ],
)
def test_errors_of_downloads_name_the_address(server, source, fault):
    address = source.format(server=server)
    with pytest.raises(CorpusError) as raised:
        list(read(address))
    assert str(raised.value).startswith(f"{address}: ")
    assert fault in str(raised.value)
    assert tempfile.gettempdir() not in str(raised.value)


def test_a_password_goes_to_its_server_and_into_no_error(server, requests):
    locked = server.replace("http://", "http://anna:s3cret@")
    assert [clip.id for clip in read(f"{locked}/locked/a.tar")] == ["a"]
    assert [clip.id for clip in read(f"{locked}/moved/a.tar")] == ["a"]
    assert requests[-2:] == [("/moved/a.tar", "Basic YW5uYTpzM2NyZXQ="), ("/a.tar", None)]
    other = locked.replace("s3cret", "other")
    for address in (f"{locked}/missing.tar", f"{locked}/bad.tar", f"{other}/locked/a.tar"):
        with pytest.raises(CorpusError) as raised:
            list(read(f"{address}?sig=t0ken"))
        assert not any(secret in str(raised.value) for secret in ("s3cret", "other", "t0ken"))


@pytest.mark.parametrize(
    ("path", "copy"),
    [("x/train-0.tar?y=/z", "x/train-0.tar"), ("x/..%2f..%2f..", "folder/file"), ("", "folder/file")],
)
def test_the_copy_has_a_name_that_is_safe_and_goes_away(server, path, copy):
    with downloaded(f"{server}/{path}") as place:
        assert place.as_posix().endswith(f"/{copy}")
        assert place.is_file()
    assert not place.exists()
