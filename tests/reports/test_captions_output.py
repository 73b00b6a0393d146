"""Captions are written as text, one array or lines, each audio once, and a failure is no caption."""

import io
import json
from contextlib import suppress
from pathlib import Path

import pytest

from budew.inference import Captioned, Failure, WindowCaption
from budew.profile import VoiceProfile
from budew.reports.captions_output import is_bad, partial_results, write_records
from budew.taxonomy import EMOTIONS

PROFILE = VoiceProfile({"Fear": 0.25, "Sadness": 1})
SAD = Captioned("a.wav", 1.0, (WindowCaption(0, 1, "Sad.", PROFILE),), PROFILE)
RESULTS = (SAD, Failure("b.wav", "no sound"))
RECORDS = [result.to_dict() for result in RESULTS]


def written(format: str, *, scores: bool = False, named: bool = True, records=RECORDS) -> str:
    file = io.StringIO()
    fine = write_records(records, file, format=format, scores=scores, named=named)
    assert fine == (not any(map(is_bad, records)))
    return file.getvalue()


def test_text_has_captions_and_on_request_names_and_scores():
    assert written("text") == "a.wav\n  Sad.\n"
    assert written("text", named=False) == "Sad.\n"
    assert written("text", scores=True) == "a.wav\n  Sad.\n  1.00  Sadness\n  0.25  Fear\n"
    assert written("text", records=RECORDS[:1]) == "a.wav\n  Sad.\n"


@pytest.mark.parametrize("scores", [False, True])
def test_json_and_lines_hold_the_same_records(scores):
    array = json.loads(written("json", scores=scores))
    assert array == [json.loads(line) for line in written("jsonl", scores=scores).splitlines()]
    assert array[1] == RECORDS[1]
    assert ("scores" in array[0]) == scores
    if scores:
        assert list(array[0]["scores"]) == list(EMOTIONS)
        assert (array[0]["scores"]["Fear"], array[0]["scores"]["Awe"]) == (0.25, 0.0)
    assert json.loads(written("json", records=[])) == []


def interrupted(output: Path, model: str) -> set[str]:
    """Keep one result and stop; return what was finished before."""
    finished: set[str] = set()
    with suppress(KeyboardInterrupt), partial_results(output, {"model": model}) as partial:
        finished |= partial.finished
        partial.keep(RESULTS[:1])
        raise KeyboardInterrupt
    return finished


def test_partial_results_are_kept_until_the_run_ends(tmp_path):
    output = tmp_path / "out" / "c.jsonl"
    interrupted(output, "m")
    part = output.with_name("c.jsonl.part")
    part.write_bytes(part.read_bytes() + b'{"source": "cut')
    with partial_results(output, {"model": "m"}) as partial:
        assert partial.finished == {"a.wav"}
        partial.keep(RESULTS[1:])
        assert list(partial.records()) == json.loads(json.dumps(RECORDS))
    assert not part.exists()


def test_partial_results_of_other_settings_are_discarded(tmp_path, capsys):
    output = tmp_path / "c.jsonl"
    for model in ("m", "n"):
        assert interrupted(output, model) == set()
    assert "other settings" in capsys.readouterr().err
