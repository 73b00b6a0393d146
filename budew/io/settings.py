"""Settings files: YAML that a user may write, validated field by field before anything starts.

A settings class is a frozen pydantic model whose fields carry their help (`Field(description=…)`). `load`
reads one from a file, `--set key=value` changes on top, and reports every fault as one line that names the
file and the field. `describe` lists the fields with types, defaults and help.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticUndefined

from budew.errors import SettingsError

LARGEST = 500_000
"""Bytes of a settings file; those of this project take at most 60,000."""
_EXPONENT = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")


class Settings(BaseModel):
    """Base of all settings: immutable, unknown keys refused, values not converted (no "3" for 3)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Kind = TypeVar("Kind", bound=BaseModel)


def load(kind: type[Kind], file: Path | None = None, changes: Sequence[str] = (), **given: Any) -> Kind:
    """Read settings from a file, then apply changes.

    Args:
        kind: the pydantic model.
        file: YAML file with a mapping; None for the defaults.
        changes: `key=value`, with dots for nested keys (`optimizer.learning_rate=3e-4`); the value is YAML.
        given: values that replace those of the file; None leaves the value of the file.

    Raises:
        SettingsError: names the file, each wrong field and what is wrong with it.
    """
    table = dict(read_yaml(file)) if file is not None else {}
    table.update({name: value for name, value in given.items() if value is not None})
    for change in changes:
        _apply(table, change)
    return validated(kind, table, name=str(file) if file else "settings")


def validated(kind: type[Kind], table: Mapping[str, Any], *, name: str) -> Kind:
    """Validate a mapping from YAML, in which lists are accepted for tuples.

    Raises:
        SettingsError: names `name`, each wrong field and what is wrong with it.
    """
    try:
        return kind.model_validate(_tuples(table))
    except ValidationError as error:
        raise SettingsError(f"{name}: {'; '.join(_faults(kind, error))}") from error


def read_yaml(file: Path) -> dict[str, Any]:
    """Read the mapping in a YAML file of at most `LARGEST` bytes.

    Raises:
        SettingsError: it cannot be read, is too large, not UTF-8, not YAML or not a mapping.
    """
    try:
        with file.open("rb") as opened:
            text = opened.read(LARGEST + 1)
    except OSError as error:
        raise SettingsError(f"{file} cannot be read ({error.strerror}): check the path") from error
    if len(text) > LARGEST:
        raise SettingsError(
            f"{file} is larger than {LARGEST:,} bytes, so it is no settings file: give another file"
        )
    try:
        table = yaml.safe_load(text.decode())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"{file} is not YAML ({' '.join(str(error).split())[:200]}): correct it"
        ) from error
    if not isinstance(table, dict) or not all(isinstance(key, str) for key in table):
        raise SettingsError(f"{file}: must contain `name: value` lines, not a {type(table).__name__}")
    return table


def as_yaml(value: Any) -> str:
    """Format a value as `--set` accepts it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class FieldHelp(NamedTuple):
    """One field of a settings class, as text."""

    name: str
    type: str
    default: str
    help: str


def describe(kind: type[BaseModel], prefix: str = "") -> Iterator[FieldHelp]:
    """List the fields of a settings class, nested ones with dots, in the order of the class."""
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from describe(inner, f"{prefix}{name}.")
            continue
        default = "required" if field.default is PydanticUndefined else repr(field.default)
        written = inner.__name__ if isinstance(inner, type) else str(inner).replace("typing.", "")
        yield FieldHelp(f"{prefix}{name}", written, default, field.description or "")


def _apply(table: dict[str, Any], change: str) -> None:
    key, equals, text = change.partition("=")
    if not equals:
        raise SettingsError(f"{change!r}: a change has the form name=value")
    *path, last = key.strip().split(".")
    for part in path:
        inner = table.get(part, {})
        if not isinstance(inner, dict):
            raise SettingsError(
                f"{change!r}: the setting {part} is a single value and has no fields: set it as {part}=value"
            )
        table[part] = dict(inner)
        table = table[part]
    try:
        table[last] = _number(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise SettingsError(f"{change!r}: the value is not YAML: quote it") from error


def _number(value: Any) -> Any:
    """Parse `3e-4`, which YAML 1.1 takes for text, as a number."""
    return float(value) if isinstance(value, str) and _EXPONENT.fullmatch(value) else value


def _tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _tuples(_number(inner)) for key, inner in value.items()}
    return tuple(_tuples(inner) for inner in value) if isinstance(value, list) else value


def _faults(kind: type[BaseModel], error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            near = get_close_matches(where, [field.name for field in describe(kind)], n=1)
            yield f"{where}: unknown field" + "".join(f": did you mean {name}?" for name in near)
            continue
        if fault["type"] in ("settings", "value_error"):  # by a validator of ours; the input may be secret
            text = fault["msg"].removeprefix("Value error, ")
            yield f"{where}: {text}" if where else text
            continue
        shown = repr(fault["input"])
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        needed = fault["type"] == "missing"
        yield f"{where}: required" if needed else f"{where}: {fault['msg'].lower()}, not {shown}"
