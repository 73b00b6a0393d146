"""The command `budew`: each command is one call of the library, with its result printed.

Results go to stdout, everything else to stderr. Exit status: 0 all is well, 1 something failed and was told,
2 the command was not understood. `BUDEW_DEBUG=1` shows the traceback of what is one line otherwise. What a
command needs is imported inside it, so that help takes a tenth of a second and not the seconds of torch.
"""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from budew import options
from budew.extras import require
from budew.terminal import (
    as_json,
    name_of,
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
    epilog="Begin with: budew demo, or budew caption FILE. What works here: budew doctor.",
    **SETTINGS,
)
corpus_app = typer.Typer(help="Make corpora: clips of speech with profiles.", **SETTINGS)
app.add_typer(corpus_app, name="corpus")


def main() -> None:
    """Run the command line; the one place where an error becomes a line and an exit status."""
    tolerant_output()
    plain_warnings()
    try:
        app(prog_name="budew")
    except Exception as error:
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
    paths: options.Paths,
    format: options.CaptionFormat = options.Format.text,
    scores: options.Scores = False,
    model: options.Model = None,
    beams: options.Beams = None,
    listeners: options.Listeners = 0,
    batch_size: options.BatchSize = 16,
    device: options.Device = None,
    output_file: options.Output = None,
) -> None:
    """Caption speech: wav, flac, mp3, ogg, opus, m4a or webm, of any rate, channels and length.

    Long recordings are captioned window by window. A bad file is one line on
    stderr and the others are captioned; of a damaged one, what can be heard is.
    Exit status 1 tells of either.

    Example: budew caption talk.mp3 interviews/ --format jsonl --scores > captions.jsonl
    """
    from budew.inference import Captioner
    from budew.shown import show_captions

    captioner = Captioner.from_pretrained(
        model, device=device, batch_size=batch_size, beams=beams, listeners=listeners
    )
    named = len(paths) > 1 or os.path.isdir(paths[0])
    with output(output_file) as file, progress_bar("captioning", shown=not file.isatty()) as bar:
        results = captioner.caption_files(paths, progress=bar)
        fine = show_captions(results, file, format=format.value, scores=scores, named=named)
    raise typer.Exit(0 if fine else 1)


@app.command(no_args_is_help=True)
def parse(
    text: options.Text = None,
    jsonl: options.JsonLines = None,
    output_file: options.Output = None,
) -> None:
    """Read emotions (0 to 1), vocal bursts and traits out of a caption, as JSON. Needs no model.

    With --jsonl: objects with "caption" in, the same objects with "emotions"
    added out. A bad line is one line on stderr, the others are parsed.

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
        for record in parse_lines(lines, name=name_of(path), on_bad=tell):
            print(as_json(record), file=file)
    return int(bool(bad))


@app.command(no_args_is_help=True)
def render(
    profile: options.ProfileFile,
    seed: options.WordingSeed = 0,
    count: options.Count = 1,
) -> None:
    """Say in words what a profile holds, one caption a line. Needs no model.

    Example: echo '{"emotions": {"Sadness": 0.75}, "bursts": ["Sobs"]}' | budew render - --count 3
    """
    from budew.captions import render as render_caption
    from budew.profile import LARGEST_JSON, VoiceProfile

    with opened(profile) as file:
        text = file.read(LARGEST_JSON + 1)
    try:
        described = VoiceProfile.from_json(text)
    except ValueError as error:
        raise ValueError(f"{name_of(profile)}: {error}") from error
    for number in range(count):
        print(render_caption(described, seed=seed + number))


@corpus_app.command(no_args_is_help=True)
def synthesize(
    out: options.CorpusFolder,
    clips: options.Clips,
    seed: options.CorpusSeed,
    split: options.CorpusSplit = options.Split.train,
    workers: options.Workers = None,
) -> None:
    """Make synthetic emotional speech in four languages, with its profiles, as WebDataset shards.

    About 50 clips a second on each processor. A run that was stopped goes on
    when it is started again. To listen: tar xf data/train/train-00000.tar

    Example: budew corpus synthesize data/train --clips 16000 --seed 1
    """
    require("scipy", extra="train", purpose="budew corpus synthesize")
    from budew.synthesis import synthesize_corpus

    with progress_bar("synthesizing") as bar:
        shards = synthesize_corpus(
            out, clips=clips, seed=seed, split=split.value, workers=workers, progress=bar
        )
    print(f"{clips} clips in {len(shards)} shards in {out}")


@app.command(no_args_is_help=True)
def train(
    recipe: options.RecipeName,
    dry_run: options.DryRun = False,
    resume: options.Resume = True,
    settings: options.Changes = None,
    out: options.RunFolder = None,
) -> None:
    """Train a captioner as a recipe says, and save a plain transformers checkpoint.

    What is done is kept in the folder of the run, so a run that was stopped
    goes on when it is started again.

    Example: budew train tiny-synthetic --set max_steps=200 --out runs/short
    """
    changes = dict(_assignment(text) for text in settings or [])
    from budew.training.recipe import load_recipe
    from budew.training.run import describe
    from budew.training.run import train as train_recipe
    from budew.training.shipped import find_recipe

    chosen = load_recipe(find_recipe(recipe), overrides=changes)
    folder = out or Path("runs") / chosen.name
    if dry_run:
        print(f"{describe(chosen)}\nthe checkpoint would be {folder / 'checkpoint'}")
        return
    checkpoint = train_recipe(chosen, out=folder, resume=resume)
    corpus = chosen.validation or folder / "speech" / "validation"
    evaluation = ("budew", "evaluate", str(corpus), "--model", str(checkpoint))
    print(f"checkpoint: {checkpoint}\nnext:       {shlex.join(evaluation)}")


def _assignment(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise typer.BadParameter(f"{text!r} is not of the form key=value", param_hint="--set")
    return key, value


@app.command(no_args_is_help=True)
def evaluate(
    corpus: options.Corpus,
    model: options.Model = None,
    predictions: options.Predictions = None,
    scale: options.RatingScale = "intensity",
    json: options.FiguresFile = None,
    html: options.ReportFile = None,
    device: options.Device = None,
    batch_size: options.BatchSize = 16,
    listeners: options.Listeners = 0,
) -> None:
    """Judge captions against the true profiles of a corpus, emotion by emotion, with 95 % intervals.

    Clips that cannot be judged are left out and told on stderr; then the exit
    status is 1.

    Example: budew evaluate 'data/test/*.tar' --html report.html
    """
    from budew.evaluation import evaluate_corpus, tables, write_html

    for path in filter(None, (json, html)):
        path.parent.mkdir(parents=True, exist_ok=True)
    with progress_bar("evaluating") as bar:
        evaluation = evaluate_corpus(
            corpus,
            model=model,
            predictions=predictions,
            scale=scale,
            device=device,
            batch_size=batch_size,
            listeners=listeners,
            progress=lambda done: bar(done, None),
        )
    print_table(tables(evaluation))
    if json is not None:
        json.write_text(evaluation.to_json(), encoding="utf-8")
        print(f"figures: {json}")
    if html is not None:
        print(f"report:  {write_html(evaluation, html).resolve().as_uri()}")
    for clip in evaluation.skipped:
        say_error(f"left out: {clip.id}: {clip.reason}")
    raise typer.Exit(1 if evaluation.skipped else 0)


@app.command()
def demo(
    out: options.DemoFolder = Path("runs/demo"),
) -> None:
    """Caption the bundled clips, compare with the truth and write a report. Needs no network.

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
    """Try what this installation can do here, and tell the remedy for each thing that it cannot.

    FAIL is needed for captioning and evaluation; -- is optional.

    Example: budew doctor
    """
    from budew.doctor import examine

    lacking = 0
    for finding in examine():
        mark = "ok" if finding.ok else "FAIL" if finding.needed else "--"
        print(f"{mark:>4}  {finding.subject:<20} {finding.detail}", flush=True)
        if not finding.ok:
            lacking += finding.needed
            print(f"      {'':<20} → {finding.remedy}")
    print(f"{lacking} to repair, see FAIL" if lacking else "captioning, parsing and evaluation work here")
    raise typer.Exit(1 if lacking else 0)
