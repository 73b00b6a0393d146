"""`budew lint` and `budew captions`: what is wrong with captions, what is read in them."""

import json

import pytest

from budew.captions.coverage import language_size

GOOD = "A woman sounds deeply sad.\nA man expresses slight joy.\n"


def test_the_status_says_whether_there_are_errors_and_each_is_reported_with_its_place(budew, tmp_path):
    clean = budew("lint", "-", stdin=GOOD.encode())
    assert (clean.status, clean.err) == (0, "")
    assert "errors: 0" in clean.out
    path = tmp_path / "captions.txt"
    path.write_text(GOOD + 'emotions: {"Anger": 0.5}\n')
    outcome = budew("lint", path, "--json", tmp_path / "lint.json")
    assert outcome.status == 1
    assert f"{path}:3" in outcome.out
    findings = json.loads((tmp_path / "lint.json").read_text())["findings"]
    assert {"number", "field-name", "markup"} <= set(findings)


def test_repetitions_and_overused_phrases_are_listed_with_the_number_of_others(budew):
    captions = [f"A sad voice, anger of {number}." for number in range(18)]
    report = budew("lint", "-", stdin="\n".join(captions + captions[:2]).encode()).out
    assert "captions: 20, 6.0 words on average; 2 (10.0%) repeat an earlier one" in report
    assert "    and 15 more like these" in report
    assert report.count("more like these") == 1
    assert "overused openings\n    100.0%         20  a sad voice\n" in report


def test_coverage_lists_unknown_words_by_frequency(budew, tmp_path):
    path = tmp_path / "captions.txt"
    path.write_text("She sounds very flumpish.\nA sense of flumpish pride.\nHe feels deeply wurbled.\n")
    outcome = budew("captions", "coverage", path, "--most", 1, "--json", tmp_path / "c.json")
    assert outcome.status == 0
    assert "captions: 3, an emotion found in 1; 2 unknown words" in outcome.out
    assert "flumpish" in outcome.out
    assert "wurbled" not in outcome.out
    unknown = json.loads((tmp_path / "c.json").read_text())["unknown"]
    assert [row["word"] for row in unknown] == ["flumpish", "wurbled"]


@pytest.mark.parametrize(
    "line", [b'{"caption": "Sad.", "x": NaN}', b'{"caption": "\xff"}', b"[" * 99_999, b"{}"]
)
def test_all_commands_refuse_the_same_invalid_lines(budew, tmp_path, line):
    (tmp_path / "c.jsonl").write_bytes(b'{"caption": "Sad."}\n' + line)
    for command in (("lint",), ("captions", "coverage"), ("parse", "--jsonl")):
        outcome = budew(*command, tmp_path / "c.jsonl")
        assert outcome.status == 1
        assert "captions: 1, " in outcome.out or '"Sadness": 0.5' in outcome.out


def test_control_characters_in_captions_are_made_visible(budew, tmp_path):
    line = (
        json.dumps({"caption": "A \x1b[31msad\x9b voice sounds very flump\x1b]ish.", "id": "\x1b[2J"}) + "\n"
    )
    for command in (("lint",), ("captions", "coverage"), ("parse", "--explain")):
        text = [line] if command == ("parse", "--explain") else ["-"]
        outcome = budew(*command, *text, stdin=line.encode() * 2)
        assert not any(mark in outcome.out + outcome.err for mark in "\x1b\x9b")


def test_the_size_of_the_language_is_printed(budew):
    assert f"{language_size().frames} sentence frames" in budew("captions", "size").out
