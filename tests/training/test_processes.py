"""Several processes train as one does."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from budew.corpora import Caption, write_shard
from budew.errors import InputError
from budew.training.recipe import Recipe
from budew.training.run import train
from tests.training.conftest import ROOT, losses_of, weights

FSDP_ON_CPU = "tests/training/fsdp_on_cpu.py"
FSDP = """
distributed_type: FSDP
num_processes: 2
use_cpu: true
fsdp_config:
  fsdp_version: 2
  fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP
  fsdp_transformer_layer_cls_to_wrap: WhisperEncoderLayer,WhisperDecoderLayer
"""


@pytest.fixture(params=["DDP", "FSDP"])
def launch(request, tmp_path):
    """`launch(recipe, "run")` starts two processes that train in that folder."""
    (tmp_path / "fsdp.yaml").write_text(FSDP)
    launcher = {
        "DDP": ("torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "budew"),
        "FSDP": ("accelerate.commands.launch", "--config_file", tmp_path / "fsdp.yaml", ROOT / FSDP_ON_CPU),
    }[request.param]

    def start(recipe: Recipe, name: str) -> subprocess.Popen[str]:
        file = tmp_path / f"{name}.yaml"
        file.write_text(recipe.to_yaml())
        command = (sys.executable, "-m", *launcher, "train", file, "--out", tmp_path / name)
        environment, pipe = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}, subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)

    return start


@pytest.mark.long
def test_two_processes_learn_what_one_does(make_recipe, launch, tmp_path):
    changes = ("model.scratch.size.dropout=0", "evaluation={every_steps: 3, clips: 5}")
    recipe = make_recipe(*changes)
    train(recipe, out=tmp_path / "alone")
    result, printed = (process := launch(recipe, "run")).communicate()
    assert process.returncode == 0, printed
    assert result.count("checkpoint:") == 1
    assert printed.count("train: 12 clips") == 1
    assert printed.count("step 6/6  loss") == 1
    assert printed.count("step 6/6  validation") == 1
    assert losses_of(tmp_path / "run") == pytest.approx(losses_of(tmp_path / "alone"), rel=1e-3)
    one, two = (load_file(tmp_path / name / "checkpoint" / "model.safetensors") for name in ("alone", "run"))
    assert one.keys() == two.keys()
    with pytest.raises(InputError, match="2 processes, not 1"):
        train(make_recipe(*changes, "optimizer.max_steps=7"), out=tmp_path / "run")


@pytest.mark.long
@pytest.mark.parametrize("launch", ["DDP"], indirect=True)
def test_two_processes_learn_from_cached_states_what_one_does(
    make_recipe, make_clip, launch, make_whisper, tmp_path
):
    base = make_whisper(tmp_path / "base", layers=2)
    method = "method: encoder-frozen, trained_encoder_layers: 1, heads_weight: 0.1, vocabulary: captions"
    said = (Caption("a calm voice", {"by": "paraphrase"}),)
    write_shard(tmp_path / "a.tar", [make_clip(number, captions=said) for number in range(12)])
    corpora = (f"data.train={tmp_path / 'a.tar'}", f"data.validation={tmp_path / 'a.tar'}")
    changes = (f"model={{base: {base}, {method}}}", "data.cache_states=true", "evaluation.every_steps=6")
    recipe = make_recipe(*changes, *corpora, "optimizer.learning_rate=1e-3")
    train(recipe, out=tmp_path / "alone")
    _, printed = (process := launch(recipe, "run")).communicate()
    assert process.returncode == 0, printed
    assert printed.count("computing states") == 1
    assert losses_of(tmp_path / "run") == pytest.approx(losses_of(tmp_path / "alone"), rel=1e-3)


@pytest.mark.long
def test_a_run_resumes_after_one_of_two_processes_was_killed(make_recipe, launch, tmp_path):
    recipe = make_recipe("optimizer.max_steps=120", "evaluation={every_steps: 30, clips: 4, keep: last}")
    with launch(recipe, "killed") as process:
        while "step 33/120  loss" not in (line := process.stderr.readline()):  # the checkpoint of 30 is whole
            assert line
        own = f"/proc/{process.pid}/task/{process.pid}/children"
        os.kill(int(Path(own).read_text().split()[-1]), signal.SIGKILL)
        printed = process.stderr.read()
    assert process.returncode
    assert [line for line in printed.splitlines() if line.startswith("budew: ") and "again" in line]
    for name in ("killed", "undisturbed"):
        _, printed = (process := launch(recipe, name)).communicate()
        assert process.returncode == 0, printed
    assert weights(tmp_path / "killed") == weights(tmp_path / "undisturbed")
    assert losses_of(tmp_path / "killed") == losses_of(tmp_path / "undisturbed")
