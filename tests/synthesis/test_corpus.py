import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from budew.audio.samples import decode
from budew.corpora import read
from budew.errors import InputError, JobError
from budew.jobs import Progress
from budew.synthesis import plan_clip, synthesize_corpus

PROGRAM = """
import sys
from budew.synthesis import synthesize_corpus
if __name__ == "__main__":
    out, workers = sys.argv[1:]
    synthesize_corpus(out, clips=30, seed=4, split="test", clips_per_shard=10, workers=int(workers))
"""


def run(program: Path, out: Path, workers: int, hash_seed: str) -> list[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    subprocess.run([sys.executable, str(program), str(out), str(workers)], check=True, env=environment)
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.glob("*.tar"))]


def test_shards_are_the_same_bytes_whatever_the_workers_and_the_hash_seed(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    alone = run(program, tmp_path / "alone", 1, "0")
    together = run(program, tmp_path / "together", 3, "77")
    assert len(alone) == 3
    assert alone == together


def test_a_second_run_makes_only_what_is_missing_and_the_same(tmp_path):
    first = synthesize_corpus(tmp_path, clips=12, seed=3, clips_per_shard=4, workers=1)
    bytes_before = [path.read_bytes() for path in first]
    first[1].unlink()
    times = [first[0].stat().st_mtime_ns, first[2].stat().st_mtime_ns]
    seen: list[Progress] = []
    again = synthesize_corpus(tmp_path, clips=12, seed=3, clips_per_shard=4, workers=1, progress=seen.append)
    assert [path.read_bytes() for path in again] == bytes_before
    assert [again[0].stat().st_mtime_ns, again[2].stat().st_mtime_ns] == times
    assert (seen[0], seen[-1]) == (Progress(2, 3, 0, 0), Progress(3, 3, 4, 0))


def test_a_longer_corpus_goes_on_with_a_shorter_one(tmp_path):
    synthesize_corpus(tmp_path / "long", clips=5, seed=3, clips_per_shard=3, workers=1)
    for clips in (1, 2, 5):
        synthesize_corpus(tmp_path / "grown", clips=clips, seed=3, clips_per_shard=3, workers=0)
    long, grown = (
        [path.read_bytes() for path in sorted((tmp_path / name).glob("*.tar"))] for name in ("long", "grown")
    )
    assert long == grown


def test_clips_carry_their_profile_and_sound(tmp_path):
    synthesize_corpus(tmp_path, clips=5, seed=3, workers=0)
    for number, clip in enumerate(read(tmp_path)):
        plan = plan_clip(number, seed=3, split="train")
        assert clip.id == plan.id
        assert clip.profile == plan.profile
        assert clip.transcript == plan.text
        assert len(decode(clip.audio).samples) == pytest.approx(clip.duration * 16_000, abs=2)
        assert clip.metadata["synthesis"]["cues"] == dict(plan.settings)


def test_a_folder_of_another_corpus_is_refused(tmp_path):
    synthesize_corpus(tmp_path, clips=2, seed=3, workers=1)
    with pytest.raises(JobError, match="seed was 3 and is now 4"):
        synthesize_corpus(tmp_path, clips=2, seed=4, workers=1)


@pytest.mark.parametrize(
    "wrong", [{"clips": 0}, {"clips": 2, "split": "dev"}, {"clips": 2, "clips_per_shard": 0}]
)
def test_orders_that_make_no_sense_are_refused(tmp_path, wrong):
    with pytest.raises(InputError):
        synthesize_corpus(tmp_path, seed=1, **wrong)
