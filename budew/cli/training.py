"""Commands that train a model: train."""

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
