"""`budew train`: recipes by name, and a checkpoint at the end."""

import shlex

from budew.resources import data_folder

SMALL = """
data: {speech: {train_clips: 8, validation_clips: 4}}
model:
  features: {window_seconds: 2, mel_bins: 16, fourier: 512}
  size: {width: 32, encoder_layers: 1, decoder_layers: 1, heads: 2, vocabulary: 400, longest_caption: 48}
optimizer: {max_steps: 2, batch_size: 2, warmup_steps: 1, precision: fp32}
evaluation: {every_steps: 2, clips: 2}
"""


def test_a_dry_run_prints_the_recipe_and_writes_nothing(budew, tmp_path):
    recipe = data_folder("recipes") / "tiny-synthetic.yaml"
    changed = ("--dry-run", "--set", "optimizer.max_steps=7", "--out", tmp_path / "run")
    outcome = budew("train", "tiny-synthetic", *changed)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines()[-1] == f"checkpoint: {tmp_path / 'run' / 'checkpoint'}"
    assert "max_steps: 7" in outcome.out
    assert outcome == budew("train", recipe, *changed)
    assert not (tmp_path / "run").exists()
    gone = budew("train", "tiny-synthetic", "--dry-run", "--set", f"data.train={tmp_path / 'gone'}")
    assert (gone.status, gone.out) == (1, "")
    assert "gone" in gone.err


def test_help_names_the_recipes_that_ship(budew):
    shown = budew("train", "--help").out
    assert all(path.stem in shown for path in data_folder("recipes").glob("*.yaml"))


def test_training_ends_with_the_checkpoint_and_a_command_that_works(budew, tmp_path):
    recipe = tmp_path / "small.yaml"
    recipe.write_text(SMALL)
    trained = budew("train", recipe, "--out", tmp_path / "a run")
    assert trained.status == 0, trained.err
    checkpoint, following = trained.out.splitlines()[-2:]
    assert checkpoint == f"checkpoint: {tmp_path / 'a run' / 'checkpoint'}"
    program, *arguments = shlex.split(following.removeprefix("next:"))
    assert program == "budew"
    assert "Spearman" in budew(*arguments).out
