"""The server of the page, with limits on requests and storage, and only the routes that the page needs.

gradio's server has many more routes (a proxy, an editor of its own code, processing of screen recordings),
and accepts a thousand files at once. Here a request must declare its size, an upload has at most
`LARGEST_UPLOAD` bytes, and uploads are stored in a folder of at most `MOST_KEPT` bytes, which is deleted when
the server ends.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from budew.app.browser_page import CSS, browser_page
from budew.errors import InputError, require
from budew.inference.loading import load_backend
from budew.inference.options import ModelOptions
from budew.model.card import read_card

LARGEST_UPLOAD = 200_000_000
"""Largest size of an uploaded recording in bytes."""
LARGEST_REQUEST = 100_000
"""Largest size of any other request in bytes."""
MOST_UPLOADING = 500_000_000
"""Largest size in bytes of all uploads in progress: gradio keeps form fields that are not files in memory."""
MOST_KEPT = 2_000_000_000
"""Largest size in bytes of the folder of uploads when an upload begins; the oldest files are deleted."""
SESSIONS = 64
"""Number of visits whose last results gradio keeps; a result takes 16 MB for a recording of an hour."""
_ROUTES = re.compile(
    r"/|/(?:config|theme\.css|favicon\.ico|manifest\.json|assets/.+|static/.+)"
    r"|/gradio_api/(?:upload|upload_progress|queue/(?:join|data)|heartbeat/\w+|cancel|reset|startup-events)/?"
    r"|/gradio_api/file=/.+"
)
_UPLOAD = "/gradio_api/upload"
_HEADERS = (
    # gradio's scripts compile templates ('unsafe-eval'); nothing is loaded from other hosts.
    (b"content-security-policy", b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class RequestLimits:
    """ASGI middleware that refuses requests which the page does not send.

    Its statuses are 404 (a route that the page does not need), 411 (a body of unknown size), 413 (a body that
    is too large) and 503 (too much is being uploaded).
    """

    def __init__(self, app: Any, folder: Path) -> None:
        self.app, self.folder, self.uploading = app, folder, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Refuse a request, or pass it on to the app."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        without_body = scope["method"] in ("GET", "HEAD", "OPTIONS")
        length = dict(scope["headers"]).get(b"content-length", b"0" if without_body else b"")
        uploads = scope["path"].rstrip("/") == _UPLOAD
        if refusal := self._refusal(scope["path"], length, uploads):
            await send({"type": "http.response.start", "status": refusal, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        size = int(length) if uploads else 0
        self.uploading += size
        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            self.uploading -= size

    def _refusal(self, path: str, length: bytes, uploads: bool) -> int | None:
        if not _ROUTES.fullmatch(path):
            return 404
        if not length.isdigit():
            return 411
        if int(length) > (LARGEST_UPLOAD if uploads else LARGEST_REQUEST):
            return 413
        if uploads and self.uploading + int(length) > MOST_UPLOADING:
            return 503
        if uploads:
            make_room(self.folder, MOST_KEPT)
        return None


def make_room(folder: Path, most: int) -> None:
    """Delete the oldest files in a folder until all files together have at most `most` bytes."""
    with suppress(FileNotFoundError):  # gradio deletes as well
        files = [(file.stat(), file) for file in folder.rglob("*") if file.is_file()]
        total = sum(status.st_size for status, _ in files)
        for status, file in sorted(files, key=lambda row: row[0].st_mtime):
            if total <= most:
                break
            file.unlink()
            total -= status.st_size


@contextmanager
def serve_app(
    models: Sequence[str] = (),
    options: ModelOptions | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
) -> Iterator[str]:
    """Serve the page until the context ends; yield its address.

    Args:
        models: checkpoints to choose from, folders or hub ids; () for the default checkpoint.
        options: backend, device and dtype of all checkpoints; its `checkpoint` is ignored.
        host, port: address on which the server listens.

    Raises:
        MissingExtraError: gradio is not installed.
        CheckpointError: a checkpoint is missing or damaged.
        InputError: backend, device and dtype cannot be combined, or the port is in use.

    Example:
        >>> with serve_app(port=8000) as address:  # doctest: +SKIP
        ...     print(address)
        http://127.0.0.1:8000/
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # gradio reads it when it is imported
    gradio = require("gradio", extra="app", purpose="budew app")
    starlette = require("starlette.middleware", extra="app", purpose="budew app")
    backends, cards = {}, []
    for model in models or (None,):
        loaded = load_backend(replace(options or ModelOptions(), checkpoint=model))
        backends["/".join(Path(model or loaded.name).parts[-2:])] = loaded
        cards.append(read_card(model))
    with TemporaryDirectory(prefix="budew-app-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        blocks = browser_page(gradio, backends, cards)
        fonts = {"font": ["system-ui", "sans-serif"], "font_mono": ["ui-monospace", "monospace"]}
        try:
            _, address, _ = blocks.launch(
                server_name=host,
                server_port=port,
                app_kwargs={"middleware": [starlette.Middleware(RequestLimits, folder=Path(folder))]},
                max_file_size=LARGEST_UPLOAD,
                state_session_capacity=SESSIONS,
                css=CSS,
                theme=gradio.themes.Default(**fonts),
                footer_links=[],
                prevent_thread_lock=True,
                quiet=True,
                share=False,
                ssr_mode=False,
                mcp_server=False,
                pwa=False,
                run_history=False,
                enable_monitoring=False,
            )
        except OSError as error:
            raise InputError(
                f"the server cannot listen on {host}, port {port}: use another --port"
            ) from error
        try:
            yield address
        finally:
            blocks.close(verbose=False)
