"""A recipe is validated field by field, and reads back as it was written."""

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from budew.errors import SettingsError
from budew.resources import data_folder
from budew.settings import describe
from budew.training import recipe as recipes
from budew.training.recipe import Recipe, differences, load_recipe


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(data_folder("recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_that_ships_is_valid(path):
    assert load_recipe(path).name == path.stem
    assert load_recipe(path.stem) == load_recipe(path)


def test_every_field_is_documented():
    assert not [field.name for field in describe(Recipe) if not field.help]


WRONG = """
optimizer.max_steps=many optimizer.max_steps=1.5 optimizer.max_steps=true optimizer.max_steps=0
optimizer.max_steps=null optimizer.max_stepps=7 optimizer.batch_size=0 optimizer.gradient_accumulation=0
optimizer.learning_rate=.inf optimizer.learning_rate=.nan optimizer.learning_rate=0 optimizer.warmup_steps=-1
optimizer.weight_decay=1.1 optimizer.precision=16 evaluation.every_steps=0 seed=-1 seed=4294967296
name=../elsewhere name=[a] data.train=7 data.captions=spoken data.wording=plainer data.frames=expresses
data.frames=[7] data.frames=[no_such_frame] data.short_windows=1.5 data.workers=-1 data.speech.train_clips=0
model.size.dropout=1.0 model.size.dropout=-0.1 model.size.vocabulary=264 model.size.width=30
model.size.heads=3 model.features.window_seconds=31 model.features.hop=300 model.features.hop=128000
model.features.fourier=256 model.num_beams=65 model.heads_weight=-1
"""


@pytest.mark.parametrize("change", WRONG.split())
def test_a_wrong_field_is_one_sentence_with_file_and_field(tmp_path, change):
    path = write(tmp_path, "optimizer: {max_steps: 5}\n")
    with pytest.raises(SettingsError) as raised:
        load_recipe(path, [change])
    assert str(raised.value).startswith(f"{path}: ")
    named, field = str(raised.value).removeprefix(f"{path}: ").partition(": ")[0], change.partition("=")[0]
    assert named.removesuffix(".0") in (field, field.rpartition(".")[0])
    assert "\n" not in str(raised.value)


NUMBERS = """
SpeechSettings.train_clips 1200 1 None, SpeechSettings.validation_clips 200 1 None
SpeechSettings.seed 1 0 4294967295, DataSettings.short_windows 0.8 0 1, DataSettings.time_masks 2 0 100
DataSettings.band_masks 2 0 100, DataSettings.workers 0 0 1024, ModelSettings.heads_weight 1.0 0 1000000.0
ModelSettings.num_beams 1 1 64, OptimizerSettings.max_steps 1000 1 None
OptimizerSettings.batch_size 32 1 None, OptimizerSettings.gradient_accumulation 1 1 None
OptimizerSettings.learning_rate 0.001 1e-09 1, OptimizerSettings.warmup_steps 300 0 None
OptimizerSettings.weight_decay 0.05 0 1, EvaluationSettings.every_steps 500 1 None
EvaluationSettings.clips 200 1 None, Recipe.seed 1 0 4294967295
"""


@pytest.mark.parametrize("row", NUMBERS.strip().replace("\n", ", ").split(", "))
def test_a_recipe_of_an_earlier_version_means_the_same(row):
    """A recipe holds what differs from the defaults: with others it would make another checkpoint."""
    place, *numbers = row.split()
    kind, _, name = place.partition(".")
    found = getattr(recipes, kind).model_json_schema()["properties"][name]
    assert [str(found.get(key)) for key in ("default", "minimum", "maximum")] == numbers


def test_limits_themselves_are_valid(tmp_path):
    limits = [
        *("optimizer.max_steps=1", "optimizer.warmup_steps=0", "optimizer.weight_decay=1", "seed=4294967295"),
        *("data.short_windows=1", "data.time_masks=0", "data.workers=0", "model.size.vocabulary=265"),
        *("model.features.window_seconds=30", "model.num_beams=64", "model.heads_weight=0", "seed=0"),
        *("model.size.dropout=0", "model.size.longest_caption=448", "model.features.fourier=320"),
    ]
    assert isinstance(load_recipe(write(tmp_path, "name: mine\n"), limits), BaseModel)


def test_changes_are_read_as_yaml_and_win(tmp_path):
    path = write(tmp_path, "optimizer: {max_steps: 5, learning_rate: 0.1}\n")
    changes = [
        "optimizer.max_steps=7",
        "data.frames=[tags]",
        "data.train=null",
        "optimizer.learning_rate=1e-3",
    ]
    recipe = load_recipe(path, changes)
    assert (recipe.name, recipe.data.train, recipe.data.frames) == ("mine", None, ("tags",))
    assert (recipe.optimizer.max_steps, recipe.optimizer.learning_rate) == (7, 0.001)
    assert load_recipe(path, ["name=other"]).name == "other"


def test_a_recipe_reads_back_as_it_was_written(tmp_path, make_recipe):
    for written in (
        make_recipe(),
        make_recipe("data.frames=[tags, expresses]", "data.train=null", "model.size.dropout=0"),
    ):
        path = write(tmp_path, written.to_yaml())
        assert load_recipe(path) == written
        assert set(yaml.safe_load(written.to_yaml())) == set(Recipe.model_fields)


def test_differences_name_each_field_with_both_values(make_recipe):
    other = make_recipe("optimizer.max_steps=7", "seed=2")
    assert differences(make_recipe(), make_recipe()) == []
    assert differences(make_recipe(), other) == ["seed: 1 / 2", "optimizer.max_steps: 6 / 7"]


def test_an_unknown_recipe_lists_those_that_ship():
    with pytest.raises(SettingsError, match=r"no such recipe: .*tiny-synthetic, train-demo"):
        load_recipe("tiny-syntetic")
