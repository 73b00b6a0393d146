"""The data of a run: corpora indexed, the clips that are used, and the order in which they come.

Indexes, and spectrograms and states where they are kept, lie in a folder that several runs may share, and are
not made again while the corpus is the same.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from transformers import WhisperFeatureExtractor, WhisperProcessor

from budew.corpora.sources import matches
from budew.curation.weights import read_weights
from budew.errors import CorpusError, SettingsError
from budew.synthesis import synthesize_corpus
from budew.synthesis.clip_plan import Split
from budew.training.clip_index import index_corpus
from budew.training.clip_order import ClipOrder, InTurn, Part
from budew.training.examples import Examples, cache_features
from budew.training.listener import Listener, fit_listener
from budew.training.progress import OpenBar, no_bar, say
from budew.training.recipe import Recipe, TrainingCorpus
from budew.training.selection import Selection, select
from budew.training.state_cache import cache_states

EVERYWHERE = 2**31
"""Shards mixed for a validation: all, so that its clips are a sample of the whole corpus."""


def check_corpora(recipe: Recipe) -> None:
    """Check that there is data, and that all corpora are there: reading a large one takes hours.

    Raises:
        SettingsError: the recipe names no data.
        CorpusError: one of the corpora is not there.
    """
    if not recipe.data.train and not recipe.data.speech.train_clips:
        raise SettingsError(
            "there is nothing to train on: --set data.train=CORPUS --set data.validation=CORPUS, or "
            "data.speech.train_clips for synthetic speech"
        )
    for corpus in (*(given.corpus for given in recipe.data.train), *recipe.data.validation):
        matches(corpus)


def prepare_corpora(
    recipe: Recipe,
    folder: Path,
    split: Split,
    extractor: WhisperFeatureExtractor,
    *,
    progress: OpenBar = no_bar,
) -> list[Selection]:
    """Return what is used of each corpus of a split; speech, indexes and spectrograms are made if need be.

    Args:
        recipe: names the corpora.
        folder: of the run.
        split: "train" or "validation".
        extractor: of the model.
        progress: opens a progress bar for each stage.

    Raises:
        CorpusError: a corpus cannot be read, or nothing in it can be learned.
    """
    corpora = recipe.data.train
    if split == "validation":
        corpora = tuple(TrainingCorpus(corpus=corpus) for corpus in recipe.data.validation)
    if not corpora:
        corpora = (TrainingCorpus(corpus=_speech(recipe, folder, split, progress)),)
    return [_prepared(recipe, folder, split, corpus, extractor, progress) for corpus in corpora]


def cached_states(
    recipe: Recipe,
    folder: Path,
    corpora: Sequence[Selection],
    model: Any,
    extractor: WhisperFeatureExtractor,
    *,
    progress: OpenBar = no_bar,
) -> list[Selection]:
    """Return the training corpora with their states, computed if need be; as they are, without.

    Args:
        recipe: of the run.
        folder: of the run.
        corpora: of `prepare_corpora`.
        model: the base, with the layers and the window of the recipe.
        extractor: of the model.
        progress: opens a progress bar for the stage.
    """
    if not recipe.data.cache_states:
        return list(corpora)
    states = _cache(recipe, folder) / "states"
    with progress("train: states") as move:
        return [cache_states(used, recipe, model, extractor, states, progress=move) for used in corpora]


def fitted_listener(recipe: Recipe, folder: Path, corpora: Sequence[Selection]) -> Listener | None:
    """Return the classifier of a run, fitted once and kept in its folder; None where the recipe has none.

    Args:
        recipe: of the run.
        folder: of the run.
        corpora: of `cached_states`.

    Raises:
        CorpusError: the corpora that are heard have no two classes.
    """
    settings = recipe.data.listener
    if settings is None:
        return None
    file = folder / "training" / "listener.npz"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        given = zip(corpora, recipe.data.train, strict=True)
        heard = [(used, corpus.weight) for used, corpus in given if corpus.heard]
        listener = fit_listener([used for used, _ in heard], [weight for _, weight in heard], settings)
        say(f"captions say which of these is heard: {', '.join(listener.emotion.classes)}")
        listener.save(file)
    return Listener.load(file, settings)


def training_examples(
    recipe: Recipe,
    corpora: Sequence[Selection],
    processor: WhisperProcessor,
    *,
    longest: int,
    listener: Listener | None = None,
) -> Examples:
    """Return the examples of the run; there are as many as its steps take.

    Args:
        recipe: of the run.
        corpora: of `prepare_corpora`.
        processor: of the model.
        longest: tokens of the decoder.
        listener: of `fitted_listener`.
    """
    settings = recipe.data.train or (None,) * len(corpora)
    parts = [
        _part(used, weight=1.0 if given is None else given.weight)
        for used, given in zip(corpora, settings, strict=True)
    ]
    size = recipe.optimizer.batch_size
    steps = recipe.optimizer.steps(number_of_clips(corpora))
    order = ClipOrder(parts, steps * size, size, recipe.data.mixed_shards, recipe.seed)
    return Examples(corpora, order, processor, recipe, longest=longest, listener=listener)


def validation_examples(
    recipe: Recipe, corpora: Sequence[Selection], processor: WhisperProcessor, *, longest: int
) -> Examples:
    """Return a fixed sample of the validation clips, of each corpus as many if it has them.

    Arguments are those of `training_examples`.
    """
    share, size = ceil(recipe.evaluation.clips / len(corpora)), recipe.optimizer.batch_size
    orders = [
        ClipOrder([_part(used)], min(share, len(used.numbers)), size, EVERYWHERE, recipe.seed)
        for used in corpora
    ]
    return Examples(corpora, InTurn(orders), processor, recipe, longest=longest, training=False)


def number_of_clips(corpora: Sequence[Selection]) -> int:
    """Return how many clips are used."""
    return sum(len(used.numbers) for used in corpora)


def _part(used: Selection, *, weight: float = 1.0) -> Part:
    rows = used.rows
    return Part(rows["notes"].astype(np.int64), rows["seconds"], weight, used.weights)


def _speech(recipe: Recipe, folder: Path, split: Split, progress: OpenBar) -> str:
    """Synthesize what a recipe without corpora is trained on; return its folder."""
    speech, out = recipe.data.speech, _cache(recipe, folder) / "speech" / split
    clips = speech.train_clips if split == "train" else speech.validation_clips
    if not out.exists():
        say(f"{split}: synthesizing {clips:,} clips, once")
    with progress(f"{split}: speech") as move:
        synthesize_corpus(
            out,
            clips=clips,
            seed=speech.seed,
            split=split,
            progress=lambda at: move(at.units, at.of, f"{at.clips:,} clips"),
        )
    return str(out)


def _prepared(
    recipe: Recipe,
    folder: Path,
    split: Split,
    given: TrainingCorpus,
    extractor: WhisperFeatureExtractor,
    progress: OpenBar,
) -> Selection:
    cache = _cache(recipe, folder)
    workers = max(1, recipe.data.workers)
    with progress(f"{split}: index") as move:
        index = index_corpus(given.corpus, cache / "index", workers=workers, progress=move)
    window = extractor.n_samples / extractor.sampling_rate
    used = select(index, recipe, window=window, name=given.corpus)
    used = replace(used, copies=given.state_copies or recipe.data.state_copies, pieces=given.pieces)
    if given.clip_weights:
        used = _weighted(used, Path(given.clip_weights))
    seconds = float(used.rows["seconds"].sum())
    say(f"{split}: {len(used.numbers):,} clips, {seconds / 3600:,.1f} h, of {given.corpus}")
    for reason, count in used.left_out.items():
        say(f"{split}: {count:,} are left out: {reason}")
    if used.cut:
        say(f"{split}: {used.cut:,} are cut to the window")
    if recipe.data.cache_features:
        (cache / "features").mkdir(parents=True, exist_ok=True)
        with progress(f"{split}: features") as move:
            used = cache_features(
                used, extractor, cache / "features", workers=recipe.data.workers, progress=move
            )
    return used


def _weighted(used: Selection, path: Path) -> Selection:
    weights = read_weights(path)
    found = np.array([weights.get(used.index.notes(int(number)).id, 0.0) for number in used.numbers])
    kept = found > 0
    if not kept.any():
        raise CorpusError(f"{path}: no clip of the corpus is in it: make it with `budew corpus weights`")
    left_out = used.left_out.copy()
    left_out["they have no weight"] = int((~kept).sum())
    return replace(
        used, numbers=used.numbers[kept], starts=used.starts[kept], weights=found[kept], left_out=+left_out
    )


def _cache(recipe: Recipe, folder: Path) -> Path:
    return Path(recipe.data.cache) if recipe.data.cache else folder
