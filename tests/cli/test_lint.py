"""`budew lint` and `budew captions`: what is wrong with captions, what is read in them."""

import json

from budew.captions.size import language_size

GOOD = "A woman sounds deeply sad.\nA man expresses slight joy.\n"


def test_clean_captions_end_with_status_0(budew):
    outcome = budew("lint", "-", stdin=GOOD.encode())
    assert (outcome.status, outcome.err) == (0, "")
    assert "errors: 0" in outcome.out


def test_an_error_in_a_caption_is_told_with_its_place_and_its_kind(budew, tmp_path):
    path = tmp_path / "captions.txt"
    path.write_text(GOOD + 'emotions: {"Anger": 0.5}\n')
    outcome = budew("lint", path, "--json", tmp_path / "lint.json")
    assert outcome.status == 1
    assert f"{path}:3" in outcome.out
    assert {"number", "field-name", "markup"} <= set(
        json.loads((tmp_path / "lint.json").read_text())["findings"]
    )


def test_a_profile_that_does_not_support_a_gender_is_an_error(budew):
    row = {"caption": "A woman sounds sad.", "profile": {"emotions": {"Sadness": 0.5}}}
    outcome = budew("lint", "-", stdin=json.dumps(row).encode())
    assert outcome.status == 1
    assert "unsupported-gender" in outcome.out


def test_coverage_lists_unknown_words_by_how_often_they_come(budew, tmp_path):
    path = tmp_path / "captions.txt"
    path.write_text("She sounds very flumpish.\nA sense of flumpish pride.\nHe feels deeply wurbled.\n")
    outcome = budew("captions", "coverage", path, "--most", 1, "--json", tmp_path / "c.json")
    assert outcome.status == 0
    assert "captions: 3, an emotion read in 1; 2 words" in outcome.out
    assert "flumpish" in outcome.out
    assert "wurbled" not in outcome.out
    unknown = json.loads((tmp_path / "c.json").read_text())["unknown"]
    assert [row["word"] for row in unknown] == ["flumpish", "wurbled"]


def test_a_bad_line_costs_itself_only(budew):
    outcome = budew("captions", "coverage", "-", stdin=b'{"caption": "She is sad."}\n{"caption": 3}\n')
    assert outcome.status == 1
    assert "captions: 1, an emotion read in 1" in outcome.out
    assert "stdin:2" in outcome.err


def test_the_size_of_the_language_is_told(budew):
    assert f"{language_size().frames} sentence frames" in budew("captions", "size").out
