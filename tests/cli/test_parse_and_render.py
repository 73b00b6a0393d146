"""`budew parse` and `budew render`: text in, records out."""

import json

import pytest

from budew.captions import frame_names
from budew.profile import VoiceProfile


def test_a_caption_parses_to_a_profile_that_renders(budew):
    parsed = budew("parse", "A man, deeply sad.")
    assert parsed.status == 0
    assert VoiceProfile.from_json(parsed.out).emotions["Sadness"] > 0.5
    rendered = budew("render", "-", "--count", "3", "--seed", "5", stdin=parsed.out.encode())
    assert rendered.status == 0
    assert len(rendered.out.splitlines()) == 3
    for line in rendered.out.splitlines():
        assert VoiceProfile.from_json(budew("parse", line).out) == VoiceProfile.from_json(parsed.out)


def test_render_of_a_file_is_that_of_the_library(budew, tmp_path):
    from budew.captions import render

    profile = VoiceProfile({"Anger": 0.75})
    (tmp_path / "p.json").write_text(profile.to_json())
    assert budew("render", tmp_path / "p.json", "--seed", "3").out == render(profile, seed=3) + "\n"


def test_parse_adds_emotions_to_each_line_and_tells_the_number_of_a_bad_one(budew, tmp_path):
    lines = [
        '{"id": 1, "caption": "A man, very angry."}',
        "{",
        '{"caption": 5}',
        "",
        '{"caption": "é", "x": [1]}',
    ]
    (tmp_path / "c.jsonl").write_text("\n".join(lines), encoding="utf-8")
    outcome = budew("parse", "--jsonl", tmp_path / "c.jsonl")
    assert outcome.status == 1
    records = [json.loads(line) for line in outcome.out.splitlines()]
    assert records[0]["id"] == 1
    assert records[0]["emotions"]["Anger"] > 0.5
    assert records[1] == {"caption": "é", "x": [1], "emotions": {}}
    assert ["line 2: is not JSON" in outcome.err, "line 3: has no text" in outcome.err] == [True, True]
    assert len(outcome.err.splitlines()) == 2


def test_parse_puts_the_whole_reading_where_it_is_asked_to_and_leaves_the_labels_alone(budew):
    line = b'{"caption": "A sad man, sobbing.", "emotions": {"Anger": 1.0}}\n'
    record = json.loads(budew("parse", "--jsonl", "-", "--into", "parsed", stdin=line).out)
    assert record["emotions"] == {"Anger": 1.0}
    assert record["parsed"] == {
        "emotions": {"Sadness": 0.5},
        "bursts": ["Sobs"],
        "traits": {"gender": "male"},
    }
    assert budew("parse", "sad", "--into", "parsed").status == 2


@pytest.mark.parametrize("name", ["caption", "", " "])
def test_the_reading_goes_under_a_name_of_its_own(budew, name):
    line = b'{"caption": "A sad man."}\n'
    outcome = budew("parse", "--jsonl", "-", "--into", name, stdin=line)
    assert (outcome.status, outcome.out) == (1, "")
    assert "give a name of its own" in outcome.err


def test_a_line_that_has_the_name_already_is_told_and_the_others_are_read(budew):
    lines = b'{"caption": "A sad man.", "read": 1}\n{"caption": "A glad man."}\n'
    outcome = budew("parse", "--jsonl", "-", "--into", "read", stdin=lines)
    assert outcome.status == 1
    assert "stdin: line 1: has something under 'read' already" in outcome.err
    assert len(outcome.out.splitlines()) == 1


def test_the_page_can_go_to_stdout_and_not_where_the_reading_goes(budew, tmp_path):
    assert budew("parse", "sad", "--html", "-").out.startswith("<!doctype html>")
    both = tmp_path / "both"
    for options in (["--html", both, "-o", both], ["--html", "-", "--explain"]):
        outcome = budew("parse", "sad", *options)
        assert (outcome.status, outcome.out) == (1, "")
        assert "two results would go here" in outcome.err
    assert not both.exists()


def test_parse_reads_stdin_and_writes_a_file(budew, tmp_path):
    outcome = budew(
        "parse", "--jsonl", "-", "-o", tmp_path / "o.jsonl", stdin=b'{"caption": "A happy girl."}\n'
    )
    assert (outcome.status, outcome.out) == (0, "")
    assert "emotions" in json.loads((tmp_path / "o.jsonl").read_text())
    assert budew("parse", "--jsonl", "-", stdin=b"[]").err.startswith("budew: stdin: line 1: ")


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        (b'{"emotions": {"Angr": 1}}', "'Anger'"),
        (b'{"emotions": {"Anger": 1e999}}', "1e999 is not a number"),
        (b'{"emotions": {"\\ud800": 1}}', "unknown emotion"),
        (b'{"traits": {"accent": "x\\n[red]"}}', "accent"),
        (b"[" * 100_000, "nested"),
        (b"\xff", "not UTF-8"),
        (b"x" * 9_000_000, "longer than"),
    ],
)
def test_a_profile_that_is_none_is_one_line_with_the_name_of_its_file(budew, tmp_path, profile, told):
    (tmp_path / "p.json").write_bytes(profile)
    for outcome, name in (
        (budew("render", "-", stdin=profile), "stdin"),
        (budew("render", tmp_path / "p.json"), tmp_path / "p.json"),
    ):
        assert (outcome.status, outcome.out) == (1, "")
        assert outcome.err.startswith(f"budew: {name}: ")
        assert told in outcome.err
        assert len(outcome.err.splitlines()) == 1


def test_a_hostile_line_costs_itself_only_and_is_told_with_its_number(budew, tmp_path):
    lines = [
        b"[]", b'{"caption": "' + b"a" * 9_000_000 + b'"}', b"\xff", b'{"caption": "a", "x": 1e999}',
        b'{"caption": "a", "x": NaN}', b"[" * 100_000, b'{"caption": "\\ud800 sad"}', b'{"caption": "sad"}',
    ]  # fmt: skip
    (tmp_path / "c.jsonl").write_bytes(b"\n".join(lines))
    outcome = budew("parse", "--jsonl", tmp_path / "c.jsonl", "-o", tmp_path / "out.jsonl")
    assert outcome.status == 1
    told = outcome.err.splitlines()
    assert [line.split(": ")[2].split()[:2] for line in told] == [["line", f"{n}"] for n in range(1, 7)]
    parsed = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [sorted(record["emotions"]) for record in parsed] == [["Sadness"], ["Sadness"]]


def test_explain_shows_each_phrase_and_html_writes_a_page(budew, tmp_path):
    page = tmp_path / "page.html"
    outcome = budew("parse", "Not angry, deeply sad.", "--explain", "--html", page)
    assert outcome.status == 0
    assert "denied" in outcome.out
    assert "strong" in outcome.out
    assert "deeply" in page.read_text(encoding="utf-8")


def test_explain_is_for_one_caption(budew, tmp_path):
    (tmp_path / "c.jsonl").write_text("")
    assert budew("parse", "--jsonl", tmp_path / "c.jsonl", "--explain").status == 2


def test_min_z_without_a_baseline_is_refused(budew, tmp_path):
    (tmp_path / "p.json").write_text("{}")
    outcome = budew("render", tmp_path / "p.json", "--min-z", "2")
    assert (outcome.status, "--baseline" in outcome.err) == (2, True)


def test_render_takes_style_and_what_to_leave_out(budew, tmp_path):
    path = tmp_path / "p.json"
    path.write_text('{"emotions": {"Sadness": 0.75, "Pride": 0.25}, "traits": {"gender": "female"}}')
    out = budew("render", path, "--style", "tags", "--max-emotions", 1, "--leave-out", "gender").out
    assert json.loads(budew("parse", out).out) == {"emotions": {"Sadness": 0.75}, "bursts": [], "traits": {}}
    assert budew("render", path, "--leave-out", "nothing").err.startswith("budew: nothing called 'nothing'")


def test_all_frames_shows_the_profile_in_each(budew, tmp_path):
    (tmp_path / "p.json").write_text('{"emotions": {"Sadness": 0.75}}')
    out = budew("render", tmp_path / "p.json", "--all-frames").out
    assert all(name in out for name in frame_names())


def test_all_frames_say_what_is_asked_for(budew, tmp_path):
    (tmp_path / "p.json").write_text(
        '{"emotions": {"Sadness": 0.75, "Awe": 1}, "traits": {"gender": "female"}}'
    )
    options = ("--all-frames", "--style", "tags", "--max-emotions", 1, "--leave-out", "gender")
    out = budew("render", tmp_path / "p.json", *options).out
    assert [name in out for name in ("telegraphic", "expresses")] == [True, False]
    assert "emale" not in out
    assert "sad" not in out.lower()
    assert budew("render", tmp_path / "p.json", "--all-frames", "--count", 3).status == 2


@pytest.mark.parametrize("name", ["", "."])
def test_a_folder_is_no_profile(budew, name):
    assert budew("render", name).err.startswith("budew: .: is a folder (as is no name at all): name a file")


def test_years_are_no_rating_of_an_age(budew):
    told = budew("render", "-", stdin=b'{"traits": {"age": 45}}').err
    assert "in words, age is one of child, teenager" in told


def test_a_file_can_be_parsed_in_place_and_an_error_keeps_what_was_there(budew, tmp_path):
    path = tmp_path / "c.jsonl"
    path.write_text('{"caption": "She is sad."}\n')
    assert budew("parse", "--jsonl", path, "-o", path).status == 0
    assert json.loads(path.read_text())["emotions"] == {"Sadness": 0.5}
    kept = path.read_bytes()
    assert budew("parse", "--jsonl", tmp_path / "missing", "-o", path).status == 1
    assert path.read_bytes() == kept


def test_not_to_say_a_feeling_is_not_to_deny_it(budew, tmp_path):
    (tmp_path / "p.json").write_text('{"emotions": {"Anger": 0.25}, "traits": {"gender": "male"}}')
    for options in (["--leave-out", "emotions"], ["--max-emotions", "0"], ["--min-level", "0.5"]):
        for style in ("prose", "short", "tags"):
            out = budew("render", tmp_path / "p.json", *options, "--style", style, "--count", 8).out
            assert "neutral" not in out.lower()
            assert "no emotion" not in out.lower()
            assert "no particular" not in out.lower()
            assert any(word in out.lower() for word in ("man", "masculine", "male"))


def test_a_caption_on_stdin_is_parsed(budew):
    assert json.loads(budew("parse", "-", stdin=b"She is sad.").out)["emotions"] == {"Sadness": 0.5}
