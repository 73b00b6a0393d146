"""The command line: results on stdout, one line for each problem on stderr, an exit status that tells."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile

from budew.cli import main
from budew.corpora import Clip, write_shard
from budew.profile import VoiceProfile


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Budew = Callable[..., Outcome]


@pytest.fixture
def budew(monkeypatch, capsys) -> Budew:
    """Run the command in this process: `budew("parse", "A sad man.")`."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "argv", ["budew", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main()
        return Outcome(ended.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture
def talk(tmp_path) -> Path:
    """A folder with two recordings, of 1 s and 5 s, and a text file named as audio."""
    folder = tmp_path / "talk"
    folder.mkdir()
    for name, seconds in (("a.wav", 1), ("b.flac", 5)):
        time = np.arange(seconds * 16_000) / 16_000
        soundfile.write(folder / name, 0.3 * np.sin(2 * np.pi * 150 * time), 16_000)
    (folder / "c.mp3").write_text("no audio at all")
    return folder


def shell(command: str) -> subprocess.CompletedProcess[str]:
    program = f'{sys.executable} -c "from budew.cli import main; main()"'
    return subprocess.run(["bash", "-c", command.replace("budew", program)], capture_output=True, text=True)


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


def test_parse_reads_stdin_and_writes_a_file(budew, tmp_path):
    outcome = budew(
        "parse", "--jsonl", "-", "-o", tmp_path / "o.jsonl", stdin=b'{"caption": "A happy girl."}\n'
    )
    assert (outcome.status, outcome.out) == (0, "")
    assert "emotions" in json.loads((tmp_path / "o.jsonl").read_text())


@pytest.mark.parametrize(
    "arguments",
    [
        ("parse", "a", "--jsonl", "b"),
        ("caption",),
        ("nonsense",),
        ("train", "a.yaml", "--set", "b"),
        ("caption", "a.wav", "--format", "xml"),
    ],
)
def test_a_command_that_is_not_understood_ends_with_status_2(budew, arguments):
    assert budew(*arguments).status == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("render", "missing.json"), "missing.json: No such file"),
        (("parse", "--jsonl", "missing.jsonl"), "missing.jsonl: No such file"),
        (("evaluate", "missing", "--predictions", os.devnull), "missing: there is nothing of this name"),
        (("caption", "a.wav", "--model", "no/where/at/all"), "no/where/at/all"),
    ],
)
def test_an_error_is_one_line(budew, arguments, told):
    outcome = budew(*arguments)
    assert outcome.status == 1
    assert outcome.err.startswith("budew: ")
    assert told in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_an_unknown_emotion_lists_the_nearest(budew):
    outcome = budew("render", "-", stdin=b'{"emotions": {"Angr": 1}}')
    assert outcome.status == 1
    assert "Anger" in outcome.err


def test_debug_shows_the_traceback(monkeypatch):
    monkeypatch.setenv("BUDEW_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["budew", "render", "missing.json"])
    with pytest.raises(FileNotFoundError):
        main()


def test_a_folder_is_captioned_and_its_bad_file_is_one_line(budew, talk, whisper_folder):
    outcome = budew(
        "caption", talk, "--model", whisper_folder, "--format", "jsonl", "--scores", "--device", "cpu"
    )
    assert outcome.status == 1
    records = {Path(record["source"]).name: record for record in map(json.loads, outcome.out.splitlines())}
    assert sorted(records) == ["a.wav", "b.flac", "c.mp3"]
    assert "error" in records["c.mp3"]
    assert len(records["b.flac"]["windows"]) == 3  # the checkpoint hears 2 s at a time
    assert len(records["a.wav"]["scores"]) == 40
    failures = [line for line in outcome.err.splitlines() if not line.startswith("budew: warning: ")]
    assert len(failures) == 1
    assert failures[0].startswith(f"budew: {talk / 'c.mp3'}: this is not audio")


def test_one_file_as_text_is_its_caption_alone_and_several_are_named(budew, talk, whisper_folder):
    one = budew("caption", talk / "a.wav", "--model", whisper_folder)
    assert one.status == 0
    several = budew("caption", talk / "a.wav", talk / "a.wav", "--model", whisper_folder)
    assert several.out.splitlines() == [f"{talk / 'a.wav'}", f"  {one.out.strip()}"] * 2


@pytest.mark.parametrize("names", [[], ["a.wav"], ["a.wav", "b.flac"]])
def test_json_is_one_array_and_goes_to_a_file(budew, talk, whisper_folder, tmp_path, names):
    folder = tmp_path / "some"
    folder.mkdir()
    for name in names:
        (talk / name).rename(folder / name)
    outcome = budew(
        "caption", folder, "--format", "json", "-o", tmp_path / "o.json", "--model", whisper_folder
    )
    assert outcome.out == ""
    found = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))
    assert [Path(record["source"]).name for record in found if "error" not in record] == names
    assert outcome.status == (0 if names else 1)


def test_evaluate_judges_predictions_and_writes_what_is_asked_for(budew, talk, tmp_path):
    audio = (talk / "a.wav").read_bytes()
    clips = [Clip(f"{i}", audio, "wav", profile=VoiceProfile({"Anger": i / 8})) for i in range(9)]
    write_shard(tmp_path / "t.tar", [*clips, Clip("bare", audio, "wav")])
    predictions = [json.dumps({"id": f"{i}", "emotions": {"Anger": i / 8}}) for i in range(9)]
    (tmp_path / "p.jsonl").write_text("\n".join(predictions))
    outcome = budew(
        *("evaluate", tmp_path / "t.tar", "--predictions", tmp_path / "p.jsonl"),
        *("--json", tmp_path / "e.json", "--html", tmp_path / "e.html"),
    )
    assert "Spearman" in outcome.out
    assert json.loads((tmp_path / "e.json").read_text(encoding="utf-8"))["clips"] == 9
    assert "<html" in (tmp_path / "e.html").read_text(encoding="utf-8")
    assert outcome.status == 1
    assert "left out: bare" in outcome.err


def test_a_dry_run_of_training_tells_what_it_would_do_and_does_nothing(budew, tmp_path):
    from budew.resources import data_folder

    recipe = data_folder("recipes") / "tiny-synthetic.yaml"
    outcome = budew("train", recipe, "--dry-run", "--set", "max_steps=7", "--out", tmp_path / "run")
    assert outcome.status == 0, outcome.err
    assert outcome.out == f"would be saved to {tmp_path / 'run' / 'checkpoint'}\n"
    assert "max_steps: 7" in outcome.err
    assert not (tmp_path / "run").exists()
    wrong = budew("train", recipe, "--dry-run", "--set", "no_such_field=7")
    assert wrong.status == 1
    assert "no_such_field" in wrong.err


def test_version_and_help_are_quick_and_load_no_torch():
    program = (
        "import sys, budew.cli; print(sorted({'torch', 'transformers', 'scipy', 'numpy'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
    assert shell("budew --version").stdout.startswith("budew ")


def test_a_reader_that_stops_early_is_no_error(tmp_path):
    (tmp_path / "c.jsonl").write_text('{"caption": "A sad man."}\n' * 20_000)
    ran = shell(f"budew parse --jsonl {tmp_path}/c.jsonl | head -n 1")
    assert "Traceback" not in ran.stderr
    assert ran.stderr == ""
    assert len(ran.stdout.splitlines()) == 1


def test_every_command_teaches_by_an_example(budew):
    for command in (["caption"], ["parse"], ["render"], ["doctor"], ["corpus", "synthesize"], ["train"]):
        assert f"Example: {'echo' if command == ['render'] else 'budew'}" in budew(*command, "--help").out
    for command in ("evaluate", "demo"):
        assert "Example: budew" in budew(command, "--help").out


def test_a_terminal_without_utf_8_gets_replacements(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    program = "from budew.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", program, "parse", "--jsonl", "-"],
        input='{"caption": "é"}\n'.encode(),
        capture_output=True,
        env=environment,
    )
    assert ran.returncode == 0
    assert ran.stderr == b""
