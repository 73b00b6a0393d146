"""`budew app`: the page in the browser."""

import sys
from signal import SIGTERM, signal
from threading import Event
from typing import Annotated

import typer
from typer import Option

from budew import app as page
from budew import inference
from budew.cli import options

app = typer.Typer()


@app.command("app")
def serve_page(
    model: Annotated[
        list[str] | None,
        Option(
            metavar="DIR|HUB-ID",
            help="Checkpoint: a folder, or a name on the Hugging Face hub. If repeated, the page has a menu. "
            "Default: that of the environment variable BUDEW_MODEL, else the one in this package.",
        ),
    ] = None,
    backend: options.Backend = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    host: Annotated[
        str,
        Option(
            metavar="ADDRESS",
            help="Network address to listen on; 0.0.0.0 for all. There is no login. Browsers allow recording "
            "only over https or from this machine.",
        ),
    ] = "127.0.0.1",
    port: Annotated[int, Option(metavar="N", min=1, max=65_535, help="Port to listen on.")] = 7860,
) -> None:
    """Serve a page in the browser: record or upload speech, parse and render captions.

    The page loads nothing from elsewhere. Recordings stay on this machine and are
    deleted after an hour, or when the command ends (Ctrl-C).

    Example: budew app --model laion/BUD-E-Whisper --port 8000
    """
    run_by = inference.ModelOptions(backend=backend, device=device, dtype=dtype)
    with page.serve_app(model or (), run_by, host=host, port=port) as address:
        print(f"page: {address}", flush=True)
        signal(SIGTERM, lambda *_: sys.exit(143))  # so that the recordings are deleted
        Event().wait()
