"""Commands that make a model: train."""

import shlex
from pathlib import Path

import typer

from budew.cli import options

app = typer.Typer()


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
