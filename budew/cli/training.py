"""Commands that train a model: train."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

RecipeName = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE",
        help="A YAML file, or the name of a recipe that ships: tiny-synthetic, train-demo.",
        show_default=False,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check the recipe and print what it would do.")]
Resume = Annotated[bool, typer.Option(help="Continue a run that was stopped, or train again from the start.")]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="Change a field: optimizer.max_steps=200. May be repeated."
    ),
]
RunFolder = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of the run; left out, runs/NAME.")
]

app = typer.Typer()


@app.command(no_args_is_help=True)
def train(
    recipe: RecipeName,
    dry_run: DryRun = False,
    resume: Resume = True,
    settings: Changes = None,
    out: RunFolder = None,
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
