"""The benchmarks that check more than time, small: killed jobs, a broken corpus, captions, people."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evaluation.benchmarks.known_folders import EMODB, NEMO, folder_of

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


def test_corpora_of_people_are_scored_and_the_page_is_made_again_without_the_model(
    tmp_path, whisper_folder, monkeypatch, capsys
):
    places = [
        f"emodb@test:{folder_of(EMODB, tmp_path / 'emodb')}",
        f"nemo:{folder_of(NEMO, tmp_path / 'nemo')}",
    ]
    options = [
        "--model",
        f"{whisper_folder}",
        "--out",
        f"{tmp_path / 'out'}",
        "--resamples",
        "20",
        "--players",
        "1",
    ]
    monkeypatch.setattr(sys, "argv", ["real.py", *places, *options])
    written = []
    for _ in range(2):
        runpy.run_path(str(ROOT / "benchmarks" / "real.py"), run_name="__main__")
        written.append([(tmp_path / "out" / name).read_bytes() for name in ("real.html", "real.json")])
        monkeypatch.setattr("budew.inference.loading.load_backend", None)
    assert written[0] == written[1]
    data = json.loads(written[0][1])
    assert [corpus["title"] for corpus in data["corpora"]] == ["EmoDB, test", "nEMO"]
    assert len(list((tmp_path / "out" / "predictions").iterdir())) == 2
    assert "Unweighted average recall" in capsys.readouterr().out
