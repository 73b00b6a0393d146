"""Python's own notation is read as data, in bounded time, and never run."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.corpora.labels.literal import DEEPEST, LONGEST, literal
from budew.errors import CorpusError

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-999, 999), st.text(max_size=9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)


@given(values)
def test_what_python_wrote_comes_back(value):
    text = repr(value)
    deep = max((text[:n].count("[") + text[:n].count("{") for n in range(len(text))), default=0)
    if deep <= DEEPEST:
        assert literal(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "open('/etc/passwd')",
        "[x for x in y]",
        "{1: 2} * 9",
        "1 + 1",
        "f'{1}'",
        "b'bytes'",
        "[1" * 50,
        "[" * 200 + "]" * 200,
        "-" * 5000 + "1",
        "~1",
        "9" * 5000,
        "'" + "\\" * 5000,
        "[" + "'a\\'" * 5000 + "]",
        "[1]" * (LONGEST // 2),
        "lambda: 1",
        "nan",
        "",
    ],
)
def test_anything_else_is_refused_at_once(text):
    before = time.perf_counter()
    with pytest.raises(CorpusError):
        literal(text)
    assert time.perf_counter() - before < 1
