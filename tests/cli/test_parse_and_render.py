"""`budew parse` and `budew render`: text in, records out."""

import json
import re

import pytest

from budew.profile import VoiceProfile


def test_a_caption_parses_to_a_profile_that_renders(budew):
    parsed = budew("parse", "-", stdin=b"A man, deeply sad.")
    assert parsed.status == 0
    assert VoiceProfile.from_json(parsed.out).emotions["Sadness"] > 0.5
    rendered = budew("render", "-", "--count", "3", "--seed", "5", stdin=parsed.out.encode())
    assert rendered.status == 0
    assert len(rendered.out.splitlines()) == 3
    for line in rendered.out.splitlines():
        assert VoiceProfile.from_json(budew("parse", line).out) == VoiceProfile.from_json(parsed.out)


def test_into_stores_the_whole_profile_under_a_new_name_only(budew):
    lines = (
        b'{"caption": "A sad man, sobbing.", "emotions": {"Anger": 1.0}}\n{"caption": "Sad.", "read": 1}\n'
    )
    outcome = budew("parse", "--jsonl", "-", "--into", "read", stdin=lines)
    assert outcome.status == 1
    (told,) = outcome.err.splitlines()
    assert re.match(r"budew: stdin: line 2\b.*'read'", told)
    record = json.loads(outcome.out)
    assert record["emotions"] == {"Anger": 1.0}
    assert record["read"] == {"emotions": {"Sadness": 0.5}, "bursts": ["Sobs"], "traits": {"gender": "male"}}


def test_page_and_explanation_cannot_both_go_to_stdout(budew, tmp_path):
    assert budew("parse", "sad", "--html", "-").out.startswith("<!doctype html>")
    both = tmp_path / "both"
    for options in (["--html", both, "-o", both], ["--html", "-", "--explain"]):
        outcome = budew("parse", "sad", *options)
        assert (outcome.status, outcome.out) == (1, "")
        assert "two outputs have the same file" in outcome.err
    assert not both.exists()


def test_an_invalid_line_is_reported_with_its_number_and_the_others_are_parsed(budew, tmp_path):
    lines = [
        b"[]", b'{"caption": "' + b"a" * 9_000_000 + b'"}', b"\xff", b'{"caption": "a", "x": 1e999}',
        b'{"caption": "a", "x": NaN}', b"[" * 100_000, b'{"caption": "\\ud800 sad"}', b'{"caption": "sad"}',
    ]  # fmt: skip
    (tmp_path / "c.jsonl").write_bytes(b"\n".join(lines))
    outcome = budew("parse", "--jsonl", tmp_path / "c.jsonl", "-o", tmp_path / "out.jsonl")
    assert outcome.status == 1
    reported = outcome.err.splitlines()
    assert [line.split(": ")[2].split()[:2] for line in reported] == [["line", f"{n}"] for n in range(1, 7)]
    parsed = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [sorted(record["emotions"]) for record in parsed] == [["Sadness"], ["Sadness"]]


def test_explain_shows_each_phrase_and_html_writes_a_page(budew, tmp_path):
    page = tmp_path / "page.html"
    outcome = budew("parse", "Not angry, deeply sad.", "--explain", "--html", page)
    assert outcome.status == 0
    assert "negated" in outcome.out
    assert "strong" in outcome.out
    assert "deeply" in page.read_text(encoding="utf-8")


def test_render_takes_style_and_what_to_leave_out_and_shows_all_frames(budew, tmp_path):
    path = tmp_path / "p.json"
    path.write_text('{"emotions": {"Sadness": 0.75, "Awe": 1}, "traits": {"gender": "female"}}')
    options = (path, "--style", "tags", "--max-emotions", 1, "--leave-out", "gender")
    out = budew("render", *options).out
    assert json.loads(budew("parse", out).out) == {"emotions": {"Awe": 1}, "bursts": [], "traits": {}}
    every = budew("render", *options, "--all-frames").out
    assert [name in every for name in ("telegraphic", "expresses")] == [True, False]
    assert "emale" not in every
    assert "sad" not in every.lower()
    short = budew("render", path, "--max-words", 12, "--count", 9).out
    assert json.loads(budew("parse", short).out)["emotions"] == {"Awe": 1}
    assert all(len(line.split()) <= 12 for line in short.splitlines())


def test_a_file_can_be_parsed_in_place_and_is_kept_after_an_error(budew, tmp_path):
    path = tmp_path / "c.jsonl"
    path.write_text('{"caption": "She is sad."}\n')
    assert budew("parse", "--jsonl", path, "-o", path).status == 0
    assert json.loads(path.read_text())["emotions"] == {"Sadness": 0.5}
    kept = path.read_bytes()
    assert budew("parse", "--jsonl", tmp_path / "missing", "-o", path).status == 1
    assert path.read_bytes() == kept


@pytest.mark.parametrize(
    "profile",
    [b'{"emotions": {"Angr": 1}}', b"\xff"],
)
def test_an_invalid_profile_is_one_line_with_the_name_of_its_file(budew, tmp_path, profile):
    (tmp_path / "p.json").write_bytes(profile)
    for given, name in (("-", "stdin"), (tmp_path / "p.json", tmp_path / "p.json")):
        outcome = budew("render", given, stdin=profile)
        assert (outcome.status, outcome.out) == (1, "")
        assert outcome.err.startswith(f"budew: {name}: ")
        assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("parse", "--jsonl", "-", "--explain"), 2),
        (("parse", "sad", "--into", "parsed"), 2),
        (("parse", "sad", "--jsonl", "-"), 2),
        (("parse", "--jsonl", "-", "--into", "caption"), 1),
        (("render", "-", "--min-z", "2"), 2),
        (("render", "-", "--all-frames", "--count", "3"), 2),
        (("render", "-", "--leave-out", "nothing"), 1),
        (("render", ""), 1),
    ],
)
def test_options_that_contradict_each_other_or_name_nothing_are_refused(budew, arguments, status):
    outcome = budew(*arguments, stdin=b"{}" if arguments[0] == "render" else b'{"caption": "Sad."}')
    assert (outcome.status, outcome.out) == (status, "")
    assert outcome.err
