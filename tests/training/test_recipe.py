"""A recipe is validated field by field, and reads back as it was written."""

from pathlib import Path

import pytest
import yaml

from budew.errors import SettingsError
from budew.io.resources import data_folder
from budew.io.settings import describe
from budew.training.data_settings import TrainingCorpus
from budew.training.recipe import Recipe, load_recipe
from budew.training.run_folder import NOT_DECIDING, differences

SCRATCH = "model: {method: scratch}\noptimizer: {max_steps: 5}\n"
BASE = "model: {base: openai/whisper-tiny}\noptimizer: {epochs: 2}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(data_folder("recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_that_ships_is_valid(path):
    assert load_recipe(path).name == path.stem
    assert load_recipe(path.stem) == load_recipe(path)


def test_every_field_is_documented():
    assert not [field.name for kind in (Recipe, TrainingCorpus) for field in describe(kind) if not field.help]


WRONG = """
optimizer.max_steps=many optimizer.max_steps=1.5 optimizer.max_steps=true optimizer.max_steps=0
optimizer.max_stepps=7 optimizer.batch_size=0 optimizer.device_batch_size=0 optimizer.learning_rate=.inf
optimizer.learning_rate=.nan optimizer.learning_rate=0 optimizer.warmup=-0.1 optimizer.warmup=300
optimizer.schedule=step optimizer.weight_decay=1.1 optimizer.precision=16 evaluation.every_steps=0
evaluation.keep=worst evaluation.patience=0 seed=-1 seed=4294967296 name=../elsewhere name=[a] data.train=7
data.captions=spoken data.longer=squeeze data.mixed_shards=0 data.short_windows=1.5 data.workers=-1
data.speech.train_clips=-1 data.augmentation.noise=4 data.augmentation.noise=61 data.augmentation.gain=31
data.augmentation.speed=0.16 data.augmentation.band_limit=2 data.augmentation.time_masks=101
target.kind=spoken target.prompts=1.5 target.wording=plainer target.frames=expresses target.frames=[7]
target.frames=[no_such_frame] model.method=adapters model.lora.rank=0 model.scratch.size.dropout=1.0
model.scratch.size.dropout=-0.1 model.scratch.size.vocabulary=264 model.scratch.size.width=30
model.scratch.size.heads=3 model.scratch.features.window_seconds=31 model.scratch.features.hop=300
model.scratch.features.hop=128000 model.scratch.features.fourier=256 model.num_beams=65
model.scratch.heads_weight=-1 report_to=[email] model.encoder_layers=0 model.vocabulary=small
"""
CONTRADICTORY = """
model.base=openai/whisper-tiny model.window_seconds=8 optimizer.max_steps=null
data.train=corpus data.validation=corpus
"""


@pytest.mark.parametrize("change", (WRONG + CONTRADICTORY).split())
def test_a_wrong_field_is_one_sentence_with_file_and_field(tmp_path, change):
    path = write(tmp_path, SCRATCH)
    with pytest.raises(SettingsError) as raised:
        load_recipe(path, [change])
    assert str(raised.value).startswith(f"{path}: ")
    named, field = str(raised.value).removeprefix(f"{path}: ").partition(": ")[0], change.partition("=")[0]
    assert named.removesuffix(".0") in (field, field.rpartition(".")[0])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "change", "field"),
    [
        (SCRATCH, "model.base=openai/whisper-tiny", "base"),
        (BASE, "model.base=null", "base"),
        (BASE, "model.method=scratch", "base"),
        (BASE, "optimizer.epochs=null", "max_steps"),
        (SCRATCH, "data.train=corpus", "validation"),
        (SCRATCH, "data.validation=corpus", "train"),
        *(
            (SCRATCH, f"data={{cache_features: true, augmentation: {{{one}}}}}", "cache_features")
            for one in ("noise: 20", "gain: 3", "band_limit: 0.5", "speed: 0.02", "reverberation: 0.5")
        ),
        (SCRATCH, "model.window_seconds=8", "window_seconds"),
        (SCRATCH, "model.encoder_layers=1", "encoder_layers"),
        (BASE, "model={base: b, method: lora, vocabulary: captions}", "vocabulary"),
    ],
)
def test_fields_that_contradict_each_other_are_named(tmp_path, text, change, field):
    with pytest.raises(SettingsError, match=field):
        load_recipe(write(tmp_path, text), [change])


def test_limits_themselves_are_valid(tmp_path):
    limits = [
        *("optimizer.max_steps=1", "optimizer.warmup=0", "optimizer.weight_decay=1", "seed=4294967295"),
        *("optimizer.device_batch_size=32", "data.short_windows=1", "data.workers=0", "target.prompts=1"),
        *("data.augmentation={noise: 5, gain: 30, band_limit: 1, speed: 0.15, time_masks: 0}",),
        *("model.scratch.size={vocabulary: 265, dropout: 0, longest_caption: 448}", "model.num_beams=64"),
        *("model.scratch.features={window_seconds: 30, fourier: 320}", "model.scratch.heads_weight=0"),
        *("evaluation.patience=1", "report_to=[]", "data.cache_features=false"),
    ]
    assert load_recipe(write(tmp_path, SCRATCH), limits).seed == 4294967295
    masks = ["data.cache_features=true", "data.augmentation={time_masks: 2, band_masks: 2}"]
    assert load_recipe(write(tmp_path, BASE), ["model.window_seconds=30", *masks]).data.cache_features


def test_a_corpus_is_given_by_name_or_with_its_weight(tmp_path):
    path = write(tmp_path, SCRATCH)
    given = {
        "a": [TrainingCorpus(corpus="a")],
        "{corpus: a, weight: 2}": [TrainingCorpus(corpus="a", weight=2.0)],
        "[a, b/*.tar]": [TrainingCorpus(corpus="a"), TrainingCorpus(corpus="b/*.tar")],
        "[a, {corpus: b, weight: 0.5, clip_weights: b.jsonl}]": [
            TrainingCorpus(corpus="a"),
            TrainingCorpus(corpus="b", weight=0.5, clip_weights="b.jsonl"),
        ],
    }
    for text, corpora in given.items():
        recipe = load_recipe(path, ["data.validation=v", f"data.train={text}"])
        assert list(recipe.data.train) == corpora
        assert load_recipe(write(tmp_path, recipe.to_yaml())) == recipe
    with pytest.raises(SettingsError, match=r"data\.train\.1\.weight"):
        load_recipe(path, ["data.validation=v", "data.train=[a, {corpus: b, weight: 0}]"])


def test_validation_corpora_are_one_or_several(tmp_path):
    path = write(tmp_path, SCRATCH)
    for text, corpora in (("v", ("v",)), ("[v, w]", ("v", "w"))):
        recipe = load_recipe(path, ["data.train=a", f"data.validation={text}"])
        assert recipe.data.validation == corpora
        assert load_recipe(write(tmp_path, recipe.to_yaml())) == recipe


def test_steps_are_given_or_follow_from_the_clips(tmp_path):
    epochs = load_recipe(write(tmp_path, BASE)).optimizer
    assert (epochs.steps(320), epochs.steps(321), epochs.steps(1)) == (20, 21, 1)
    assert load_recipe(write(tmp_path, SCRATCH)).optimizer.steps(320) == 5
    assert load_recipe(write(tmp_path, BASE), ["optimizer.max_steps=5"]).optimizer.steps(320) == 5


def test_changes_are_read_as_yaml_and_win(tmp_path):
    path = write(tmp_path, "model: {method: scratch}\noptimizer: {max_steps: 5, learning_rate: 0.1}\n")
    changes = ["optimizer.max_steps=7", "target.frames=[tags]", "optimizer.learning_rate=1e-3"]
    recipe = load_recipe(path, changes)
    assert (recipe.name, recipe.data.train, recipe.target.frames) == ("mine", (), ("tags",))
    assert (recipe.optimizer.max_steps, recipe.optimizer.learning_rate) == (7, 0.001)
    assert load_recipe(path, ["name=other"]).name == "other"


def test_a_recipe_reads_back_as_it_was_written(tmp_path, make_recipe):
    speech = ("data.train=null", "data.validation=null", "model.scratch.size.dropout=0")
    for written in (make_recipe(), make_recipe("target.frames=[tags, expresses]", *speech)):
        path = write(tmp_path, written.to_yaml())
        assert load_recipe(path) == written
        assert set(yaml.safe_load(written.to_yaml())) == set(Recipe.model_fields)


def test_differences_name_each_field_that_decides_with_both_values(make_recipe):
    assert differences(make_recipe(), make_recipe("seed=2", "optimizer.batch_size=8")) == [
        "seed: 1 / 2",
        "optimizer.batch_size: 4 / 8",
    ]
    others = ["data.workers=2", "data.cache=elsewhere", "data.cache_features=true", "report_to=[]"]
    assert not differences(make_recipe(), make_recipe(*others, "optimizer.max_steps=7"))
    epochs = make_recipe("optimizer.max_steps=null", "optimizer.epochs=3")
    assert not differences(make_recipe(), epochs)
    assert {name.partition("=")[0] for name in others} < set(NOT_DECIDING)


def test_an_unknown_recipe_lists_those_that_ship():
    with pytest.raises(SettingsError, match=r"no such recipe: .*tiny-synthetic, train-demo"):
        load_recipe("tiny-syntetic")


def test_a_misspelt_field_is_answered_with_the_one_meant():
    with pytest.raises(SettingsError, match=r"optimizer\.learning_rate"):
        load_recipe("whisper-tiny-lora", ["optimizer.learningrate=1e-4"])
