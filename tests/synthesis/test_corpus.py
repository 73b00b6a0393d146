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
from pathlib import Path
from budew.synthesis import synthesize_corpus
if __name__ == "__main__":
    synthesize_corpus(sys.argv[1], clips=5, seed=4, split="test", clips_per_shard=2, workers=2)
"""


def test_shards_are_the_same_bytes_whatever_the_workers_and_the_hash_seed(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    subprocess.run([sys.executable, program, tmp_path / "together"], check=True, env=environment)
    alone = synthesize_corpus(tmp_path / "alone", clips=5, seed=4, split="test", clips_per_shard=2, workers=0)
    assert [path.name for path in alone] == [f"test-{number:05d}.tar" for number in range(3)]
    for path in alone:
        assert path.read_bytes() == (tmp_path / "together" / path.name).read_bytes()


SIZES = {"seed": 3, "clips_per_shard": 2, "workers": 0}


def test_runs_that_are_repeated_or_grow_give_the_bytes_of_one_run(tmp_path):
    def made(name: str, clips: int = 5, **options: object) -> list[Path]:
        return synthesize_corpus(
            tmp_path / name, clips=clips, seed=3, clips_per_shard=2, workers=0, **options
        )

    whole = made("whole")
    for clips in (1, 2, 5):
        grown = made("grown", clips)
    content = [path.read_bytes() for path in whole]
    assert [path.read_bytes() for path in grown] == content
    whole[1].unlink()
    times = [whole[0].stat().st_mtime_ns, whole[2].stat().st_mtime_ns]
    seen: list[Progress] = []
    assert [path.read_bytes() for path in made("whole", progress=seen.append)] == content
    assert [whole[0].stat().st_mtime_ns, whole[2].stat().st_mtime_ns] == times
    assert (seen[0], seen[-1]) == (Progress(2, 3, 0, 0), Progress(3, 3, 2, 0))
    with pytest.raises(JobError, match="seed was 3 and is now 4"):
        synthesize_corpus(tmp_path / "whole", clips=5, **SIZES | {"seed": 4})


def test_clips_have_their_profile_and_sound(tmp_path):
    synthesize_corpus(tmp_path, clips=5, seed=3, workers=0)
    for number, clip in enumerate(read(tmp_path)):
        plan = plan_clip(number, seed=3, split="train")
        assert clip.id == plan.id
        assert clip.profile == plan.profile
        assert clip.transcript == plan.text
        assert len(decode(clip.audio).samples) == pytest.approx(clip.duration * 16_000, abs=2)
        assert clip.metadata["synthesis"]["cues"] == dict(plan.settings)


@pytest.mark.parametrize(
    "wrong", [{"clips": 0}, {"clips": 2, "split": "dev"}, {"clips": 2, "clips_per_shard": 0}]
)
def test_numbers_out_of_range_are_errors(tmp_path, wrong):
    with pytest.raises(InputError):
        synthesize_corpus(tmp_path, seed=1, **wrong)
