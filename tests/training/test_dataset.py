"""What a run learns from: decided by (seed, number) alone, worded and masked anew each time round."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from budew import parse
from budew.captions import render
from budew.model.tokenizer import END, PREFIX, build_tokenizer
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS
from budew.training.dataset import CaptionDataset, collate, heard
from budew.training.features import FeatureSet, load_features
from budew.training.recipe import Recipe


@pytest.fixture(scope="module")
def features(corpus, fields, tmp_path_factory) -> FeatureSet:
    return load_features(corpus, settings=recipe_of(fields).features, cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def tokenizer(features):
    return build_tokenizer((text for texts in features.captions for text in texts), vocabulary=400)


def recipe_of(fields, **changes) -> Recipe:
    return Recipe(name="tiny", **fields | {"captions": "render"} | changes)


def same(one, other) -> bool:
    return (
        torch.equal(one["input_features"], other["input_features"])
        and one["tokens"] == other["tokens"]
        and torch.equal(one["heard"], other["heard"])
        and one["length"] == other["length"]
    )


def places(dataset: CaptionDataset, corpus: FeatureSet, numbers: Sequence[int]) -> list[int]:
    """Which clip each example is of, known by what is heard in it."""
    known = [heard(profile).tolist() for profile in corpus.profiles]
    return [known.index(dataset[number]["heard"].tolist()) for number in numbers]


def test_an_example_depends_on_seed_and_number_alone(fields, features, tokenizer):
    dataset = CaptionDataset(features, tokenizer, recipe_of(fields), length=40)
    forwards = [dataset[number] for number in range(40)]
    torch.manual_seed(9)
    np.random.seed(9)
    again = CaptionDataset(features, tokenizer, recipe_of(fields), length=40)
    backwards = [again[number] for number in reversed(range(40))]
    assert all(same(one, other) for one, other in zip(forwards, reversed(backwards), strict=True))
    other_seed = CaptionDataset(features, tokenizer, recipe_of(fields, seed=2), length=40)
    assert not any(same(one, other_seed[number]) for number, one in enumerate(forwards))


def test_other_processes_prepare_the_same_examples(fields, features, tokenizer):
    dataset = CaptionDataset(features, tokenizer, recipe_of(fields), length=8)
    loaded = DataLoader(dataset, batch_size=None, num_workers=2)
    assert all(same(one, dataset[number]) for number, one in enumerate(loaded))


def test_each_time_a_clip_comes_round_it_is_worded_and_masked_anew(fields, features, tokenizer):
    dataset = CaptionDataset(features, tokenizer, recipe_of(fields), length=36)
    order = places(dataset, features, range(36))
    first, second, _third = (dataset[number] for number, clip in enumerate(order) if clip == 0)
    assert not torch.equal(first["input_features"], second["input_features"])
    assert first["tokens"] != second["tokens"]
    said = [parse(tokenizer.decode(one["tokens"], skip_special_tokens=True)) for one in (first, second)]
    assert said[0].emotions == said[1].emotions


def test_validation_is_the_corpus_once_in_order_and_unmasked(fields, features, tokenizer):
    dataset = CaptionDataset(features, tokenizer, recipe_of(fields), length=None)
    examples = list(dataset)
    assert places(dataset, features, range(len(dataset))) == list(range(12))
    for example, values in zip(examples, features.features, strict=True):
        np.testing.assert_array_equal(example["input_features"].numpy(), values.astype(np.float32))


def test_captions_of_the_corpus_are_drawn_from_those_of_the_clip(fields, features, tokenizer):
    dataset = CaptionDataset(
        features, tokenizer, recipe_of(fields, captions="corpus", longest_caption=96), length=240
    )
    drawn = [set() for _ in features.ids]
    for number, clip in enumerate(places(dataset, features, range(240))):
        drawn[clip].add(tokenizer.decode(dataset[number]["tokens"], skip_special_tokens=True))
    assert drawn == [set(captions) for captions in features.captions]


def test_frames_and_wording_of_the_recipe_are_kept_to(fields, features, tokenizer):
    recipe = recipe_of(fields, frames=("tags",), wording="plain")
    dataset = CaptionDataset(features, tokenizer, recipe, length=12)
    for number, clip in enumerate(places(dataset, features, range(12))):
        said = tokenizer.decode(dataset[number]["tokens"], skip_special_tokens=True)
        profile = features.profiles[clip]
        possible = {render(profile, seed=seed, frame="tags", wording="plain") for seed in range(300)}
        assert said in possible


def test_a_long_caption_is_cut_and_still_ends(fields, features, tokenizer):
    recipe = recipe_of(fields, longest_caption=16)
    for example in CaptionDataset(features, tokenizer, recipe, length=12):
        assert len(example["tokens"]) == 16
        assert example["tokens"][-1] == tokenizer.eos_token_id
        assert example["tokens"].count(tokenizer.eos_token_id) == 1


def test_a_caption_that_holds_a_special_token_does_not_end_there(fields, features, tokenizer):
    hostile = replace(features, captions=((f"A {END} man.",),) * 12)
    dataset = CaptionDataset(hostile, tokenizer, recipe_of(fields, captions="corpus"), length=1)
    assert dataset[0]["tokens"].count(tokenizer.eos_token_id) == 1


def test_no_loss_is_had_on_prefix_and_padding_and_the_decoder_sees_both(fields, features, tokenizer):
    examples = list(CaptionDataset(features, tokenizer, recipe_of(fields), length=12))
    batch = collate(examples, prefix=len(PREFIX), padding=tokenizer.pad_token_id)
    longest = max(len(example["tokens"]) for example in examples)
    assert batch["decoder_input_ids"].shape == batch["labels"].shape == (12, longest - 1)
    assert batch["heard"].shape == (12, 123)
    assert batch["cues"].shape == (12, 13)
    for row, example in enumerate(examples):
        tokens, labels = example["tokens"], batch["labels"][row].tolist()
        assert labels == [-100] * 3 + tokens[4:] + [-100] * (longest - len(tokens))
        given = batch["decoder_input_ids"][row, : len(tokens) - 1].tolist()
        assert given == tokens[:-1]
        assert tuple(tokenizer.convert_ids_to_tokens(given[:4])) == PREFIX
        assert set(batch["decoder_input_ids"][row, len(tokens) :].tolist()) <= {tokenizer.pad_token_id}


def test_heads_are_asked_for_emotions_bursts_and_gender(features):
    for profile in features.profiles:
        asked = heard(profile)
        np.testing.assert_array_equal(asked[:40], profile.vector())
        assert [name for name, is_there in zip(BURSTS, asked[40:122], strict=True) if is_there] == sorted(
            profile.bursts, key=BURSTS.index
        )
        assert asked[122] == (profile.traits["gender"] == "female")


def test_heads_are_not_asked_for_emotions_that_are_unknown():
    asked = heard(VoiceProfile(None, ["Tsk"], {"gender": "female"}))
    assert np.isnan(asked[:40]).all()
    assert (asked[40:].sum(), asked[122]) == (2, 1)


def test_a_batch_is_as_long_as_its_longest_clip_and_loses_no_sound(fields, features, tokenizer):
    recipe = recipe_of(fields, short_windows=1.0)
    dataset = CaptionDataset(features, tokenizer, recipe, length=48)
    examples = [dataset[number] for number in range(48)]
    widths = set()
    for start in range(0, 48, recipe.batch_size):
        batch = examples[start : start + recipe.batch_size]
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
    whole = CaptionDataset(features, tokenizer, recipe_of(fields, short_windows=0.0), length=48)
    assert {whole[number]["length"] for number in range(48)} == {100}


def test_validation_hears_whole_windows(fields, features, tokenizer):
    dataset = CaptionDataset(features, tokenizer, recipe_of(fields, short_windows=1.0), length=None)
    batch = collate(list(dataset), prefix=4, padding=tokenizer.pad_token_id)
    assert batch["input_features"].shape == (12, 16, 100)
