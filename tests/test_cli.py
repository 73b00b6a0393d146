"""The command line: results on stdout, one line for each problem on stderr, an exit status that tells."""

import contextlib
import io
import itertools
import json
import os
import shlex
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
from budew.inference import Captioned, WindowCaption
from budew.profile import VoiceProfile
from budew.resources import data_folder
from budew.shown import show_captions


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Budew = Callable[..., Outcome]

SMALL = """
train_clips: 8
validation_clips: 4
window_seconds: 2
mel_bins: 16
fourier: 512
width: 32
encoder_layers: 1
decoder_layers: 1
attention_heads: 2
vocabulary: 400
longest_caption: 48
max_steps: 2
batch_size: 2
warmup_steps: 1
evaluate_every: 2
evaluate_clips: 2
precision: fp32
"""
NOT_INSTALLED = """
from importlib.machinery import PathFinder

find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name.partition(".")[0] == "{}" else find(name, *rest)
"""


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


def at_a_terminal(*arguments: str) -> tuple[int, bytes, str]:
    """Run the command with a terminal as stderr; exit status, stdout, and what the terminal showed."""
    screen, terminal = os.openpty()
    ran = subprocess.Popen(
        [sys.executable, "-c", "from budew.cli import main; main()", *arguments],
        stdout=subprocess.PIPE,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while piece := os.read(screen, 4_096):
            shown += piece
    os.close(screen)
    out, _ = ran.communicate()
    return ran.returncode, out, shown.decode()


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
    assert budew("parse", "--jsonl", "-", stdin=b"[]").err.startswith("budew: stdin: line 1: ")


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


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        (b'{"emotions": {"Angr": 1}}', "'Anger'"),
        (b'{"emotions": {"Anger": 1e999}}', "from 0 to 1, not inf"),
        (b'{"emotions": {"\\ud800": 1}}', "unknown emotion"),
        (b'{"traits": {"accent": "x\\n[red]"}}', "accent"),
        (b"[" * 100_000, "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"x" * 2_000_000, "at most 1000000 bytes"),
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


def test_an_error_that_nobody_foresaw_is_one_line_that_says_how_to_see_more(monkeypatch, capsys):
    def fail():
        raise KeyError("a")

    monkeypatch.setattr("budew.doctor.examine", fail)
    monkeypatch.setattr(sys, "argv", ["budew", "doctor"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    err = capsys.readouterr().err
    assert err == "budew: KeyError: 'a' (BUDEW_DEBUG=1 shows where: please report it)\n"


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


@pytest.mark.parametrize("format", ["text", "json", "jsonl"])
def test_of_a_damaged_file_what_can_be_heard_is_captioned_and_the_exit_status_tells(
    budew, talk, whisper_folder, format
):
    whole = (talk / "b.flac").read_bytes()
    (talk / "b.flac").write_bytes(whole[: len(whole) // 2])
    (talk / "c.mp3").unlink()
    outcome = budew("caption", talk, "--format", format, "--model", whisper_folder)
    assert outcome.status == 1
    told = [line for line in outcome.err.splitlines() if not line.startswith("budew: warning: ")]
    assert len(told) == 1
    assert told[0].startswith(f"budew: {talk / 'b.flac'}: ")
    assert "could be used" in told[0]
    if format == "text":
        assert outcome.out.splitlines()[2] == str(talk / "b.flac")
        return
    lines = outcome.out.splitlines()
    fine, damaged = json.loads(outcome.out) if format == "json" else map(json.loads, lines)
    assert "damaged" not in fine
    assert 1 < damaged["duration"] < 5
    assert "caption" in damaged
    assert damaged["damaged"] in told[0]


def test_letters_before_a_caption_are_a_warning_and_no_fault(capsys):
    window = WindowCaption(0, 1, "The voice is sad.", VoiceProfile())
    odd = Captioned("a.wav", 1.0, (window,), VoiceProfile(), warnings=("stray letters 'A' removed",))
    assert show_captions([odd], io.StringIO(), format="text", scores=False, named=False)
    assert capsys.readouterr().err == "budew: warning: a.wav: stray letters 'A' removed\n"


def test_beams_are_passed_on_and_checked(budew, talk, whisper_folder):
    from budew.inference import Captioner

    path = talk / "b.flac"
    outcome = budew("caption", path, "--beams", 4, "--model", whisper_folder)
    assert outcome.out == Captioner.from_pretrained(whisper_folder, beams=4)(path).caption + "\n"
    assert outcome.out != budew("caption", path, "--model", whisper_folder).out
    assert "use 1 to 64" in budew("caption", path, "--beams", 1000, "--model", whisper_folder).err


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
        *("--json", tmp_path / "other" / "e.json", "--html", tmp_path / "new" / "e.html"),
    )
    assert "Spearman" in outcome.out
    assert json.loads((tmp_path / "other" / "e.json").read_text(encoding="utf-8"))["clips"] == 9
    assert "<html" in (tmp_path / "new" / "e.html").read_text(encoding="utf-8")
    assert outcome.out.splitlines()[-2:] == [
        f"figures: {tmp_path / 'other' / 'e.json'}",
        f"report:  {(tmp_path / 'new' / 'e.html').as_uri()}",
    ]
    assert outcome.status == 1
    assert "left out: bare" in outcome.err


@pytest.mark.parametrize(
    ("corpus", "told"),
    [
        ("empty", "no shard, parquet or audio file is in it"),
        ("talk", "the clip has no profile to compare with"),
        ("nowhere", "there is nothing of this name"),
        ("nothing*.tar", "there is nothing of this name"),
        ("p.jsonl", "line 1"),
    ],
)
def test_a_corpus_that_cannot_be_judged_is_one_line(budew, talk, tmp_path, monkeypatch, corpus, told):
    (tmp_path / "empty").mkdir()
    (tmp_path / "p.jsonl").write_text('{"id": "zzz", "caption": "A sad man."}\n')
    monkeypatch.chdir(tmp_path)
    outcome = budew("evaluate", corpus, "--predictions", os.devnull)
    assert (outcome.status, outcome.out) == (1, "")
    assert told in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_predictions_of_unknown_clips_are_one_line_that_names_them(budew, talk, tmp_path):
    clip = Clip("known", (talk / "a.wav").read_bytes(), "wav", profile=VoiceProfile({"Anger": 1}))
    write_shard(tmp_path / "t.tar", [clip])
    lines = [json.dumps({"id": name, "caption": "A sad man."}) for name in ("known", "stranger")]
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    outcome = budew("evaluate", tmp_path / "t.tar", "--predictions", tmp_path / "p.jsonl")
    assert (outcome.status, len(outcome.err.splitlines())) == (1, 1)
    assert "'stranger'" in outcome.err


def test_someone_at_a_terminal_sees_a_bar_while_a_corpus_is_evaluated(talk, tmp_path):
    audio = (talk / "a.wav").read_bytes()
    clips = [Clip(f"{i}", audio, "wav", profile=VoiceProfile({"Anger": i / 4})) for i in range(4)]
    write_shard(tmp_path / "t.tar", clips)
    (tmp_path / "p.jsonl").write_text(
        "\n".join(json.dumps({"id": clip.id, "caption": "Sad."}) for clip in clips)
    )
    status, out, shown = at_a_terminal(
        "evaluate", f"{tmp_path / 't.tar'}", "--predictions", f"{tmp_path / 'p.jsonl'}"
    )
    assert status == 0
    assert "evaluating" in shown
    assert b"Spearman" in out
    assert b"evaluating" not in out


def test_a_recipe_that_ships_is_known_by_its_name_and_a_dry_run_tells_on_stdout_and_does_nothing(
    budew, tmp_path
):
    recipe = data_folder("recipes") / "tiny-synthetic.yaml"
    changed = ("--dry-run", "--set", "max_steps=7", "--out", tmp_path / "run")
    outcome = budew("train", "tiny-synthetic", *changed)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines()[-1] == f"the checkpoint would be {tmp_path / 'run' / 'checkpoint'}"
    assert "max_steps: 7" in outcome.out
    assert outcome == budew("train", recipe, *changed)
    assert not (tmp_path / "run").exists()
    wrong = budew("train", recipe, "--dry-run", "--set", "no_such_field=7")
    assert wrong.status == 1
    assert "no_such_field" in wrong.err


def test_an_unknown_recipe_lists_those_that_ship_and_so_does_help(budew):
    shipped = ", ".join(path.stem for path in sorted(data_folder("recipes").glob("*.yaml")))
    unknown = budew("train", "tiny-syntetic", "--dry-run")
    assert unknown.status == 1
    assert shipped in unknown.err
    assert len(unknown.err.splitlines()) == 1
    assert all(name in budew("train", "--help").out for name in shipped.split(", "))


def test_training_ends_with_the_checkpoint_and_a_command_that_works(budew, tmp_path):
    recipe = tmp_path / "small.yaml"
    recipe.write_text(SMALL)
    trained = budew("train", recipe, "--out", tmp_path / "a run")
    assert trained.status == 0, trained.err
    checkpoint, following = trained.out.splitlines()[-2:]
    assert checkpoint == f"checkpoint: {tmp_path / 'a run' / 'checkpoint'}"
    program, *arguments = shlex.split(following.removeprefix("next:"))
    assert program == "budew"
    assert "Spearman" in budew(*arguments).out


@pytest.mark.parametrize(
    ("command", "library"),
    [
        ("corpus synthesize {} --clips 2 --seed 1", "espeakng_loader"),
        ("corpus synthesize {} --clips 2 --seed 1", "scipy"),
        ("train tiny-synthetic --out {}", "accelerate"),
        ("train tiny-synthetic --out {}", "scipy"),
    ],
)
def test_a_missing_extra_is_one_line_with_the_remedy(tmp_path, command, library):
    (tmp_path / "sitecustomize.py").write_text(NOT_INSTALLED.format(library))
    ran = subprocess.run(
        [sys.executable, "-c", "from budew.cli import main; main()", *command.format(tmp_path / "o").split()],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
    )
    purpose = " ".join(itertools.takewhile(str.isalpha, command.split()[:2]))
    assert ran.stderr.startswith(f"budew: budew {purpose} needs {library}, ")
    assert 'pip install "budew[train]"' in ran.stderr
    assert (ran.returncode, ran.stdout, len(ran.stderr.splitlines())) == (1, "", 1)
    assert not (tmp_path / "o").exists()


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
