"""A model learns from cached states of its frozen layers what it would learn from the sounds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy

from budew.corpora import Caption, write_shard
from budew.errors import BudewWarning, CheckpointError, JobError, SettingsError
from budew.model.adapt import frozen_layers, set_trained, short_window
from budew.model.checkpoint import load_checkpoint
from budew.model.generate import spectrograms
from budew.training import feature_cache
from budew.training.dataset import CaptionDataset, collate, training_dataset
from budew.training.feature_cache import CHUNK, read_states
from budew.training.initial_model import load_base
from budew.training.preparation import prepare_corpora, prepare_states
from budew.training.recipe import Recipe
from budew.training.run import train
from budew.training.training_model import WhisperFromStates, WhisperWithHeads
from tests.training.conftest import clip_of, losses_of, weights

ROUNDING = 1e-5
HALF = 3e-3
"""Relative difference of a loss from states in half precision."""
CHANGED = "data.augmentation={noise: 20, gain: 6, speed: 0.05, time_masks: 1, band_masks: 1}"
POSITIONS = 25
"""A second, of the tiny Whisper."""


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    """A second is enough: clips of 0.8 to 1.6 s have windows of 1 and 2 s."""
    monkeypatch.setattr("budew.model.generate.SHORTEST", 1.0)


@pytest.fixture(scope="module")
def base(make_whisper, tmp_path_factory) -> Path:
    return make_whisper(tmp_path_factory.mktemp("base") / "whisper", layers=3)


@pytest.fixture(scope="module")
def recipe_of(make_recipe, base, tmp_path_factory) -> Callable[..., Recipe]:
    """`recipe_of("data.state_copies=2", trained=1)`: a recipe with cached states."""
    texts = ("a calm voice", "an angry man", "She is sad.")
    clips = [clip_of(n, captions=(Caption(texts[n % 3], {"by": "paraphrase"}),)) for n in range(12)]
    file = tmp_path_factory.mktemp("clips") / "a.tar"
    write_shard(file, clips)

    def make(*changes: str, trained: int = 1) -> Recipe:
        model = (
            f"{{base: {base}, method: encoder-frozen, trained_encoder_layers: {trained}, window_seconds: 2}}"
        )
        own = (f"model={model}", "data.cache_states=true", f"data.train={file}", f"data.validation={file}")
        return make_recipe(*own, "optimizer.learning_rate=1e-2", *changes)

    return make


def prepared(recipe: Recipe, folder: Path) -> tuple[WhisperFromStates, CaptionDataset]:
    """The model and the examples of a run."""
    model, processor = load_base(recipe)
    corpora = prepare_corpora(recipe, folder, "train", processor.feature_extractor)
    corpora = prepare_states(recipe, folder, corpora, model, processor.feature_extractor)
    frozen = frozen_layers(model.config, recipe.model.trained_encoder_layers)
    examples = training_dataset(recipe, corpora, processor, max_tokens=24)
    return WhisperFromStates.of(model, frozen_layers=frozen, seed=1), examples


def states_in(folder: Path) -> dict[str, bytes]:
    """The files by their kind; their names depend on the folder."""
    return {path.suffix: path.read_bytes() for path in (folder / "states").iterdir()}


def loss_of(model: WhisperFromStates, batch: dict[str, torch.Tensor], **sounds: torch.Tensor) -> torch.Tensor:
    """The sum over tokens, by clip."""
    sounds = sounds or {name: batch[name] for name in ("states", "positions")}
    with torch.no_grad():
        logits = model(**sounds, decoder_input_ids=batch["decoder_input_ids"]).logits
    return cross_entropy(logits.transpose(1, 2), batch["labels"], reduction="none").sum(dim=1)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("trained", [0, 1, 3])
def test_the_loss_of_a_padded_batch_is_that_of_each_clip_alone(recipe_of, tmp_path, trained, attention):
    model, examples = prepared(recipe_of(trained=trained), tmp_path)
    model.set_attn_implementation(attention)
    numbers = {examples.order[number].place: number for number in range(24)}  # one of each clip
    some = [examples[number] for number in numbers.values()]
    assert {len(one["states"]) for one in some} == {POSITIONS, 2 * POSITIONS}
    together = loss_of(model.train(), collate(some, padding=0))
    alone = torch.cat([loss_of(model, collate([one], padding=0)) for one in some])
    torch.testing.assert_close(together, alone, rtol=ROUNDING, atol=ROUNDING)
    for layer in model.model.decoder.layers:
        layer.encoder_attn._forward_pre_hooks.clear()
    seen = loss_of(model, collate(some, padding=0))
    assert not torch.allclose(seen, alone, rtol=100 * ROUNDING)


@pytest.mark.parametrize("trained", [0, 2, 3])
def test_the_loss_from_cached_states_is_that_through_the_whole_model(recipe_of, tmp_path, trained):
    model, examples = prepared(recipe_of(trained=trained), tmp_path)
    extractor = examples.processor.feature_extractor
    for number in range(6):
        example = examples[number]
        corpus, place = examples.order[number]
        samples = examples.corpora[corpus].samples(place, extractor)
        seconds = len(example["states"]) / POSITIONS
        assert seconds == np.ceil(len(samples) / extractor.sampling_rate)
        features = spectrograms(extractor, [samples], seconds=seconds)
        batch = collate([example], padding=0)
        with short_window(model.model.encoder, features.shape[-1]):
            whole = loss_of(model, batch, input_features=features)
        torch.testing.assert_close(loss_of(model, batch), whole, rtol=HALF, atol=0)


def test_states_are_continued_at_the_first_missing_chunk(recipe_of, tmp_path, monkeypatch):
    class StoppedError(Exception):
        pass

    def stop(*_):
        raise StoppedError

    monkeypatch.setattr(feature_cache, "CHUNK", 4)
    space: list[int] = []
    monkeypatch.setattr(feature_cache, "check_space", lambda folder, size, what: space.append(size))
    recipe = recipe_of(CHANGED, "data.state_copies=2")
    prepared(recipe, tmp_path / "undisturbed")
    whole, write, written = states_in(tmp_path / "undisturbed"), feature_cache._FrozenEncoder.__call__, []

    def write_some(self, sounds):
        written.append(len(sounds))
        return stop() if len(written) == 3 else write(self, sounds)

    with monkeypatch.context() as patched:
        patched.setattr(feature_cache._FrozenEncoder, "__call__", write_some)
        with pytest.raises(StoppedError):
            prepared(recipe, tmp_path / "stopped")
    (unfinished,) = (tmp_path / "stopped" / "states").glob("*.unfinished")
    for path in (unfinished, unfinished.with_suffix(".positions")):
        with path.open("ab") as file:
            file.write(b"\x19\0\0\0\1")  # of a clip that was being written
    computed = []
    monkeypatch.setattr(
        feature_cache._FrozenEncoder, "__call__", lambda *given: computed.append(1) or write(*given)
    )
    prepared(recipe, tmp_path / "stopped")
    assert states_in(tmp_path / "stopped") == whole
    assert len(computed) == 4  # of six chunks
    undisturbed, stopped, continued = space
    assert undisturbed == stopped > continued > 0
    prepared(recipe, tmp_path / "stopped")
    assert len(computed) == 4


def test_states_do_not_depend_on_the_number_of_workers(recipe_of, tmp_path):
    for workers in (0, 2):
        prepared(recipe_of(CHANGED, f"data.workers={workers}"), tmp_path / str(workers))
    assert states_in(tmp_path / "0") == states_in(tmp_path / "2")


def test_copies_of_a_clip_differ_and_an_example_draws_one(recipe_of, tmp_path):
    changes = (CHANGED, "data.state_copies=3", "optimizer.max_steps=60")
    _, examples = prepared(recipe_of(*changes), tmp_path)
    cached = examples.corpora[0].states
    copies = [read_states(cached, 0, number).tobytes() for number in range(3)]
    assert len(set(copies)) == 3
    numbers = [number for number in range(240) if examples.order[number].place == 0]
    drawn = {examples[number]["states"].numpy().tobytes() for number in numbers}
    assert drawn == set(copies)
    _, others = prepared(recipe_of(*changes, "seed=2"), tmp_path)
    assert read_states(others.corpora[0].states, 0, 0).tobytes() not in copies


def with_corpora(recipe, field, values):
    """Return the recipe with its corpus once for each value of a field."""
    (corpus,) = recipe.data.train
    train = tuple(corpus.model_copy(update={field: value}) for value in values)
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"train": train})})


def test_a_corpus_has_its_own_number_of_copies(recipe_of, tmp_path):
    recipe = recipe_of(CHANGED, "data.state_copies=2")
    _, examples = prepared(with_corpora(recipe, "state_copies", (None, 5)), tmp_path)
    assert [used.states.copies for used in examples.corpora] == [2, 5]
    few, many = (used.states for used in examples.corpora)
    assert all(read_states(few, 1, n).tobytes() == read_states(many, 1, n).tobytes() for n in range(2))


def test_copies_may_be_different_pieces_of_a_clip(recipe_of, tmp_path):
    recipe = recipe_of(CHANGED, "data.state_copies=4")
    recipe = with_corpora(recipe, "pieces", (None, 0.3))
    _, examples = prepared(recipe, tmp_path)
    whole, pieces = (used.states for used in examples.corpora)
    places = range(len(examples.corpora[0]))
    longest = [max(len(read_states(whole, place, n)) for n in range(4)) for place in places]
    lengths = [[len(read_states(pieces, place, n)) for n in range(4)] for place in places]
    assert all(max(some) <= most for some, most in zip(lengths, longest, strict=True))
    assert {read_states(pieces, 0, n).tobytes() for n in range(4)}.isdisjoint(
        {read_states(whole, 0, n).tobytes() for n in range(4)}
    )
    again = prepared(recipe, tmp_path / "again")[1].corpora[1].states
    assert again.file.read_bytes() == pieces.file.read_bytes()


def test_states_are_reused_until_model_clips_or_augmentation_change(recipe_of, tmp_path):
    folder = tmp_path / "run"

    def files(*changes: str, trained: int = 1) -> int:
        prepared(recipe_of(*changes, trained=trained), folder)
        return len(list((folder / "states").glob("*.f16")))

    assert files() == 1
    folder = folder.rename(tmp_path / "moved")
    assert files() == 1
    assert files("seed=2", "target.kind=template", "model.decoder_layers=1") == 1
    assert files("model.encoder_layers=2", trained=0) == 2  # the same layers, but with the final norm
    assert files(trained=2) == 3
    assert files(CHANGED) == 4
    assert files(CHANGED, "seed=2") == 5
    assert files("model.encoder_layers=2", trained=1) == 5  # the first layer, as for two of three
    assert files("model.encoder_layers=1", trained=0) == 6


def test_a_clip_that_cannot_be_decoded_has_no_states_and_another_is_taken(recipe_of, tmp_path):
    good = clip_of(1, captions=(Caption("a calm voice", {"by": "paraphrase"}),))
    broken = replace(clip_of(2, captions=good.captions, duration=1.0), audio=b"fLaC")
    write_shard(tmp_path / "b.tar", [good, broken])
    recipe = recipe_of(f"data.train={tmp_path / 'b.tar'}")
    with pytest.warns(BudewWarning, match="clip02"):
        _, examples = prepared(recipe, tmp_path)
    assert len(read_states(examples.corpora[0].states, 1, 0)) == 0
    with pytest.warns(BudewWarning, match="the next clip is taken"):
        assert all(len(examples[number]["states"]) for number in range(4))


def test_a_disk_without_space_is_an_error_before_anything_is_computed(recipe_of, tmp_path, monkeypatch):
    monkeypatch.setattr("budew.io.disk.shutil.disk_usage", lambda _: type("Usage", (), {"free": 9}))
    with pytest.raises(JobError, match="states take"):
        prepared(recipe_of(), tmp_path)


@pytest.mark.parametrize("trained", [0, 1])
def test_frozen_layers_do_not_change(recipe_of, base, tmp_path, trained):
    out = train(recipe_of(trained=trained), out=tmp_path)
    before, after = load_file(base / "model.safetensors"), load_file(out / "model.safetensors")
    changed = {name for name, value in after.items() if not torch.equal(before[name].half(), value)}
    assert any(name.startswith("model.decoder") for name in changed)
    parts = {".".join(name.split(".")[2:4]) for name in changed if name.startswith("model.encoder")}
    assert parts == ({"layers.2", "layer_norm.weight", "layer_norm.bias"} if trained else set())
    saved = load_checkpoint(out, device="cpu")
    assert saved.short_windows
    assert type(saved.model).__name__ == "WhisperForConditionalGeneration"


def test_heads_ignore_padding_and_train_the_last_layers(recipe_of, tmp_path):
    recipe = recipe_of("model.heads_weight=0.5")
    _, examples = prepared(recipe, tmp_path)
    stock, _ = load_base(recipe)
    model = WhisperWithHeads.of(stock, frozen_layers=2, seed=1).train()
    set_trained(model, "encoder-frozen", recipe.model.lora, encoder_layers=1)
    numbers = {examples.order[number].place: number for number in range(24)}
    batches = [collate([examples[number] for number in numbers.values()], padding=0)]
    batches += [collate([examples[number]], padding=0) for number in numbers.values()]
    for batch in batches:
        batch.pop("labels")
    together, *alone = (model(**batch).loss for batch in batches)
    torch.testing.assert_close(together, torch.stack(alone).sum(), rtol=ROUNDING, atol=0)
    together.backward()
    reached = {name for name, weight in model.named_parameters() if weight.grad is not None}
    layers = {name.split(".")[3] for name in reached if name.startswith("model.encoder.layers")}
    assert layers == {"2"}
    assert {"heads.0.weight", "attention.weight", "model.encoder.layer_norm.weight"} <= reached


@pytest.mark.parametrize("method", ["encoder-frozen", "full"])
def test_heads_change_the_encoder_and_are_not_saved(recipe_of, base, tmp_path, method):
    trained = 1 if method == "encoder-frozen" else 0
    changes = [f"model.method={method}", f"data.cache_states={'true' if trained else 'false'}"]
    runs = []
    for weight in (0.0, 2.0):
        recipe = recipe_of(*changes, f"model.heads_weight={weight}", "optimizer.max_steps=2", trained=trained)
        runs.append(tmp_path / str(weight))
        train(recipe, out=runs[-1])
    without, with_heads = (load_file(run / "checkpoint" / "model.safetensors") for run in runs)
    assert without.keys() == with_heads.keys() == load_file(base / "model.safetensors").keys()
    assert not torch.equal(*(run["model.encoder.layers.2.fc1.weight"] for run in (without, with_heads)))
    assert losses_of(runs[1])[1] > losses_of(runs[0])[1]


def test_validations_have_the_windows_of_inference(recipe_of, tmp_path, monkeypatch):
    positions = set()
    generate = WhisperFromStates.generate

    def watched(self, *given, encoder_outputs, **more):
        positions.add(encoder_outputs.last_hidden_state.shape[1])
        return generate(self, *given, encoder_outputs=encoder_outputs, **more)

    monkeypatch.setattr(WhisperFromStates, "generate", watched)
    train(recipe_of("optimizer.max_steps=1", "evaluation.clips=12"), out=tmp_path)
    assert positions == {POSITIONS, 2 * POSITIONS}


def test_weights_depend_on_the_recipe_alone_after_a_stop_and_with_workers(recipe_of, train_until, tmp_path):
    changes = (CHANGED, "data.state_copies=2", "model.vocabulary=captions", "model.decoder_layers=2")
    recipe = recipe_of(*changes)
    train_until(5, recipe, tmp_path / "stopped")
    train(recipe, out=tmp_path / "stopped")
    train(recipe_of(*changes, "data.workers=2"), out=tmp_path / "workers")
    train(recipe, out=tmp_path / "undisturbed")
    first, *others = (weights(tmp_path / name) for name in ("undisturbed", "stopped", "workers"))
    assert others == [first, first]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (("model.method=full", "model.trained_encoder_layers=0"), "cache_states"),
        (("model.method=full", "data.cache_states=false"), "trained_encoder_layers"),
        (("data.cache_features=true",), "cache_features"),
        (("data.state_copies=2",), "state_copies"),
        (("data.train=[{corpus: a, state_copies: 2}]", "data.validation=a"), "state_copies"),
        (("data.train=[{corpus: a, pieces: 1}]", "data.validation=a", "data.cache_states=false"), "pieces"),
        (("model.trained_encoder_layers=0", "model.heads_weight=1"), "heads_weight"),
    ],
)
def test_fields_that_contradict_cached_states_are_named(recipe_of, changes, field):
    with pytest.raises(SettingsError, match=field):
        recipe_of(*changes)


def test_training_more_layers_than_exist_is_an_error(recipe_of, tmp_path):
    with pytest.raises(CheckpointError, match=r"trained_encoder_layers is 3, .* has only 2"):
        train(recipe_of("model.encoder_layers=2", trained=3), out=tmp_path)
    assert CHUNK % feature_cache.ENCODER_BATCH == 0
