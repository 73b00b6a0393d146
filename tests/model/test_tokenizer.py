"""A tokenizer learnt from captions writes any text, and is a stock Whisper's in all that others rely on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, WhisperTokenizer

from budew.model.tokenizer import END, NO_TIMESTAMPS, PREFIX, SPECIAL, build_tokenizer

CAPTIONS = ("A woman, strongly amused.", "One hears a man who is slightly sad, and he sobs.") * 3


@pytest.fixture(scope="module")
def tokenizer() -> WhisperTokenizer:
    return build_tokenizer(CAPTIONS, vocabulary=320)


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_text_is_written_and_read_back(tokenizer, text):
    ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text
    assert max(ids, default=0) < len(tokenizer) - len(SPECIAL)


def test_a_caption_stands_between_prefix_and_end(tokenizer):
    ids = tokenizer("A sad man.").input_ids
    assert tuple(tokenizer.convert_ids_to_tokens(ids[: len(PREFIX)])) == PREFIX
    assert ids[-1] == tokenizer.eos_token_id == tokenizer.pad_token_id
    assert tokenizer.decode(ids, skip_special_tokens=True) == "A sad man."


def test_special_tokens_come_last_in_whispers_order_and_nothing_after_no_timestamps(tokenizer):
    ids = tokenizer.convert_tokens_to_ids(list(SPECIAL))
    assert ids == list(range(len(tokenizer) - len(SPECIAL), len(tokenizer)))
    assert ids[-1] == tokenizer.convert_tokens_to_ids(NO_TIMESTAMPS)
    assert set(ids) <= set(tokenizer.all_special_ids)


def test_saved_and_loaded_by_the_stock_classes_it_is_the_same(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    for loaded in (WhisperTokenizer.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)):
        assert type(loaded).__name__.startswith("WhisperTokenizer")
        assert loaded.get_vocab() == tokenizer.get_vocab()
        assert loaded.all_special_ids == tokenizer.all_special_ids
        for text in (*CAPTIONS, "", " née\n", END):
            assert loaded(text).input_ids == tokenizer(text).input_ids


def test_the_vocabulary_is_as_large_as_asked_and_no_smaller_than_the_bytes(tokenizer):
    assert len(tokenizer) <= 320  # so short a text has no more to learn
    assert len(build_tokenizer([f"{n}{n * 7919}" for n in range(99)], vocabulary=320)) == 320
    assert len(build_tokenizer([], vocabulary=256 + len(SPECIAL))) == 256 + len(SPECIAL)
    with pytest.raises(ValueError, match="a vocabulary of 264 does not hold the 256 bytes"):
        build_tokenizer(CAPTIONS, vocabulary=264)


def test_another_process_learns_the_same(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path / "here")
    program = (
        "from budew.model.tokenizer import build_tokenizer\n"
        f"build_tokenizer({CAPTIONS!r}, vocabulary=320).save_pretrained({str(tmp_path / 'there')!r})"
    )
    surroundings = os.environ | {"PYTHONHASHSEED": "7", "TOKENIZERS_PARALLELISM": "false"}
    subprocess.run(
        [sys.executable, "-c", program], check=True, env=surroundings, cwd=Path(__file__).parents[2]
    )
    for file in (tmp_path / "here").iterdir():
        assert (tmp_path / "there" / file.name).read_bytes() == file.read_bytes()
