"""A recipe, followed: speech, features, tokenizer, training, and a plain `transformers` checkpoint at
the end.

Every stage leaves its result in the folder of the run and is skipped when it is there, so a run that
was stopped goes on where it was.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import WhisperProcessor, WhisperTokenizer
from transformers.trainer_utils import get_last_checkpoint

from budew.extras import require
from budew.model.build import generation_config, whisper_config
from budew.model.tokenizer import build_tokenizer
from budew.synthesis import synthesize_corpus
from budew.synthesis.tables import Split
from budew.training.dataset import caption_of, generator
from budew.training.features import FeatureSet, load_features
from budew.training.heads import WhisperWithHeads
from budew.training.recipe import Recipe, RecipeError, load_recipe
from budew.training.trainer import make_trainer
from budew.version import __version__

TOKENIZER_CAPTIONS = 20_000


def train(
    recipe: Recipe | str | Path,
    *,
    out: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    resume: bool = True,
    dry_run: bool = False,
) -> Path:
    """Train a model and return the folder of its checkpoint, `out`/checkpoint.

    Args:
        recipe: a recipe or its file.
        out: folder of the run; runs/NAME when None.
        overrides: values that replace the recipe's.
        resume: go on from what is in `out`; otherwise training starts again (speech and features are kept).
        dry_run: tell what would be done, and do nothing.

    Raises:
        RecipeError: the recipe cannot be followed, or `out` holds a run of another one.
        MissingExtraError: accelerate is not installed.
    """
    require("accelerate", extra="train", purpose="budew train")
    recipe = _settled(recipe, overrides)
    folder = Path(out) if out else Path("runs") / recipe.name
    if dry_run:
        Console(stderr=True).print(describe(recipe))
        return folder / "checkpoint"
    _claim(folder, recipe)
    with _progress() as progress:
        train_set = _features(recipe, folder, "train", progress)
        validation_set = _features(recipe, folder, "validation", progress)
    processor = WhisperProcessor(recipe.features.extractor(), _tokenizer(recipe, folder, train_set))
    trainer = make_trainer(
        recipe,
        folder / "training",
        model=_model(recipe, processor),
        processor=processor,
        train=train_set,
        validation=validation_set,
    )
    last = (
        get_last_checkpoint(str(folder / "training")) if resume and (folder / "training").is_dir() else None
    )
    trainer.train(resume_from_checkpoint=last)
    _save(trainer.model, processor, recipe, folder / "checkpoint", trainer.state.log_history)
    return folder / "checkpoint"


def describe(recipe: Recipe) -> str:
    """Return what a run of the recipe would be: its data, its model and its length."""
    tokenizer = build_tokenizer([], vocabulary=256 + 9)
    config = whisper_config(recipe.size, recipe.features, tokenizer)
    config.vocab_size = recipe.vocabulary
    with torch.device("meta"):
        parameters = sum(weight.numel() for weight in WhisperWithHeads(config).plain_parameters())
    clips = recipe.max_steps * recipe.batch_size * recipe.gradient_accumulation
    corpus = recipe.train or f"{recipe.train_clips:,} synthetic clips (seed {recipe.corpus_seed})"
    return (
        f"{recipe.name}: {parameters / 1e6:.1f} M parameters, windows of {recipe.window_seconds} s\n"
        f"learns from {corpus}\n"
        f"{recipe.max_steps:,} steps, {clips:,} examples\n\n{recipe.to_yaml()}"
    )


def _settled(recipe: Recipe | str | Path, overrides: Mapping[str, Any] | None) -> Recipe:
    if isinstance(recipe, Recipe):
        if overrides:
            raise RecipeError("overrides are for the file of a recipe: use dataclasses.replace on a Recipe")
        return recipe
    return load_recipe(recipe, overrides=overrides)


def _claim(folder: Path, recipe: Recipe) -> None:
    """Write the recipe into the folder of the run, or check that it is the same."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "recipe.yaml"
    if path.exists() and path.read_text(encoding="utf-8") != recipe.to_yaml():
        raise RecipeError(
            f"{folder} holds a run of another recipe (see {path}): choose another folder with --out"
        )
    path.write_text(recipe.to_yaml(), encoding="utf-8")


def _features(recipe: Recipe, folder: Path, split: Split, progress: Progress) -> FeatureSet:
    corpus = recipe.train if split == "train" else recipe.validation
    clips = recipe.train_clips if split == "train" else recipe.validation_clips
    if corpus is None:
        corpus = str(folder / "speech" / split)
        task = progress.add_task(f"{split}: speech", total=clips)
        synthesize_corpus(
            corpus,
            clips=clips,
            seed=recipe.corpus_seed,
            split=split,
            progress=lambda done, _: progress.update(task, completed=done),
        )
    task_features = progress.add_task(f"{split}: features", total=None)
    features = load_features(
        corpus,
        settings=recipe.features,
        cache=folder / "features",
        progress=lambda done: progress.update(task_features, completed=done),
    )
    progress.update(task_features, total=len(features.ids), completed=len(features.ids))
    if recipe.captions == "corpus" and not all(features.captions):
        raise RecipeError(f"captions: corpus, but a clip of {corpus} has none")
    return features


def _tokenizer(recipe: Recipe, folder: Path, corpus: FeatureSet) -> WhisperTokenizer:
    saved = folder / "tokenizer"
    if saved.is_dir():
        return WhisperTokenizer.from_pretrained(saved)
    captions = (
        caption_of(corpus, number % len(corpus.ids), recipe, generator(recipe.seed, -1 - number, "tokenizer"))
        for number in range(TOKENIZER_CAPTIONS)
    )
    tokenizer = build_tokenizer(captions, vocabulary=recipe.vocabulary)
    tokenizer.save_pretrained(saved)
    return tokenizer


def _model(recipe: Recipe, processor: WhisperProcessor) -> WhisperWithHeads:
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        model = WhisperWithHeads(whisper_config(recipe.size, recipe.features, processor.tokenizer))
    model.heads_weight = recipe.heads_weight
    model.generation_config = generation_config(
        processor.tokenizer, longest_caption=recipe.longest_caption, beams=recipe.beams
    )
    return model


def _save(
    model: WhisperWithHeads,
    processor: WhisperProcessor,
    recipe: Recipe,
    folder: Path,
    history: list[dict[str, Any]],
) -> None:
    """Save the checkpoint in half precision, with config, processor, recipe and the history of the losses."""
    plain = model.plain().to(torch.float16)
    plain.config.dtype = torch.float32  # half on disk; computed in full
    plain.save_pretrained(folder)
    processor.save_pretrained(folder)
    processor.feature_extractor.save_pretrained(folder)
    (folder / "recipe.yaml").write_text(recipe.to_yaml(), encoding="utf-8")
    made = {"made_by": f"budew {__version__}", "recipe": recipe.name, "history": history}
    (folder / "training.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))
