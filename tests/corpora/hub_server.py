"""A Hugging Face hub on the loopback: one public repository, or one private model that can be pushed."""

import base64
import hashlib
import http.server
import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from huggingface_hub import constants

COMMIT = "a" * 40


def use_hub(patch: pytest.MonkeyPatch, cache: Path, address: str, token: str = "") -> None:
    """Make libraries that are imported already look for the hub at an address."""
    places = {"ENDPOINT": address, "HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": False}
    template = f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    settings = {**places, "HF_HUB_DISABLE_XET": True, "HUGGINGFACE_CO_URL_TEMPLATE": template}
    for name, value in settings.items():
        patch.setattr(constants, name, value)
    patch.setenv("HF_TOKEN", token)
    if datasets := sys.modules.get("datasets"):
        for name, value in {"ENDPOINT": address, "HUB_OFFLINE": False, "DATASETS_CACHE": cache}.items():
            patch.setattr(datasets.config, f"HF_{name}", value)


@contextmanager
def hub(name: str, files: Mapping[str, bytes], kind: str = "datasets") -> Iterator[str]:
    """Serve a data set, or one of `models`, with these files; give the address of the hub."""
    with _served(type("Here", (_Handler,), {"name": name, "held": dict(files), "kind": kind})) as address:
        yield address


@contextmanager
def model_hub(name: str, token: str) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Serve the model repository `name` to whoever has the token, once it is created; give its files too.

    Files of 1,000 bytes or more are uploaded with git LFS.
    """
    held: dict[str, bytes] = {}
    known = {"name": name, "held": held, "token": token, "made": False, "objects": {}}
    handler = type("Here", (_Models,), known)
    with _served(handler) as handler.address:
        yield handler.address, held


@contextmanager
def _served(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    kind = "datasets"
    name: str
    held: dict[str, bytes]

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        path, query = unquote(url.path), parse_qs(url.query)
        api, files = f"/api/{self.kind}/{self.name}", f"/{self.name}/resolve/"
        files = f"/datasets{files}" if self.kind == "datasets" else files
        if path.startswith(f"{api}/tree/"):
            folder = path.removeprefix(f"{api}/tree/").partition("/")[2]
            self._tree(folder, deep=query.get("recursive") == ["true"])
        elif path.startswith(f"{api}/paths-info/"):
            asked = parse_qs(body.decode()).get("paths") or json.loads(body or b"{}").get("paths", [])
            self._json([self._entry(one) for one in asked if one in self.held])
        elif path == api or path.startswith(f"{api}/revision/"):
            siblings = [{"rfilename": file} for file in self.held]
            self._json({"id": self.name, "_id": "1", "sha": COMMIT, "tags": [], "siblings": siblings})
        elif path.startswith(files) and path.removeprefix(files).partition("/")[2] in self.held:
            self._file(self.held[path.removeprefix(files).partition("/")[2]])
        else:
            self._send(404, b"{}", {"X-Error-Code": "EntryNotFound" if self.name in path else "RepoNotFound"})

    def do_HEAD(self):
        self.do_GET()

    def do_POST(self):
        self.do_GET()

    def _tree(self, folder: str, *, deep: bool) -> None:
        start = f"{folder}/" if folder else ""
        below = [file for file in self.held if file.startswith(start)]
        entries = [self._entry(file) for file in below if deep or "/" not in file[len(start) :]]
        folders = {
            start + file[len(start) :].partition("/")[0] for file in below if "/" in file[len(start) :]
        }
        entries += [{"type": "directory", "path": path, "oid": "c" * 40} for path in sorted(folders)]
        self._json(entries) if entries else self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"})

    def _entry(self, file: str) -> dict[str, object]:
        return {"type": "file", "path": file, "size": len(self.held[file]), "oid": "b" * 40}

    def _file(self, content: bytes) -> None:
        headers = {
            "ETag": f'"{hashlib.sha1(content).hexdigest()}"',
            "X-Repo-Commit": COMMIT,
            "Accept-Ranges": "bytes",
        }
        first, last = 0, len(content) - 1
        if wanted := self.headers.get("Range"):
            start, _, end = wanted.removeprefix("bytes=").partition("-")
            first, last = int(start), min(last, int(end or last))
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        self._send(206 if wanted else 200, content[first : last + 1], headers)

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        pass


class _Models(_Handler):
    kind = "models"
    token: str
    address: str
    made: bool
    objects: dict[str, bytes]
    """Uploaded with git LFS, by SHA-256."""

    def do_GET(self):
        if self.headers.get("Authorization") != f"Bearer {self.token}":
            self._send(401, b'{"error": "Invalid username or password."}', {})
        elif not self.made:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        else:
            super().do_GET()

    def do_POST(self):
        body, path = self._body(), urlsplit(self.path).path
        api = f"/api/models/{self.name}"
        if path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif self.headers.get("Authorization") != f"Bearer {self.token}":
            self._send(401, b'{"error": "Invalid username or password."}', {})
        elif path == "/api/repos/create":
            asked = json.loads(body)
            type(self).made = f"{asked['organization']}/{asked['name']}" == self.name
            self._json({"url": f"{self.address}/{self.name}", "private": asked["visibility"] == "private"})
        elif path == f"{api}/preupload/main":
            self._json({"files": [self._mode(file) for file in json.loads(body)["files"]]})
        elif path == f"/{self.name}.git/info/lfs/objects/batch":
            self._json({"transfer": "basic", "objects": [*map(self._upload, json.loads(body)["objects"])]})
        elif path == f"{api}/commit/main":
            self._commit([json.loads(line) for line in body.splitlines()])
            self._json({"commitUrl": f"{self.address}/{self.name}/commit/{COMMIT}", "commitOid": COMMIT})
        else:
            self._send(404, b"{}", {})

    def do_PUT(self):
        body = self._body()
        assert hashlib.sha256(body).hexdigest() == self.path.removeprefix("/objects/")
        self.objects[self.path.removeprefix("/objects/")] = body
        self._send(200, b"", {})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _mode(self, file: dict) -> dict[str, object]:
        mode = "lfs" if file["size"] >= 1_000 else "regular"
        return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False}

    def _upload(self, file: dict) -> dict[str, object]:
        return {**file, "actions": {"upload": {"href": f"{self.address}/objects/{file['oid']}"}}}

    def _commit(self, lines: list[dict]) -> None:
        for line in lines:
            given = line["value"]
            if line["key"] == "lfsFile":
                self.held[given["path"]] = self.objects[given["oid"]]
            elif line["key"] == "file":
                self.held[given["path"]] = base64.b64decode(given["content"])
