"""Start of a run from scratch: a tokenizer trained on captions, and random weights."""

from pathlib import Path

from transformers import WhisperProcessor, WhisperTokenizer

from budew.model.build import build_tokenizer, build_whisper
from budew.randomness import generator
from budew.training.examples import Examples
from budew.training.recipe import Recipe
from budew.training.scratch.heads import WhisperWithHeads

TOKENIZER_CAPTIONS = (2_000, 20_000)
"""From which a tokenizer learns: as many as the run has, but at least and at most these."""


def prepare_tokenizer(recipe: Recipe, folder: Path, examples: Examples) -> WhisperTokenizer:
    """Return a tokenizer trained on captions of the examples; it is kept in the folder of the run."""
    saved = folder / "tokenizer"
    if not saved.is_dir():
        unfinished = folder / "tokenizer.unfinished"
        fewest, most = TOKENIZER_CAPTIONS
        drawn = range(min(max(fewest, len(examples)), most))
        captions = (_caption(recipe, examples, number) for number in drawn)
        vocabulary = recipe.model.scratch.size.vocabulary
        build_tokenizer(captions, vocabulary=vocabulary).save_pretrained(unfinished)
        unfinished.replace(saved)
    tokenizer = WhisperTokenizer.from_pretrained(saved)
    for note in ("is_local", "local_files_only"):  # of this machine, not to be saved
        tokenizer.init_kwargs.pop(note, None)
    return tokenizer


def build_model(recipe: Recipe, processor: WhisperProcessor) -> WhisperWithHeads:
    """Return a model with random weights, decided by the seed of the recipe."""
    scratch = recipe.model.scratch
    return build_whisper(
        scratch.size,
        scratch.features,
        processor.tokenizer,
        seed=recipe.seed,
        num_beams=recipe.model.num_beams,
        kind=WhisperWithHeads,
    )


def _caption(recipe: Recipe, examples: Examples, number: int) -> str:
    notes = examples.notes(number % len(examples))
    target = examples.target(notes, generator(recipe.seed, -1 - number, "tokenizer"))
    return " ".join(filter(None, (target.prompt, target.text)))
