"""`budew app`: the page in the browser."""

import sys
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM, signal
from threading import Event
from typing import Annotated, Literal

import typer
from typer import Option

from budew import app as page
from budew import corpora, curation, inference
from budew.cli import options
from budew.cli.terminal import PrintedErrors
from budew.corpora.clip import without_withheld
from budew.errors import InputError, require
from budew.reports.formatting import visible

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class RatingOptions:
    """Options of the page for raters."""

    rate: Annotated[str | None, Option(metavar="CORPUS", help="Serve a page to rate these clips.")] = None
    raters: Annotated[Path | None, Option(metavar="FILE", help="Names of raters, one a line.")] = None
    answers: Annotated[Path, Option(metavar="FILE", help="SQLite file of ratings.")] = Path("ratings.sqlite")
    media: Annotated[Literal["audio", "image"], Option(help="What the corpus to rate holds.")] = "audio"
    ask: Annotated[
        str,
        Option(
            metavar="target|all|NAME,...",
            help="Emotions to rate; target: the strongest one in the profile of each clip.",
        ),
    ] = "target"
    scale: Annotated[str, Option(metavar="NAME", help="Scale of ratings; 0-7 as in EmoNet-Face HQ.")] = "0-2"
    repeats: Annotated[float, Option(min=0, max=0.5, help="Share of clips that are rated twice.")] = 0.1
    seed: Annotated[int, Option(metavar="S", help="Random seed of the order of clips to rate.")] = 0


@app.command("app")
@options.option_groups()
def serve_page(
    rating: RatingOptions,
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

    With --rate, raters hear or see clips instead, and rate their emotions. The addresses of
    raters and of an overview, which has the table for budew corpus ratings, are printed.

    Example: budew app --model laion/BUD-E-Whisper --port 8000
    """
    if rating.rate or rating.raters:
        _serve_ratings(rating, host, port)
        return
    run_by = inference.ModelOptions(backend=backend, device=device, dtype=dtype)
    with page.serve_app(model or (), run_by, host=host, port=port) as address:
        print(f"page: {address}", flush=True)
        signal(SIGTERM, lambda *_: sys.exit(143))  # so that the recordings are deleted
        Event().wait()


def _serve_ratings(given: RatingOptions, host: str, port: int) -> None:
    if given.rate is None or given.raters is None:
        raise InputError("--rate CORPUS and --raters FILE belong together: give both")
    bad, lines = PrintedErrors(), given.raters.read_text(encoding="utf-8").splitlines()
    raters = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    read = corpora.read(
        given.rate, media=corpora.IMAGE if given.media == "image" else corpora.AUDIO, on_bad=bad
    )
    clips = {clip.id: clip for clip in without_withheld(read, lambda _, error: bad(error))}
    asked = (given.ask, given.scale, given.repeats, given.seed)
    study = curation.RatingStudy(given.answers, clips, raters, *asked)
    pages = page.RatingPages(study)
    rated = len({task.item for tasks in pages.tasks.values() for task in tasks})
    print(f"clips to rate: {rated:,} of {len(clips):,}")
    for name, path in ({"overview": pages.overview} | pages.paths).items():
        print(f"{visible(name)}: http://{host}:{port}{path}", flush=True)
    uvicorn = require("uvicorn", extra="app", purpose="budew app --rate")
    uvicorn.run(pages.app(), host=host, port=port, log_level="warning")
