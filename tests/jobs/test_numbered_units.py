"""Jobs without input clips: clips that are there are kept, those that are missing are made."""

from pathlib import Path

import pytest
from odd_jobs import Maker

from budew.corpora import read
from budew.errors import InputError, JobError
from budew.jobs import Plan, Summary, run
from budew.jobs.units import check_size


@pytest.fixture
def job(tmp_path: Path) -> Maker:
    (tmp_path / "marks").mkdir()
    return Maker(tmp_path / "marks")


def made(job: Maker, clips: int, *, workers: int = 0, retry_failed: bool = False) -> Summary:
    out = job.marks.parent / "out"
    return run(job, range(clips), out, clips_per_shard=3, workers=workers, retry_failed=retry_failed)


def tries(job: Maker) -> dict[int, int]:
    numbers = [int(path.name.partition("-")[0]) for path in job.marks.iterdir()]
    return {number: numbers.count(number) for number in sorted(numbers)}


def test_a_larger_run_extends_a_smaller_one_and_no_clip_is_made_twice(job, tmp_path):
    assert (made(job, 2).clips, made(job, 6).clips) == (2 - 1, 6 - 2 + 1)
    assert tries(job) == {0: 1, 1: 2, 2: 1, 3: 1, 4: 1, 5: 1}
    assert [clip.id for clip in read(tmp_path / "out")] == [f"made-{number}" for number in (0, 1, 2, 3, 5)]


def test_retry_failed_makes_failed_and_filtered_clips_again_and_keeps_the_others(job, tmp_path):
    first = made(job, 6)
    assert (first.clips, first.failures, first.left_out) == (4, 1, 1)
    for fewer in (5, 3, 1):
        with pytest.raises(JobError, match=f"holds more than {fewer} clips"):
            made(job, fewer)
    assert made(job, 6).done == 0
    again = made(job, 6, retry_failed=True)
    assert (again.clips, again.failures, again.left_out, again.done) == (6, 0, 0, 2)
    assert tries(job) == {0: 1, 1: 2, 2: 1, 3: 1, 4: 2, 5: 1}
    assert [clip.id for clip in read(tmp_path / "out")] == [f"made-{number}" for number in range(6)]


def test_a_unit_whose_worker_is_killed_is_run_again(job, tmp_path):
    done = made(job, 9, workers=2)
    assert (done.complete, done.clips, done.given_up) == (3, 7, ())
    assert tries(job)[6] == 2


@pytest.mark.parametrize(("clips", "per_shard"), [(10**8 + 1, 10**6), (0, 3), (3, 0)])
def test_a_size_out_of_range_is_refused_before_anything_is_written(job, tmp_path, clips, per_shard):
    with pytest.raises(InputError):
        Plan(job, range(clips), tmp_path / "out", clips_per_shard=per_shard)
    assert not (tmp_path / "out").exists()
    check_size(10**8, 10**6)
