"""Commands that train: a captioner, or regression heads."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from budew.cli import options
from budew.cli.printed_errors import PrintedErrors
from budew.terminal import print_table, progress_bar, say_error, visible_name

app = typer.Typer()


@app.command(no_args_is_help=True)
def train(
    recipe: Annotated[
        str,
        Argument(
            metavar="RECIPE",
            help="A YAML file, or the name of a recipe that ships: tiny-synthetic, train-demo.",
        ),
    ],
    dry_run: Annotated[
        bool, Option("--dry-run", help="Check the recipe and print what it would do.")
    ] = False,
    resume: Annotated[
        bool, Option(help="Continue a run that was stopped, or train again from the start.")
    ] = True,
    settings: Annotated[
        list[str] | None,
        Option(
            "--set", metavar="FIELD=VALUE", help="Change a field: optimizer.max_steps=200. May be repeated."
        ),
    ] = None,
    out: Annotated[Path | None, Option(metavar="DIR", help="Folder of the run; left out, runs/NAME.")] = None,
) -> None:
    """Train a captioner by a recipe, and save a plain transformers checkpoint.

    Results of each stage are kept in the folder of the run, so a run that was
    stopped goes on when it is started again.

    Example: budew train tiny-synthetic --set optimizer.max_steps=200 --out runs/short
    """
    from budew.training.recipe import load_recipe
    from budew.training.run import describe
    from budew.training.run import train as train_recipe

    chosen = load_recipe(recipe, settings or [])
    folder = out or Path("runs") / chosen.name
    if dry_run:
        print(f"{describe(chosen)}\nthe checkpoint would be {folder / 'checkpoint'}")
        return
    checkpoint = train_recipe(chosen, out=folder, resume=resume)
    corpus = chosen.data.validation or folder / "speech" / "validation"
    evaluation = ("budew", "evaluate", str(corpus), "--model", str(checkpoint))
    print(f"checkpoint: {checkpoint}\nnext:       {shlex.join(evaluation)}")


@app.command(no_args_is_help=True)
def train_heads(
    corpus: options.Corpus,
    out: Annotated[Path, Argument(metavar="OUT", help="New folder for the heads.")],
    encoder: options.HeadsEncoder = None,
    seed: Annotated[int, Option(help="Decides which speakers are held out, and the first weights.")] = 0,
    device: options.Device = None,
    batch_size: options.HeadsBatch = 16,
) -> None:
    """Train regression heads on the encoder of a Whisper checkpoint, for corpus annotate heads.

    A head is made for each emotion and voice attribute that occurs often enough,
    and kept if it predicts unknown speakers better than the mean does. Exit
    status 1 where a clip cannot be read.

    Example: budew train-heads data/train/ heads/ --encoder runs/short/checkpoint
    """
    from budew.annotation.head_stack import Fitting
    from budew.annotation.train_heads import train_heads as train
    from budew.reports.annotation_tables import quality_table, rare_line

    bad = PrintedErrors()
    with progress_bar("encoding") as bar:
        trained = train(
            corpus,
            out,
            encoder=encoder,
            fitting=Fitting(seed=seed),
            device=device,
            batch_size=batch_size,
            on_bad=bad,
            progress=bar,
        )
    print_table(quality_table(trained))
    if trained.bare or trained.unjudged or trained.cut:
        say_error(
            f"clips without a profile: {trained.bare}, with unknown emotions: {trained.unjudged}, "
            f"longer than the window: {trained.cut}"
        )
    print(
        f"heads: {len(trained.heads)}, clips: {trained.clips}, too rare: {len(trained.rare)},"
        f" in {visible_name(out)}"
    )
    if trained.rare:
        print(rare_line(trained))
    raise typer.Exit(bad.status)
