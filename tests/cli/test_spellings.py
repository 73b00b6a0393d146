"""Commands accept the options of others for results; the error about a wrong option names another."""

import json

import pytest

from budew.cli import load_command
from budew.cli.spellings import respelled

CAPTION, EVALUATE = load_command("caption"), load_command("evaluate")
EXPORT = load_command("corpus").commands["export"]


@pytest.mark.parametrize(
    ("command", "given", "own"),
    [
        (CAPTION, "b.mp3 --json -", "b.mp3 --format json --output -"),
        (CAPTION, "b.mp3 --html=page.html --scores", "b.mp3 --format html --output page.html --scores"),
        (CAPTION, "--json b.json b.mp3", "--format json --output b.json b.mp3"),
        (CAPTION, f"--json {__file__}", f"--format json {__file__}"),
        (CAPTION, "b.mp3 --json", "b.mp3 --format json"),
        (CAPTION, "b.mp3 --to=vtt -o x", "b.mp3 --format=vtt -o x"),
        (CAPTION, "b.mp3 --format csv -o x.csv", "b.mp3 --format csv -o x.csv"),
        (CAPTION, "-- --json", "-- --json"),
        (EVALUATE, "test/ --format json", "test/ --json -"),
        (EVALUATE, "test/ -o r.html --samples 4", "test/ --samples 4 --html r.html"),
        (EVALUATE, "--format=json --output r test/", "test/ --json r"),
        (EVALUATE, "test/ --format csv", "test/ --format csv"),
        (EXPORT, "in out --format lhotse", "in out --to lhotse"),
        (EXPORT, "in out --to lhotse", "in out --to lhotse"),
    ],
)
def test_options_of_other_commands_are_accepted(command, given, own):
    found = " ".join(respelled(given.split(), command))
    assert found.replace("--format=vtt", "--format vtt") == own.replace("--format=vtt", "--format vtt")


def test_json_of_captions_and_of_scores_can_be_asked_for_in_both_ways(budew, talk, whisper_folder, tmp_path):
    (talk / "c.mp3").unlink()
    given = ("caption", talk, "--model", whisper_folder)
    assert budew(*given, "--json", tmp_path / "a.json").status == 0
    assert (tmp_path / "a.json").read_text() == budew(*given, "--format", "json").out
    assert budew(*given, "--json", "-").out == (tmp_path / "a.json").read_text()
    own = budew("corpus", "stats", talk, "--json", "-")
    assert json.loads(own.out) == json.loads(budew("corpus", "stats", talk, "--format", "json").out)
    assert budew("corpus", "stats", talk, "-o", tmp_path / "b.json").status == own.status
    assert json.loads((tmp_path / "b.json").read_text()) == json.loads(own.out)


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("caption", "a.wav", "--beams", "3"), "--num-beams"),
        (("caption", "a.wav", "--recording", "3"), "--record"),
        (("evaluate", "a", "--jsn", "f"), "--json"),
    ],
)
def test_the_error_about_a_wrong_option_names_the_one_that_is_meant(budew, arguments, meant):
    outcome = budew(*arguments)
    assert outcome.status == 2
    assert meant in outcome.err
