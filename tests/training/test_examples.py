"""What a run sees of a corpus: whole clips that fit, the same for any number of workers."""

import io

import numpy as np
import pytest
import soundfile
import torch
from torch.utils.data import DataLoader

from budew.corpora import Clip
from budew.corpora.clip import Caption
from budew.corpora.shards import write_shard
from budew.errors import BudewWarning, CorpusError
from budew.model.adapt import set_prefix, set_window
from budew.model.build import PREFIX
from budew.model.checkpoint import load_checkpoint
from budew.profile import VoiceProfile
from budew.training.clip_index import index_corpus
from budew.training.clip_order import ClipOrder, Part
from budew.training.examples import Examples, select, tokens_of
from budew.training.targets import Target, TargetSettings
from tests.model.published_layout import write_published_tiny

RATE = 16_000
ANY = TargetSettings(kind="mixed", prompts=0.5)


def flac(seconds, seed):
    file = io.BytesIO()
    soundfile.write(
        file, np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE)), RATE, format="flac"
    )
    return file.getvalue()


def make_corpus(path, lengths, *, broken=()):
    def clip(number, seconds):
        audio = b"fLaC" + bytes(99) if number in broken else flac(seconds, number)
        profile = VoiceProfile({"Anger": 0.5}) if number % 2 else None
        captions = (Caption("Somebody fumes.", {"by": "paraphrase"}),) if number % 3 else ()
        return Clip(
            f"{path.stem}-{number}", audio, "flac", duration=seconds, profile=profile, captions=captions
        )

    clips = [clip(number, seconds) for number, seconds in enumerate(lengths)]
    write_shard(path, clips)
    return index_corpus(path, path.parent / "index")


@pytest.fixture(scope="module")
def processor(tmp_path_factory):
    checkpoint = load_checkpoint(
        write_published_tiny(tmp_path_factory.mktemp("tiny"), layers=1), device="cpu"
    )
    set_prefix(checkpoint.model, checkpoint.processor.tokenizer)
    return set_window(checkpoint.model, checkpoint.processor, 2)


def examples_of(selection, processor, *, examples, seed=1, target=ANY):
    rows = selection.index.rows[selection.numbers]
    order = ClipOrder([Part(rows["notes"].astype(np.int64), rows["seconds"])], examples, 4, 2, seed)
    return Examples([selection], order, processor, target=target, seed=seed)


@pytest.mark.parametrize(
    ("longer", "used", "left", "cut"),
    [
        ("skip", [1, 2, 3, 4], 2, 0),
        ("cut", [1, 2, 3, 4, 5, 7], 0, 2),
        ("split", [1, 2, 3, 4, 5, 5, 7, 7, 7], 0, 0),
    ],
)
def test_clips_longer_than_the_window_are_left_out_split_or_cut_and_counted(
    tmp_path, longer, used, left, cut
):
    index = make_corpus(tmp_path / "a.tar", [1, 1, 1, 1, 2, 2.5, 0.02, 6])
    found = select(index, target=ANY, window=2, longer=longer)
    assert list(found.numbers) == used  # nothing is known of the first; the seventh is no speech
    assert found.left_out.get("longer than 2 s", 0) == left
    assert found.cut == cut
    assert found.left_out["nothing is known of them to learn"] == 2
    if longer == "split":
        assert list(found.starts) == [0, 0, 0, 0, 0, 2, 0, 2, 4]


def test_a_clip_longer_than_the_window_may_be_an_error_that_names_it(tmp_path):
    index = make_corpus(tmp_path / "a.tar", [1, 1, 3])
    with pytest.raises(CorpusError, match="a-2"):
        select(index, target=ANY, window=2, longer="error")
    with pytest.raises(CorpusError, match="no clip"):
        select(make_corpus(tmp_path / "b.tar", [1]), target=ANY, window=2)


def test_workers_change_nothing(tmp_path, processor):
    selection = select(make_corpus(tmp_path / "a.tar", [1.0, 0.5, 1.5, 2.0] * 3), target=ANY, window=2)
    examples = examples_of(selection, processor, examples=16)
    alone, together = (list(DataLoader(examples, batch_size=None, num_workers=workers)) for workers in (0, 2))
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one["input_features"], other["input_features"])
        assert one["tokens"] == other["tokens"]
    again = examples_of(selection, processor, examples=16, seed=2)
    assert [again[number]["tokens"] for number in range(16)] != [one["tokens"] for one in alone]


def test_an_example_is_what_the_model_learns(tmp_path, processor):
    selection = select(make_corpus(tmp_path / "a.tar", [1.0, 1.0, 1.0]), target=ANY, window=2)
    examples = examples_of(selection, processor, examples=24)
    tokenizer = processor.tokenizer
    prefix = tokenizer.convert_tokens_to_ids(list(PREFIX))
    prompted = 0
    for number in range(24):
        one = examples[number]
        assert one["input_features"].shape == (80, 200)
        assert one["length"] == 100
        begun, written = one["tokens"][: one["prefix"]], one["tokens"][one["prefix"] :]
        assert begun[-4:] == prefix
        assert written[-1] == tokenizer.eos_token_id
        assert max(written[:-1]) < tokenizer.eos_token_id
        if len(begun) > 4:
            prompted += 1
            assert begun[0] == tokenizer.convert_tokens_to_ids("<|startofprev|>")
    assert 0 < prompted < 24


def test_a_caption_too_long_for_the_decoder_still_ends(processor):
    ids, prefix = tokens_of(Target("very " * 900, "tags, all"), processor, 448)
    assert len(ids) == 448
    assert ids[-1] == processor.tokenizer.eos_token_id
    assert prefix > 4


def test_special_tokens_in_a_caption_are_text(processor):
    ids, prefix = tokens_of(Target("A <|endoftext|> voice."), processor, 448)
    assert processor.tokenizer.eos_token_id not in ids[prefix:-1]


def test_another_clip_stands_in_for_one_that_cannot_be_decoded(tmp_path, processor):
    selection = select(make_corpus(tmp_path / "a.tar", [1.0] * 6, broken={2}), target=ANY, window=2)
    examples = examples_of(selection, processor, examples=5)
    with pytest.warns(BudewWarning, match="a-2"):
        assert len([examples[number] for number in range(5)]) == 5


def test_a_corpus_without_a_sound_clip_ends_the_run(tmp_path, processor):
    selection = select(make_corpus(tmp_path / "a.tar", [1.0] * 3, broken={0, 1, 2}), target=ANY, window=2)
    examples = examples_of(selection, processor, examples=2)
    with pytest.warns(BudewWarning), pytest.raises(CorpusError, match="check the corpus"):
        examples[0]
