"""Conditions on clips, such as `snr > 20 and language == "de"`, for `budew corpus select --where`.

The text has the grammar of Python expressions, of which comparisons, `in`, `and`, `or`, `not`, parentheses,
names, numbers, texts, True, False and None are allowed; nothing of it is executed. pyarrow evaluates it, with
its rules for unknown values: a comparison with an unknown value is unknown, and so is its negation. `x is
None` holds if x is unknown.

Columns are the fields of a clip, then the emotions (0 if rated and absent), bursts (True or False) and traits
of its profile, then its metadata; `segment.recording` is a value in an object. A name that is no Python name
is written in backticks or quotes: `Hope/Optimism` >= 0.25.
"""

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache, reduce
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from budew.corpora.clip import Clip
from budew.corpora.sources import read
from budew.errors import CorpusError, InputError
from budew.taxonomy import BURSTS, EMOTIONS, TRAITS, find_attribute, find_burst, find_emotion

CHECKED = 1_000
"""Number of clips that are searched for the columns of a condition before a job."""
FIELDS = (
    "id", "format", "sampling_rate", "duration", "language", "speaker", "transcript", "source", "license",
)  # fmt: skip
"""Fields of a clip that are columns."""
_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|`([^`]+)`""")
_COMPARED: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
_OF_PRESENCE = (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)
_TYPES: Mapping[type, pa.DataType] = {bool: pa.bool_(), float: pa.float64(), str: pa.string()}
"""Types of values; a column is `object` if only its presence counts."""
_KINDS: Mapping[type, str] = {bool: "True or False", float: "a number", str: "a text"}


@dataclass(frozen=True, slots=True)
class _Column:
    """Name of a column in a condition."""

    name: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, made by `parse_condition`.

    `columns` are the uses of columns, each with its name and the type of what it is compared with;
    `expression` is the condition for pyarrow, in which columns are named by their numbers.
    """

    text: str
    columns: tuple[tuple[str, type], ...]
    expression: pc.Expression

    def holds(self, clip: Clip) -> bool:
        """Return whether the condition holds for a clip; False if it is unknown.

        Raises:
            CorpusError: a value of the clip has another type than what it is compared with.
        """
        row = {}
        for number, (name, kind) in enumerate(self.columns):
            value = column_of(clip, name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if kind is object:
                value = None if value is None else True
            elif value is not None and not (is_number if kind is float else isinstance(value, kind)):
                fault = f"{name} is {str(value)[:40]!r}, not {_KINDS[kind]}: correct --where, or the clip"
                raise CorpusError(f"clip {clip.id!r}: {fault}")
            row[str(number)] = pa.array([value], _TYPES.get(kind, pa.bool_()))
        return bool(pa.table(row).filter(self.expression).num_rows)


@lru_cache(maxsize=16)
def parse_condition(text: str) -> Condition:
    """Translate the text of a condition.

    Raises:
        InputError: the text is not a condition.

    Example:
        >>> from budew.corpora import Clip
        >>> clip = Clip("a", b"", "wav", duration=3.0, metadata={"snr": 31.5})
        >>> parse_condition("snr > 20 and duration < 15").holds(clip)
        True
    """
    return _Translation(text).condition()


def column_of(clip: Clip, name: str) -> Any:
    """Return the value of a column of a clip; None if it is unknown."""
    if name in FIELDS:
        return getattr(clip, name)
    known, profile = _known(name), clip.profile
    if known is None:
        return dict(_flat(clip.metadata)).get(name)
    if profile is None:
        return None
    if known in BURSTS:
        return known in profile.bursts
    if known in EMOTIONS:
        return profile.emotions.get(known, 0.0 if known in profile.rated else None)
    return profile.traits.get(known)


def check_columns(text: str, corpus: str | Path) -> None:
    """Check that the columns of a condition occur in the first 1,000 clips of a corpus.

    Raises:
        InputError: a column does not occur; lists those that exist.
        CorpusError: a value has another type than what it is compared with.
    """
    wanted, found = parse_condition(text), dict[str, Any]()
    for clip in islice(read(corpus, on_bad=lambda error: None), CHECKED):
        wanted.holds(clip)
        found.update(_flat(clip.metadata))
    known = {*FIELDS, *found}
    missing = [name for name, _ in wanted.columns if name not in known and _known(name) is None]
    if missing:
        near = get_close_matches(missing[0], [*known, *TRAITS, *EMOTIONS, *BURSTS], 1)
        perhaps = f", perhaps {near[0]!r}" if near else ""
        columns = ", ".join([*FIELDS, *found, *TRAITS])
        raise InputError(
            f"--where: there is no column {missing[0]!r}{perhaps}; the columns are {columns}, and the names "
            "of the emotions and vocal bursts"
        )


def _flat(metadata: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the texts and numbers of metadata by name, those in objects by a path with dots."""
    for name, value in metadata.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", found) for inner, found in _flat(value))
        elif isinstance(value, str | int | float):
            yield name, value


@lru_cache(maxsize=1024)
def _known(name: str) -> str | None:
    """Return the emotion, trait or burst of a name in any spelling; None if there is none."""
    return name if name in TRAITS else find_emotion(name) or find_attribute(name) or find_burst(name)


class _Translation:
    """Translates a condition to an expression of pyarrow."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._quoted: dict[str, str] = {}
        self._columns: list[tuple[str, type]] = []
        self._source = _QUOTED.sub(lambda match: match[1] or self._placeholder(match[2]), text.strip())

    def condition(self) -> Condition:
        """Return the condition."""
        try:
            expression = self._boolean(ast.parse(self._source, mode="eval").body)
        except (SyntaxError, RecursionError, MemoryError, OverflowError):
            self._refuse("it is no condition")
        return Condition(self._text, tuple(self._columns), expression)

    def _placeholder(self, name: str) -> str:
        placeholder = f"_column_{len(self._quoted)}"
        self._quoted[placeholder] = name
        return placeholder

    def _refuse(self, fault: str) -> NoReturn:
        example = "snr > 20 and `Hope/Optimism` >= 0.25 and language in ('de', 'en')"
        raise InputError(f"--where {self._text[:80]!r}: {fault}; an example: {example}")

    def _boolean(self, node: ast.expr) -> pc.Expression:
        match node:
            case ast.BoolOp(op, values):
                joined = operator.and_ if isinstance(op, ast.And) else operator.or_
                return reduce(joined, map(self._boolean, values))
            case ast.UnaryOp(ast.Not(), operand):
                return ~self._boolean(operand)
            case ast.Compare(left, ops, rights):
                pairs = zip((left, *rights), ops, rights, strict=False)
                return reduce(operator.and_, (self._comparison(*pair) for pair in pairs))
        side = self._side(node)
        if not isinstance(side, _Column):
            self._refuse(f"{self._shown(node)} is compared with nothing")
        return self._field(side, bool)

    def _comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> pc.Expression:
        if isinstance(op, ast.In | ast.NotIn):
            return self._membership(left, right, negated=isinstance(op, ast.NotIn))
        one, other = self._side(left), self._side(right)
        if isinstance(one, str) and not isinstance(other, _Column):
            one = _Column(one)  # a text on the left is the name of a column
        elif isinstance(other, str) and type(one) is float:
            other = _Column(other)
        if other is None and isinstance(one, _Column) and isinstance(op, _OF_PRESENCE):
            field = self._field(one, object)
            return field.is_null() if isinstance(op, ast.Eq | ast.Is) else field.is_valid()
        if type(op) not in _COMPARED or not {type(one), type(other)} & {_Column} or None in (one, other):
            self._refuse(f"{self._shown(left)} cannot be compared with {self._shown(right)} in this way")
        kinds = {type(side) for side in (one, other)} - {_Column}
        kind = kinds.pop() if kinds else float
        sides = [self._field(side, kind) if isinstance(side, _Column) else side for side in (one, other)]
        return _COMPARED[type(op)](*(pc.scalar(side) if type(side) in _TYPES else side for side in sides))

    def _membership(self, left: ast.expr, right: ast.expr, *, negated: bool) -> pc.Expression:
        column = self._side(left)
        column = _Column(column) if isinstance(column, str) else column
        listed = right.elts if isinstance(right, ast.Tuple | ast.List | ast.Set) else [right]
        values = [self._side(value) for value in listed]
        kinds = {type(value) for value in values}
        if not isinstance(column, _Column) or len(kinds) != 1 or not kinds <= _TYPES.keys():
            self._refuse(f"{self._shown(right)} is no list of texts or of numbers for {self._shown(left)}")
        field = self._field(column, kinds.pop())
        within = field.isin(values)
        return field.is_valid() & (~within if negated else within)

    def _side(self, node: ast.expr) -> Any:
        """Return one side of a comparison: a column, or a number (float), text, True, False or None."""
        match node:
            case ast.Constant(value) if value is None or isinstance(value, bool | str):
                return value
            case ast.Constant(value) if isinstance(value, int | float):
                return float(value)
            case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as value)):
                return -float(value)
            case ast.Name(name) if name in self._quoted:
                return _Column(self._quoted[name])
        name = self._shown(node)
        if not isinstance(node, ast.Name | ast.Attribute) and _known(name) is None:
            self._refuse(f"{name} is no column and no value (names with odd characters need `backticks`)")
        return _Column(name)

    def _field(self, column: _Column, kind: type) -> pc.Expression:
        self._columns.append((column.name, kind))
        return pc.field(str(len(self._columns) - 1))

    def _shown(self, node: ast.expr) -> str:
        return ast.get_source_segment(self._source, node) or ""
