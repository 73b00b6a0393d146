"""Commands that train: a captioner, or regression heads."""

import os
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

from budew import heads, reports, training
from budew.cli import options
from budew.cli.options import option_groups
from budew.cli.terminal import PrintedErrors, print_table, progress_bar, say_error
from budew.errors import require
from budew.reports.formatting import visible_name

app = typer.Typer()


@app.command("recipes")
def recipes_command(
    name: Annotated[
        str | None, Argument(metavar="[RECIPE]", help="A YAML file, or the name of an included recipe.")
    ] = None,
    settings: options.RecipeChanges = None,
) -> None:
    """List the included recipes, or explain all fields of one recipe.

    The list shows the memory for one device and the batch size of the recipe. For an
    estimate with your data, use budew train RECIPE --dry-run.

    Example: budew recipes whisper-small-lora
    """
    if name is not None:
        chosen = training.load_recipe(name, settings or [])
        print_table(reports.fields_table(chosen))
        return
    shipped = {found: training.load_recipe(found) for found in training.shipped_recipes()}
    print_table(reports.recipes_table(shipped))


@app.command("train", no_args_is_help=True)
def train_command(
    recipe: Annotated[
        str,
        Argument(metavar="RECIPE", help="A YAML file, or the name of an included recipe: see budew recipes."),
    ],
    dry_run: Annotated[
        bool,
        Option("--dry-run", help="Check recipe and data, and estimate memory, time and disk. No training."),
    ] = False,
    resume: Annotated[bool, Option(help="Continue an interrupted run, or train from the start.")] = True,
    cache_features: Annotated[
        bool,
        Option(
            "--cache-features", help="Compute spectrograms once and keep them on disk: for small corpora."
        ),
    ] = False,
    report_to: Annotated[
        list[str] | None,
        Option(help="Log curves to tensorboard, wandb, trackio or mlflow. May be repeated."),
    ] = None,
    push_to_hub: Annotated[
        str | None,
        Option(
            metavar="OWNER/NAME", help="Upload the result to this Hugging Face repository; private if new."
        ),
    ] = None,
    settings: options.RecipeChanges = None,
    out: Annotated[Path | None, Option(metavar="DIR", help="Folder of the run. Default: runs/NAME.")] = None,
) -> None:
    """Fine-tune a Whisper into a captioner, or train one from scratch, by a recipe.

    The result is a standard transformers checkpoint. Run the same command again to resume
    an interrupted run, or with more steps to extend a finished one. With several GPUs:
    torchrun --nproc_per_node 8 -m budew train RECIPE

    Example: budew train whisper-small-lora --set data.train=train/ --set data.validation=validation/
    """
    require("accelerate", extra="train", purpose="budew train")  # before torch is loaded, which takes seconds
    changes = [*(settings or []), *(["data.cache_features=true"] if cache_features else [])]
    if report_to:
        changes.append(f"report_to=[{', '.join(report_to)}]")
    chosen = training.load_recipe(recipe, changes)
    folder = out or Path("runs") / chosen.name
    if dry_run:
        _plan(chosen, folder)
        return
    checkpoint = training.train(chosen, out=folder, resume=resume, progress=progress_bar)
    if os.environ.get("RANK", "0") != "0":  # another process of torchrun
        return
    if push_to_hub:
        print(f"pushed to:  {training.push(checkpoint, push_to_hub)}")
    model = shlex.quote(str(checkpoint))
    print(f"checkpoint: {checkpoint}")
    print(f"next:       budew evaluate CORPUS --model {model}  # of other speakers than it was trained on")


def _plan(recipe: "training.Recipe", folder: Path) -> None:
    """Print the plan of a training run."""
    clips, steps, states, share = training.run_size(recipe, folder, progress=progress_bar)
    print(recipe.to_yaml(defaults=False))
    print_table(reports.recipes_table({recipe.name: recipe}))
    print(f"\n{clips:,} clips, {steps:,} steps of {recipe.optimizer.batch_size}")
    print(f"steps compute {share:.0%} of the window on average: most are padded to their longest clip only")
    needs, work = training.training_needs(recipe), training.step_operations(recipe)
    if needs is None or work is None:
        print(
            f"{recipe.model.base} is not on this machine, and its size is unknown: nothing can be estimated"
        )
        return
    cached = f", for cached states: {states / 1e9:,.1f} GB" if states else ""
    print(f"disk for checkpoints: {needs.disk / 1e9:,.1f} GB{cached}\n")
    print_table(
        reports.needs_table(recipe, needs, replace(work, flops=round(share * work.flops)), steps, states)
    )


@dataclass(frozen=True, slots=True)
class HeadOptions:
    """Options for the architecture and the training of heads."""

    seed: Annotated[int, Option(help="Random seed for held-out speakers and initial weights.")] = 0
    layout: Annotated[
        Literal["pooled", "flattened"],
        Option(
            help="Input of a head. pooled: statistics of the encoder states over time; flattened: all states."
        ),
    ] = "pooled"
    size: Annotated[
        Literal["small", "large"],
        Option(
            help="Layer widths as in Empathic Insight-Voice-Small (64, 64, 32, 16) or -Large (128, 128, 64, "
            "32)."
        ),
    ] = "small"
    loss: Annotated[
        Literal["squared", "absolute"] | None,
        Option(help="Loss function. Default: squared for pooled, absolute for flattened, as published."),
    ] = None
    memory: Annotated[
        float,
        Option(
            metavar="GB",
            min=0,
            help="Memory for heads that are trained at the same time (at least one head). The result does "
            "not depend on it.",
        ),
    ] = 4.0


@dataclass(frozen=True, slots=True)
class HeadStages:
    """Options for further corpora, a second stage of training, and heads to start from."""

    also: Annotated[
        list[str] | None,
        Option(
            metavar="CORPUS[=WEIGHT]",
            help="Further corpus of the first stage. May be repeated. WEIGHT: share of the loss relative to "
            "the other corpora, which all have 1 by default, whatever their number of clips.",
        ),
    ] = None
    expert: Annotated[
        list[str] | None,
        Option(
            metavar="CORPUS[=WEIGHT]",
            help="Corpus with labels by experts: a second stage trains the heads further on it, at a tenth "
            "of the learning rate. May be repeated.",
        ),
    ] = None
    start: Annotated[
        Path | None,
        Option(metavar="HEADS", help="Heads to train further. Default: random weights."),
    ] = None

    def corpora(self, corpus: str) -> "heads.HeadCorpora":
        """Return the corpora of both stages."""
        weak = {corpus: 1.0} | _weighted(self.also or [])
        return heads.HeadCorpora(weak, _weighted(self.expert or []), self.start)


def _weighted(given: list[str]) -> dict[str, float]:
    """Return the weights of corpora written as `CORPUS` or `CORPUS=WEIGHT`."""
    parts = [re.fullmatch(r"(.+?)(?:=(\d+(?:\.\d+)?))?", one) for one in given]
    return {match[1]: float(match[2] or 1) for match in parts if match}


@app.command("train-heads", no_args_is_help=True)
@option_groups()
def train_heads_command(
    corpus: options.Corpus,
    out: Annotated[Path, Argument(metavar="OUT", help="New folder for the heads.")],
    head_options: HeadOptions,
    stages: HeadStages,
    encoder: options.HeadsEncoder = None,
    device: options.Device = None,
    batch_size: options.HeadsBatch = 16,
) -> None:
    """Train regression heads on the encoder of a Whisper checkpoint, for corpus annotate heads.

    A head is trained for each emotion and voice attribute that at least 20 clips have,
    5 of them by held-out speakers. It is kept if it predicts the held-out clips better
    than the mean does. With --expert there are two stages: first weak labels, then labels
    by experts. OUT gets a model card. The exit status is 1 if a clip cannot be read.

    Example: budew train-heads data/train/ heads/ --encoder runs/short/checkpoint
    """
    bad = PrintedErrors()
    fitting = heads.FittingOptions(
        heads.LARGE if head_options.size == "large" else heads.SMALL,
        seed=head_options.seed,
        layout=head_options.layout,
        loss=head_options.loss,
        memory=head_options.memory,
    )
    with progress_bar("training heads") as bar:
        trained = heads.train_heads(
            stages.corpora(corpus),
            out,
            encoder=encoder,
            options=fitting,
            device=device,
            batch_size=batch_size,
            on_bad=bad,
            progress=lambda count, what: bar(count, text=what),
        )
    for stage, results in trained.stages.items():
        if len(trained.stages) > 1:
            print(f"on {stage} labels")
        print_table(reports.quality_table(results.quality))
        if any(results.unused.values()):
            bare, unrated, truncated = (results.unused[kind] for kind in ("bare", "unrated", "truncated"))
            say_error(
                f"clips without a profile: {bare}, with unknown emotions: {unrated}, longer than the window: "
                f"{truncated}"
            )
    print(
        f"heads: {len(trained.heads)}, clips: {trained.clips}, too rare: {len(trained.rare)},"
        f" in {visible_name(out)}"
    )
    if trained.rare:
        print(reports.rare_line(trained))
    raise typer.Exit(bad.status)
