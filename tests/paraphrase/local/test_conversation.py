"""Messages as the text of a prompt."""

import pytest

from budew.errors import JobError
from budew.paraphrase.local.conversation import plain, prompt_tokens, without_system
from budew.paraphrase.local.model import load_model

MESSAGES = [
    {"role": "system", "content": "You rewrite captions.\n"},
    {"role": "user", "content": "Caption: calm"},
    {"role": "assistant", "content": "At rest."},
    {"role": "user", "content": "Caption: angry"},
]
PARTS = ["You rewrite captions.", "Caption: calm", "At rest.", "Caption: angry"]


@pytest.fixture
def tokenizer(chat_model):
    return load_model(chat_model, revision=None, device="cpu", dtype=None).tokenizer


def test_the_chat_template_decides_and_thinking_is_off(tokenizer):
    text = tokenizer.decode(prompt_tokens(tokenizer, MESSAGES))
    places = [text.index(part) for part in PARTS]
    assert places == sorted(places)
    assert text.startswith("<|im_start|>system")
    assert text.endswith("<|im_start|>assistant\n<think></think>\n")


def test_plain_text_says_all_in_order():
    assert plain(MESSAGES) == "\n\n".join(PARTS) + "\n"


def test_a_template_that_knows_no_system_gets_it_from_the_user(tmp_path, make_chat_model, tokenizer):
    refusing = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    folder = make_chat_model(tmp_path / "gemma", template=refusing + tokenizer.chat_template)
    other = load_model(folder, revision=None, device="cpu", dtype=None).tokenizer
    text = other.decode(prompt_tokens(other, MESSAGES))
    assert text.startswith("<|im_start|>user\nYou rewrite captions.")
    assert all(text.count(part) == 1 for part in PARTS)


def test_messages_without_a_system_stay(tokenizer):
    assert without_system(MESSAGES[1:]) == MESSAGES[1:]


def test_a_template_that_takes_nothing_ends_the_job(tmp_path, make_chat_model):
    folder = make_chat_model(tmp_path / "odd", template="{{ raise_exception('never') }}")
    other = load_model(folder, revision=None, device="cpu", dtype=None).tokenizer
    with pytest.raises(JobError, match=r"takes no such messages \(never\)"):
        prompt_tokens(other, MESSAGES)
