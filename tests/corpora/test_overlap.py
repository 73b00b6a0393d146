"""An output that a later run would read, or that holds its own input, is refused."""

from pathlib import Path

import pytest

from budew.corpora.overlap import check_no_overlap
from budew.errors import CorpusError


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Three folders and a manifest, beside which everything lies."""
    for folder in ("in", "inner", "saved"):
        (tmp_path / folder).mkdir()
    (tmp_path / "saved" / "dataset_info.json").write_text("{}")
    (tmp_path / "saved" / "state.json").write_text('{"_data_files": [{"filename": "data-0.arrow"}]}')
    (tmp_path / "saved" / "data-0.arrow").touch()
    (tmp_path / "clips.jsonl").touch()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("source", "files", "out"),
    [
        ("in", [], "in"), ("in", [], "in/out"), ("in", [], "inner/../in/out"),
        ("clips.jsonl", ["out/a.wav"], "out"), ("https://host/*.tar", ["out/a.tar"], "out"),
        ("*.tar", [], "."), ("in/*.tar", [], "in"), ("in/*-{0..3}.tar", [], "in"),
        ("**/*.tar", [], "in/out"), ("in/**/*.tar", [], "in"), ("in/*/*.tar", [], "in/out"),
        ("*", [], "in/out"), ("o*", [], "out"),
    ],
)  # fmt: skip
def test_an_output_that_the_next_run_would_read_is_refused(source, files, out):
    with pytest.raises(CorpusError, match="choose"):
        check_no_overlap(source, map(Path, files), Path(out))


@pytest.mark.parametrize(
    ("source", "files", "out"),
    [
        ("in", ["in/a.wav"], "inner"), ("in", [], "."), ("clips.jsonl", [], "."), ("saved", [], "saved/out"),
        ("https://host/*.tar", [], "host"), ("*.tar", [], "in"), ("in/*.tar", [], "inner"),
        ("in/a-*/*.tar", [], "in/out"), ("in/part-{0..3}.tar", [], "in/out"),
    ],
)  # fmt: skip
def test_an_output_outside_of_the_source_is_allowed(source, files, out):
    check_no_overlap(source, map(Path, files), Path(out))
