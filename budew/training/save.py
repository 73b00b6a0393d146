"""The checkpoint of a finished run, as plain `transformers` and everything that reads a Whisper wants it."""

import json
import shutil
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from transformers import WhisperProcessor

from budew.training.heads import WhisperWithHeads
from budew.training.recipe import Recipe
from budew.version import __version__


def save_checkpoint(
    model: WhisperWithHeads,
    processor: WhisperProcessor,
    recipe: Recipe,
    folder: Path,
    history: Sequence[dict[str, Any]],
) -> None:
    """Save the model without its heads, in half precision, with processor, recipe and the history of the run.

    An older checkpoint in `folder` is replaced when the new one is complete.
    """
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    plain = model.plain().to(torch.float16)
    plain.save_pretrained(unfinished)
    plain.config.dtype = torch.float32  # half on disk, computed in full: a CPU is slow in half precision
    plain.config.save_pretrained(unfinished)
    processor.save_pretrained(unfinished)
    processor.feature_extractor.save_pretrained(unfinished)  # what CTranslate2 and faster-whisper read
    (unfinished / "recipe.yaml").write_text(recipe.to_yaml(), encoding="utf-8")
    made = {
        "made_by": f"budew {__version__}",
        "recipe": recipe.name,
        "history": [_strict(entry) for entry in history],
    }
    (unfinished / "training.json").write_text(
        json.dumps(made, indent=1, allow_nan=False) + "\n", encoding="utf-8"
    )
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.replace(folder)


def _strict(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a log entry with null for what is no number: JSON has no NaN."""
    return {
        name: None if isinstance(value, float) and not isfinite(value) else value
        for name, value in entry.items()
    }
