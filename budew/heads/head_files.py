"""Files of regression heads, in the layouts of the published heads for voices and for faces.

Heads are in a folder of `model_<Name>_best.pth`, as published, or in one `.safetensors` file. Weights have
the names that PyTorch gives to the linear layers of the published modules:

- voices (laion/Empathic-Insight-Voice-Small, -Large and -Plus): `proj`, `mlp.2`, `mlp.5`, `mlp.8`...;
- faces (laion/Empathic-Insight-Face-Small and -Large): `layers.0`, `layers.3`, `layers.6`...

All sizes are taken from the weights. A `.pth` is a zip with a pickle in it: it is opened with
`weights_only=True`, which runs no code, and mapped into memory, since a head can have 590 MB. Beside heads
that this package trained lies `heads.json`: the encoder they were trained on, and their metrics.
"""

import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from budew.corpora.text_files import read_json_object
from budew.errors import CheckpointError, first_line
from budew.heads.networks import Head
from budew.heads.presence import PresenceCurves
from budew.io.settings import validated
from budew.model.card import write_card
from budew.model.checkpoint import identity
from budew.taxonomy import WORD_TRAITS, find_attribute, find_emotion

if TYPE_CHECKING:
    from budew.heads.fitting import Quality

Kind = Literal["voice", "face"]
COMBINED, NOTES = "heads.safetensors", "heads.json"
CALIBRATION = "calibration.json"
"""Name of the file of a calibration in the folder of a checkpoint or of heads."""
LONGEST_NAME = 100
LARGEST_PICKLE = 2**20
"""Largest accepted size of the pickle in a `.pth`, in bytes; the pickle of a head has one or two thousand."""

_COMPILED = "_orig_mod."  # prefix that torch.compile adds to the names of weights
_PTH = re.compile(r"(?:model_)?(.+?)(?:_best)?\.pth")
_HASH = re.compile(r"[0-9a-f]{16}")
_TENSOR = re.compile(r"(.+)\.((?:proj|mlp\.\d+|layers\.\d+)\.(?:weight|bias))")


def layer_names(count: int, kind: Kind) -> list[str]:
    """Return the published names of `count` linear layers of a head; they are every third module of it.

    Example:
        >>> layer_names(3, "voice")
        ['proj', 'mlp.2', 'mlp.5']
    """
    places = [3 * number for number in range(count)]
    if kind == "face":
        return [f"layers.{place}" for place in places]
    return ["proj", *(f"mlp.{place - 1}" for place in places[1:])]


def head_of_weights(name: str, weights: Mapping[str, object]) -> Head:
    """Build a head from a state dict.

    Args:
        name: emotion or attribute that the head scores.
        weights: tensors by published name, with or without `_orig_mod.`; copied only if they must be
            converted to float32.

    Raises:
        CheckpointError: a weight is missing, unknown, NaN or infinity, or shapes do not match.
    """
    tensors = {str(key).removeprefix(_COMPILED): value for key, value in weights.items()}
    kind: Kind = "face" if "layers.0.weight" in tensors else "voice"
    names = layer_names(len(tensors) // 2, kind)
    expected = {f"{layer}.{part}" for layer in names for part in ("weight", "bias")}
    if expected != set(tensors) or len(names) < 2 or len(tensors) < len(weights):
        odd = ", ".join(sorted(expected ^ set(tensors)))[:60] or f"{len(weights)} weights"
        raise CheckpointError(f"{name} does not have the weights of a head ({odd}): download it again")
    layers = [_linear_layer(name, layer, tensors) for layer in names]
    shapes = [weight.shape for weight, _ in layers]
    if any(before[0] != after[1] for before, after in pairwise(shapes)) or shapes[-1][0] != 1:
        sizes = " → ".join(str(shape[0]) for shape in shapes)
        raise CheckpointError(f"{name}: the sizes of the layers ({sizes}) do not match: download it again")
    return Head.of_layers(name, layers)


def _linear_layer(name: str, layer: str, tensors: Mapping[str, object]) -> tuple[Tensor, Tensor]:
    weight, bias = tensors[f"{layer}.weight"], tensors[f"{layer}.bias"]
    if not (
        isinstance(weight, Tensor)
        and isinstance(bias, Tensor)
        and weight.is_floating_point()
        and weight.is_contiguous()  # memory holds exactly the numbers of its shape
        and weight.dim() == 2
        and bias.shape == weight.shape[:1]
    ):
        raise CheckpointError(f"{name}: {layer} is not a linear layer of a head: download it again")
    if not (weight.sum(dtype=torch.float32) + bias.sum(dtype=torch.float32)).isfinite():
        raise CheckpointError(f"{name}: {layer} contains NaN or infinity: download it again")
    keep = weight.dtype in (torch.float16, torch.float32) and layer == "proj"
    return weight.detach() if keep else weight.detach().float(), bias.detach().float()


def find_heads(path: str | Path) -> tuple[Path, ...]:
    """Find the files of heads: a file itself, or the `.pth` of a folder, else its `heads.safetensors`.

    Raises:
        CheckpointError: there is no file of heads.
    """
    place = Path(path).expanduser()
    if place.is_file():
        return (place,)
    files = sorted(file for file in place.glob("*.pth") if not file.name.startswith("."))
    if not files and (place / COMBINED).is_file():
        files = [place / COMBINED]
    if not files:
        fault = "the folder has no heads" if place.is_dir() else "no such folder"
        raise CheckpointError(f"{path}: {fault}: download the heads first, or give their folder")
    return tuple(files)


def load_heads(path: str | Path) -> list[Head]:
    """Load the heads in a folder or file, mapped into memory, and sort them by name.

    Raises:
        CheckpointError: there are no heads, a file is not a head, or two heads have the same name.
    """
    heads: list[Head] = []
    for file in find_heads(path):
        if file.suffix == ".safetensors":
            heads += _from_safetensors(file)
        else:
            match = _PTH.fullmatch(file.name)
            name = _canonical_name(file, match[1] if match else file.stem)
            heads.append(head_of_weights(name, _unpickled(file)))
    heads.sort(key=lambda head: head.name)
    for before, after in pairwise(heads):
        if before.name == after.name:
            raise CheckpointError(f"{path}: there are two heads for {after.name}: keep one")
    return heads


def _canonical_name(path: Path, written: str) -> str:
    """Return the canonical name of an emotion or attribute; names that the taxonomy lacks are unchanged.

    `age` and `gender` in small letters are years and words, not attributes.
    """
    name = unquote(written)
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise CheckpointError(
            f"{path.parent}: {path.name[:120]!r} is not the name of a head: call it model_<Name>_best.pth"
        )
    return name if name in WORD_TRAITS else find_attribute(name) or find_emotion(name) or name


def _unpickled(path: Path) -> dict[str, object]:
    try:
        _check_archive(path)
        weights = torch.load(path, weights_only=True, mmap=True, map_location="cpu")
        if not isinstance(weights, dict):
            raise ValueError(f"it contains a {type(weights).__name__}, not a state dict")
    except UnpicklingError as error:
        raise CheckpointError(
            f"{path}: contains more than weights, so it is not opened: download it from its source"
        ) from error
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise CheckpointError(
            f"{path}: cannot be opened as a .pth ({first_line(error)[:200]}): download it again"
        ) from error
    return weights


def _check_archive(path: Path) -> None:
    """Raise if parts of the zip are compressed, because torch would unpack a zip bomb."""
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            if part.compress_type != zipfile.ZIP_STORED:
                raise ValueError("its parts are compressed")
            if part.filename.endswith(".pkl") and part.file_size > LARGEST_PICKLE:
                raise ValueError("its pickle is too large")


def _from_safetensors(path: Path) -> Iterator[Head]:
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: is not a file of heads ({error}): download it again") from error
    weights: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        match = _TENSOR.fullmatch(key)
        if match is None:
            raise CheckpointError(f"{path} has the unknown weights {key[:60]!r}: download it again")
        weights.setdefault(match[1], {})[match[2]] = tensor
    for name, parts in weights.items():
        yield head_of_weights(_canonical_name(path, name), parts)


def head_file_name(name: str) -> str:
    """Return the name of the file of a head in the published form.

    Example:
        >>> head_file_name("Hope/Optimism")
        'model_Hope_Optimism_best.pth'
    """
    return f"model_{re.sub(r'[/ ]+', '_', name)}_best.pth"


def save_head(head: Head, folder: Path, name: str, kind: Kind = "voice") -> None:
    """Write a head into `folder` as the `.pth` file `name`, in the published layout of its kind."""
    torch.save(_published(head, kind), folder / name)


def save_combined(heads: Iterable[Head], folder: Path, kind: Kind = "voice") -> None:
    """Write all heads into `heads.safetensors` in `folder`, in the published layout of their kind."""
    tensors = {
        f"{head.name}.{key}": tensor for head in heads for key, tensor in _published(head, kind).items()
    }
    save_file(tensors, folder / COMBINED)


def _published(head: Head, kind: Kind) -> dict[str, Tensor]:
    """Return the weights of a head by their published names."""
    weights: dict[str, Tensor] = {}
    for name, (weight, bias) in zip(layer_names(len(head.layers), kind), head.layers, strict=True):
        weights |= {f"{name}.weight": weight, f"{name}.bias": bias}
    return weights


def write_notes(
    folder: Path,
    notes: Mapping[str, Any],
    stages: Mapping[str, Mapping[str, "Quality"]],
    data: Sequence[str],
    kind: Kind,
) -> None:
    """Write `heads.json` and the model card `README.md` into the folder of trained heads.

    Args:
        folder: folder of the heads.
        notes: contents of `heads.json`, which may contain data classes.
        stages: stage of the training → name of the head → its quality.
        data: lines on the training data of each stage.
        kind: "voice" or "face".
    """
    text = json.dumps(notes, indent=1, ensure_ascii=False, default=asdict)
    (folder / NOTES).write_text(f"{text}\n", encoding="utf-8")
    rows = [
        (name, stage, found.clips, found.r2, found.error)
        for stage, heads in stages.items()
        for name, found in heads.items()
        if found.r2 > 0
    ]
    write_card(
        folder,
        "heads",
        kind=kind,
        things="images" if kind == "face" else "clips",
        encoder=notes.get("encoder_name") or notes["encoder"],
        heads={name for name, *_ in rows},
        data=data,
        rows=rows,
    )


def check_unused(folder: Path) -> None:
    """Raise `CheckpointError` unless `folder` is missing or empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CheckpointError(f"{folder} exists already: choose a new folder")


def head_notes(heads: str | Path) -> dict[str, Any] | None:
    """Read `heads.json` beside heads, which are given as a folder or a file in it; None if it is missing.

    Raises:
        CorpusError: the file is not JSON.
    """
    place = Path(heads).expanduser()
    notes = (place if place.is_dir() else place.parent) / NOTES
    return read_json_object(notes) if notes.is_file() else None


def check_encoder(heads: str | Path, encoder: str | Path | None) -> None:
    """Check in `heads.json` that heads were trained on this encoder, since others of its size would run, too.

    Raises:
        CheckpointError: the heads were trained on another encoder.
    """
    notes = head_notes(heads) or {}
    trained_on, given = str(notes.get("encoder_weights", "")), identity(encoder)
    if _HASH.fullmatch(trained_on) and _HASH.fullmatch(given) and trained_on != given:
        name = notes.get("encoder") or "the encoder of this package"
        raise CheckpointError(
            f"{heads}: the heads were trained on {name}, not on {encoder or 'that of this package'}: use "
            "the encoder that they were trained on"
        )


def read_presence(folder: Path) -> PresenceCurves | None:
    """Read the curves in `calibration.json` of a folder; None if there are none."""
    file = folder / CALIBRATION
    table = read_json_object(file).get("presence") if file.is_file() else None
    return None if table is None else validated(PresenceCurves, table, name=f"{file}: presence")
