"""What a field of a recipe may hold: its kind from the annotation, its range from the table here."""

import re
import reprlib
from typing import Any, Literal, get_args, get_origin

KINDS = {int: "a whole number", float: "a number", str: "a text"}
NAME = re.compile(r"\w[\w .-]{0,79}")
UNBOUNDED = float("inf")

# Least and most, where that is not 1 and nothing. A seed is numpy's, of 32 bits; a window and a caption are
# at most Whisper's own; the least vocabulary holds the 256 bytes and the 9 special tokens.
RANGES: dict[str, tuple[float, float]] = {
    "corpus_seed": (0, 2**32 - 1),
    "seed": (0, 2**32 - 1),
    "window_seconds": (1, 30),
    "mel_bins": (8, 512),
    "fourier": (64, 16_384),
    "width": (8, 8192),
    "encoder_layers": (1, 100),
    "decoder_layers": (1, 100),
    "vocabulary": (265, 200_000),
    "longest_caption": (16, 448),
    "dropout": (0, 0.99),
    "heads_weight": (0, 1e6),
    "learning_rate": (1e-9, 1),
    "warmup_steps": (0, UNBOUNDED),
    "weight_decay": (0, 1),
    "short_windows": (0, 1),
    "mask_time": (0, 100),
    "mask_bands": (0, 100),
    "beams": (1, 64),
    "workers": (0, 1024),
}


class RecipeError(ValueError):
    """A recipe cannot be followed; the message names the field and what is wrong."""


def check_field(name: str, value: object, kind: Any) -> None:
    """Raise `RecipeError` unless `value` is of the annotated `kind` and in the range of the field `name`."""
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise RecipeError(f"{name}: {_shown(value)} is not one of {', '.join(get_args(kind))}")
    elif get_origin(kind) is tuple:
        if not isinstance(value, tuple) or not all(isinstance(item, str) for item in value):
            raise RecipeError(f"{name}: {_shown(value)} is not a list of texts, such as [one, other]")
    elif kind in (int, float):
        _check_number(name, value, kind)
    elif not isinstance(value, kind):
        raise RecipeError(f"{name}: {_shown(value)} is not {KINDS[str]}")
    elif name == "name" and not NAME.fullmatch(str(value)):
        raise RecipeError(f"name: {_shown(value)} cannot name a folder: use letters, digits, dots and dashes")


def _check_number(name: str, value: object, kind: type[int] | type[float]) -> None:
    allowed = (int, float) if kind is float else int
    if not isinstance(value, allowed) or isinstance(value, bool):
        raise RecipeError(f"{name}: {_shown(value)} is not {KINDS[kind]}")
    least, most = RANGES.get(name, (1, UNBOUNDED))
    if not least <= value <= most:
        limits = f"at least {least:,}" if most == UNBOUNDED else f"from {least:,} to {most:,}"
        raise RecipeError(f"{name}: {_shown(value)} is out of range, {limits}")


def _shown(value: object) -> str:
    """Return a value as an error shows it: aliases make a short YAML file as long as one likes."""
    text = reprlib.repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
