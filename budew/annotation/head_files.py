"""Heads on disk: a folder of `model_<Name>_best.pth`, as they are published, or one `.safetensors` file.

A `.pth` is a zip with a pickle in it. It is opened with `weights_only=True`, which runs no code, and mapped
into memory, which takes none of it for good: 55 flattened heads are 16 GB on disk.
"""

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from pickle import UnpicklingError
from urllib.parse import unquote

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from budew.annotation.head_layouts import Head, HeadError, head_of
from budew.annotation.scores import canonical
from budew.files import fingerprint

TOGETHER = "heads.safetensors"
LONGEST_NAME = 100
MOST_HEADS = 1_000
LARGEST_PICKLE = 2**20
"""Bytes of the pickle in a `.pth`; that of a head has one or two thousand."""
MOST_PARTS = 200

_PTH = re.compile(r"(?:model_)?(.+?)(?:_best)?\.pth")
_TENSOR = re.compile(r"(.+)\.((?:proj|mlp\.\d+)\.(?:weight|bias))")


@dataclass(frozen=True, slots=True)
class HeadFiles:
    """Where heads lie: `.pth` files, one a head, or a single `.safetensors`."""

    files: tuple[Path, ...]

    def fingerprint(self) -> str:
        """Return what tells these heads from others."""
        return fingerprint(self.files)

    def load(self) -> list[Head]:
        """Return the heads, sorted by name, mapped into memory.

        Raises:
            HeadError: a file is no head, or two are for one emotion or attribute.
        """
        heads = sorted((head for path in self.files for head in _heads(path)), key=lambda head: head.name)
        for before, after in pairwise(heads):
            if before.name == after.name:
                raise HeadError(f"{self.files[0].parent}: two heads are for {after.name}: keep one of them")
        return heads


def find_heads(path: str | Path) -> HeadFiles:
    """Find heads: the `.pth` files of a folder or else its `heads.safetensors`, or the file that is named.

    Raises:
        HeadError: there are none, or too many.
    """
    place = Path(path).expanduser()
    if place.is_file():
        return HeadFiles((place,))
    if not place.is_dir():
        raise HeadError(f"{path}: there is no such folder of heads: check the path, or download them first")
    files = sorted(file for file in place.glob("*.pth") if not file.name.startswith("."))
    if not files and (place / TOGETHER).is_file():
        files = [place / TOGETHER]
    if not 1 <= len(files) <= MOST_HEADS:
        raise HeadError(
            f"{path}: holds {len(files)} files model_<Name>_best.pth: give the folder of the heads"
        )
    return HeadFiles(tuple(files))


def file_name(name: str) -> str:
    """Return what the file of a head is called where heads are published: `model_Hope_Optimism_best.pth`."""
    return f"model_{re.sub(r'[/ ]+', '_', name)}_best.pth"


def save_heads(heads: Sequence[Head], folder: Path) -> None:
    """Write heads into a folder: one `.pth` each in the published layout, and all as one safetensors file."""
    together: dict[str, Tensor] = {}
    for head in heads:
        weights = state_dict(head)
        torch.save(weights, folder / file_name(head.name))
        together |= {f"{head.name}.{key}": weight for key, weight in weights.items()}
    save_file(together, folder / TOGETHER)


def state_dict(head: Head) -> dict[str, Tensor]:
    """Return the weights of a head by the names of the layout."""
    names = ["proj", *(f"mlp.{2 + 3 * number}" for number in range(len(head.layers) - 1))]
    named = zip(names, head.layers, strict=True)
    return {f"{name}.{kind}": part for name, layer in named for kind, part in zip(_KINDS, layer, strict=True)}


_KINDS = ("weight", "bias")


def _heads(path: Path) -> Iterator[Head]:
    if path.suffix == ".safetensors":
        yield from _from_safetensors(path)
        return
    match = _PTH.fullmatch(path.name)
    yield head_of(_name(path, match[1] if match else path.stem), _unpickled(path))


def _name(path: Path, written: str) -> str:
    """Return the canonical name of what a head scores; one that the taxonomies do not have stays as it is."""
    name = unquote(written)
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise HeadError(
            f"{path.parent}: {path.name[:120]!r} is no name of a head: call it model_<Name>_best.pth"
        )
    return canonical(name) or name


def _unpickled(path: Path) -> dict[str, object]:
    try:
        _check_archive(path)
        weights = torch.load(path, weights_only=True, mmap=True, map_location="cpu")
    except UnpicklingError as error:
        raise HeadError(
            f"{path}: holds more than weights, and is not opened: fetch it from its source"
        ) from error
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise HeadError(f"{path}: cannot be opened as a .pth ({reason[:200]}): fetch it again") from error
    if not isinstance(weights, dict):
        raise HeadError(
            f"{path}: holds a {type(weights).__name__}, not the weights of a head: save a state dict"
        )
    return weights


def _check_archive(path: Path) -> None:
    """Raise unless the parts of the zip are few and lie in it as they are: torch would unpack a bomb."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    if len(parts) > MOST_PARTS or any(part.compress_type != zipfile.ZIP_STORED for part in parts):
        raise ValueError("its parts are too many, or compressed")
    if any(part.filename.endswith(".pkl") and part.file_size > LARGEST_PICKLE for part in parts):
        raise ValueError("its pickle is too large")


def _from_safetensors(path: Path) -> Iterator[Head]:
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise HeadError(f"{path}: is no safetensors file of heads ({error}): fetch it again") from error
    weights: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        match = _TENSOR.fullmatch(key)
        if match is None:
            raise HeadError(f"{path}: has weights called {key[:60]!r}, which no head has: fetch it again")
        weights.setdefault(match[1], {})[match[2]] = tensor
    if not 1 <= len(weights) <= MOST_HEADS:
        raise HeadError(f"{path}: holds {len(weights)} heads: fetch it again")
    for name, parts in weights.items():
        yield head_of(_name(path, name), parts)
