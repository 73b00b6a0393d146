"""Heads on disk: a folder of `model_<Name>_best.pth`, as they are published, or one `.safetensors` file.

A `.pth` is a zip with a pickle in it. It is opened with `weights_only=True`, which runs no code, and mapped
into memory: 55 flattened heads are 16 GB on disk. Heads that were trained by this package have notes beside
them, `heads.json`: the encoder they were made for, and their quality. Published heads have none.
"""

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from urllib.parse import unquote

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from budew.annotation.head_layout import Head, head_of
from budew.corpora.sidecar import read_json
from budew.errors import CheckpointError
from budew.files import fingerprint
from budew.model.encoder import identity
from budew.taxonomy import ATTRIBUTES, WORD_TRAITS, find_emotion
from budew.taxonomy.names import NameIndex

TOGETHER, NOTES = "heads.safetensors", "heads.json"
LONGEST_NAME = 100
MOST_HEADS = 1_000
LARGEST_PICKLE = 2**20
"""Bytes of the pickle in a `.pth`; that of a head has one or two thousand."""
MOST_PARTS = 200

_PTH = re.compile(r"(?:model_)?(.+?)(?:_best)?\.pth")
_HASH = re.compile(r"[0-9a-f]{16}")
_ATTRIBUTES = NameIndex.build("voice attribute", dict.fromkeys(ATTRIBUTES, ()))
_TENSOR = re.compile(r"(.+)\.((?:proj|mlp\.\d+)\.(?:weight|bias))")


@dataclass(frozen=True, slots=True)
class HeadFiles:
    """Where heads lie: `.pth` files, one a head, or a single `.safetensors`."""

    files: tuple[Path, ...]

    def fingerprint(self) -> str:
        """Return a fingerprint of the files."""
        return fingerprint(self.files)

    def load(self) -> list[Head]:
        """Return the heads, sorted by name, mapped into memory.

        Raises:
            CheckpointError: a file is not a head, or two are for one emotion or attribute.
        """
        heads = sorted((head for path in self.files for head in _heads(path)), key=lambda head: head.name)
        for before, after in pairwise(heads):
            if before.name == after.name:
                raise CheckpointError(f"{self.files[0].parent}: two heads for {after.name}: keep one")
        return heads


def find_heads(path: str | Path) -> HeadFiles:
    """Find heads: the `.pth` files of a folder or else its `heads.safetensors`, or the file that is named.

    Raises:
        CheckpointError: there are none, or too many.
    """
    place = Path(path).expanduser()
    if place.is_file():
        return HeadFiles((place,))
    if not place.is_dir():
        raise CheckpointError(f"{path}: there is no such folder of heads: download them first")
    files = sorted(file for file in place.glob("*.pth") if not file.name.startswith("."))
    if not files and (place / TOGETHER).is_file():
        files = [place / TOGETHER]
    if not 1 <= len(files) <= MOST_HEADS:
        raise CheckpointError(
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
        names = ["proj", *(f"mlp.{2 + 3 * number}" for number in range(len(head.layers) - 1))]
        weights: dict[str, Tensor] = {}
        for name, (weight, bias) in zip(names, head.layers, strict=True):
            weights |= {f"{name}.weight": weight, f"{name}.bias": bias}
        torch.save(weights, folder / file_name(head.name))
        together |= {f"{head.name}.{key}": weight for key, weight in weights.items()}
    save_file(together, folder / TOGETHER)


def notes_on(heads: str | Path) -> dict[str, Any] | None:
    """Return the notes beside heads, a folder or a file of it; None where there are none.

    Raises:
        CorpusError: they are not JSON.
    """
    place = Path(heads).expanduser()
    notes = (place if place.is_dir() else place.parent) / NOTES
    return read_json(notes) if notes.is_file() else None


def encoder_of(heads: str | Path, *, otherwise: str) -> str | None:
    """Return the encoder that heads were made for, None for the one in this package.

    Args:
        heads: a folder or a file of it.
        otherwise: the encoder of heads without notes.
    """
    notes = notes_on(heads)
    if notes is None:
        return otherwise
    encoder = notes.get("encoder")
    return encoder if isinstance(encoder, str) else None


def check_encoder(heads: str | Path, encoder: str | Path | None) -> None:
    """Raise unless heads were made for this encoder, as far as that is noted: another of its size would work.

    Raises:
        CheckpointError: they were made for another.
    """
    notes = notes_on(heads)
    made_for = str(notes.get("encoder_weights", "")) if notes else ""
    given = identity(encoder)
    if _HASH.fullmatch(made_for) and _HASH.fullmatch(given) and made_for != given:
        name = (notes or {}).get("encoder") or "the encoder of this package"
        raise CheckpointError(
            f"{heads}: these heads were trained on {name}, not on {encoder or 'that of this package'}"
        )


def canonical(name: str) -> str | None:
    """Return the canonical name of an emotion or voice attribute in any spelling, None for anything else.

    `age` and `gender` in small letters are years and words, not attributes.
    """
    if name in WORD_TRAITS:
        return None
    if name in _ATTRIBUTES:
        return _ATTRIBUTES.resolve(name)
    return find_emotion(name)


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
        raise CheckpointError(
            f"{path.parent}: {path.name[:120]!r} is not the name of a head: call it model_<Name>_best.pth"
        )
    return canonical(name) or name


def _unpickled(path: Path) -> dict[str, object]:
    try:
        _check_archive(path)
        weights = torch.load(path, weights_only=True, mmap=True, map_location="cpu")
    except UnpicklingError as error:
        raise CheckpointError(
            f"{path}: holds more than weights, and is not opened: fetch it from its source"
        ) from error
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(
            f"{path}: cannot be opened as a .pth ({reason[:200]}): fetch it again"
        ) from error
    if not isinstance(weights, dict):
        raise CheckpointError(
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
        raise CheckpointError(f"{path}: is not a file of heads ({error}): fetch it again") from error
    weights: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        match = _TENSOR.fullmatch(key)
        if match is None:
            raise CheckpointError(f"{path}: unknown weights {key[:60]!r}: fetch it again")
        weights.setdefault(match[1], {})[match[2]] = tensor
    if not 1 <= len(weights) <= MOST_HEADS:
        raise CheckpointError(f"{path}: holds {len(weights)} heads: fetch it again")
    for name, parts in weights.items():
        yield head_of(_name(path, name), parts)
