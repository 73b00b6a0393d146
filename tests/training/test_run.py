"""A run ends with the same weights whenever and however often it was stopped."""

import json
import math
import os
import signal
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest

from budew.corpora import write_shard
from budew.errors import CorpusError, InputError
from budew.model.checkpoint import load_checkpoint
from budew.profile import VoiceProfile
from budew.training.recipe import Recipe, load_recipe
from budew.training.run import describe, train
from budew.training.trainer import SampledCaptions, TrainingLog

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def recipe(make_recipe) -> Recipe:
    return make_recipe()


@pytest.fixture(scope="module")
def finished(recipe, tmp_path_factory) -> Path:
    """The folder of an undisturbed run."""
    out = tmp_path_factory.mktemp("run")
    assert train(recipe, out=out) == out / "checkpoint"
    return out


def weights(out: Path) -> bytes:
    return (out / "checkpoint" / "model.safetensors").read_bytes()


def history_of(checkpoint: Path) -> list[dict[str, float]]:
    return json.loads((checkpoint / "training.json").read_text(), parse_constant=pytest.fail)["history"]


class StoppedError(Exception):
    """Ends a run from inside."""


def test_the_recipe_alone_decides_the_bytes(make_recipe, finished, tmp_path):
    train(make_recipe("data.workers=2"), out=tmp_path / "workers")
    for path in (finished / "checkpoint").iterdir():
        if path.name not in ("recipe.yaml", "training.json"):
            assert (tmp_path / "workers" / "checkpoint" / path.name).read_bytes() == path.read_bytes()
    train(make_recipe("seed=2", "evaluation.every_steps=6"), out=tmp_path / "seed")
    assert weights(tmp_path / "seed") != weights(finished)


def test_a_run_that_was_stopped_ends_as_an_undisturbed_one(make_recipe, tmp_path, monkeypatch):
    def stop(self, args, state, *_, **__):
        if state.global_step == 5:
            raise StoppedError

    changes = ("data.workers=2", "optimizer.gradient_accumulation=2", "optimizer.precision=bf16")
    recipe = make_recipe(*changes)
    assert recipe.model.size.dropout  # torch's own generator has to come back too
    with monkeypatch.context() as patched:
        patched.setattr(TrainingLog, "on_step_end", stop)
        with pytest.raises(StoppedError):
            train(recipe, out=tmp_path / "stopped")
    assert not (tmp_path / "stopped" / "checkpoint").exists()
    for name in ("stopped", "undisturbed"):
        train(recipe, out=tmp_path / name)
    assert weights(tmp_path / "stopped") == weights(tmp_path / "undisturbed")


def test_a_run_that_was_killed_while_it_saved_ends_as_an_undisturbed_one(recipe, finished, tmp_path):
    """SIGKILL in another process, and only a part of its last checkpoint is left."""
    process = get_context("fork").Process(target=_train_until_saved, args=(recipe, tmp_path / "run"))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert (tmp_path / "run" / "training" / "checkpoint-3").is_dir()
    unfinished = tmp_path / "run" / "training" / "checkpoint-5"
    unfinished.mkdir()
    (unfinished / "trainer_state.json").write_text('{"global_st')
    train(recipe, out=tmp_path / "run")
    assert weights(tmp_path / "run") == weights(finished)


def _train_until_saved(recipe: Recipe, out: Path) -> None:
    TrainingLog.on_save = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
    train(recipe, out=out)


def test_a_finished_run_is_not_trained_again_unless_asked(recipe, finished, monkeypatch, capsys):
    def times() -> dict[Path, int]:
        made = (finished / "checkpoint" / "model.safetensors", *(finished / "features").iterdir())
        return {path: path.stat().st_mtime_ns for path in made}

    steps = []
    monkeypatch.setattr(
        TrainingLog, "on_step_end", lambda self, args, state, *_, **__: steps.append(state.global_step)
    )
    before, content = times(), weights(finished)
    train(recipe, out=finished)
    assert "is finished, 6 steps: --no-resume trains it again" in capsys.readouterr().err
    assert (steps, times()) == ([], before)
    train(recipe, out=finished, resume=False)
    assert steps == [1, 2, 3, 4, 5, 6]
    assert weights(finished) == content
    assert len(before.items() - times().items()) == 1  # the features are not computed again


def test_a_folder_with_the_run_of_another_recipe_is_refused_with_each_difference(
    make_recipe, recipe, finished
):
    with pytest.raises(InputError, match=r"seed: 1 / 2; optimizer.max_steps: 6 / 7: choose another folder"):
        train(make_recipe("optimizer.max_steps=7", "seed=2"), out=finished)
    assert load_recipe(finished / "recipe.yaml") == recipe
    with pytest.raises(InputError, match="model_copy"):  # changes are for files
        train(recipe, out=finished, changes=["seed=7"])


@pytest.mark.slow
def test_two_processes_share_one_preparation(recipe, tmp_path):
    (tmp_path / "tiny.yaml").write_text(recipe.to_yaml())
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    command = (*torchrun, "-m", "budew", "train", tmp_path / "tiny.yaml", "--out", tmp_path / "run")
    ran = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("train: 12 clips of") == 1
    assert ran.stderr.count("step 6/6  loss") == 1
    assert ran.stderr.count("step 6/6  validation") == 1
    assert weights(tmp_path / "run")
    history = history_of(tmp_path / "run" / "checkpoint")
    assert [entry["step"] for entry in history if "loss" in entry] == [1, 2, 3, 4, 5, 6]


def test_a_description_names_the_exact_size_and_every_field(recipe, finished):
    model = load_checkpoint(finished / "checkpoint", device="cpu").model
    exactly = sum(value.numel() for value in model.parameters())
    described = describe(recipe)
    assert f"{exactly / 1e6:.1f} M parameters" in described
    assert "6 steps, 24 examples" in described
    assert recipe.to_yaml() in described


def test_a_run_prints_short_lines_on_stderr_and_keeps_its_history(make_recipe, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    recipe = make_recipe("data.captions=render")
    out = train(recipe, out=tmp_path)
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    steps = [line.split()[1] for line in lines if line.startswith("step ") and "learning rate" in line]
    assert steps == [f"{step}/6" for step in range(1, 7)]
    assert sum("mean Spearman" in line for line in lines) == 2
    assert not [line for line in lines if "{" in line or "attention mask" in line or "%|" in line]
    assert (shown.out, lines[0]) == ("", f"train: 12 clips of {recipe.data.train}")
    history = history_of(out)
    for name in ("eval_loss", "validation_spearman"):
        assert [entry["step"] for entry in history if name in entry] == [3, 6]
    assert [entry["step"] for entry in history if "loss" in entry] == [1, 2, 3, 4, 5, 6]
    assert load_recipe(out / "recipe.yaml") == recipe


def test_clips_without_emotion_labels_are_used_and_counted(make_recipe, make_clip, tmp_path, capsys):
    measured = VoiceProfile(None, (), {"gender": "female", "pace": "slow"})
    write_shard(tmp_path / "all.tar", [make_clip(number, profile=measured) for number in range(4)])
    mixed = [make_clip(0, profile=measured), *(make_clip(number) for number in range(1, 5))]
    write_shard(tmp_path / "mixed.tar", mixed)
    corpora = (f"data.train={tmp_path / 'mixed.tar'}", f"data.validation={tmp_path / 'all.tar'}")
    out = train(make_recipe("optimizer.max_steps=3", *corpora), out=tmp_path / "run")
    printed = capsys.readouterr().err
    for line in (
        "train: 1 of them have no emotion labels",
        "validation: 4 of them have no emotion labels",
        "mean Spearman nan on 0 clips",
        "(reference: no rated emotion is present)",
    ):
        assert line in printed
    assert all(math.isfinite(entry["loss"]) for entry in history_of(out) if "loss" in entry)


def test_captioning_leaves_the_model_in_its_mode(make_recipe, tmp_path, monkeypatch):
    modes = []
    captions = SampledCaptions._captions

    def watch(self, model):
        for mode in (True, False):
            model.train(mode)
            written = captions(self, model)
            modes.append((mode, model.training, model.model.encoder.training, len(written)))
        return written

    monkeypatch.setattr(SampledCaptions, "_captions", watch)
    train(make_recipe("optimizer.max_steps=1"), out=tmp_path)
    assert modes == [(True, True, True, 4), (False, False, False, 4)]


def test_a_clip_without_caption_is_named_when_captions_are_those_of_the_corpus(
    make_recipe, make_clip, tmp_path
):
    write_shard(tmp_path / "a.tar", [make_clip(1), make_clip(3, captions=())])
    with pytest.raises(CorpusError, match=r"a\.tar: clip 'clip03' has no caption"):
        train(make_recipe(f"data.train={tmp_path / 'a.tar'}"), out=tmp_path / "run")
