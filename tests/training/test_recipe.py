"""A recipe says what is wrong with it, and reads back as it was written."""

import re
from dataclasses import fields as fields_of
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from budew.resources import data_folder
from budew.training.recipe import Recipe, RecipeError, load_recipe


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(data_folder("recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_that_ships_can_be_followed(path):
    assert load_recipe(path).name == path.stem


def test_every_field_is_documented_once():
    documented = re.findall(r"^        (\w+):", Recipe.__doc__.split("Attributes:")[1], flags=re.MULTILINE)
    assert documented == [field.name for field in fields_of(Recipe)]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("max_steps: many", "max_steps"),
        ("max_steps: 1.5", "max_steps"),
        ("max_steps: true", "max_steps"),
        ("max_steps: 0", "max_steps"),
        ("max_steps: null", "max_steps"),
        ("max_stepps: 7", "max_stepps"),
        ("7: 7", "7"),
        ("dropout: 1.0", "dropout"),
        ("dropout: -0.1", "dropout"),
        ("learning_rate: .inf", "learning_rate"),
        ("learning_rate: .nan", "learning_rate"),
        ("learning_rate: quick", "learning_rate"),
        ("short_windows: 1.5", "short_windows"),
        ("seed: -1", "seed"),
        ("seed: 4294967296", "seed"),
        ("train: 7", "train"),
        ("name: ../elsewhere", "name"),
        ("name: [a]", "name"),
        ("captions: spoken", "captions"),
        ("captions: [corpus]", "captions"),
        ("wording: plainer", "wording"),
        ("precision: 16", "precision"),
        ("frames: expresses", "frames"),
        ("frames: [7]", "frames"),
        ("frames: [no_such_frame]", "frames"),
        ("frames: {a: b}", "frames"),
        ("vocabulary: 264", "vocabulary"),
        ("window_seconds: 31", "window_seconds"),
        ("hop: 300", "hop"),
        ("hop: 128000", "hop"),
        ("fourier: 256", "fourier"),
        ("width: 30", "width"),
        ("attention_heads: 3", "width"),
    ],
)
def test_a_wrong_field_is_one_sentence_with_file_and_field(tmp_path, line, field):
    path = write(tmp_path, f"max_steps: 5\n{line}\n" if not line.startswith("max_steps:") else f"{line}\n")
    with pytest.raises(RecipeError) as raised:
        load_recipe(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: {field}: ")
    assert "\n" not in message
    assert raised.value.__class__ is RecipeError


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- 1\n",
        "max_steps: [",
        "a: 2023-02-30",
        "\x00",
        "[" * 2000,
        "{[1]: 2}",
        "seven",
        "x: y\n" * 30_000,
    ],
)
def test_what_is_no_recipe_is_said_so_in_one_sentence(tmp_path, text):
    path = write(tmp_path, text)
    with pytest.raises(RecipeError) as raised:
        load_recipe(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_a_file_that_swells_when_it_is_read_is_shown_short(tmp_path):
    nested = "".join(f"  - &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]\n" for n in range(1, 9))
    path = write(tmp_path, f"max_steps:\n  - &b0 [x]\n{nested}")
    with pytest.raises(RecipeError, match="max_steps: ") as raised:
        load_recipe(path)
    assert len(str(raised.value)) < 1000


def test_overrides_are_read_as_yaml_and_win(tmp_path):
    path = write(tmp_path, "max_steps: 5\nlearning_rate: 0.1\n")
    overrides = {"max_steps": "7", "frames": "[tags]", "train": "null", "learning_rate": "1e-3", "seed": 3}
    recipe = load_recipe(path, overrides=overrides)
    assert recipe == Recipe(name="mine", max_steps=7, frames=("tags",), learning_rate=0.001, seed=3)
    with pytest.raises(RecipeError, match=r"mine\.yaml: frames: not YAML"):
        load_recipe(path, overrides={"frames": "["})


def test_a_recipe_reads_back_as_it_was_written(tmp_path, fields):
    recipe = Recipe(name="mine", **fields)
    for written in (recipe, replace(recipe, frames=("tags", "expresses"), train=None, dropout=0)):
        path = write(tmp_path, written.to_yaml())
        assert load_recipe(path) == written
        assert yaml.safe_load(written.to_yaml()).keys() == {field.name for field in fields_of(Recipe)}
