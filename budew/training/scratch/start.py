"""Start of a run from scratch: synthetic speech, spectrograms, a trained tokenizer, random weights."""

from contextlib import nullcontext
from pathlib import Path

import torch
from accelerate import PartialState
from transformers import WhisperForConditionalGeneration, WhisperProcessor, WhisperTokenizer

from budew.errors import CorpusError
from budew.model.build import SPECIAL, build_tokenizer, build_whisper, whisper_config
from budew.randomness import generator
from budew.synthesis import synthesize_corpus
from budew.synthesis.clip_plan import Split
from budew.terminal import job_bar, progress_bar
from budew.training.data import FeatureSet, target_caption
from budew.training.recipe import Recipe
from budew.training.scratch.heads import WhisperWithHeads
from budew.training.scratch.spectrograms import load_features
from budew.training.trainer import say

TOKENIZER_CAPTIONS = 20_000


def prepare_features(recipe: Recipe, folder: Path, split: Split) -> FeatureSet:
    """Return the spectrograms of a part of the data, made and kept in the folder of the run if need be.

    Raises:
        CorpusError: the corpus cannot be read, or lacks profiles or captions.
    """
    corpus = recipe.data.train if split == "train" else recipe.data.validation
    shown, settings = PartialState().is_main_process, recipe.model.features
    if corpus is None:
        corpus = str(folder / "speech" / split)
        speech = recipe.data.speech
        clips = speech.train_clips if split == "train" else speech.validation_clips
        with job_bar(f"{split}: speech") if shown else nullcontext() as report:
            synthesize_corpus(corpus, clips=clips, seed=speech.seed, split=split, progress=report)
    with progress_bar(f"{split}: features", shown=shown) as move:
        features = load_features(corpus, settings=settings, cache=folder / "features", progress=move)
    say(f"{split}: {len(features.ids):,} clips of {corpus}")
    if features.cut:
        seconds = settings.window_seconds
        say(f"{split}: {features.cut:,} of them are longer than {seconds} s and are cut to it")
    if features.skipped:
        say(f"{split}: {features.skipped:,} others are left out: withheld, or nothing is known of them")
    if features.unlabeled:
        say(f"{split}: {features.unlabeled:,} of them have no emotion labels")
    bare = [id for id, captions in zip(features.ids, features.captions, strict=True) if not captions]
    if bare and recipe.data.captions == "corpus":
        raise CorpusError(
            f"{corpus}: clip {bare[0]!r} has no caption: caption the corpus, or set data.captions to render"
        )
    return features


def prepare_processor(recipe: Recipe, folder: Path, corpus: FeatureSet) -> WhisperProcessor:
    """Return feature extractor and tokenizer; the latter is trained on captions and kept in the folder."""
    saved = folder / "tokenizer"
    if not saved.is_dir():
        unfinished = folder / "tokenizer.unfinished"
        captions = (_caption(recipe, corpus, number) for number in range(TOKENIZER_CAPTIONS))
        build_tokenizer(captions, vocabulary=recipe.model.size.vocabulary).save_pretrained(unfinished)
        unfinished.replace(saved)
    tokenizer = WhisperTokenizer.from_pretrained(saved)
    for note in ("is_local", "local_files_only"):  # of this machine, not to be saved
        tokenizer.init_kwargs.pop(note, None)
    return WhisperProcessor(recipe.model.features.extractor(), tokenizer)


def build_model(recipe: Recipe, tokenizer: WhisperTokenizer) -> WhisperWithHeads:
    """Return a model with random weights, decided by the seed of the recipe."""
    model = build_whisper(
        recipe.model.size,
        recipe.model.features,
        tokenizer,
        seed=recipe.seed,
        num_beams=recipe.model.num_beams,
        kind=WhisperWithHeads,
    )
    model.heads_weight = recipe.model.heads_weight
    return model


def number_of_parameters(recipe: Recipe) -> int:
    """Return the number of parameters that a checkpoint of the recipe has, without building it."""
    tokenizer = build_tokenizer([], vocabulary=256 + len(SPECIAL))
    config = whisper_config(recipe.model.size, recipe.model.features, tokenizer)
    config.vocab_size = recipe.model.size.vocabulary
    with torch.device("meta"):
        return sum(weight.numel() for weight in WhisperForConditionalGeneration(config).parameters())


def _caption(recipe: Recipe, corpus: FeatureSet, number: int) -> str:
    clip = number % len(corpus.ids)
    rng = generator(recipe.seed, -1 - number, "tokenizer")
    return target_caption(corpus.profiles[clip], corpus.captions[clip], recipe.data, rng)
