"""The files of a language model: where they are, what tells them from others, whether they are safe to open.

Weights are opened from safetensors alone: a pickle could run code.
"""

import json
import re
from pathlib import Path

from huggingface_hub import constants as hub_constants
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from budew.errors import JobError
from budew.extras import require
from budew.files import fingerprint

_HUB_ID = re.compile(r"[\w-][\w.-]{0,95}(?:/[\w.-]{1,96})?")
_FETCHED = ("*.json", "*.safetensors", "*.jinja", "*.txt", "*.model")
_DECIDING = ("*.json", "*.jinja", "*.model", "*.safetensors", "*.txt")
_INDEX = "model.safetensors.index.json"
_WEIGHTS = re.compile(r"[\w-]{1,80}\.safetensors")
_TOKENIZERS = ("tokenizer.json", "vocab.json", "vocab.txt", "tekken.json")


def find_model(name_or_dir: str | Path, *, revision: str | None = None) -> Path:
    """Return the folder of a language model, fetched from the hub if need be; its files are checked.

    Args:
        name_or_dir: folder, or hub id (`Qwen/Qwen2.5-0.5B-Instruct`).
        revision: branch, tag or commit on the hub.

    Raises:
        JobError: there is none, it has no safetensors or no tokenizer, or the hub cannot be reached.
        MissingExtraError: its tokenizer can be read by the library sentencepiece alone.
    """
    folder = Path(name_or_dir).expanduser()
    if not folder.is_dir():
        folder = _fetched(name_or_dir, revision)
    _check_weights(folder, str(name_or_dir))
    _check_tokenizer(folder, str(name_or_dir))
    return folder


def shown_name(name_or_dir: str | Path) -> str:
    """Return the hub id of a model, or the name of its folder without the way there."""
    folder = Path(name_or_dir).expanduser()
    return folder.resolve().name if folder.is_dir() else str(name_or_dir)


def content_of(name_or_dir: str | Path) -> str:
    """Return 16 digits made of all that decides what a model in a folder writes; "" for one on the hub.

    Of each file larger than 4 MB 64 blocks are read: a fraction of a second, whatever the size of the model.
    """
    folder = Path(name_or_dir).expanduser()
    if not folder.is_dir():
        return ""
    return fingerprint(sorted(file for kind in _DECIDING for file in folder.glob(kind) if file.is_file()))


def _fetched(name: str | Path, revision: str | None) -> Path:
    if Path(name).exists():
        raise JobError(f"{name} is a file: give the folder of the model")
    if isinstance(name, Path) or not _HUB_ID.fullmatch(name):
        raise JobError(f"{name}: no such folder, and not a hub id of the form owner/name")
    try:
        found = snapshot_download(
            name, revision=revision, allow_patterns=list(_FETCHED), ignore_patterns=["*/*"]
        )
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        reason, remedy = _first_line(error), "check the name and the connection"
        if hub_constants.HF_HUB_OFFLINE:
            reason, remedy = "HF_HUB_OFFLINE is set", "unset it"
        raise JobError(
            f"{name} is no folder, not in the local cache, and cannot be fetched from the hub ({reason}): "
            f"{remedy}, or give a local folder"
        ) from error
    return Path(found)


def _check_weights(folder: Path, name: str) -> None:
    if not (folder / "config.json").is_file():
        raise JobError(f"{name}: there is no config.json in {folder}: is it the folder of a model?")
    if (folder / "model.safetensors").is_file():
        return
    if (folder / _INDEX).is_file():
        _check_index(folder, name)
        return
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt*")):
        raise JobError(
            f"{name} has only pickled weights, which can run code when opened: convert them to "
            "model.safetensors with save_pretrained, where they are trusted"
        )
    raise JobError(f"{name} has no model.safetensors in {folder}: the model is incomplete, fetch it again")


def _check_index(folder: Path, name: str) -> None:
    """Every file that the index names lies beside it and is a safetensors file."""
    try:
        listed = json.loads((folder / _INDEX).read_text(encoding="utf-8"))["weight_map"]
        files = {str(file) for file in listed.values()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise JobError(f"{name}: {_INDEX} cannot be read: fetch or save the model again") from error
    wrong = sorted(file for file in files if not _WEIGHTS.fullmatch(file) or not (folder / file).is_file())
    if wrong:
        raise JobError(
            f"{name}: {_INDEX} names {wrong[0][:80]!r}, which is no safetensors file beside it: fetch or "
            "save the model again"
        )


def _check_tokenizer(folder: Path, name: str) -> None:
    """Without a tokenizer `transformers` makes an empty one, and does not say so."""
    if any((folder / file).is_file() for file in _TOKENIZERS):
        return
    if not any(folder.glob("*.model")):
        raise JobError(f"{name} has no tokenizer in {folder}: save it there with save_pretrained")
    for library in ("sentencepiece", "google.protobuf"):
        require(library, extra="paraphrase", purpose=f"reading the tokenizer of {name}")


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
