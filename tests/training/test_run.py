"""A run ends with the same weights whenever and however often it was stopped."""

import math
import os
import resource
import shutil
import signal
import sys
from contextlib import contextmanager
from importlib import reload
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from budew.corpora import Caption, write_shard
from budew.errors import (
    CheckpointError,
    CorpusError,
    InputError,
    JobError,
    MissingExtraError,
    SettingsError,
)
from budew.inference import Captioner
from budew.model.checkpoint import load_checkpoint
from budew.model.cpu_precision import trials
from budew.profile import VoiceProfile
from budew.training import devices, preparation
from budew.training import trainer as trainers
from budew.training.clip_index import index_corpus
from budew.training.estimate import training_needs
from budew.training.recipe import Recipe, load_recipe
from budew.training.run import train
from budew.training.trainer import TrainingLog
from tests.trained import check_duties
from tests.training.conftest import history_of, losses_of, run_card, weights

FULL = "evaluation={every_steps: 2, clips: 4, patience: 9}"


@pytest.fixture(scope="module")
def recipe(make_recipe) -> Recipe:
    return make_recipe()


@pytest.fixture(scope="module")
def finished(recipe, tmp_path_factory) -> Path:
    """The folder of an undisturbed run."""
    out = tmp_path_factory.mktemp("run")
    assert train(recipe, out=out) == out / "checkpoint"
    return out


@pytest.fixture
def steps(monkeypatch) -> list[int]:
    """The steps that runs take from now on."""
    taken = []
    monkeypatch.setattr(
        TrainingLog, "on_step_end", lambda self, args, state, *_, **__: taken.append(state.global_step)
    )
    return taken


@pytest.fixture
def correlations(monkeypatch):
    """`correlations(0.1, 0.3)` makes these the results of the validations."""

    def make(*values: float) -> None:
        left = list(values)
        metrics = {"unparsed": 0.0, "looping": 0.0, "distinct_2": 1.0}
        monkeypatch.setattr(trainers, "caption_metrics", lambda *_: metrics | {"spearman": left.pop(0)})

    return make


@pytest.fixture
def adapted(make_recipe, make_clip, whisper_folder, tmp_path):
    """`adapted("lora")`: the recipe that adapts a base to short captions."""
    captions = tuple(Caption(text, {"by": "paraphrase"}) for text in ("a calm voice", "an angry man"))
    write_shard(tmp_path / "a.tar", [make_clip(number, captions=captions) for number in range(4)])
    corpora = (f"data.train={tmp_path / 'a.tar'}", f"data.validation={tmp_path / 'a.tar'}")

    def make(method: str, *changes: str) -> Recipe:
        base = f"model={{base: {whisper_folder}, method: {method}, window_seconds: 2}}"
        return make_recipe(base, "optimizer.learning_rate=1e-2", *corpora, *changes)

    return make


@pytest.mark.parametrize("change", ["data.workers=2", "data.cache_features=true"])
def test_weights_do_not_depend_on_workers_or_cached_features(
    make_recipe, finished, tmp_path, change, monkeypatch
):
    def indexed(source, folder, *, workers, progress):  # its pool takes seconds, and has a test of its own
        return index_corpus(source, folder, progress=progress)

    monkeypatch.setattr(preparation, "index_corpus", indexed)
    train(make_recipe(change), out=tmp_path)
    for path in (finished / "checkpoint").iterdir():
        if path.name not in ("recipe.yaml", "training.json"):
            assert (tmp_path / "checkpoint" / path.name).read_bytes() == path.read_bytes()


def test_another_seed_gives_other_weights(make_recipe, finished, tmp_path):
    train(make_recipe("seed=2", "evaluation.every_steps=6"), out=tmp_path)
    assert weights(tmp_path) != weights(finished)


@pytest.mark.parametrize("method", ["scratch", "lora"])
def test_a_stopped_run_ends_with_the_weights_of_an_undisturbed_one(
    make_recipe, adapted, train_until, tmp_path, method
):
    if method == "lora":
        recipe = adapted("lora", "optimizer.max_steps=3", "evaluation={every_steps: 2, clips: 2, keep: last}")
    else:
        audio = "data.augmentation={noise: 20, gain: 3, speed: 0.02, time_masks: 1}"
        precision = f"optimizer.precision={'fp32' if trials('training').faults else 'bf16'}"
        changes = ("data.workers=1", "optimizer.device_batch_size=2", precision, audio, FULL)
        recipe = make_recipe(*changes, "data.short_windows=0.8", "target.kind=mixed")
        assert recipe.model.scratch.size.dropout  # torch's own generator has to be restored too
    train_until(3 if method == "lora" else 5, recipe, tmp_path / "stopped")
    assert not (tmp_path / "stopped" / "checkpoint").exists()
    for name in ("stopped", "undisturbed"):
        train(recipe, out=tmp_path / name)
    assert weights(tmp_path / "stopped") == weights(tmp_path / "undisturbed")


def test_a_run_killed_while_saving_ends_with_the_weights_of_an_undisturbed_one(recipe, finished, tmp_path):
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


@pytest.mark.parametrize("file", ["model.safetensors", "scheduler.pt"])
def test_a_checkpoint_with_a_truncated_file_is_not_resumed_from(
    recipe, finished, steps, tmp_path, file, caplog
):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    shutil.rmtree(run / "checkpoint")
    (run / "training" / "finished").unlink()
    truncated = run / "training" / "checkpoint-6" / file
    os.truncate(truncated, truncated.stat().st_size // 2)
    train(recipe, out=run)
    assert f"checkpoint-6 is not used: truncated or missing: {file}" in caplog.text
    assert steps == [4, 5, 6]
    assert weights(run) == weights(finished)


@pytest.mark.parametrize("most", [100_000, 300_000], ids=["weights", "optimizer"])
def test_a_full_disk_is_one_error_and_the_run_can_be_resumed(recipe, finished, tmp_path, most):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        with pytest.raises(JobError, match=r"run: .*run the job again"):
            train(recipe, out=tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "run" / "checkpoint").exists()
    train(recipe, out=tmp_path / "run")
    assert weights(tmp_path / "run") == weights(finished)


def test_an_unfinished_result_is_saved_again(recipe, finished, steps, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    shutil.rmtree(run / "checkpoint")
    assert weights(train(recipe, out=run).parent) == weights(finished)
    assert steps == []
    assert not list(run.glob(".*"))


def test_a_recipe_can_be_corrected_after_a_run_that_could_not_start(
    make_recipe, whisper_folder, tmp_path, steps
):
    wrong = make_recipe(f"model={{base: {tmp_path / 'nowhere'}, method: full}}")
    with pytest.raises(CheckpointError, match="nowhere"):
        train(wrong, out=tmp_path / "run")
    with pytest.raises(MissingExtraError, match="trackio"):
        train(make_recipe("report_to=[trackio]"), out=tmp_path / "run")
    train(make_recipe("optimizer.max_steps=1"), out=tmp_path / "run")
    assert steps == [1]


def test_curves_are_written_where_tensorboard_reads_them(finished):
    (folder,) = (finished / "training" / "runs").iterdir()
    curves = EventAccumulator(str(folder)).Reload()
    for name, steps in (("train/loss", [1, 2, 3, 4, 5, 6]), ("eval/spearman", [3, 6])):
        assert [event.step for event in curves.Scalars(name)] == steps
    losses = [event.value for event in curves.Scalars("train/loss")]
    assert losses == pytest.approx(list(losses_of(finished).values()))


def test_a_finished_run_is_not_trained_again_unless_asked(recipe, finished, steps, caplog):
    def times() -> dict[Path, int]:
        made = (finished / "checkpoint" / "model.safetensors", *(finished / "index").iterdir())
        made = (*made, finished / "tokenizer" / "tokenizer.json")
        return {path: path.stat().st_mtime_ns for path in made}

    before, content = times(), weights(finished)
    train(recipe, out=finished)
    assert "is finished, 6 steps: --no-resume trains it again" in caplog.text
    assert (steps, times()) == ([], before)
    train(recipe, out=finished, resume=False)
    assert steps == [1, 2, 3, 4, 5, 6]
    assert weights(finished) == content
    changed = {path.name for path in times() if times()[path] != before[path]}
    assert changed == {"model.safetensors", "tokenizer.json"}  # the corpus is not indexed again


def test_a_longer_run_continues_a_shorter_one(make_recipe, steps, tmp_path):
    """Also with other settings that decide nothing, but not with another number of processes."""
    keep = "evaluation.keep=last"
    train(make_recipe("optimizer.max_steps=3", keep), out=tmp_path)
    longer = make_recipe("data.workers=1", "data.cache_features=true", "report_to=[]", keep)
    (tmp_path / "training" / "processes").write_text("2")
    with pytest.raises(InputError, match="2 processes, not 1"):
        train(longer, out=tmp_path)
    (tmp_path / "training" / "processes").write_text("1")
    before = weights(tmp_path)
    train(longer, out=tmp_path)
    assert steps == [1, 2, 3, 4, 5, 6]
    assert weights(tmp_path) != before
    assert all(entry["learning_rate"] for entry in history_of(tmp_path) if entry["step"] in (4, 5))
    assert list(losses_of(tmp_path)) == [1, 2, 3, 4, 5, 6]


def test_a_run_of_another_recipe_is_not_continued_and_each_difference_is_named(make_recipe, recipe, finished):
    with pytest.raises(InputError, match=r"seed: 1 / 2; optimizer.batch_size: 4 / 2: choose another folder"):
        train(make_recipe("optimizer.batch_size=2", "seed=2"), out=finished)
    assert load_recipe(finished / "recipe.yaml") == recipe
    with pytest.raises(InputError, match="model_copy"):  # changes are for files
        train(recipe, out=finished, changes=["seed=7"])


def test_a_run_keeps_the_precision_that_was_fastest_at_its_start(make_recipe, tmp_path, monkeypatch):
    def run(fastest: str, *changes: str) -> Recipe:
        monkeypatch.setattr(devices, "fastest", lambda engine: fastest)
        monkeypatch.setattr(devices, "check_precision", lambda *_, **__: None)  # whatever this processor is
        train(make_recipe("optimizer.precision=auto", "evaluation.keep=last", *changes), out=tmp_path)
        return load_recipe(tmp_path / "recipe.yaml")

    first = run("float32", "optimizer.max_steps=1")
    assert first.optimizer.precision == "fp32"
    assert load_recipe(tmp_path / "checkpoint" / "recipe.yaml") == first
    assert run("bfloat16", "optimizer.max_steps=2").optimizer.precision == "fp32"
    with pytest.raises(InputError, match=r"optimizer.precision: fp32 / bf16"):
        run("float32", "optimizer.precision=bf16")


@pytest.mark.parametrize(("keep", "kept"), [("best", 2), ("last", 3)])
def test_the_best_or_the_last_weights_are_saved(make_recipe, correlations, tmp_path, keep, kept):
    correlations(0.1, 0.9, 0.5)
    train(make_recipe("optimizer.max_steps=3", f"evaluation={{every_steps: 1, keep: {keep}}}"), out=tmp_path)
    saved = load_file(tmp_path / "checkpoint" / "model.safetensors")
    for step in (2, 3):
        then = load_file(tmp_path / "training" / f"checkpoint-{step}" / "model.safetensors")
        assert all(torch.equal(value, then[name].half()) for name, value in saved.items()) == (step == kept)


def test_a_moved_run_keeps_its_best_weights(make_recipe, correlations, tmp_path):
    correlations(0.1, 0.9, 0.5)
    recipe = make_recipe("optimizer.max_steps=3", "evaluation.every_steps=1")
    before = train(recipe, out=tmp_path / "run")
    content = weights(before.parent)
    shutil.rmtree(before)
    (tmp_path / "run").rename(tmp_path / "moved")
    train(recipe, out=tmp_path / "moved")
    assert weights(tmp_path / "moved") == content


def test_a_run_ends_when_validations_get_no_better(make_recipe, correlations, steps, tmp_path):
    correlations(0.5, 0.4, 0.5, 0.9)
    recipe = make_recipe("evaluation={every_steps: 1, patience: 2}")
    train(recipe, out=tmp_path)
    train(recipe, out=tmp_path)
    assert steps == [1, 2, 3]


@pytest.mark.parametrize("method", ["full", "encoder-frozen", "lora"])
def test_a_base_is_adapted(adapted, whisper_folder, tmp_path, monkeypatch, method):
    out = train(adapted(method), out=tmp_path)
    before, after = load_file(whisper_folder / "model.safetensors"), load_file(out / "model.safetensors")
    changed = {name for name, value in after.items() if not torch.equal(before[name].half(), value)}
    assert any(name.startswith("model.decoder") for name in changed)
    assert any(name.startswith("model.encoder") for name in changed) == (method != "encoder-frozen")
    if method == "lora":
        assert {name.rpartition(".")[0].rpartition(".")[2] for name in changed} <= {
            *("q_proj", "k_proj", "v_proj", "out_proj"),
        }
        run_card(tmp_path / "adapter", monkeypatch)
        check_duties(tmp_path / "adapter")
    assert (tmp_path / "adapter" / "adapter_model.safetensors").exists() == (method == "lora")
    assert load_checkpoint(out, device="cpu")


def test_some_layers_and_tokens_of_a_base_are_adapted(adapted, make_whisper, tmp_path, monkeypatch):
    base = make_whisper(tmp_path / "base", layers=3)
    changes = ("model.encoder_layers=2", "model.decoder_layers=2", "model.vocabulary=captions")
    recipe = adapted("full", f"model.base={base}", *changes, "optimizer.max_steps=1")
    out = train(recipe, out=tmp_path / "run")
    run_card(out, monkeypatch)
    model = load_checkpoint(out, device="cpu").model
    assert (model.config.encoder_layers, model.config.decoder_layers) == (2, 2)
    assert training_needs(recipe).parameters > sum(weight.numel() for weight in model.parameters())
    assert model.config.vocab_size < load_checkpoint(base, device="cpu").model.config.vocab_size
    train(recipe, out=tmp_path / "again")
    assert weights(tmp_path / "again") == weights(tmp_path / "run")
    wrong = adapted("full", f"model.base={base}", "model.decoder_layers=4")
    with pytest.raises(CheckpointError, match=r"decoder_layers is 4, .* has only 3"):
        train(wrong, out=tmp_path / "wrong")


@pytest.mark.parametrize(("asked", "kept"), [(1, 1), (15, 2)])
def test_a_window_becomes_shorter_and_never_longer_than_that_of_the_base(
    adapted, tmp_path, caplog, asked, kept
):
    recipe = adapted("full", f"model.window_seconds={asked}", "optimizer.max_steps=1")
    assert training_needs(recipe).window_seconds == kept
    out = train(recipe, out=tmp_path)
    assert load_checkpoint(out, device="cpu").window_seconds == kept
    assert ("window_seconds" in caplog.text) == (asked > kept)


def test_a_run_logs_short_lines_prints_nothing_and_keeps_its_history(recipe, tmp_path, caplog, capsys):
    shown = []

    @contextmanager
    def bar(stage):
        yield lambda *at: shown.append((stage, *at))

    out = train(recipe, out=tmp_path, progress=bar)
    assert capsys.readouterr() == ("", "")
    lines = "\n".join(caplog.messages).splitlines()
    steps = [line.split()[1] for line in lines if line.startswith("step ") and "learning rate" in line]
    assert steps == [f"{step}/6" for step in range(1, 7)]
    assert sum("mean Spearman" in line for line in lines) == 2
    assert not [line for line in lines if "{" in line or "attention mask" in line or "%|" in line]
    assert lines[0].startswith("train: 12 clips")
    assert shown[-6:] == [("training", step, 6) for step in range(1, 7)]
    assert ("train: index", 12) in shown
    for name in ("eval_loss", "eval_spearman"):
        assert [entry["step"] for entry in history_of(tmp_path) if name in entry] == [3, 6]
    assert list(losses_of(tmp_path)) == [1, 2, 3, 4, 5, 6]
    assert load_recipe(out / "recipe.yaml") == recipe


def test_clips_without_emotion_labels_are_used(make_recipe, make_clip, tmp_path, caplog):
    measured = VoiceProfile(None, (), {"gender": "female", "pace": "slow"})
    write_shard(tmp_path / "all.tar", [make_clip(number, profile=measured) for number in range(4)])
    mixed = [make_clip(0, profile=measured), *(make_clip(number) for number in range(1, 5))]
    write_shard(tmp_path / "mixed.tar", mixed)
    corpora = (f"data.train={tmp_path / 'mixed.tar'}", f"data.validation={tmp_path / 'all.tar'}")
    evaluation = "evaluation={every_steps: 1, patience: 1}"  # which would end a run that does not improve
    train(make_recipe("optimizer.max_steps=3", evaluation, *corpora), out=tmp_path / "run")
    assert len(losses_of(tmp_path / "run")) == 3
    printed = caplog.text
    for line in (
        "train: 5 clips",
        "the last weights are kept",
        "mean Spearman nan",
        "(reference: no rated emotion is present)",
    ):
        assert line in printed
    assert all(map(math.isfinite, losses_of(tmp_path / "run").values()))


def test_each_of_several_validation_corpora_has_a_correlation(
    make_recipe, corpus, tmp_path, make_clip, caplog
):
    write_shard(tmp_path / "other.tar", [make_clip(number) for number in range(4)])
    names = [str(corpus), str(tmp_path / "other.tar")]
    recipe = make_recipe("optimizer.max_steps=3", f"data.validation=[{', '.join(names)}]")
    out = train(recipe, out=tmp_path / "run")
    printed = caplog.text
    last = history_of(tmp_path / "run")[-2]
    for name in names:
        assert f" of {name}" in printed.partition("validation loss")[2]
        assert f"eval_spearman_{name}" in last
    assert ", ".join(names) in (out / "README.md").read_text()


def test_captions_without_profiles_are_learned_without_prompts_and_read_at_validations(
    make_recipe, make_clip, tmp_path, caplog
):
    said = [(Caption(text, {"by": "original"}),) for text in ("A very sad woman.", "An angry man.")]
    write_shard(tmp_path / "a.tar", [make_clip(n, profile=None, captions=said[n % 2]) for n in range(4)])
    corpora = (f"data.train={tmp_path / 'a.tar'}", f"data.validation={tmp_path / 'a.tar'}")
    changes = ("optimizer.max_steps=3", "target.kind=mixed", "target.prompts=0.5")
    out = train(make_recipe(*changes, *corpora), out=tmp_path / "run")
    assert "(reference: Sadness" in caplog.text
    assert not load_checkpoint(out, device="cpu").trained_with_prompts
    with_profiles = train(make_recipe(*changes), out=tmp_path / "other")
    assert load_checkpoint(with_profiles, device="cpu").trained_with_prompts


def test_a_missing_library_of_training_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(MissingExtraError, match=r"accelerate.*budew\[train\]"):
        reload(devices)


def test_a_run_without_data_or_a_corpus_ends_before_anything_is_read(make_recipe, make_clip, tmp_path):
    with pytest.raises(SettingsError, match=r"data\.train"):
        train(make_recipe("data.train=null", "data.validation=null"), out=tmp_path / "run")
    write_shard(tmp_path / "a.tar", [make_clip(0)])
    with pytest.raises(CorpusError, match="gone"):
        train(make_recipe(f"data.train=[{tmp_path / 'a.tar'}, {tmp_path / 'gone'}]"), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_validation_leaves_the_model_in_its_mode(make_recipe, tmp_path, monkeypatch):
    modes, write = [], trainers.validation_captions

    def watch(model, *given, **options):
        for mode in (True, False):
            model.train(mode)
            written = write(model, *given, **options)
            modes.append((mode, model.training, model.model.encoder.training, len(written[0].texts)))
        return written

    monkeypatch.setattr(trainers, "validation_captions", watch)
    train(make_recipe("optimizer.max_steps=1"), out=tmp_path)
    assert modes == [(True, True, True, 4), (False, False, False, 4)]


def test_validation_of_a_model_that_repeats_itself_has_the_captions_of_a_captioner(
    make_recipe, tmp_path, monkeypatch
):
    write, seen = trainers.validation_captions, []

    def watch(model, validation, settings, **options):
        processor = validation.processor
        settings.suppress_tokens = [processor.tokenizer.eos_token_id]  # no caption ends by itself
        written = write(model, validation, settings, **options)
        plain = model.plain()
        plain.generation_config = settings
        plain.save_pretrained(tmp_path / "model")
        processor.save_pretrained(tmp_path / "model")
        captioner = Captioner.from_pretrained(tmp_path / "model", device="cpu", dtype="float32", num_beams=1)
        clips = [validation.audio(number)[1] for number in range(len(validation))]
        rate = captioner.backend.sampling_rate
        seen.append((written[0], [captioner(samples, sampling_rate=rate).caption for samples in clips]))
        return written

    monkeypatch.setattr(trainers, "validation_captions", watch)
    train(make_recipe("optimizer.max_steps=1"), out=tmp_path / "run")
    captions, expected = seen[0]
    assert list(captions.texts) == expected
    assert any(captions.repetitive)
