"""What a run sees of a corpus: clips that fit, the same for any number of workers, computed or cached."""

import fcntl
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from transformers import WhisperProcessor

from budew.audio.samples import decode
from budew.captions import parse, render
from budew.corpora import Caption, read, write_shard
from budew.curation.weights import write_weights
from budew.errors import BudewWarning, CorpusError
from budew.model.build import END, PREFIX, build_tokenizer
from budew.training.dataset import (
    FRAMES_STEP,
    CaptionDataset,
    collate,
    training_dataset,
    validation_dataset,
)
from budew.training.preparation import prepare_corpora
from tests.training.conftest import profile_of

LONGEST = 96
FRAMES = 100
ALTERED = "data.augmentation={noise: 20, gain: 6, band_limit: 0.5, speed: 0.05, time_masks: 2, band_masks: 2}"
MASKED = "data.augmentation={time_masks: 2, band_masks: 2}"
MIXED = ("target.kind=mixed", "target.prompts=0.5")


@pytest.fixture(scope="module")
def processor(corpus, make_recipe) -> WhisperProcessor:
    captions = [render(profile_of(number), seed=seed) for number in range(12) for seed in range(20)]
    extractor = make_recipe().model.scratch.features.extractor()
    return WhisperProcessor(extractor, build_tokenizer(captions, vocabulary=400))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def examples_of(processor, make_recipe, cache):
    """`examples_of("seed=2", count=40, split="validation")`: examples of the recipe with changes."""

    def make(*changes, count=12, split="train", longest=LONGEST) -> CaptionDataset:
        recipe = make_recipe(f"optimizer.max_steps={count // 4}", *changes)
        made = training_dataset if split == "train" else validation_dataset
        corpora = prepare_corpora(recipe, cache, split, processor.feature_extractor)
        return made(recipe, corpora, processor, max_tokens=longest)

    return make


def same(one, other) -> bool:
    tensors = ("input_features", "heads")
    return all(one[name] == other[name] for name in ("tokens", "prefix", "frames")) and all(
        torch.equal(one[name].nan_to_num(-1), other[name].nan_to_num(-1)) for name in tensors
    )


def written(example, processor) -> str:
    return processor.tokenizer.decode(example["tokens"][example["prefix"] :], skip_special_tokens=True)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_an_example_depends_on_seed_and_number_alone(examples_of, split):
    changes = (ALTERED, *MIXED)
    forwards = list(map(examples_of(*changes, split=split).__getitem__, range(4)))
    torch.manual_seed(9)
    np.random.seed(9)
    again = examples_of(*changes, split=split)
    backwards = [again[number] for number in reversed(range(4))]
    elsewhere = DataLoader(again, batch_size=None, num_workers=2)
    assert all(map(same, forwards, reversed(backwards)))
    assert all(map(same, forwards, elsewhere))
    other = examples_of(*changes, "seed=2", split=split)
    assert not all(map(same, forwards, map(other.__getitem__, range(4))))


@pytest.mark.parametrize("broken", [(), (5,)])
@pytest.mark.parametrize("longer", ["skip", "split"])
@pytest.mark.filterwarnings("ignore::budew.errors.BudewWarning")
def test_cached_and_computed_examples_are_the_same(examples_of, make_clip, tmp_path, broken, longer):
    clips = [make_clip(number, seconds=1 + number / 2, duration=1 + number / 2) for number in range(6)]
    clips = [replace(clip, audio=b"fLaC") if at in broken else clip for at, clip in enumerate(clips)]
    write_shard(tmp_path / "a.tar", clips)
    changes = (f"data.train={tmp_path / 'a.tar'}", f"data.longer={longer}", "data.short_windows=1", MASKED)
    computed, kept, by_workers = (
        examples_of(*changes, *more, f"data.cache={tmp_path / str(len(more))}")
        for more in ((), ("data.cache_features=true",), ("data.cache_features=true", "data.workers=2"))
    )
    computed = [computed[number] for number in range(12)]
    assert all(map(same, computed, map(kept.__getitem__, range(12))))
    assert all(map(same, computed, DataLoader(by_workers, batch_size=None, num_workers=2)))


def test_spectrograms_are_reused_until_clips_or_settings_change(
    examples_of, make_recipe, make_clip, tmp_path
):
    """Half a megabyte made anew at the same size: the shard is known by size and time."""
    shard, cache = tmp_path / "a.tar", tmp_path / "cache"
    clips = [make_clip(number, seconds=1.5) for number in range(4)]
    changes = (f"data.train={shard}", f"data.cache={cache}", "data.cache_features=true")

    def files() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in (cache / "features").iterdir()}

    write_shard(shard, clips)
    examples_of(*changes)
    before = files()
    examples_of(*changes, "target.kind=template", "seed=2")
    assert files() == before
    write_shard(shard, [make_clip(7, seconds=1.5), *clips[1:]])
    examples_of(*changes)
    after = files()
    assert before.items() < after.items()
    other = make_recipe(*changes).model.scratch.features.model_copy(update={"mel_bins": 8})
    prepare_corpora(make_recipe(*changes), tmp_path, "train", other.extractor())
    assert len(files()) == len(after) + 2


def test_unfinished_spectrograms_are_not_used(examples_of, tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    changes, whole = ("data.cache_features=true", f"data.cache={tmp_path}"), examples_of()
    for place in ("spectrogram", "np.save"):
        with monkeypatch.context() as patched:
            patched.setattr(f"budew.training.feature_cache.{place}", stopped)
            with pytest.raises(KeyboardInterrupt):
                examples_of(*changes)
    kept = examples_of(*changes)
    assert all(same(whole[number], kept[number]) for number in range(12))


def test_a_run_waits_for_another_that_computes_the_same_spectrograms(examples_of, tmp_path, monkeypatch):
    changes = ("data.cache_features=true", f"data.cache={tmp_path}")
    whole = examples_of(*changes)
    monkeypatch.setattr("budew.training.feature_cache._Spectrograms", None)  # nothing is computed again
    (made,) = (tmp_path / "features").glob("*.f16")
    unfinished = made.rename(made.with_suffix(".unfinished"))
    with unfinished.open("ab") as file, ThreadPoolExecutor(1) as pool:
        fcntl.flock(file, fcntl.LOCK_EX)
        waiting = pool.submit(examples_of, *changes)
        with pytest.raises(TimeoutError):
            waiting.result(0.5)
        unfinished.rename(made)
        fcntl.flock(file, fcntl.LOCK_UN)
        kept = waiting.result()
    assert all(same(whole[number], kept[number]) for number in range(12))


def test_a_clip_has_another_wording_and_augmentation_in_each_epoch(examples_of, processor):
    examples = examples_of("target.kind=template", ALTERED, count=36)
    numbers = [number for number in range(36) if examples.order[number].place == 0]
    first, second, _third = (examples[number] for number in numbers)
    assert not torch.equal(first["input_features"], second["input_features"])
    assert first["tokens"] != second["tokens"]
    emotions = [parse(written(one, processor)).emotions for one in (first, second)]
    assert emotions[0] == emotions[1]


def test_validation_is_a_whole_unchanged_sample_of_the_corpus(examples_of, processor, corpus):
    changes = (ALTERED, "data.short_windows=1", "data.mixed_shards=1")
    examples = examples_of(*changes, "evaluation.clips=20", split="validation")
    clips = {clip.id: clip for clip in read(corpus)}
    found = {examples.record(number).id: examples[number] for number in range(len(examples))}
    assert set(found) == set(clips)
    assert len(examples) == len(clips) == 12
    for id, example in found.items():
        samples = decode(clips[id].audio).samples
        exact = processor.feature_extractor(samples, sampling_rate=16_000, return_tensors="np")
        np.testing.assert_array_equal(example["input_features"], exact.input_features[0].astype(np.float16))
        assert example["frames"] == FRAMES
    few = examples_of(*changes, "evaluation.clips=6", split="validation")
    sample = [few.record(number).id for number in range(len(few))]
    assert len(set(sample)) == len(sample) == 6
    assert len({int(id[4:]) // 3 for id in sample}) > 2


def test_captions_are_drawn_from_those_of_the_clip(examples_of, processor, corpus):
    examples, clips = examples_of(count=240), {clip.id: clip for clip in read(corpus)}
    drawn = {id: set() for id in clips}
    for number in range(240):
        drawn[examples.record(number).id].add(written(examples[number], processor))
    assert drawn == {id: {caption.text for caption in clip.captions} for id, clip in clips.items()}


def test_an_example_is_prompt_prefix_caption_and_one_end(examples_of, processor):
    examples, tokenizer = examples_of(*MIXED, count=48), processor.tokenizer
    prefix, prompted = tokenizer.convert_tokens_to_ids(list(PREFIX)), 0
    for number in range(48):
        one = examples[number]
        begun, caption = one["tokens"][: one["prefix"]], one["tokens"][one["prefix"] :]
        assert (one["input_features"].shape, one["heads"].shape) == ((16, FRAMES), (136,))
        assert begun[-4:] == prefix
        assert caption[-1] == tokenizer.eos_token_id
        assert not set(caption[:-1]) & set(tokenizer.all_special_ids)
        if len(begun) > 4:
            prompted += 1
            assert begun[0] == tokenizer.convert_tokens_to_ids("<|startofprev|>")
    assert 0 < prompted < 48


def test_a_clip_whose_caption_is_too_long_for_the_decoder_is_left_out_and_named(examples_of):
    lengths = [len(examples_of()[number]["tokens"]) for number in range(12)]
    limit = sorted(lengths)[6]
    shorter = examples_of(longest=limit)
    with pytest.warns(BudewWarning) as warned:
        assert max(len(shorter[number]["tokens"]) for number in range(12)) <= limit
    named = " ".join(str(one.message) for one in warned)
    assert all(shorter.record(number).id in named for number in range(12) if lengths[number] > limit)
    with pytest.raises(CorpusError, match="more than the 8 of the decoder"):
        examples_of(longest=8)[0]


def test_an_end_token_in_a_caption_is_text(examples_of, processor, make_clip, tmp_path):
    end = processor.tokenizer.eos_token_id
    write_shard(
        tmp_path / "a.tar", [make_clip(1, captions=(Caption(f"A {END} man.", {"by": "paraphrase"}),))]
    )
    assert examples_of(f"data.train={tmp_path / 'a.tar'}")[0]["tokens"].count(end) == 1


def test_only_caption_and_end_count_in_the_loss(examples_of, processor):
    made = examples_of(*MIXED)
    examples, padding = [made[number] for number in range(12)], processor.tokenizer.pad_token_id
    batch = collate(examples, padding=padding)
    longest = max(len(example["tokens"]) for example in examples)
    assert len({(example["prefix"], len(example["tokens"])) for example in examples}) > 6
    assert batch["decoder_input_ids"].shape == batch["labels"].shape == (12, longest - 1)
    assert batch["heads"].shape == (12, 136)
    for row, example in enumerate(examples):
        tokens, prefix = example["tokens"], example["prefix"]
        labels, given = batch["labels"][row].tolist(), batch["decoder_input_ids"][row].tolist()
        assert labels == [-100] * (prefix - 1) + tokens[prefix:] + [-100] * (longest - len(tokens))
        assert given[: len(tokens) - 1] == tokens[:-1]
        assert set(given[len(tokens) :]) <= {padding}


def test_a_batch_is_as_long_as_its_longest_clip(examples_of):
    examples, widths = examples_of("data.short_windows=1", MASKED, count=48), set()
    for start in range(0, 48, 4):
        batch = [examples[number] for number in range(start, start + 4)]
        frames, longest = (
            collate(batch, padding=0)["input_features"].shape[2],
            max(one["frames"] for one in batch),
        )
        widths.add(frames)
        assert longest <= frames
        if frames < FRAMES:
            assert frames % FRAMES_STEP == 0
            assert frames - longest < FRAMES_STEP
            for example in batch:
                left = example["input_features"][:, frames + 1 :]  # a frame sees a little behind it
                assert left.max() == left.min() == example["input_features"].min()
    assert len(widths) > 1
    whole = examples_of("data.short_windows=0")
    assert {whole[number]["frames"] for number in range(12)} == {FRAMES}


def test_a_tenth_of_the_short_batches_and_all_final_ones_are_whole(examples_of):
    examples = examples_of("data.short_windows=0.75", count=2400)
    whole = [examples._needed_frames(number, FRAMES, 50) == FRAMES for number in range(2400)]
    whole = np.reshape(whole, (-1, 4))
    assert (whole.all(axis=1) == whole.any(axis=1)).all()
    assert 0.05 < whole[:450, 0].mean() < 0.16
    assert whole[450:].all()


@pytest.mark.parametrize("name", ["w.jsonl", "w.parquet"])
def test_clips_of_a_weighted_corpus_occur_in_proportion_to_their_weights(examples_of, corpus, tmp_path, name):
    weights = {"clip01": 1.0, "clip04": 2.0, "clip05": 3.0, "clip11": 6.0, "clip09": 0.0, "of another": 5.0}
    write_weights(tmp_path / name, weights.items())
    given = f"{{corpus: {corpus}, clip_weights: {tmp_path / name}, weight: 0.5}}"
    examples = examples_of(f"data.train=[{given}]", count=480)
    drawn = Counter(examples.record(number).id for number in range(480))
    assert drawn == pytest.approx({"clip01": 40, "clip04": 80, "clip05": 120, "clip11": 240}, abs=20)
    assert examples.corpora[0].left_out["they have no weight"] == 8
    both = examples_of(f"data.train=[{{corpus: {corpus}, weight: 1.5}}, {given}]", count=1000)
    shares = Counter(both.order[number].corpus for number in range(1000))
    assert shares == {0: 750, 1: 250}
    assert {both.record(at).id for at in range(1000) if both.order[at].corpus} == set(drawn)
    write_weights(tmp_path / name, [("of another", 5.0)])
    with pytest.raises(CorpusError, match=name):
        examples_of(f"data.train=[{given}]")


def test_validation_corpora_have_the_same_number_of_clips_each_without_repetition(
    examples_of, corpus, make_clip, tmp_path
):
    write_shard(tmp_path / "a.tar", [make_clip(number) for number in range(20, 23)])
    both = f"data.validation=[{corpus}, {tmp_path / 'a.tar'}]"
    for wanted, expected in ((4, {0: 2, 1: 2}), (10, {0: 5, 1: 3}), (100, {0: 12, 1: 3})):
        examples = examples_of(both, f"evaluation.clips={wanted}", split="validation")
        found = [
            (examples.order[number].corpus, examples.record(number).id) for number in range(len(examples))
        ]
        assert Counter(corpus for corpus, _ in found) == expected
        assert len(set(found)) == len(found)
    alone = examples_of("evaluation.clips=2", split="validation")
    pair = examples_of(both, "evaluation.clips=4", split="validation")
    assert [alone.record(number).id for number in (0, 1)] == [pair.record(number).id for number in (0, 1)]
    with pytest.raises(IndexError):
        pair[4]


def test_validation_does_not_depend_on_the_division_into_shards(examples_of, corpus, make_clip, tmp_path):
    write_shard(tmp_path / "whole.tar", [make_clip(number) for number in range(12)])
    one, other = (
        examples_of(f"data.validation={path}", "evaluation.clips=12", split="validation")
        for path in (corpus, tmp_path / "whole.tar")
    )
    by_id = [{made.record(at).id: made[at]["input_features"] for at in range(12)} for made in (one, other)]
    assert by_id[0].keys() == by_id[1].keys()
    assert all(torch.equal(features, by_id[1][id]) for id, features in by_id[0].items())


@pytest.mark.parametrize("noted", [7, {"cues": 7}, {"cues": {"rate": "quick"}}])
def test_metadata_of_another_layout_gives_no_cues(examples_of, make_clip, tmp_path, noted):
    write_shard(tmp_path / "a.tar", [make_clip(0, metadata={"synthesis": noted})])
    assert examples_of(f"data.train={tmp_path / 'a.tar'}")[0]["heads"][123:].isnan().all()


@pytest.mark.parametrize("cached", ["false", "true"])
def test_a_clip_that_cannot_be_decoded_is_replaced_by_the_next(examples_of, make_clip, tmp_path, cached):
    def corpus_of(name, broken):
        clips = [make_clip(number, seconds=1, duration=1) for number in range(1, 7)]
        write_shard(
            tmp_path / name, [replace(one, audio=b"fLaC") if one.id in broken else one for one in clips]
        )
        return f"data.train={tmp_path / name}"

    changes = (f"data.cache_features={cached}", f"data.cache={tmp_path}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BudewWarning)
        one_gone = examples_of(*changes, corpus_of("a.tar", {"clip03"}))
        all_gone = examples_of(*changes, corpus_of("b.tar", {f"clip0{number}" for number in range(1, 7)}))
    with pytest.warns(BudewWarning, match="clip03"):
        assert all(one_gone[number]["frames"] for number in range(12))
    with pytest.raises(CorpusError, match="check the corpus"):
        all_gone[0]
