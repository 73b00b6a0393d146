"""The command as such: quick, helpful, at home in a pipe."""

import os
import subprocess
import sys


def test_version_and_help_are_quick_and_load_no_torch(shell):
    program = (
        "import sys, budew.cli; print(sorted({'torch', 'transformers', 'scipy', 'numpy'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
    assert shell("budew --version").stdout.startswith("budew ")


def test_a_reader_that_stops_early_is_no_error(tmp_path, shell):
    (tmp_path / "c.jsonl").write_text('{"caption": "A sad man."}\n' * 20_000)
    ran = shell(f"budew parse --jsonl {tmp_path}/c.jsonl | head -n 1")
    assert "Traceback" not in ran.stderr
    assert ran.stderr == ""
    assert len(ran.stdout.splitlines()) == 1


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
