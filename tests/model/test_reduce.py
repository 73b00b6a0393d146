"""A part of a Whisper is a Whisper: which layers and tokens remain, and that stock libraries read it."""

import shutil
from dataclasses import replace

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import WhisperForConditionalGeneration, WhisperProcessor, WhisperTokenizer, pipeline

from budew.captions import render
from budew.errors import CheckpointError
from budew.inference import Captioner
from budew.inference.recordings import from_audio
from budew.model.adapt import set_prefix, set_window
from budew.model.build import PREFIX, SPECIAL
from budew.model.checkpoint import load_checkpoint
from budew.model.exporting import export_checkpoint
from budew.model.generate import encode
from budew.model.reduce import caption_tokenizer, decoder_layers, keep_layers, keep_vocabulary
from tests.model.published_layout import published_tokenizer, write_published_tiny
from tests.trained import write_captions
from tests.training.conftest import profile_of

RATE = 16_000
SURE = 12
"""Characters: further on, random weights are undecided in the last digits, and lengths differ."""
CAPTIONS = [render(profile_of(number), seed=seed) for number in range(40) for seed in range(3)]
UNUSUAL = ("<|endoftext|>", "naïve café, 日本 🙂", "  two  spaces\n\tand more", "")


def used_by(tokenizer: WhisperTokenizer, texts: list[str]) -> set[int]:
    return {token for text in texts for token in tokenizer(text, split_special_tokens=True).input_ids}


def tokens_of(tokenizer: WhisperTokenizer, text: str) -> list[str]:
    ids = tokenizer(text, split_special_tokens=True, add_special_tokens=False).input_ids
    return tokenizer.convert_ids_to_tokens(ids)


@pytest.fixture(scope="module")
def base() -> WhisperTokenizer:
    return published_tokenizer()


@pytest.fixture(scope="module")
def reduced(base) -> WhisperTokenizer:
    return caption_tokenizer(base, used_by(base, CAPTIONS))


@settings(deadline=None)
@given(text=st.sampled_from(CAPTIONS))
def test_a_caption_has_the_tokens_that_it_has_in_the_base(base, reduced, text):
    assert tokens_of(reduced, text) == tokens_of(base, text)


@settings(deadline=None, max_examples=4)  # each of them makes a tokenizer
@given(texts=st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=4))
@example(texts=list(UNUSUAL))
def test_any_text_that_was_used_has_the_tokens_that_it_has_in_the_base(base, texts):
    own = caption_tokenizer(base, used_by(base, texts))
    for text in texts:
        assert tokens_of(own, text) == tokens_of(base, text)


@given(text=st.text(max_size=30) | st.sampled_from(UNUSUAL))
def test_any_other_text_can_still_be_written(reduced, text):
    ids = reduced(text, split_special_tokens=True).input_ids
    assert reduced.decode(ids[len(PREFIX) : -1]) == text
    assert ids[: len(PREFIX)] == reduced.convert_tokens_to_ids(list(PREFIX))


def test_special_tokens_are_those_of_captions_in_whispers_order(base, reduced):
    tokens = reduced.convert_ids_to_tokens(list(range(len(reduced))))
    assert tokens[-len(SPECIAL) :] == list(SPECIAL)
    assert len(reduced) < 0.04 * len(base)
    assert not [token for token in tokens if "<|0." in token]


@pytest.mark.parametrize(
    ("number", "kept", "which"),
    [(6, 2, [0, 5]), (6, 3, [0, 2, 5]), (32, 4, [0, 10, 20, 31]), (6, 1, [5]), (4, 4, [0, 1, 2, 3])],
)
def test_a_decoder_keeps_its_first_and_its_last_layer_and_others_at_even_distances(number, kept, which):
    assert decoder_layers(number, kept) == which


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return write_published_tiny(tmp_path_factory.mktemp("whisper-tiny"))


def test_layers_that_remain_have_the_weights_of_the_base(published):
    model = load_checkpoint(published, device="cpu").model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    keep_layers(model, 2, 3)
    after = model.state_dict()
    for ours, theirs in ((0, 0), (1, 1), (2, 3)):
        name = "model.decoder.layers.{}.encoder_attn.k_proj.weight"
        assert torch.equal(after[name.format(ours)], before[name.format(theirs)])
    assert not any("encoder.layers.2" in name or "decoder.layers.3" in name for name in after)
    for name in ("model.encoder.layer_norm.weight", "model.encoder.layers.1.fc1.weight"):
        assert torch.equal(after[name], before[name])
    for sides in ((5, None), (None, 5)):
        with pytest.raises(CheckpointError, match="is 5, but the"):
            keep_layers(model, *sides)


@pytest.fixture(scope="module")
def small(published, tmp_path_factory):
    """A folder with a part of a Whisper: windows of 2 s, 2 and 2 layers, tokens of captions."""
    loaded = load_checkpoint(published, device="cpu")
    model, base = loaded.model, loaded.processor.tokenizer
    keep_layers(model, 2, 2)
    processor = set_window(model, loaded.processor, 2)
    set_prefix(model, base)
    own = caption_tokenizer(base, used_by(base, CAPTIONS))
    whole = model.get_input_embeddings().weight.clone()
    keep_vocabulary(model, base, own)
    rows = base.convert_tokens_to_ids(own.convert_ids_to_tokens(list(range(len(own)))))
    assert torch.equal(model.get_input_embeddings().weight, whole[rows])
    assert model.proj_out.weight is model.get_input_embeddings().weight
    chance = torch.Generator().manual_seed(1)
    for name, weight in model.named_parameters():  # large: what is written depends on the audio
        if weight.dim() > 1 and "embed_positions" not in name:
            weight.data.normal_(0, 0.15, generator=chance)
    model.generation_config.max_length = 12
    folder = tmp_path_factory.mktemp("small")
    model.save_pretrained(folder)
    WhisperProcessor(processor.feature_extractor, own).save_pretrained(folder)
    processor.feature_extractor.save_pretrained(folder)
    return folder


def test_the_stock_pipeline_and_our_captioner_write_the_same(small, make_sound):
    sounds = [make_sound(seed, 1.5) for seed in range(4)]
    checkpoint = load_checkpoint(small, device="cpu")
    stock = pipeline("automatic-speech-recognition", model=str(small), device="cpu")
    assert type(stock.model) is WhisperForConditionalGeneration
    captions = [one["text"] for one in stock(sounds)]
    assert captions == write_captions(checkpoint, encode(checkpoint, sounds))
    assert len(set(captions)) > 1
    ours = Captioner.from_pretrained(small, device="cpu")(sounds, sampling_rate=RATE)
    assert [bool(one.caption) for one in ours] == [True] * 4


@pytest.mark.parametrize("to", ["ct2", pytest.param("onnx", marks=pytest.mark.long)])
def test_its_exports_write_the_same(small, make_sound, tmp_path, to):
    sounds = [make_sound(seed, 1.9 - 0.2 * seed) for seed in range(4)]
    original = Captioner.from_pretrained(small, device="cpu", dtype="float32")
    out = export_checkpoint(tmp_path / to, to=to, model=small)
    exported = Captioner.from_pretrained(out, **({"dtype": "float32"} if to == "ct2" else {}))
    whole = replace(original.decoding, stop_repetition=False)  # random weights repeat themselves
    ours, theirs = (
        [
            one.caption[:SURE]
            for one in each.caption_recordings([from_audio(sound, RATE) for sound in sounds], whole)
        ]
        for each in (original, exported)
    )
    assert ours == theirs
    assert len(set(ours)) > 1


def test_the_token_of_no_speech_may_have_its_former_name(published, reduced, monkeypatch):
    model = load_checkpoint(published, device="cpu").model
    base, whole = published_tokenizer(), model.get_input_embeddings().weight.clone()
    vocabulary = base.get_vocab()
    vocabulary["<|nocaptions|>"] = vocabulary.pop("<|nospeech|>")
    monkeypatch.setattr(base, "get_vocab", lambda: vocabulary)
    keep_vocabulary(model, base, reduced)
    row = reduced.convert_tokens_to_ids("<|nospeech|>")
    assert torch.equal(model.get_input_embeddings().weight[row], whole[vocabulary["<|nocaptions|>"]])


def test_a_base_without_a_token_of_captions_is_an_error(small, tmp_path):
    folder = shutil.copytree(small, tmp_path / "copy")
    checkpoint = load_checkpoint(folder, device="cpu")
    other = published_tokenizer()
    with pytest.raises(CheckpointError, match="the base model lacks "):
        keep_vocabulary(checkpoint.model, checkpoint.processor.tokenizer, other)
