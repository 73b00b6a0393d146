"""Examples of a run: decided by (seed, number) alone, worded and masked anew in each epoch."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from budew import parse
from budew.captions import render
from budew.model.build import END, PREFIX, build_tokenizer
from budew.training.data import CHUNK, BatchOrder, CaptionDataset, FeatureSet, collate, mask
from budew.training.scratch.spectrograms import load_features

VALUES = np.random.default_rng(1).uniform(1, 2, (40, 100)).astype(np.float32)
FLOOR = VALUES.min()
LENGTHS = np.random.default_rng(1).integers(50, 400, 300)
ORDER = BatchOrder(LENGTHS, examples=2400, batch_size=4, short_windows=0.75, seed=1)


@pytest.fixture(scope="module")
def features(corpus, recipe_of, tmp_path_factory) -> FeatureSet:
    return load_features(corpus, settings=recipe_of().model.features, cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def tokenizer(features):
    return build_tokenizer((text for texts in features.captions for text in texts), vocabulary=400)


@pytest.fixture(scope="module")
def recipe_of(make_recipe):
    return lambda *changes: make_recipe("data.captions=render", *changes)


def same(one, other) -> bool:
    tensors = ("input_features", "heads")
    return (one["tokens"], one["length"]) == (other["tokens"], other["length"]) and all(
        torch.equal(one[name].nan_to_num(-1), other[name].nan_to_num(-1)) for name in tensors
    )


def places(dataset: CaptionDataset, corpus: FeatureSet, numbers: Sequence[int]) -> list[int]:
    """Which clip each example is of, known by its labels."""
    known = np.nan_to_num(corpus.heads).tolist()
    return [known.index(dataset[number]["heads"].nan_to_num().tolist()) for number in numbers]


def test_an_example_depends_on_seed_and_number_alone(recipe_of, features, tokenizer):
    dataset = CaptionDataset(features, tokenizer, recipe_of(), length=40)
    forwards = [dataset[number] for number in range(40)]
    torch.manual_seed(9)
    np.random.seed(9)
    again = CaptionDataset(features, tokenizer, recipe_of(), length=40)
    backwards = [again[number] for number in reversed(range(40))]
    elsewhere = DataLoader(dataset, batch_size=None, num_workers=2)
    assert all(map(same, forwards, reversed(backwards)))
    assert all(map(same, forwards, elsewhere))
    other_seed = CaptionDataset(features, tokenizer, recipe_of("seed=2"), length=40)
    assert not any(map(same, forwards, other_seed))


def test_each_time_a_clip_comes_round_it_is_worded_and_masked_anew(recipe_of, features, tokenizer):
    dataset = CaptionDataset(features, tokenizer, recipe_of(), length=36)
    order = places(dataset, features, range(36))
    first, second, _third = (dataset[number] for number, clip in enumerate(order) if clip == 0)
    assert not torch.equal(first["input_features"], second["input_features"])
    assert first["tokens"] != second["tokens"]
    written = [parse(tokenizer.decode(one["tokens"], skip_special_tokens=True)) for one in (first, second)]
    assert written[0].emotions == written[1].emotions


def test_validation_is_the_corpus_once_in_order_and_unmasked(recipe_of, features, tokenizer):
    dataset = CaptionDataset(features, tokenizer, recipe_of("data.short_windows=1.0"), length=None)
    examples = list(dataset)
    batch = collate(examples, prefix=4, padding=tokenizer.pad_token_id)
    assert batch["input_features"].shape == (12, 16, 100)
    assert places(dataset, features, range(len(dataset))) == list(range(12))
    for example, values in zip(examples, features.features, strict=True):
        np.testing.assert_array_equal(example["input_features"].numpy(), values.astype(np.float32))


def test_captions_of_the_corpus_are_drawn_from_those_of_the_clip(recipe_of, features, tokenizer):
    dataset = CaptionDataset(
        features, tokenizer, recipe_of("data.captions=corpus", "model.size.longest_caption=96"), length=240
    )
    drawn = [set() for _ in features.ids]
    for number, clip in enumerate(places(dataset, features, range(240))):
        drawn[clip].add(tokenizer.decode(dataset[number]["tokens"], skip_special_tokens=True))
    assert drawn == [set(captions) for captions in features.captions]


def test_frames_and_wording_of_the_recipe_are_kept_to(recipe_of, features, tokenizer):
    recipe = recipe_of("data.frames=[tags]", "data.wording=plain")
    dataset = CaptionDataset(features, tokenizer, recipe, length=12)
    for number, clip in enumerate(places(dataset, features, range(12))):
        written = tokenizer.decode(dataset[number]["tokens"], skip_special_tokens=True)
        profile = features.profiles[clip]
        possible = {render(profile, seed=seed, frame="tags", wording="plain") for seed in range(300)}
        assert written in possible


def test_a_caption_has_one_end_and_at_most_the_longest_length(recipe_of, features, tokenizer):
    recipe = recipe_of("model.size.longest_caption=16")
    for example in CaptionDataset(features, tokenizer, recipe, length=12):
        assert len(example["tokens"]) == 16
        assert example["tokens"][-1] == tokenizer.eos_token_id
        assert example["tokens"].count(tokenizer.eos_token_id) == 1
    hostile = replace(features, captions=((f"A {END} man.",),) * 12)
    dataset = CaptionDataset(hostile, tokenizer, recipe_of("data.captions=corpus"), length=1)
    assert dataset[0]["tokens"].count(tokenizer.eos_token_id) == 1


def test_prefix_and_padding_are_masked_in_the_loss_and_given_to_the_decoder(recipe_of, features, tokenizer):
    examples = list(CaptionDataset(features, tokenizer, recipe_of(), length=12))
    batch = collate(examples, prefix=len(PREFIX), padding=tokenizer.pad_token_id)
    longest = max(len(example["tokens"]) for example in examples)
    assert batch["decoder_input_ids"].shape == batch["labels"].shape == (12, longest - 1)
    assert batch["heads"].shape == (12, 136)
    for row, example in enumerate(examples):
        tokens, labels = example["tokens"], batch["labels"][row].tolist()
        assert labels == [-100] * 3 + tokens[4:] + [-100] * (longest - len(tokens))
        given = batch["decoder_input_ids"][row, : len(tokens) - 1].tolist()
        assert given == tokens[:-1]
        assert tuple(tokenizer.convert_ids_to_tokens(given[:4])) == PREFIX
        assert set(batch["decoder_input_ids"][row, len(tokens) :].tolist()) <= {tokenizer.pad_token_id}


def test_a_batch_is_as_long_as_its_longest_clip_and_loses_no_sound(recipe_of, features, tokenizer):
    recipe = recipe_of("data.short_windows=1.0")
    dataset = CaptionDataset(features, tokenizer, recipe, length=48)
    examples = [dataset[number] for number in range(48)]
    widths = set()
    for start in range(0, 48, recipe.optimizer.batch_size):
        batch = examples[start : start + recipe.optimizer.batch_size]
        frames = collate(batch, prefix=4, padding=tokenizer.pad_token_id)["input_features"].shape[2]
        widths.add(frames)
        assert max(example["length"] for example in batch) <= frames
        if frames < 100:
            assert frames % 16 == 0
            assert frames - max(example["length"] for example in batch) < 16
            for example in batch:
                left = example["input_features"][:, frames:]
                assert left.numel() == 0 or left.max() == left.min() == example["input_features"].min()
    assert len(widths) > 1
    whole = CaptionDataset(features, tokenizer, recipe_of("data.short_windows=0.0"), length=48)
    assert {whole[number]["length"] for number in range(48)} == {100}


@pytest.mark.parametrize(("time", "bands"), [(2, 2), (1, 0), (0, 3), (0, 0)])
def test_nothing_is_altered_but_what_masks_allow_and_the_generator_decides(time, bands):
    before = VALUES.copy()
    shifts, widest = set(), [0, 0]
    for seed in range(60):
        masked, shift = mask(VALUES, random.Random(seed), time=time, bands=bands)
        assert np.array_equal(mask(VALUES, random.Random(seed), time=time, bands=bands)[0], masked)
        assert (masked.shape, masked.dtype) == (VALUES.shape, VALUES.dtype)
        shifts.add(shift)
        blank = masked[:, shift:] == FLOOR
        assert ((masked[:, shift:] == VALUES[:, : 100 - shift]) | blank).all()
        assert (masked[:, :shift] == FLOOR).all()
        widest = np.maximum(widest, [blank.all(axis=0).sum(), blank.all(axis=1).sum()])
    np.testing.assert_array_equal(VALUES, before)
    assert (min(shifts), max(shifts)) == (0, 20)
    assert 15 * time <= widest[0] <= 20 * time
    assert 8 * bands <= widest[1] <= 12 * bands


@pytest.mark.parametrize("batch_size", [1, 4, 7])
def test_every_clip_comes_once_an_epoch(batch_size):
    order = replace(ORDER, batch_size=batch_size)
    drawn = [order.draw(index)[:2] for index in range(order.examples)]
    assert sorted(drawn) == [(turn, clip) for turn in range(8) for clip in range(300)]
    assert drawn != sorted(drawn)


def test_a_batch_holds_clips_of_like_length_and_comes_at_random():
    lengths = [LENGTHS[ORDER.draw(index)[1]] for index in range(ORDER.examples)]
    spreads, means = [], []
    for start in range(0, ORDER.examples, ORDER.batch_size):
        batch = lengths[start : start + ORDER.batch_size]
        spreads.append(max(batch) - min(batch))
        means.append(np.mean(batch))
    assert np.median(spreads) < 15 < np.std(LENGTHS) / 4
    assert abs(np.corrcoef(range(CHUNK), means[:CHUNK])[0, 1]) < 0.5


def test_a_batch_is_cut_as_a_whole_one_in_ten_not_and_towards_the_end_none():
    whole = np.array([ORDER.draw(index)[2] for index in range(ORDER.examples)]).reshape(-1, 4)
    assert (whole.all(axis=1) == whole.any(axis=1)).all()
    early, late = whole[:450, 0], whole[450:, 0]
    assert 0.05 < early.mean() < 0.16
    assert late.all()


def test_another_seed_shuffles_the_batches_of_a_chunk_otherwise():
    def rounds(seed: int) -> list[int]:
        order = BatchOrder(np.array([10]), 64, 2, 1.0, seed)  # one clip: its rounds give the places
        return [order.draw(index)[0] for index in range(64)]

    assert rounds(1) != rounds(2)
    assert sorted(rounds(1)) == sorted(rounds(2)) == list(range(64))
