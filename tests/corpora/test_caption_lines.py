"""Each object gets the emotions of its caption; a bad line is named and costs itself only."""

import io
import json
import re

import pytest

from budew.captions import parse
from budew.corpora.caption_lines import parse_lines
from budew.errors import CorpusError, InputError

ROW = {"id": 7, "caption": "A very sad man.", "emotions": {"old": 1}}


def parsed(*rows, **options):
    lines = "\n\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    return list(parse_lines(io.BytesIO(lines.encode()), name="c.jsonl", **options))


def test_emotions_replace_those_before_or_the_whole_reading_goes_under_a_new_key():
    assert parsed(ROW, {"caption": ""}) == [
        ROW | {"emotions": {"Sadness": 0.75}},
        {"caption": "", "emotions": {}},
    ]
    assert parsed(ROW, into="read") == [ROW | {"read": parse(ROW["caption"]).profile.to_dict()}]


def test_a_bad_line_is_named_and_the_others_are_read():
    errors = []
    bad = ["[1]", {"text": "Sad."}, {"caption": 3}, {"caption": "Sad.", "read": 1}]
    assert len(parsed(ROW, *bad, ROW, into="read", on_bad=errors.append)) == 2
    told = [re.match(r"c\.jsonl: line \d+\b", str(error))[0] for error in errors]
    assert told == [f"c.jsonl: line {number}" for number in (3, 5, 7, 9)]
    with pytest.raises(CorpusError, match=r"c\.jsonl: line 1\b.*'read'"):
        parsed(bad[-1], into="read")


@pytest.mark.parametrize("into", ["", " ", "caption"])
def test_a_key_that_cannot_hold_the_result_is_refused(into):
    with pytest.raises(InputError, match="choose another key"):
        parsed(ROW, into=into)
