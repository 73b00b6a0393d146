"""Captions are written as text, one array or lines, each audio once, and a failure is no caption."""

import csv
import io
import json
from contextlib import suppress
from pathlib import Path

import pytest
from pysubs2 import SSAFile

from budew.errors import InputError
from budew.inference import CaptionedRecording, FailedRecording, WindowCaption
from budew.inference.captioned_recording import NO_SPEECH
from budew.inference.outputs import OutputOptions, is_bad, to_records, write_results
from budew.inference.resume_file import open_resume_file
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS

PROFILE = VoiceProfile({"Fear": 0.25, "Sadness": 1})
SAD = CaptionedRecording("a.wav", 1.0, (WindowCaption(0, 1, "Sad.", PROFILE),), PROFILE)
RESULTS = (SAD, FailedRecording("b.wav", "no sound"))
RECORDS = [result.to_dict() for result in RESULTS]


def written(format: str, *, scores: bool = False, named: bool = True, records=RECORDS) -> str:
    file = io.StringIO()
    fine = write_results(records, file, OutputOptions(format, scores, named))
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


LONG = CaptionedRecording(
    "film.mkv",
    3725.5,
    (
        WindowCaption(0, 2, NO_SPEECH, VoiceProfile()),
        WindowCaption(2, 9.0625, 'Sad, "sobbing"\n& slow.', PROFILE),
        WindowCaption(3720.25, 3725.5, "Angry -- and loud.", VoiceProfile({"Anger": 1})),
    ),
    PROFILE,
).to_dict()
TIMES = [(2000, 9062), (3720250, 3725500)]


@pytest.mark.parametrize("format", ["srt", "vtt"])
def test_subtitles_have_the_captions_at_their_times(format):
    read = SSAFile.from_string(written(format, records=[LONG]), format_=format)
    assert [(line.start, line.end) for line in read] == TIMES
    assert read[1].plaintext == "Angry -- and loud."
    assert "sobbing" in read[0].plaintext
    assert len(SSAFile.from_string(written(format, records=RECORDS[:1]), format_=format)) == 1
    with pytest.raises(InputError, match="one recording"):
        written(format, records=[LONG, LONG])


def test_csv_has_a_row_for_each_window_with_sound():
    rows = list(csv.DictReader(io.StringIO(written("csv", scores=True, records=[LONG, *RECORDS]))))
    assert [(row["source"], float(row["end"])) for row in rows] == [
        ("film.mkv", 9.062), ("film.mkv", 3725.5), ("a.wav", 1.0),
    ]  # fmt: skip
    assert rows[0]["caption"] == 'Sad, "sobbing"\n& slow.'
    assert [float(row["Anger"]) for row in rows] == [0, 1, 0]
    assert len(rows[0]) == 5 + len(EMOTIONS)


def test_text_and_csv_have_the_probability_of_presence_if_it_is_known():
    known = {"presence": {"Fear": 0.625, "Anger": 0.25}}
    records, file = [{**RECORDS[0], **known}, RECORDS[0]], io.StringIO()
    write_results(records, file, OutputOptions("text", scores=True, presence=True))
    assert file.getvalue().splitlines()[:3] == ["Sad.", "1.00  Sadness", "0.25  Fear (present: 0.62)"]
    write_results(records, file := io.StringIO(), OutputOptions("csv", scores=True, presence=True))
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert [row["presence: Anger"] for row in rows] == ["0.25", ""]
    assert [row["presence: Awe"] for row in rows] == ["0.0", ""]
    assert len(rows[0]) == 5 + 2 * len(EMOTIONS)


def interrupted(output: Path, model: str) -> set[str]:
    """Keep one result and stop; return what was finished before."""
    finished: set[str] = set()
    with suppress(KeyboardInterrupt), open_resume_file(output, {"model": model}) as partial:
        finished |= partial.finished
        partial.append(to_records(RESULTS[:1]))
        raise KeyboardInterrupt
    return finished


def test_partial_results_are_kept_until_the_run_ends(tmp_path):
    output = tmp_path / "out" / "c.jsonl"
    interrupted(output, "m")
    part = output.with_name("c.jsonl.part")
    part.write_bytes(part.read_bytes() + b'{"source": "cut')
    with open_resume_file(output, {"model": "m"}) as partial:
        assert partial.finished == {"a.wav"}
        partial.append(to_records(RESULTS[1:]))
        assert list(partial.records()) == json.loads(json.dumps(RECORDS))
    assert not part.exists()


def test_partial_results_of_other_settings_are_discarded(tmp_path, caplog):
    output = tmp_path / "c.jsonl"
    for model in ("m", "n"):
        assert interrupted(output, model) == set()
    assert "other settings" in caplog.text
