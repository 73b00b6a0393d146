"""A recipe, followed: speech, features, tokenizer, training, and a plain `transformers` checkpoint at
the end.

Every stage leaves its result in the folder of the run and is skipped when it is there, so a run that
was stopped goes on where it was.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from transformers import WhisperProcessor, WhisperTokenizer

from budew.model.build import build_whisper, whisper_config
from budew.model.tokenizer import SPECIAL, build_tokenizer
from budew.quiet import quiet_transformers
from budew.randomness import generator
from budew.synthesis import synthesize_corpus
from budew.synthesis.tables import Split
from budew.training.console import run_progress, say, stage
from budew.training.dataset import caption_of
from budew.training.features import CorpusMismatchError, FeatureSet, load_features
from budew.training.heads import WhisperWithHeads
from budew.training.recipe import Recipe, RecipeError, load_recipe
from budew.training.save import save_checkpoint
from budew.training.trainer import accelerated, last_checkpoint, make_trainer

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
        overrides: values that replace those of the recipe's file, see `load_recipe`.
        resume: go on from what is in `out`; otherwise training starts again (speech and features are kept).
        dry_run: tell what would be done, and do nothing.

    Raises:
        RecipeError: the recipe cannot be followed, or `out` holds a run of another one.
        CorpusMismatchError: a corpus of the recipe lacks what it asks for.
        CorpusError: a corpus cannot be read.
        MissingExtraError: a library of the extra `train` is not installed.
    """
    recipe = _settled(recipe, overrides)
    folder = Path(out) if out else Path("runs") / recipe.name
    with run_progress() as progress, quiet_transformers():
        if dry_run:
            say(progress, describe(recipe))
        else:
            _claim(folder, recipe)
            _train(recipe, folder, progress, resume=resume)
    return folder / "checkpoint"


def describe(recipe: Recipe) -> str:
    """Return what a run of the recipe would be: its data, its model and its length."""
    config = whisper_config(recipe.size, recipe.features, build_tokenizer([], vocabulary=256 + len(SPECIAL)))
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
    if not isinstance(recipe, Recipe):
        return load_recipe(recipe, overrides=overrides)
    if overrides:
        raise RecipeError("overrides are for the file of a recipe: use dataclasses.replace on a Recipe")
    return recipe


def _claim(folder: Path, recipe: Recipe) -> None:
    """Write the recipe into the folder of the run, or check that it is the same."""
    path = folder / "recipe.yaml"
    if path.exists():
        if load_recipe(path) != recipe:
            raise RecipeError(
                f"{folder} holds a run of another recipe (see {path}): choose another folder with --out"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / "recipe.unfinished"
    unfinished.write_text(recipe.to_yaml(), encoding="utf-8")
    unfinished.replace(path)


def _train(recipe: Recipe, folder: Path, progress: Progress, *, resume: bool) -> None:
    train_set = _features(recipe, folder, "train", progress)
    validation_set = _features(recipe, folder, "validation", progress)
    processor = WhisperProcessor(recipe.features.extractor(), _tokenizer(recipe, folder, train_set))
    trainer = make_trainer(
        recipe,
        folder / "training",
        model=_model(recipe, processor.tokenizer),
        processor=processor,
        train=train_set,
        validation=validation_set,
        progress=progress,
    )
    if not resume:
        shutil.rmtree(folder / "training", ignore_errors=True)
    last = last_checkpoint(folder / "training")
    if last:
        say(progress, f"going on from {last}")
    with _reproducible():
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    save_checkpoint(trainer.model, processor, recipe, folder / "checkpoint", trainer.state.log_history)


@contextmanager
def _reproducible() -> Iterator[None]:
    """Make sums in one order, whatever the threads: without, two runs on two processors part within 60 steps.

    Where an accelerator has no such kernel, the run goes on with a warning.
    """
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=accelerated())
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def _features(recipe: Recipe, folder: Path, split: Split, progress: Progress) -> FeatureSet:
    corpus = recipe.train if split == "train" else recipe.validation
    if corpus is None:
        corpus = _speech(recipe, folder, split, progress)
    move = stage(progress, f"{split}: features")
    features = load_features(corpus, settings=recipe.features, cache=folder / "features", progress=move)
    move(len(features.ids), len(features.ids))
    say(progress, f"{split}: {len(features.ids):,} clips of {corpus}")
    if features.cut:
        say(
            progress,
            f"{split}: {features.cut:,} of them are longer than {recipe.window_seconds} s: only their "
            "beginning is heard",
        )
    if features.unjudged:
        say(progress, f"{split}: the emotions of {features.unjudged:,} of them are unknown: none are learnt")
    if recipe.captions == "corpus":
        _check_captions(corpus, features)
    return features


def _speech(recipe: Recipe, folder: Path, split: Split, progress: Progress) -> str:
    speech, move = folder / "speech" / split, stage(progress, f"{split}: speech, shards")
    synthesize_corpus(
        speech,
        clips=recipe.train_clips if split == "train" else recipe.validation_clips,
        seed=recipe.corpus_seed,
        split=split,
        progress=lambda at: move(at.units, at.of),
    )
    return str(speech)


def _check_captions(corpus: str, features: FeatureSet) -> None:
    for clip, captions in zip(features.ids, features.captions, strict=True):
        if not captions:
            raise CorpusMismatchError(
                f"{corpus}: clip {clip!r} has no caption: caption the corpus, or set captions: render"
            )


def _tokenizer(recipe: Recipe, folder: Path, corpus: FeatureSet) -> WhisperTokenizer:
    saved = folder / "tokenizer"
    if not saved.is_dir():
        captions = (
            caption_of(
                corpus, number % len(corpus.ids), recipe, generator(recipe.seed, -1 - number, "tokenizer")
            )
            for number in range(TOKENIZER_CAPTIONS)
        )
        unfinished = folder / "tokenizer.unfinished"
        build_tokenizer(captions, vocabulary=recipe.vocabulary).save_pretrained(unfinished)
        unfinished.replace(saved)
    tokenizer = WhisperTokenizer.from_pretrained(saved)
    for note in ("is_local", "local_files_only"):  # of this machine: no part of what is saved
        tokenizer.init_kwargs.pop(note, None)
    return tokenizer


def _model(recipe: Recipe, tokenizer: WhisperTokenizer) -> WhisperWithHeads:
    model = build_whisper(
        recipe.size,
        recipe.features,
        tokenizer,
        seed=recipe.seed,
        beams=recipe.beams,
        kind=WhisperWithHeads,
    )
    model.heads_weight = recipe.heads_weight
    if not accelerated():
        model.set_attn_implementation("eager")  # a fifth faster on processors, see benchmarks/attention.py
    return model
