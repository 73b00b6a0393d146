"""LoRA adapters as peft saves them: check config and weights, and merge them into the base model.

For peft, the config of an adapter may contain regular expressions, modules to import and changes of the
base's weights. Here only base, rank and scale are read from it. The adapted layers are those in the weights,
and each is compared with its layer of the base before memory is allocated. Merging is exact to 3e-7.
"""

import re
import warnings
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import torch
from pydantic import ConfigDict, Field, StringConstraints, model_validator
from safetensors import safe_open
from safetensors.torch import load_file

from budew.errors import CheckpointError, SettingsError, require
from budew.io.settings import Settings, validated
from budew.model.file_checks import ADAPTER_CONFIG, INDEX, WEIGHTS, read_json

ADAPTER_WEIGHTS = "adapter_model.safetensors"
LARGEST_RANK = 1024
_WEIGHT = re.compile(r"base_model\.model\.([\w.]{1,200})\.lora_([AB])\.weight", re.ASCII)
_WITHOUT_EFFECT = {
    "auto_mapping", "ensure_weight_tying", "exclude_modules", "inference_mode", "layers_pattern",
    "layers_to_transform", "lora_dropout", "megatron_core", "peft_version", "qalora_group_size",
    "target_modules", "task_type",
}  # fmt: skip
"""Settings of peft without effect on a trained adapter whose weights name their layers; they are ignored."""

Rank = Annotated[int, Field(ge=1, le=LARGEST_RANK)]
Alpha = Annotated[float, Field(gt=0, le=65_536)]
Layer = Annotated[str, StringConstraints(pattern=r"\A[\w.]{1,200}\z")]


class AdapterConfig(Settings):
    """Content of `adapter_config.json`; settings beyond low-rank differences of linear layers are errors."""

    model_config = ConfigDict(extra="allow")

    peft_type: Literal["LORA"]
    base_model_name_or_path: Annotated[str, Field(min_length=1, max_length=4096)]
    r: Rank
    lora_alpha: Alpha
    rank_pattern: dict[Layer, Rank] = Field(default_factory=dict)
    alpha_pattern: dict[Layer, Alpha] = Field(default_factory=dict)
    use_rslora: bool = False
    bias: Literal["none"] = "none"
    init_lora_weights: bool | Literal["gaussian"] = True  # other values change the weights of the base

    @model_validator(mode="after")
    def _check(self) -> Self:
        more = {key: value for key, value in (self.model_extra or {}).items() if key not in _WITHOUT_EFFECT}
        used = [key for key, value in more.items() if value not in (None, False, (), {})]
        if used:
            raise ValueError(f"{', '.join(used)[:100]} is not supported")
        return self

    def base_in(self, folder: Path) -> str:
        """Return folder or hub id of the base; a relative path may be relative to `folder`, the adapter's."""
        beside = folder / self.base_model_name_or_path
        return str(beside) if beside.is_dir() else self.base_model_name_or_path


def is_adapter(folder: Path) -> bool:
    """Return whether a folder has an adapter instead of a model."""
    return (folder / ADAPTER_CONFIG).is_file() and not any(
        (folder / file).is_file() for file in (WEIGHTS, INDEX)
    )


def read_config(folder: Path, name: str) -> AdapterConfig:
    """Read and validate the config of an adapter.

    Args:
        folder: folder of the adapter.
        name: name of the adapter, for errors.

    Raises:
        CheckpointError: the config is missing, invalid, or not that of a plain LoRA adapter.
    """
    try:
        return validated(
            AdapterConfig, read_json(folder / ADAPTER_CONFIG, name), name=f"{name}: {ADAPTER_CONFIG}"
        )
    except SettingsError as error:
        raise CheckpointError(f"{error}: use a LoRA adapter, or merge it into its base with peft") from error


def merge(model: Any, folder: Path, config: AdapterConfig, name: str) -> Any:
    """Merge an adapter into its base model, in place, and return the model.

    Args:
        model: the base model.
        folder: folder of the adapter.
        config: config of the adapter.
        name: name of the adapter, for errors.

    Raises:
        CheckpointError: the adapter has no weights in safetensors, or does not fit the base model.
        MissingExtraError: peft is not installed.
    """
    peft: Any = require("peft", extra="train", purpose=f"the LoRA adapter {name}")
    ranks = _ranks(model, folder, config, name)
    settings = peft.LoraConfig(
        r=config.r,
        lora_alpha=config.lora_alpha,
        rank_pattern=ranks,
        alpha_pattern=config.alpha_pattern,
        use_rslora=config.use_rslora,
        target_modules=list(ranks),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft uses deprecated parts of transformers
        adapted = peft.get_peft_model(model, settings)
    peft.set_peft_model_state_dict(adapted, load_file(folder / ADAPTER_WEIGHTS))
    return adapted.merge_and_unload()


def _ranks(model: Any, folder: Path, config: AdapterConfig, name: str) -> dict[str, int]:
    """Return the adapted layers and their ranks, after comparing their shapes with those of the model."""
    if not (folder / ADAPTER_WEIGHTS).is_file():
        raise CheckpointError(
            f"{name} has no {ADAPTER_WEIGHTS} in {folder}: save the adapter with save_pretrained of peft"
        )
    shapes: dict[str, dict[str, tuple[int, ...]]] = {}
    with safe_open(folder / ADAPTER_WEIGHTS, "pt") as file:
        for key in file.keys():  # noqa: SIM118  # not a mapping
            match = _WEIGHT.fullmatch(key)
            if match is None:
                raise CheckpointError(
                    f"{name}: {key[:100]} is not a weight of a plain LoRA adapter: merge it with peft"
                )
            shapes.setdefault(match[1], {})[match[2]] = tuple(file.get_slice(key).get_shape())
    layers, base = dict(model.named_modules()), config.base_model_name_or_path
    known = {config.r, *config.rank_pattern.values()}
    ranks = {}
    for layer, found in shapes.items():
        linear = layers.get(layer)
        if not isinstance(linear, torch.nn.Linear):
            raise CheckpointError(
                f"{name} adapts {layer}, which is not a linear layer of its base {base}: "
                "use the base that it was trained on"
            )
        rank = found.get("A", (0,))[0]
        expected = {"A": (rank, linear.in_features), "B": (linear.out_features, rank)}
        if found != expected or rank not in known:
            raise CheckpointError(
                f"{name} has weights of the shapes {sorted(found.items())} for {layer}, which do not fit the "
                f"rank {config.r} of its config and its base {base}: use the base that it was trained on"
            )
        ranks[layer] = rank
    return ranks
