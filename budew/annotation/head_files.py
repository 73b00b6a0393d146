"""Regression heads: hidden states of a Whisper encoder → one score, in the layout of Empathic Insight-Voice.

The layout is that of laion/Empathic-Insight-Voice-Small, -Large and -Plus on Hugging Face (model cards) and
of LAION-AI/emotion-annotations: `proj`, a linear layer, and `mlp`, ReLU, dropout and linear layers by turns,
so that its weights are `mlp.2`, `mlp.5`, `mlp.8`... down to one output. Those for faces,
laion/Empathic-Insight-Face-Small and -Large, have the same in one list: `layers.0`, `layers.3`, `layers.6`...
All sizes are taken from the weights. Two inputs occur for voices:

- flattened: all hidden states in a row, 1500 × 768 → 64 (Small) or 128 (Large): 295 MB a head, or 590;
- pooled: mean, minimum, maximum and standard deviation (of a sample, n - 1) over time, 4 × 768 = 3072 → 64.

Heads lie in a folder of `model_<Name>_best.pth`, as they are published, or in one `.safetensors` file. A
`.pth` is a zip with a pickle in it: it is opened with `weights_only=True`, which runs no code, and mapped
into memory. Heads that were trained by this package have notes beside them, `heads.json`: the encoder they
were made for, and their quality.
"""

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Literal
from urllib.parse import unquote

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import linear, relu

from budew.corpora.text_files import read_json_object
from budew.errors import CheckpointError, first_line
from budew.model.checkpoint import identity
from budew.taxonomy import WORD_TRAITS, find_attribute, find_emotion

Layout = Literal["pooled", "flattened"]
TOGETHER, NOTES = "heads.safetensors", "heads.json"
POOLS = 4
LONGEST_NAME = 100
LARGEST_PICKLE = 2**20
"""Bytes of the pickle in a `.pth`; that of a head has one or two thousand."""
COMPILED = "_orig_mod."
"""What torch.compile puts before the names of weights."""

_PTH = re.compile(r"(?:model_)?(.+?)(?:_best)?\.pth")
_HASH = re.compile(r"[0-9a-f]{16}")
_TENSOR = re.compile(r"(.+)\.((?:proj|mlp\.\d+|layers\.\d+)\.(?:weight|bias))")


@dataclass(frozen=True, slots=True)
class Head:
    """One head. `layers` are weight (outputs, inputs) and bias (outputs,); the first takes the input."""

    name: str
    layers: tuple[tuple[Tensor, Tensor], ...]

    @property
    def inputs(self) -> int:
        """Return how many numbers it takes."""
        return self.layers[0][0].shape[1]

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return scores (batch,), float32, of inputs (batch, inputs) of the type of the first weights."""
        (projection, bias), *rest = self.layers
        hidden = linear(inputs, projection).float() + bias
        for weight, bias in rest:
            hidden = linear(relu(hidden), weight, bias)
        return hidden.squeeze(1)

    def on(self, device: torch.device, dtype: torch.dtype) -> "Head":
        """Return the head on a device, with the large first weights in `dtype`; all else is float32."""
        (projection, bias), *rest = self.layers
        small = tuple((weight.to(device), offset.to(device)) for weight, offset in rest)
        return Head(self.name, ((projection.to(device, dtype), bias.to(device)), *small))


def pool(states: Tensor) -> Tensor:
    """Return mean, minimum, maximum and standard deviation over time.

    Args:
        states: (batch, time, width).

    Returns:
        (batch, 4 * width), float32.
    """
    states = states.float()
    return torch.cat([states.mean(1), states.amin(1), states.amax(1), states.std(1)], dim=1)


def is_pooled(head: Head, *, positions: int, width: int) -> bool:
    """Return whether a head takes the pooled states of an encoder, or else the flattened ones.

    Raises:
        CheckpointError: neither fits.
    """
    if head.inputs not in (POOLS * width, positions * width):
        raise CheckpointError(
            f"{head.name}: takes {head.inputs:,} numbers; this encoder gives {positions:,} × {width:,} "
            f"flattened or {POOLS} × {width:,} pooled: specify the encoder that the head was trained on"
        )
    return head.inputs == POOLS * width


def head_of(name: str, weights: Mapping[str, object]) -> Head:
    """Make a head of a state dict.

    Args:
        name: of what it scores.
        weights: tensors by the names of the layout, with or without `_orig_mod.`; they are not copied unless
            they have to become float32.

    Raises:
        CheckpointError: a key too many or too few, shapes that do not fit each other, NaN or infinity.
    """
    tensors = {str(key).removeprefix(COMPILED): value for key, value in weights.items()}
    parts = _parts(len(tensors) // 2, of_faces="layers.0.weight" in tensors)
    expected = {f"{part}.{kind}" for part in parts for kind in ("weight", "bias")}
    if expected != set(tensors) or len(parts) < 2 or len(tensors) < len(weights):
        odd = ", ".join(sorted(expected ^ set(tensors)))[:60] or f"{len(weights)} weights"
        raise CheckpointError(f"{name}: does not have the weights of a head ({odd}): download it again")
    layers = tuple(_layer(name, part, tensors) for part in parts)
    sizes = [weight.shape for weight, _ in layers]
    if any(before[0] != after[1] for before, after in pairwise(sizes)) or sizes[-1][0] != 1:
        chain = " → ".join(str(size[0]) for size in sizes)
        raise CheckpointError(f"{name}: its layers ({chain}) do not match in size: download it again")
    return Head(name, layers)


def _parts(count: int, *, of_faces: bool) -> list[str]:
    """Return the names of the linear layers of a head."""
    if of_faces:
        return [f"layers.{3 * number}" for number in range(count)]
    return ["proj", *(f"mlp.{2 + 3 * number}" for number in range(count - 1))]


def _layer(name: str, part: str, tensors: Mapping[str, object]) -> tuple[Tensor, Tensor]:
    weight, bias = tensors[f"{part}.weight"], tensors[f"{part}.bias"]
    if not (
        isinstance(weight, Tensor)
        and isinstance(bias, Tensor)
        and weight.is_floating_point()
        and weight.is_contiguous()  # as many numbers in memory as its shape says
        and weight.dim() == 2
        and bias.shape == weight.shape[:1]
    ):
        raise CheckpointError(f"{name}: {part} is not a linear layer of a head: download it again")
    if not (weight.sum(dtype=torch.float32) + bias.sum(dtype=torch.float32)).isfinite():
        raise CheckpointError(f"{name}: {part} contains NaN or infinity: download it again")
    keep = weight.dtype in (torch.float16, torch.float32) and part == "proj"
    return weight.detach() if keep else weight.detach().float(), bias.detach().float()


def find_heads(path: str | Path) -> tuple[Path, ...]:
    """Find heads: the `.pth` files of a folder or else its `heads.safetensors`, or the file that is named.

    Raises:
        CheckpointError: there are none.
    """
    place = Path(path).expanduser()
    if place.is_file():
        return (place,)
    files = sorted(file for file in place.glob("*.pth") if not file.name.startswith("."))
    if not files and (place / TOGETHER).is_file():
        files = [place / TOGETHER]
    if not files:
        fault = "no heads are in it" if place.is_dir() else "no such folder"
        raise CheckpointError(f"{path}: {fault}: download the heads first")
    return tuple(files)


def load_heads(path: str | Path) -> list[Head]:
    """Return the heads in a folder or file, sorted by name, mapped into memory.

    Raises:
        CheckpointError: there are none, a file is not a head, or two are for one emotion or attribute.
    """
    heads = sorted((head for file in find_heads(path) for head in _heads(file)), key=lambda head: head.name)
    for before, after in pairwise(heads):
        if before.name == after.name:
            raise CheckpointError(f"{path}: two heads for {after.name}: keep one")
    return heads


def file_name(name: str) -> str:
    """Return what the file of a head is called where heads are published: `model_Hope_Optimism_best.pth`."""
    return f"model_{re.sub(r'[/ ]+', '_', name)}_best.pth"


def check_unused(folder: Path) -> None:
    """Raise `CheckpointError` unless heads can be put in this place: nothing, or an empty folder."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CheckpointError(f"{folder}: exists already: choose a new folder")


def put(made: Path, folder: Path) -> None:
    """Move a complete folder of heads to a place that `check_unused` let pass."""
    if folder.exists():
        folder.rmdir()
    made.replace(folder)


def save_heads(
    heads: Iterable[Head], folder: Path, *, names: Callable[[str], str] = file_name, of_faces: bool = False
) -> None:
    """Write heads into a folder: one `.pth` each in the published layout, and all as one safetensors file.

    Holds one head at a time in memory: the second file is copied from the first ones, which are mapped.

    Args:
        names: returns the file name for what a head scores.
        of_faces: the layout.
    """
    together: dict[str, Tensor] = {}
    for head in heads:
        weights: dict[str, Tensor] = {}
        for part, (weight, bias) in zip(
            _parts(len(head.layers), of_faces=of_faces), head.layers, strict=True
        ):
            weights |= {f"{part}.weight": weight, f"{part}.bias": bias}
        file = folder / names(head.name)
        torch.save(weights, file)
        mapped = torch.load(file, weights_only=True, mmap=True)
        together |= {f"{head.name}.{key}": weight for key, weight in mapped.items()}
    save_file(together, folder / TOGETHER)


def notes_on(heads: str | Path) -> dict[str, Any] | None:
    """Return the notes beside heads, a folder or a file of it; None where there are none.

    Raises:
        CorpusError: they are not JSON.
    """
    place = Path(heads).expanduser()
    notes = (place if place.is_dir() else place.parent) / NOTES
    return read_json_object(notes) if notes.is_file() else None


def check_encoder(heads: str | Path, encoder: str | Path | None) -> None:
    """Raise unless heads were made for this encoder, as far as that is noted: another of its size would work.

    Raises:
        CheckpointError: they were made for another.
    """
    notes = notes_on(heads) or {}
    made_for, given = str(notes.get("encoder_weights", "")), identity(encoder)
    if _HASH.fullmatch(made_for) and _HASH.fullmatch(given) and made_for != given:
        name = notes.get("encoder") or "the encoder of this package"
        raise CheckpointError(
            f"{heads}: these heads were trained on {name}, not on {encoder or 'that of this package'}"
        )


def _heads(path: Path) -> Iterator[Head]:
    if path.suffix == ".safetensors":
        yield from _from_safetensors(path)
        return
    match = _PTH.fullmatch(path.name)
    yield head_of(_name(path, match[1] if match else path.stem), _unpickled(path))


def _name(path: Path, written: str) -> str:
    """Return the canonical name of what a head scores; one that the taxonomies do not have stays as it is.

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
            raise ValueError(f"a {type(weights).__name__} and no state dict")
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
    """Raise unless the parts of the zip lie in it as they are: torch would unpack a bomb."""
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
            raise CheckpointError(f"{path}: unknown weights {key[:60]!r}: download it again")
        weights.setdefault(match[1], {})[match[2]] = tensor
    for name, parts in weights.items():
        yield head_of(_name(path, name), parts)
