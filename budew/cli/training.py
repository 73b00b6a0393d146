"""Commands that train: a captioner, or regression heads."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

from budew.cli import options
from budew.cli.options import PrintedErrors
from budew.terminal import print_table, progress_bar, say_error, visible_name

app = typer.Typer()


@app.command(no_args_is_help=True)
def train(
    recipe: Annotated[
        str,
        Argument(
            metavar="RECIPE",
            help="A YAML file, or the name of an included recipe: tiny-synthetic or train-demo.",
        ),
    ],
    dry_run: Annotated[
        bool, Option("--dry-run", help="Check the recipe and print it with every field, without training.")
    ] = False,
    resume: Annotated[bool, Option(help="Continue an interrupted run, or train from the start.")] = True,
    settings: Annotated[
        list[str] | None,
        Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Change one field, such as optimizer.max_steps=200. May be repeated.",
        ),
    ] = None,
    out: Annotated[Path | None, Option(metavar="DIR", help="Folder of the run. Default: runs/NAME.")] = None,
) -> None:
    """Train a captioner from a recipe, and save a stock transformers checkpoint.

    Run the same command again to resume an interrupted run.

    Example: budew train tiny-synthetic --set optimizer.max_steps=200 --out runs/short
    """
    from budew.corpora.sources import matches
    from budew.training.recipe import load_recipe

    chosen = load_recipe(recipe, settings or [])
    from budew.training.run import describe  # seconds, and a wrong recipe is reported before
    from budew.training.run import train as train_recipe

    folder = out or Path("runs") / chosen.name
    if dry_run:
        for named in filter(None, (chosen.data.train, chosen.data.validation)):
            matches(named)  # raises if there is none
        print(f"{describe(chosen)}\ncheckpoint: {folder / 'checkpoint'}")
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
    seed: Annotated[int, Option(help="Random seed for held-out speakers and initial weights.")] = 0,
    layout: Annotated[
        Literal["pooled", "flattened"],
        Option(help="Input of a head: statistics of the encoder states over time, or all states in a row."),
    ] = "pooled",
    size: Annotated[
        Literal["small", "large"],
        Option(
            help="Widths as in Empathic Insight-Voice-Small (64, 64, 32, 16) or -Large (128, 128, 64, 32)."
        ),
    ] = "small",
    loss: Annotated[
        Literal["squared", "absolute"] | None,
        Option(help="Default: squared for pooled, absolute for flattened, as published."),
    ] = None,
    memory: Annotated[
        float,
        Option(
            metavar="GB", min=0, help="Memory of the heads trained at once, at least one; changes no head."
        ),
    ] = 4.0,
    device: options.Device = None,
    batch_size: options.HeadsBatch = 16,
) -> None:
    """Train regression heads on the encoder of a Whisper checkpoint, for corpus annotate heads.

    A head is trained for each emotion and voice attribute with at least 20 clips, and
    5 of held-out speakers, and kept if it beats predicting the mean on those. The
    exit status is 1 if a clip cannot be read.

    Example: budew train-heads data/train/ heads/ --encoder runs/short/checkpoint
    """
    from budew.annotation.head_stack import LARGE, SMALL, Fitting
    from budew.annotation.train_heads import train_heads as train
    from budew.reports.label_tables import quality_table, rare_line

    bad = PrintedErrors()
    widths = LARGE if size == "large" else SMALL
    with progress_bar("training heads") as bar:
        trained = train(
            corpus,
            out,
            encoder=encoder,
            fitting=Fitting(widths, seed=seed, layout=layout, loss=loss),
            memory=memory,
            device=device,
            batch_size=batch_size,
            on_bad=bad,
            progress=lambda clips: bar(clips, text="clips encoded"),
            fitted=lambda heads: bar(heads, text="heads trained"),
        )
    print_table(quality_table(trained))
    skipped = trained.skipped
    if skipped.bare or skipped.unjudged or skipped.cut:
        say_error(
            f"clips without a profile: {skipped.bare}, with unknown emotions: {skipped.unjudged}, "
            f"longer than the window: {skipped.cut}"
        )
    print(
        f"heads: {len(trained.heads)}, clips: {trained.clips}, too rare: {len(trained.rare)},"
        f" in {visible_name(out)}"
    )
    if trained.rare:
        print(rare_line(trained))
    raise typer.Exit(bad.status)
