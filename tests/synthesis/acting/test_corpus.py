"""Shards of acted speech: the same bytes however they came about, and nothing lost."""

import fcntl
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from budew.corpora import read
from budew.errors import FilteredError, InputError, JobError
from budew.jobs import Progress
from budew.synthesis.acting import EspeakBackend, Performance, act

BACKEND = EspeakBackend()
PROGRAM = """
import sys
from budew.synthesis.acting import EspeakBackend, Performance, act, make_plan
if __name__ == "__main__":
    backend = EspeakBackend()
    plan = make_plan(backend, seed=3, languages=["en", "de"], texts=["neutral"])
    act(sys.argv[1], Performance(plan, backend, clips=24, clips_per_shard=6), workers=int(sys.argv[2]))
"""


def bytes_of(folder):
    """Every file, by its path in the folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory, small):
    """A corpus of 24 clips in 4 shards, made in one go in this process."""
    folder = tmp_path_factory.mktemp("made")
    act(folder, performance(small), workers=0)
    return folder


def performance(small, clips=24, **more):
    return Performance(small(BACKEND), BACKEND, clips, **{"clips_per_shard": 6, **more})


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("program") / "program.py"
    path.write_text(PROGRAM)
    return path


def test_a_run_in_two_workers_that_is_killed_leaves_no_process_and_goes_on_to_the_same_bytes(
    made, small, program, tmp_path
):
    out = tmp_path / "out"
    running = subprocess.Popen([sys.executable, str(program), str(out), "2"])
    while not list(out.glob(".act-0000[23].tar.*.unfinished")):  # two are done or nearly, these just begun
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    children = descendants(running.pid)
    running.send_signal(signal.SIGKILL)
    running.wait()
    until = time.monotonic() + 20
    while any(map(is_alive, children)):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert len(list(out.glob("*.tar"))) < 4
    assert list(out.glob(".*.unfinished"))
    act(out, performance(small), workers=0)
    assert bytes_of(out) == bytes_of(made)


def descendants(pid):
    """Processes begun by a process and by those that it began."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # no Linux
        return []
    return [*map(int, children), *(found for child in children for found in descendants(child))]


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_clips_carry_what_was_planned(made, small):
    plan = small(BACKEND)
    clips = list(read(made))
    assert [clip.id for clip in clips] == [plan.item(number).id for number in range(24)]
    for number, clip in enumerate(clips):
        item = plan.item(number)
        assert clip.profile.emotions == {item.emotion: item.intensity}
        assert clip.profile.traits["gender"] in ("female", "male")
        assert (clip.speaker, clip.transcript, clip.language) == (item.voice, item.text, item.language)
        assert clip.license == "CC0-1.0"
        assert "espeak-ng" in clip.source
        assert clip.metadata["acting"]["accent"] == item.accent


def test_a_longer_corpus_goes_on_with_a_shorter_one(made, small, tmp_path):
    act(tmp_path, performance(small, clips=9), workers=0)
    before = (tmp_path / "act-00000.tar").stat().st_mtime_ns
    act(tmp_path, performance(small), workers=0)
    assert bytes_of(tmp_path) == bytes_of(made)
    assert (tmp_path / "act-00000.tar").stat().st_mtime_ns == before


def test_a_finished_corpus_is_left_alone(made, small):
    times = {path: path.stat().st_mtime_ns for path in made.glob("*.tar")}
    seen = []
    done = act(made, performance(small), workers=0, progress=seen.append)
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert set(seen) == {Progress(units=4, of=4, clips=0, failed=0)}
    assert (done.clips, done.complete, done.done, done.failures) == (24, 4, 0, 0)


def test_a_folder_of_something_else_is_refused(made, small, tmp_path):
    before = bytes_of(made)
    with pytest.raises(JobError, match=r"other settings \(plan\.seed was 3 and is now 4\)"):
        act(made, Performance(small(BACKEND, seed=4), BACKEND, 24, clips_per_shard=6))
    with pytest.raises(JobError, match=r"other settings \(clips_per_shard was 6 and is now 7\)"):
        act(made, performance(small, clips_per_shard=7))
    for fewer in (23, 18, 1):
        with pytest.raises(JobError, match=f"holds more than {fewer} clips already"):
            act(made, performance(small, clips=fewer))
    assert bytes_of(made) == before
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(JobError, match="not empty"):
        act(tmp_path, performance(small))
    (tmp_path / "job.json").write_text("[]")
    with pytest.raises(JobError, match="another job"):
        act(tmp_path, performance(small))


def test_a_shard_that_was_damaged_after_it_was_made_is_made_again(made, small):
    shard = made / "act-00002.tar"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-1])
    act(made, performance(small), workers=0)
    assert shard.read_bytes() == whole


def test_two_runs_at_a_time_in_one_folder_are_refused(made, small):
    with (made / "job.json").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(JobError, match="another run is at work"):
            act(made, performance(small))


@dataclass(frozen=True)
class Refuses:
    """A check that lets no clip with an even number through."""

    name: str = "refuse"

    def settings(self):
        return {"even": False}

    def run(self, clips, failed):
        for clip in clips:
            if clip.metadata["acting"]["number"] % 2:
                yield clip
            else:
                failed(
                    clip.id, (FilteredError if clip.metadata["acting"]["number"] % 4 else ValueError)("even")
                )


def test_what_a_check_drops_is_listed_in_the_order_of_the_plan(small, tmp_path):
    done = act(tmp_path, performance(small, clips=7, clips_per_shard=3, check=Refuses()), workers=0)
    assert (done.clips, done.failures, done.left_out) == (3, 2, 2)
    plan, rows = small(BACKEND), []
    for name, numbers in (("failures", (0, 4)), ("left_out", (2, 6))):
        lines = (tmp_path / f"{name}.jsonl").read_text().splitlines()
        rows += map(json.loads, lines)
        assert [json.loads(line)["clip"] for line in lines] == [plan.item(number).id for number in numbers]
    assert {row["reason"] for row in rows} == {"even"}
    assert [row["shard"] for row in rows] == ["act-00000", "act-00001", "act-00000", "act-00002"]
    assert not (tmp_path / "act-00002.tar").exists()  # no clip of it was let through


@pytest.mark.parametrize("wrong", [{"clips": 0}, {"clips_per_shard": 0}])
def test_orders_that_make_no_sense_are_refused(small, tmp_path, wrong):
    with pytest.raises(InputError):
        act(tmp_path, performance(small, **wrong))
