"""Settings files: YAML files of users, validated field by field before the work starts.

A settings class is a frozen pydantic model whose fields have a help text (`Field(description=…)`). `load`
reads settings from a file and applies changes (`--set key=value`). Its error is one line with the file, and
every invalid field. `describe` lists the fields with types, defaults and help.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticUndefined

from budew.errors import SettingsError

LARGEST = 500_000
"""Largest settings file in bytes; those of this project have at most 60,000."""
Share = Annotated[float, Field(ge=0, le=1)]
"""Type of a field that is a share, from 0 to 1."""
_EXPONENT = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")


class Settings(BaseModel):
    """Base class of settings: immutable; unknown keys and values of a wrong type ("3" for 3) are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Kind = TypeVar("Kind", bound=BaseModel)


def load(kind: type[Kind], file: Path | None = None, changes: Sequence[str] = (), **given: Any) -> Kind:
    """Read settings from a file, then apply changes.

    Args:
        kind: settings class to return.
        file: YAML file with a mapping; None for the defaults.
        changes: `key=value`, with dots for nested keys (`optimizer.learning_rate=3e-4`); the value is YAML.
        given: fields by name that replace the values of the file; None keeps the value of the file.

    Raises:
        SettingsError: the file or a change is invalid; names the file and each invalid field.
    """
    table = dict(read_yaml(file)) if file is not None else {}
    table.update({name: value for name, value in given.items() if value is not None})
    for change in changes:
        _apply(table, change)
    return validated(kind, table, name=str(file) if file else "settings")


def validated(kind: type[Kind], table: Mapping[str, Any], *, name: str) -> Kind:
    """Make settings from a mapping; lists are accepted for tuples.

    Args:
        kind: settings class to return.
        table: values by field, as read from YAML.
        name: name of the file, for errors.

    Raises:
        SettingsError: the mapping is invalid; names the file and each invalid field.
    """
    try:
        return kind.model_validate(_tuples(table))
    except ValidationError as error:
        raise SettingsError(f"{name}: {'; '.join(_faults(kind, error))}") from error


def read_yaml(file: Path) -> dict[str, Any]:
    """Read a YAML file with a mapping, of at most `LARGEST` bytes.

    Raises:
        SettingsError: the file cannot be read, is too large, not UTF-8, not YAML or not a mapping.
    """
    try:
        with file.open("rb") as opened:
            text = opened.read(LARGEST + 1)
    except OSError as error:
        raise SettingsError(f"{file} cannot be read ({error.strerror}): check the path") from error
    if len(text) > LARGEST:
        raise SettingsError(
            f"{file} is larger than {LARGEST:,} bytes, so it is not a settings file: give another file"
        )
    try:
        table = yaml.safe_load(text.decode())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"{file} is not YAML ({' '.join(str(error).split())[:200]}): correct it"
        ) from error
    if not isinstance(table, dict) or not all(isinstance(key, str) for key in table):
        raise SettingsError(f"{file} must contain `name: value` lines, not a {type(table).__name__}")
    return table


def as_yaml(value: Any) -> str:
    """Format a value as YAML on one line, as `--set` accepts it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class FieldHelp(NamedTuple):
    """Name, type, default and help of one field of a settings class, as text."""

    name: str
    type: str
    default: str
    help: str


def describe(kind: type[BaseModel], prefix: str = "") -> Iterator[FieldHelp]:
    """List the fields of a settings class in order; names of nested fields have dots.

    Args:
        kind: settings class.
        prefix: text before each name.
    """
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
        if fault["type"] in ("settings", "value_error"):  # of our own validators; the input may be secret
            text = fault["msg"].removeprefix("Value error, ")
            yield f"{where}: {text}" if where else text
            continue
        shown = repr(fault["input"])
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        needed = fault["type"] == "missing"
        yield f"{where}: required" if needed else f"{where}: {fault['msg'].lower()}, not {shown}"
