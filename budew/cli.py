"""The command `budew`: each command is one call of the library, with its result printed.

Results go to stdout, everything else to stderr. Exit status: 0 all is well, 1 something failed and was told,
2 the command was not understood. `BUDEW_DEBUG=1` shows the traceback of what is one line otherwise. What a
command needs is imported inside it, so that help takes a tenth of a second and not the seconds of torch.
"""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from budew.extras import MissingExtraError
from budew.terminal import (
    as_json,
    one_line_for,
    opened,
    output,
    plain_warnings,
    print_table,
    progress_bar,
    say_error,
    tolerant_output,
)
from budew.version import __version__

SETTINGS: dict[str, Any] = {
    "no_args_is_help": True,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Listen to speech and write what a good listener would say of it: emotions, bursts, the speaker.",
    **SETTINGS,
)
corpus_app = typer.Typer(help="Make corpora of clips.", **SETTINGS)
app.add_typer(corpus_app, name="corpus")


class Format(StrEnum):
    """How captions are printed."""

    text = "text"
    json = "json"
    jsonl = "jsonl"


class Split(StrEnum):
    """Parts of a synthetic corpus; no voice is in two of them."""

    train = "train"
    validation = "validation"
    test = "test"


Model = Annotated[
    str | None, typer.Option(metavar="DIR|HUB-ID", help="Checkpoint; the embedded one when left out.")
]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; the best when left out.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Windows that are captioned at once.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write here, not to stdout.")
]


def main() -> None:
    """Run the command line; the one place where an error becomes a line and an exit status."""
    tolerant_output()
    plain_warnings()
    try:
        app(prog_name="budew")
    except (ValueError, OSError, MissingExtraError) as error:
        if os.environ.get("BUDEW_DEBUG") == "1":
            raise
        say_error(one_line_for(error))
        sys.exit(1)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"budew {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command(no_args_is_help=True)
def caption(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Audio files and folders.", show_default=False),
    ],
    format: Annotated[Format, typer.Option(help="json is one array, jsonl one object a line.")] = Format.text,
    scores: Annotated[bool, typer.Option("--scores", help="Add the emotions as numbers, 0 to 1.")] = False,
    model: Model = None,
    batch_size: BatchSize = 16,
    device: Device = None,
    output_file: Output = None,
) -> None:
    """Caption speech in wav, flac, mp3, ogg, opus, m4a or webm, of any rate, channels and length.

    Long recordings are cut into windows. A bad file is one line on stderr, the others are captioned.

    Example: budew caption talk.mp3 interviews/ --format jsonl --scores > captions.jsonl
    """
    from budew.inference import Captioner
    from budew.shown import show_captions

    captioner = Captioner.from_pretrained(model, device=device, batch_size=batch_size)
    named = len(paths) > 1 or paths[0].is_dir()
    with output(output_file) as file, progress_bar("captioning", shown=not file.isatty()) as bar:
        results = captioner.caption_files(paths, progress=bar)
        fine = show_captions(results, file, format=format.value, scores=scores, named=named)
    raise typer.Exit(0 if fine else 1)


@app.command(no_args_is_help=True)
def parse(
    text: Annotated[str | None, typer.Argument(metavar="TEXT", show_default=False)] = None,
    jsonl: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON Lines with captions; - is stdin.")
    ] = None,
    output_file: Output = None,
) -> None:
    """Read emotions (0 to 1), vocal bursts and traits out of a caption. No model is needed.

    With --jsonl: objects with "caption" in, the same objects with "emotions" added out.

    Example: budew parse "A young woman, deeply sad, sobbing."
    """
    if (text is None) == (jsonl is None):
        raise typer.BadParameter('give either "TEXT" or --jsonl FILE')
    if jsonl is not None:
        raise typer.Exit(_parse_jsonl(jsonl, output_file))
    from budew.captions import parse as parse_caption

    with output(output_file) as file:
        print(as_json(parse_caption(text or "").profile.to_dict(), indent=1), file=file)


def _parse_jsonl(path: Path, output_file: Path | None) -> int:
    from budew.corpora.caption_lines import parse_lines

    bad: list[Exception] = []

    def tell(error: Exception) -> None:
        bad.append(error)
        say_error(error)

    with opened(path) as lines, output(output_file) as file:
        for record in parse_lines(lines, name=str(path), on_bad=tell):
            print(as_json(record), file=file)
    return int(bool(bad))


@app.command(no_args_is_help=True)
def render(
    profile: Annotated[Path, typer.Argument(metavar="PROFILE.json", show_default=False)],
    seed: Annotated[int, typer.Option(help="Another seed gives other words.")] = 0,
    count: Annotated[int, typer.Option(min=1, help="Captions, with the seeds that follow.")] = 1,
) -> None:
    """Write the captions of a profile, one a line; - reads it from stdin.

    Example: echo '{"emotions": {"Sadness": 0.75}, "bursts": ["Sob"]}' | budew render - --count 3
    """
    from budew.captions import render as render_caption
    from budew.profile import LARGEST_JSON, VoiceProfile

    with opened(profile) as file:
        described = VoiceProfile.from_json(file.read(LARGEST_JSON + 1))
    for number in range(count):
        print(render_caption(described, seed=seed + number))


@corpus_app.command(no_args_is_help=True)
def synthesize(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the shards.", show_default=False)],
    clips: Annotated[int, typer.Option(min=1, help="How many.", show_default=False)],
    seed: Annotated[int, typer.Option(help="Decides everything, to the byte.", show_default=False)],
    split: Annotated[Split, typer.Option(help="No voice is in two of them.")] = Split.train,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one a processor.")] = None,
) -> None:
    """Make synthetic emotional speech in four languages, with its profiles, as WebDataset shards.

    Run again, a stopped run goes on.

    Example: budew corpus synthesize data/train --clips 16000 --seed 1
    """
    from budew.synthesis import synthesize_corpus

    with progress_bar("synthesizing") as bar:
        shards = synthesize_corpus(
            out, clips=clips, seed=seed, split=split.value, workers=workers, progress=bar
        )
    print(f"{clips} clips in {len(shards)} shards in {out}")


@app.command(no_args_is_help=True)
def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.yaml", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and tell, train nothing.")] = False,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint in the folder.")] = True,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe; repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the run.")] = None,
) -> None:
    """Train a captioner as a recipe says and save a plain transformers checkpoint.

    Example: budew train recipes/tiny-synthetic.yaml --set max_steps=200 --out runs/short
    """
    changes = dict(_assignment(text) for text in settings or [])
    from budew.training.run import train as train_recipe

    checkpoint = train_recipe(recipe, out=out, overrides=changes, resume=resume, dry_run=dry_run)
    print(f"{'would be saved to' if dry_run else 'checkpoint:'} {checkpoint}")


def _assignment(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise typer.BadParameter(f"{text!r} is not of the form key=value", param_hint="--set")
    return key, value


@app.command(no_args_is_help=True)
def evaluate(
    corpus: Annotated[str, typer.Argument(metavar="CORPUS", show_default=False)],
    model: Model = None,
    predictions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON Lines to judge instead of a model.")
    ] = None,
    scale: Annotated[str, typer.Option(help="Rating scale of the numbers in --predictions.")] = "intensity",
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all figures.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a report to open.")] = None,
    device: Device = None,
    batch_size: BatchSize = 16,
) -> None:
    """Compare what is predicted for the clips of a corpus with their profiles, per emotion.

    CORPUS is a folder, a shard, a parquet file, a JSON Lines manifest, or a pattern in quotes.

    Example: budew evaluate 'data/test/*.tar' --html report.html
    """
    from budew.evaluation import evaluate_corpus, tables, write_html

    with progress_bar("evaluating") as bar:
        evaluation = evaluate_corpus(
            corpus,
            model=model,
            predictions=predictions,
            scale=scale,
            device=device,
            batch_size=batch_size,
            progress=lambda done: bar(done, None),
        )
    print_table(tables(evaluation))
    if json is not None:
        json.write_text(evaluation.to_json(), encoding="utf-8")
    if html is not None:
        print(f"report: {write_html(evaluation, html)}")
    for clip in evaluation.skipped:
        say_error(f"left out: {clip.id}: {clip.reason}")
    raise typer.Exit(1 if evaluation.skipped else 0)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the report.")] = Path("runs/demo"),
) -> None:
    """Caption the bundled clips, parse, compare with the truth, write a report. Needs no network.

    Example: budew demo --out runs/demo
    """
    from budew.demo import run_demo
    from budew.evaluation.table import summary_table

    with progress_bar("captioning") as bar:
        made = run_demo(out, progress=lambda done: bar(done, None))
    for pair in made.evaluation.pairs:
        print(f"{pair.id}\n  caption  {pair.caption}")
        print(
            f"  scores   {_strongest(pair.predicted.emotions)}\n  truth    {_strongest(pair.truth.emotions)}"
        )
    print_table(summary_table(made.evaluation))
    print(f"figures: {made.figures}\nreport:  {made.report.resolve().as_uri()}")


def _strongest(emotions: Any, most: int = 4) -> str:
    ranked = sorted(emotions.items(), key=lambda item: -item[1])[:most]
    return ", ".join(f"{name} {intensity:.2f}" for name, intensity in ranked) or "none"


@app.command()
def doctor() -> None:
    """Tell what this installation can do here, with a remedy for each thing that it cannot.

    Example: budew doctor
    """
    from budew.doctor import examine

    works = True
    for finding in examine():
        mark = "ok" if finding.ok else "FAIL" if finding.needed else "--"
        print(f"{mark:>4}  {finding.subject:<20} {finding.detail}", flush=True)
        if not finding.ok:
            works = works and not finding.needed
            print(f"      {'':<20} → {finding.remedy}")
    raise typer.Exit(0 if works else 1)
