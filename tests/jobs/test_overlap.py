"""A job is refused where its output would be input of the next run."""

import shutil
from pathlib import Path

import pytest
from odd_jobs import Odd, flac

from budew.corpora.sources import matches
from budew.errors import CorpusError
from budew.jobs import run

PLACES = ("corpus/out", "corpus/.out", "corpus/de/out", "corpus.out")
SOURCES = {
    "a folder of shards": "corpus",
    "a folder through a link": "link",
    "one shard": "corpus/part-a.tar",
    "shards beside each other": "corpus/*.tar",
    "shards at any depth": "corpus/**/*.tar",
    "shards of a name": "corpus/**/part-?.tar",
    "numbered shards": "corpus/de/{1..2}/part-b.tar",
    "hidden shards": "corpus/.*/*.tar",
    "manifests at any depth": "corpus/**/*.jsonl",
    "a manifest": "spoken/manifest.jsonl",
    "loose files": "loose",
    "all that lies in a folder": "loose/*",
}


@pytest.fixture
def here(shard, tmp_path, monkeypatch):
    """A folder with corpora of many kinds, in which the test stands."""
    for name in ("corpus/part-a", "corpus/de/1/part-b", "corpus/de/2/part-b", "corpus/de/raw-1"):
        shard(name, "one")
    shard("corpus/.hidden/part-c", "one")
    for name in ("corpus/talk/a.flac", "spoken/a.flac", "loose/a.flac"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(flac())
    for folder in ("corpus/talk", "spoken"):
        (tmp_path / folder / "manifest.jsonl").write_text('{"audio": "a.flac"}\n{"audio": "none.flac"}\n')
    (tmp_path / "corpus/talk/a.flac").unlink()  # else the corpus holds shards and loose files
    (tmp_path / "link").symlink_to("corpus")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(source: str) -> set[str]:
    try:
        return {str(Path(entry).resolve()) for entry in matches(source)}
    except CorpusError as error:
        return {str(error)}


@pytest.mark.parametrize("kind", SOURCES)
def test_output_is_refused_wherever_the_next_run_would_read_it(here, kind):
    source = SOURCES[kind]
    before = found(source)
    for place in (*PLACES, "spoken/out", "loose/out", "link/out", "corpus/de/1/out"):
        if not is_refused(source, place):
            assert found(source) == before, place
            assert run(Odd(), source, place, workers=0).done == 0
            shutil.rmtree(place)


def is_refused(source: str, place: str) -> bool:
    """Run the job; tell whether it was refused, and left no folder."""
    try:
        run(Odd(), source, place, workers=0)
    except CorpusError as error:
        return "choose" in str(error) and not Path(place).exists()
    return False
