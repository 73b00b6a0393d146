"""The data files of the taxonomy, which lie beside the code."""

from importlib.resources import files
from typing import Any

import yaml


def read_table(name: str) -> dict[str, Any]:
    """Return the content of `<name>.yaml` of this package."""
    text = files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    table = yaml.safe_load(text)
    if not isinstance(table, dict):
        raise ValueError(f"{name}.yaml of budew.taxonomy is not a mapping: reinstall budew")
    return table
