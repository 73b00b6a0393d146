"""Synthetic speech as the corpus of a run without recordings."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from budew.synthesis import synthesize_corpus
from budew.training.recipe import SpeechSettings

logger = logging.getLogger(__name__)


def synthesize_split(
    settings: SpeechSettings,
    split: Literal["train", "validation"],
    folder: Path,
    progress: Callable[[int, int, str], None],
) -> Path:
    """Synthesize the clips of a split that are not in `folder`/speech yet; return their folder.

    Args:
        settings: number of clips and seed.
        split: the voices of "train" and "validation" are disjoint.
        folder: of the run, or that of its caches.
        progress: called with the number of shards that are done, that of all, and a text.
    """
    out = folder / "speech" / split
    clips = settings.train_clips if split == "train" else settings.validation_clips
    if not out.exists():
        logger.info("%s: synthesizing %s clips, once", split, f"{clips:,}")
    synthesize_corpus(
        out,
        clips=clips,
        seed=settings.seed,
        split=split,
        progress=lambda at: progress(at.units, at.of, f"{at.clips:,} clips"),
    )
    return out
