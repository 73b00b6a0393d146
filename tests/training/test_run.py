"""A run ends with the same weights whenever and however often it was stopped."""

import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from budew.corpora import read, write_shard
from budew.errors import CorpusError, InputError
from budew.profile import VoiceProfile
from budew.training.callbacks import SampledCaptions, TrainingLog, agreement
from budew.training.recipe import Recipe, load_recipe
from budew.training.run import describe, train

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


class StoppedError(Exception):
    """Ends a run from inside."""


def stop_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self, args, state, control, **kwargs):
        if state.global_step == step:
            raise StoppedError

    monkeypatch.setattr(TrainingLog, "on_step_end", stop)


def test_the_same_recipe_gives_the_same_bytes_whatever_the_number_of_workers(make_recipe, finished, tmp_path):
    train(make_recipe("data.workers=2"), out=tmp_path)
    assert weights(tmp_path) == weights(finished)
    for name in ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "checkpoint" / name).read_bytes() == (finished / "checkpoint" / name).read_bytes()


def test_another_seed_gives_other_weights(make_recipe, finished, tmp_path):
    train(make_recipe("seed=2", "evaluation.every_steps=6"), out=tmp_path)
    assert weights(tmp_path) != weights(finished)


def test_a_run_that_was_stopped_ends_as_an_undisturbed_one(make_recipe, tmp_path, monkeypatch):
    changes = ("data.workers=2", "optimizer.gradient_accumulation=2", "optimizer.precision=bf16")
    recipe = make_recipe(*changes)
    assert recipe.model.size.dropout  # torch's own generator has to come back too
    with monkeypatch.context() as patched:
        stop_at(5, patched)
        with pytest.raises(StoppedError):
            train(recipe, out=tmp_path / "stopped")
    assert not (tmp_path / "stopped" / "checkpoint").exists()
    train(recipe, out=tmp_path / "stopped")
    train(recipe, out=tmp_path / "undisturbed")
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


def test_a_finished_run_says_so_and_is_not_trained_again(recipe, finished, monkeypatch, capsys):
    before = (finished / "checkpoint" / "model.safetensors").stat()
    stop_at(6, monkeypatch)
    train(recipe, out=finished)
    assert "is finished, 6 steps: --no-resume trains it again" in capsys.readouterr().err
    assert (finished / "checkpoint" / "model.safetensors").stat() == before


def test_a_run_can_be_started_again_from_the_beginning(recipe, finished, monkeypatch):
    before = weights(finished)
    features = {path: path.stat().st_mtime_ns for path in (finished / "features").iterdir()}
    seen = []
    monkeypatch.setattr(
        TrainingLog, "on_step_end", lambda self, args, state, *_, **__: seen.append(state.global_step)
    )
    train(recipe, out=finished, resume=False)
    assert seen == [1, 2, 3, 4, 5, 6]
    assert weights(finished) == before
    assert features == {path: path.stat().st_mtime_ns for path in (finished / "features").iterdir()}


def test_a_folder_with_the_run_of_another_recipe_is_refused_with_each_difference(
    make_recipe, recipe, finished
):
    with pytest.raises(InputError, match=r"seed: 1 / 2; optimizer.max_steps: 6 / 7: choose another folder"):
        train(make_recipe("optimizer.max_steps=7", "seed=2"), out=finished)
    assert load_recipe(finished / "recipe.yaml") == recipe


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
    history = json.loads((tmp_path / "run" / "checkpoint" / "training.json").read_text())["history"]
    assert [entry["step"] for entry in history if "loss" in entry] == [1, 2, 3, 4, 5, 6]


def test_a_dry_run_tells_the_size_and_writes_nothing(recipe, finished, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert train(recipe, dry_run=True) == Path("runs/tiny/checkpoint")
    assert not list(tmp_path.iterdir())
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "6 steps, 24 examples" in shown.err
    assert recipe.to_yaml() in shown.err
    from budew.model.checkpoint import load_checkpoint

    model = load_checkpoint(finished / "checkpoint", device="cpu").model
    exactly = sum(value.numel() for value in model.parameters())
    assert f"{exactly / 1e6:.1f} M parameters" in describe(recipe)


def test_a_run_prints_short_lines_on_stderr(make_recipe, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    recipe = make_recipe("data.captions=render")
    train(recipe, out=tmp_path)
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    steps = [line for line in lines if line.startswith("step ") and "learning rate" in line]
    assert [line.split()[1] for line in steps] == [f"{step}/6" for step in range(1, 7)]
    assert sum("mean Spearman" in line for line in lines) == 2
    assert not [line for line in lines if "{" in line or "attention mask" in line or "%|" in line]
    assert lines[0] == f"train: 12 clips of {recipe.data.train}"


def test_the_history_is_kept_with_the_checkpoint(recipe, finished):
    made = json.loads((finished / "checkpoint" / "training.json").read_text(), parse_constant=pytest.fail)
    history = made["history"]
    for name in ("eval_loss", "validation_spearman"):
        assert [entry["step"] for entry in history if name in entry] == [3, 6]
    assert [entry["step"] for entry in history if "loss" in entry] == [1, 2, 3, 4, 5, 6]
    assert load_recipe(finished / "checkpoint" / "recipe.yaml") == recipe


def test_clips_without_emotion_labels_are_used_and_counted(make_recipe, make_clip, tmp_path, capsys):
    measured = VoiceProfile(None, (), {"gender": "female", "pace": "slow"})
    write_shard(tmp_path / "all.tar", [make_clip(number, profile=measured) for number in range(4)])
    mixed = [make_clip(0, profile=measured), *(make_clip(number) for number in range(1, 5))]
    write_shard(tmp_path / "mixed.tar", mixed)
    corpora = (f"data.train={tmp_path / 'mixed.tar'}", f"data.validation={tmp_path / 'all.tar'}")
    out = train(make_recipe("optimizer.max_steps=3", *corpora), out=tmp_path / "run")
    printed = capsys.readouterr().err
    assert "train: 1 of them have no emotion labels" in printed
    assert "validation: 4 of them have no emotion labels" in printed
    assert "mean Spearman nan on 0 clips" in printed
    assert "(reference: unknown)" in printed
    history = json.loads((out / "training.json").read_text(), parse_constant=pytest.fail)["history"]
    assert all(math.isfinite(entry["loss"]) for entry in history if "loss" in entry)


def test_only_clips_whose_emotions_are_known_tell_how_good_captions_are():
    profiles = [VoiceProfile({name: 1.0}) for name in ("Anger", "Awe", "Fear")]
    captions = ["Very angry.", "In deep awe.", "Very afraid."]
    measured = VoiceProfile(None)
    assert (
        agreement([*profiles, measured], [*captions, "Very sad."])
        == agreement(profiles, captions)
        == (1.0, 3)
    )


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


def test_a_clip_without_caption_is_named_when_captions_are_those_of_the_corpus(make_recipe, recipe, tmp_path):
    clips = [
        replace(clip, captions=() if clip.id == "clip03" else clip.captions)
        for clip in read(recipe.data.train)
    ]
    write_shard(tmp_path / "a.tar", clips)
    with pytest.raises(CorpusError, match=r"a\.tar: clip 'clip03' has no caption"):
        train(make_recipe(f"data.train={tmp_path / 'a.tar'}"), out=tmp_path / "run")


def test_changes_are_for_files(recipe, tmp_path):
    with pytest.raises(InputError, match="model_copy"):
        train(recipe, out=tmp_path / "run", changes=["seed=7"])
    assert not (tmp_path / "run").exists()
