"""`budew benchmark emodb|ravdess|ferd|affectnet`: a summary on stdout, results as JSON and a page."""

import json

import pytest

from budew.taxonomy import EMOTIONS


@pytest.fixture
def ravdess(talk):
    """Two clips named as in RAVDESS, a file that is none, and predictions of the clips."""
    for name, actor in (("05", "01"), ("03", "02")):
        (talk / f"03-01-{name}-02-01-01-{actor}.wav").write_bytes((talk / "a.wav").read_bytes())
    zero = dict.fromkeys(EMOTIONS, 0)
    lines = [
        {"file": "03-01-05-02-01-01-01.wav", "scores": zero | {"Anger": 4}},
        {"file": "03-01-03-02-01-01-02.wav", "scores": zero | {"Anger": 4}},
    ]
    path = talk.parent / "p.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return talk, path


def test_speech_is_scored_and_other_files_are_listed(budew, ravdess, tmp_path):
    folder, predictions = ravdess
    options = ("--predictions", predictions, "--scale", "0-4", "--resamples", "20")
    files = ("--json", tmp_path / "r.json", "--html", tmp_path / "r.html")
    none = budew("benchmark", "emodb", "--data", folder, *options, *files)  # no file is one of its clips
    assert (none.status, none.err.count("\n")) == (1, 1)
    outcome = budew("benchmark", "ravdess", "--data", folder, *options, *files)
    assert outcome.status == 1
    result = json.loads((tmp_path / "r.json").read_text())
    assert (result["accuracy"]["value"], result["n"], result["unit"]) == (50, 2, "0-4")
    assert "<html" in (tmp_path / "r.html").read_text()
    assert "50.00" in outcome.out
    assert outcome.err.count("left out:") == 3


@pytest.mark.parametrize("name", ["ferd", "affectnet"])
def test_faces_are_scored_from_a_table(budew, tmp_path, name):
    zero = dict.fromkeys(EMOTIONS, 0)
    rows = [{"image": f"{n}_{label}.jpg"} | zero | {"Elation": 5} for n, label in enumerate(("happy", "sad"))]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "labels.csv").write_text("image,label\n0_happy.jpg,happy\n1_sad.jpg,happy")
    table = ("--predictions", tmp_path / "t.jsonl", "--resamples", "20")
    outcome = budew("benchmark", name, *table, "--json", tmp_path / "r.json")
    assert outcome.status == 0
    assert json.loads((tmp_path / "r.json").read_text())["accuracy"]["value"] == 50
    outcome = budew(
        "benchmark", name, *table, "--labels", tmp_path / "labels.csv", "--json", tmp_path / "r.json"
    )
    assert json.loads((tmp_path / "r.json").read_text())["accuracy"]["value"] == 100


def test_results_never_replace_what_is_read(budew, ravdess):
    folder, predictions = ravdess
    before = predictions.read_bytes()
    outcome = budew(
        "benchmark", "ravdess", "--data", folder, "--predictions", predictions, "--json", predictions
    )
    assert outcome.status != 0
    assert predictions.read_bytes() == before
