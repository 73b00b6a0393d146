"""A Hugging Face hub on the loopback: one public data set, and the requests that `datasets` makes of it."""

import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "a" * 40


@contextmanager
def hub(name: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """Serve a data set with these files; give the address of the hub."""
    handler = type("Here", (_Handler,), {"name": name, "held": dict(files)})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name: str
    held: dict[str, bytes]

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        path, query = unquote(url.path), parse_qs(url.query)
        api, files = f"/api/datasets/{self.name}", f"/datasets/{self.name}/resolve/"
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
        headers = {"ETag": f'"{"d" * 40}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
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
