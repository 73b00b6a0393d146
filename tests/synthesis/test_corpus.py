import os
import subprocess
import sys

import pytest

from budew.audio.samples import decode
from budew.corpora import read
from budew.errors import InputError, JobError
from budew.jobs import run
from budew.synthesis import Synthesis, plan_clip

PROGRAM = """
import sys
from budew.jobs import run
from budew.synthesis import Synthesis
if __name__ == "__main__":
    run(Synthesis(4, "test"), range(5), sys.argv[1], clips_per_shard=2, workers=2)
"""


def made(folder, clips=5, *, seed=4):
    """Make the corpus, and return the bytes of its shards."""
    run(Synthesis(seed, "test"), range(clips), folder, clips_per_shard=2, workers=0)
    return {path.name: path.read_bytes() for path in folder.glob("*.tar")}


def test_shards_are_the_same_bytes_whatever_the_workers_the_hash_seed_and_the_number_of_runs(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    subprocess.run([sys.executable, program, tmp_path / "together"], check=True, env=environment)
    whole = made(tmp_path / "together")
    assert sorted(whole) == [f"test-{number:05d}.tar" for number in range(3)]
    for clips in (1, 2, 5):
        grown = made(tmp_path / "grown", clips)
    assert grown == whole
    with pytest.raises(JobError, match="seed was 4 and is now 5"):
        made(tmp_path / "grown", seed=5)


def test_clips_have_their_profile_and_sound(tmp_path):
    made(tmp_path)
    for number, clip in enumerate(read(tmp_path)):
        plan = plan_clip(number, seed=4, split="test")
        assert clip.id == plan.id
        assert clip.profile == plan.profile
        assert clip.transcript == plan.text
        assert len(decode(clip.audio).samples) == pytest.approx(clip.duration * 16_000, abs=2)
        assert clip.metadata["synthesis"]["cues"] == dict(plan.settings)


def test_an_unknown_split_is_refused():
    with pytest.raises(InputError, match="'dev' is not one of train, validation, test"):
        Synthesis(1, "dev")
