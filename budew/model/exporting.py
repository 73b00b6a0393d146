"""Export checkpoints to the formats of other libraries; `Captioner.from_pretrained` loads all of them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch

from budew.errors import CheckpointError, InputError
from budew.io.files import whole_folder
from budew.model.card import write_export_card
from budew.model.checkpoint import DTYPES, load_checkpoint
from budew.model.converted import convert_to_ctranslate2
from budew.model.graphs import PRECISIONS, write_graphs
from budew.model.quiet import quiet_transformers
from budew.model.saving import add_pipeline, save_beside

Format = Literal["merged", "ct2", "onnx", "openvino"]
FORMATS: dict[Format, tuple[str, ...]] = {
    "merged": ("float32", "float16", "bfloat16"),
    "ct2": DTYPES,
    "onnx": PRECISIONS["onnx"],
    "openvino": PRECISIONS["openvino"],
}
"""Export formats to the precisions that their weights can have."""
_LIBRARIES = {"merged": "transformers", "onnx": "ONNX Runtime", "openvino": "OpenVINO"}


def export_checkpoint(
    out: Path, *, to: Format, model: str | Path | None = None, dtype: str = "float32"
) -> Path:
    """Write a checkpoint in another format; return the folder `out`.

    Args:
        out: folder to create; it appears only when it is complete.
        to: one of `FORMATS`: "merged" is a plain checkpoint of transformers, with its adapter merged; "ct2"
            is for CTranslate2 and faster-whisper; "onnx" and "openvino" have the file names of Optimum.
        model: folder or hub id of a checkpoint; None for the default.
        dtype: precision of the weights, one of those that `FORMATS` lists for the format.

    Raises:
        InputError: unknown format, or a precision that the format does not support.
        CheckpointError: the checkpoint cannot be loaded, or `out` exists.
        MissingExtraError: a library that the format needs is not installed.
    """
    if to not in FORMATS:
        raise InputError(f"{to!r} is not a format: use {', '.join(FORMATS)}")
    if dtype not in FORMATS[to]:
        raise InputError(f"the format {to} does not support {dtype}: use {' or '.join(FORMATS[to])}")
    if to == "ct2":
        return convert_to_ctranslate2(model, out, dtype=dtype)
    if out.exists():
        raise CheckpointError(f"{out} exists: remove it, or choose another folder")
    checkpoint = load_checkpoint(model, device="cpu", dtype="float32")
    with whole_folder(out) as made, quiet_transformers(), _quiet_exporters():
        if to == "merged":
            checkpoint.model.to(getattr(torch, dtype)).save_pretrained(made)
            add_pipeline(made)
        else:
            write_graphs(checkpoint, made, to, dtype)
        save_beside(made, checkpoint.model.generation_config, checkpoint.processor)
        write_export_card(made, model, _LIBRARIES[to])
    return out


@contextmanager
def _quiet_exporters() -> Iterator[None]:
    """Hide log messages of torch and ONNX Runtime that are meant for their developers."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
