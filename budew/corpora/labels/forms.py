"""The names of fields in `forms.yaml`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def form(name: str) -> Mapping[str, Any]:
    """Return the names of fields that belong to a form of labels: scores, words, talent, emolia."""
    table = yaml.safe_load(Path(__file__).with_name("forms.yaml").read_text(encoding="utf-8"))
    names: Mapping[str, Any] = table[name]
    return names
