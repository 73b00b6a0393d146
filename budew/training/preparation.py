"""Prepare the corpora of a run: index them, select and weight clips, and cache features if wanted.

Indexes, spectrograms, states and synthetic speech are kept in a folder that several runs may share, and are
only computed again if the corpus changes.
"""

import logging
import shlex
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal

from transformers import WhisperFeatureExtractor

from budew import jobs, synthesis
from budew.corpora.sources import matches
from budew.curation.weights import read_weights
from budew.errors import BudewWarning, CorpusError, InputError, JobError, SettingsError
from budew.io.resources import packaged_table
from budew.model.trained_clips import TrainingOverlap, joined_clips
from budew.training.clip_index import index_corpus
from budew.training.data_settings import TrainingCorpus
from budew.training.feature_cache import cache_spectrograms, cache_states
from budew.training.recipe import Recipe
from budew.training.training_clips import TrainingClips, select_clips

Part = Literal["train", "validation"]
Bar = Callable[..., None]
"""Called with the number of finished items and, if known, the total number and a text to show."""
OpenBar = Callable[[str], AbstractContextManager[Bar]]
"""Function that opens the progress bar of a stage, given its name, such as "train: index"."""

MOST_LEFT_OUT = 0.02
"""Largest share of the clips of a corpus that is left out without a warning."""

logger = logging.getLogger(__name__)


def no_bar(stage: str) -> AbstractContextManager[Bar]:
    """Open a progress bar that shows nothing."""
    return nullcontext(lambda *_, **__: None)


def check_corpora(recipe: Recipe) -> None:
    """Check that a recipe has data and that all its corpora exist, before the first is read for hours.

    Raises:
        SettingsError: the recipe has neither corpora nor synthetic speech.
        CorpusError: a corpus does not exist.
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
    part: Part,
    extractor: WhisperFeatureExtractor,
    progress: OpenBar = no_bar,
) -> list[TrainingClips]:
    """Return the training or validation clips of each corpus of a recipe.

    Synthetic speech, indexes and spectrograms are made if they are missing.

    Args:
        recipe: recipe of the run.
        folder: folder of the run, where they are stored unless the recipe has `data.cache`.
        part: "train" or "validation".
        extractor: feature extractor of the model.
        progress: opens the progress bar of a stage.

    Raises:
        CorpusError: a corpus cannot be read, or no target can be made from its clips.
    """
    cache, corpora = _cache(recipe, folder), recipe.data.train
    if part == "validation":
        corpora = tuple(TrainingCorpus(corpus=corpus) for corpus in recipe.data.validation)
    if not corpora:
        speech = _synthesized(recipe, part, cache / "speech" / part, progress)
        corpora = (TrainingCorpus(corpus=str(speech)),)
    return [_prepared_corpus(recipe, cache, part, corpus, extractor, progress) for corpus in corpora]


def check_disjoint(
    recipe: Recipe, corpora: Sequence[TrainingClips], validation: Sequence[TrainingClips]
) -> None:
    """Check that no validation clip is a training clip: its metrics would measure what was learned by heart.

    Names and encoded audio are always compared, sound where the index has it (`clip_index.MOST_BYTES`): then
    clips of which only the names are the same are not refused.

    Raises:
        InputError: validation clips are training clips, and the recipe does not allow it.
    """
    found = TrainingOverlap(joined_clips(clips.known for clips in corpora))
    for clips in validation:
        for place, row in enumerate(clips.index.rows):
            found.add(clips.record(place).id, tuple(row["names"].tolist()), clips.index.audio(place))
    hears = all(len(clips.known.codes) for clips in corpora)
    same = [id for id, reason in found.same.items() if reason != "name" or not hears]
    if same and not recipe.data.allow_overlap:
        names = [given.corpus for given in recipe.data.train], recipe.data.validation
        train, test = (shlex.quote(one[0]) if len(one) == 1 else "CORPUS" for one in names)
        raise InputError(
            f"{len(same):,} of {found.clips:,} validation clips are training clips, such as "
            f"{', '.join(f'{id!r} ({found.same[id]})' for id in same[:3])}: leave them out with budew corpus "
            f"select {train} OUT --without {test}, or train all the same with --set data.allow_overlap=true"
        )


def prepare_states(
    recipe: Recipe,
    folder: Path,
    corpora: Sequence[TrainingClips],
    model: Any,
    extractor: WhisperFeatureExtractor,
    progress: OpenBar = no_bar,
) -> list[TrainingClips]:
    """Return training corpora with their cached states, which are computed if they are missing.

    Without `data.cache_states` in the recipe, the corpora are returned unchanged.

    Args:
        recipe: recipe of the run.
        folder: folder of the run, where states are stored unless the recipe has `data.cache`.
        corpora: corpora from `prepare_corpora`.
        model: the base, with the layers and the window of the recipe.
        extractor: feature extractor of the model.
        progress: opens the progress bar of a stage.
    """
    if not recipe.data.cache_states:
        return list(corpora)
    states = _cache(recipe, folder) / "states"
    with progress("train: states") as bar:
        return [cache_states(clips, recipe, model, extractor, states, progress=bar) for clips in corpora]


def _cache(recipe: Recipe, folder: Path) -> Path:
    return Path(recipe.data.cache) if recipe.data.cache else folder


def _synthesized(recipe: Recipe, part: Part, out: Path, progress: OpenBar) -> Path:
    """Synthesize the clips that are missing in folder `out`; training and validation share no voice."""
    speech = recipe.data.speech
    clips = speech.train_clips if part == "train" else speech.validation_clips
    with progress(f"{part}: speech") as bar:
        if not out.exists():
            logger.info("%s: synthesizing %s clips, once", part, f"{clips:,}")
        done = jobs.run(
            synthesis.Synthesis(speech.seed, part),
            range(clips),
            out,
            progress=lambda at: bar(at.units, at.of, f"{at.clips:,} clips"),
        )
    if done.given_up:
        raise JobError(f"{out}: processes died repeatedly: run the same command again")
    return out


def _prepared_corpus(
    recipe: Recipe,
    cache: Path,
    part: Part,
    corpus: TrainingCorpus,
    extractor: WhisperFeatureExtractor,
    progress: OpenBar,
) -> TrainingClips:
    with progress(f"{part}: index") as bar:
        workers = max(1, recipe.data.workers)
        index = index_corpus(corpus.corpus, cache / "index", workers=workers, progress=bar)
    window = extractor.n_samples / extractor.sampling_rate
    clips = select_clips(index, corpus, recipe, window=window)
    if corpus.clip_weights:
        clips = clips.weighted(read_weights(Path(corpus.clip_weights)))
        if not len(clips):
            raise CorpusError(
                f"{corpus.clip_weights}: no clip of the corpus is in it: make it with `budew corpus weights`"
            )
    if part == "train" and recipe.target.kind != "scalars":
        weighted = clips.with_denials(recipe.target.denials)
        if weighted is not clips:
            logger.info("%s: clips that only deny emotions are drawn less often (target.denials)", part)
        clips = weighted
    hours = float(clips.used_seconds.sum()) / 3600
    logger.info("%s: %s clips, %.1f h, of %s", part, f"{len(clips):,}", hours, corpus.corpus)
    _report_left_out(clips, part)
    if clips.cut:
        logger.info("%s: %s are cut to the window", part, f"{clips.cut:,}")
    if recipe.data.cache_features:
        with progress(f"{part}: features") as bar:
            workers = recipe.data.workers
            clips = cache_spectrograms(clips, extractor, cache / "features", workers=workers, progress=bar)
    return clips


def _report_left_out(clips: TrainingClips, part: Part) -> None:
    """Log which clips are left out; warn, with the remedy, if they are more than `MOST_LEFT_OUT`."""
    remedies = packaged_table(__package__, "left_out")
    total = int((clips.starts == 0).sum()) + clips.left_out.total()  # other rows are later parts of a clip
    for reason, count in (+clips.left_out).items():
        left_out = f"{part}: {count:,} are left out: {reason}"
        if clips.left_out.total() <= MOST_LEFT_OUT * total:
            logger.info(left_out)
        else:
            remedy = remedies.get(reason) or remedies[reason.split()[0]]
            of = f"{count / total:.0%} of {clips.corpus.corpus}"
            warnings.warn(BudewWarning(f"{left_out}, {of}: {remedy}"), stacklevel=2)
