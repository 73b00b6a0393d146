"""The benchmarks that check more than time, small: killed jobs, a broken corpus, the caption language."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    [
        "kill.py --clips 400 --shards 8 --kills 4 --seed 3",
        "corruption.py --items 200 --broken 40 --seed 3",
        "round_trip.py --profiles 5000 --seed 3",
        "fuzz.py --inputs 500 --sizes 1000 10000",
    ],
)
def test_it_finds_nothing_wrong(command):
    script, *options = command.split()
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / script, *options],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
