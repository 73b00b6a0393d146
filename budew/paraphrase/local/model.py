"""A language model in this process: decoder-only or encoder-decoder, as its config says."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    GenerationConfig,
)

from budew.errors import JobError
from budew.paraphrase.local.files import find_model, shown_name
from budew.quiet import quiet_transformers

DTYPES = ("auto", "float32", "bfloat16", "float16")
_NO_LIMIT = 10**9  # tokenizers that know no limit say 1e30
_LOADING_ERRORS = (
    OSError,
    ValueError,
    RuntimeError,
    TypeError,
    KeyError,
    AttributeError,
    ImportError,
    SafetensorError,
    StrictDataclassError,
)


@dataclass(frozen=True, slots=True, eq=False)
class LocalModel:
    """A model ready to write.

    Attributes:
        model: of transformers, on its device.
        tokenizer: that goes with it.
        name: hub id, or name of its folder.
        encoder_decoder: whether it reads the prompt apart from what it writes, as T5 does.
        context: tokens that it can read; of prompt and answer together, where it is decoder-only.
        ends: tokens that end an answer.
        lock: held while it writes.
    """

    model: Any
    tokenizer: Any
    name: str
    encoder_decoder: bool
    context: int
    ends: frozenset[int]
    lock: Lock = field(default_factory=Lock)

    @property
    def pad(self) -> int:
        """Token that fills up rows."""
        pad: int = self.model.generation_config.pad_token_id
        return pad


@lru_cache(maxsize=1)
def load_model(
    name_or_dir: str | Path,
    *,
    revision: str | None,
    device: str | None,
    dtype: str | None,
    _content: str = "",
) -> LocalModel:
    """Load a model, or return the one that was loaded last if it is the same.

    Args:
        name_or_dir: folder or hub id.
        revision: on the hub.
        device: `cpu`, `cuda`, `cuda:1`, `mps`; None takes the first of cuda, mps, cpu that is there.
        dtype: one of `DTYPES`; None takes float32 on a CPU and elsewhere what the weights are stored in.

    Raises:
        JobError: there is no such model or device, it is incomplete, or memory is short.
        MissingExtraError: its tokenizer needs a library that is not installed.
    """
    target = _device(device)
    folder, name = find_model(name_or_dir, revision=revision), shown_name(name_or_dir)
    kind = dtype or ("float32" if target.type == "cpu" else "auto")
    with quiet_transformers():
        try:
            model, tokenizer = _loaded(folder, name, kind)
            model.to(target)
        except torch.OutOfMemoryError as error:
            raise JobError(f"there is no room for {name} on {target}: take a smaller model") from error
        except _LOADING_ERRORS as error:
            raise JobError(f"{name} cannot be loaded ({_first_line(error)}): fetch it again") from error
    return _fitted(model.eval().requires_grad_(False), tokenizer, name)


def _loaded(folder: Path, name: str, dtype: str) -> tuple[Any, Any]:
    safe = {"local_files_only": True, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(folder, **safe)
    kind: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    model, report = kind.from_pretrained(
        folder, config=config, dtype=dtype, use_safetensors=True, output_loading_info=True, **safe
    )
    if missing := sorted(report["missing_keys"]):
        raise JobError(
            f"{name} lacks {len(missing)} weights, such as {missing[0]}: the model is incomplete, fetch it "
            "again"
        )
    return model, AutoTokenizer.from_pretrained(folder, **safe)


def _fitted(model: Any, tokenizer: Any, name: str) -> LocalModel:
    """Take of the model's own generation config the tokens alone: sampling is ours to set."""
    rows = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > rows:
        raise JobError(
            f"{name}: its tokenizer knows {len(tokenizer)} tokens, its model {rows}: save the tokenizer that "
            "it was trained with"
        )
    saved = model.generation_config
    listed = saved.eos_token_id if isinstance(saved.eos_token_id, list) else [saved.eos_token_id]
    ends = frozenset(end for end in (*listed, tokenizer.eos_token_id) if end is not None)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(ends, default=0)
    model.generation_config = GenerationConfig(
        bos_token_id=saved.bos_token_id,
        eos_token_id=sorted(ends) or None,
        pad_token_id=pad,
        decoder_start_token_id=saved.decoder_start_token_id,
        forced_bos_token_id=saved.forced_bos_token_id,
        do_sample=False,
        num_beams=1,
    )
    encoder_decoder = bool(model.config.is_encoder_decoder)
    return LocalModel(model, tokenizer, name, encoder_decoder, _context(model, tokenizer), ends)


def _context(model: Any, tokenizer: Any) -> int:
    """The least of what config and tokenizer say; positions of T5 have no end."""
    known = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return min(int(tokenizer.model_max_length), known if isinstance(known, int) else _NO_LIMIT, _NO_LIMIT)


def _device(name: str | None) -> torch.device:
    if name is None:
        mps = torch.backends.mps.is_available()
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if mps else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise JobError(f"device {name!r} cannot be used here ({_first_line(error)}): try cpu") from error
    return device


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
