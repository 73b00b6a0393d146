"""Chance of one's own for every row, and batches that are too much for the memory."""

import json
from collections import Counter

import pytest
import torch

from budew.errors import JobError
from budew.paraphrase.local.generation import Asked, Sampling, in_halves, write
from budew.paraphrase.local.model import load_model


@pytest.fixture
def local(chat_model):
    return load_model(chat_model, revision=None, device="cpu", dtype=None)


def first_tokens(local, sampling, *, count):
    """Return how often each token begins the answer to one prompt, and the odds that the model gives."""
    prompt = local.tokenizer("a calm voice").input_ids
    with torch.inference_mode():
        scores = local.model(torch.tensor([prompt])).logits[0, -1].float()
    written = write(local, [Asked(prompt, count, 1, seed=3)], sampling)[0]
    return Counter(answer.text for answer in written), scores


def test_tokens_are_drawn_as_often_as_the_model_gives_them_odds(local):
    drawn, scores = first_tokens(local, Sampling(temperature=0.7, top_p=1.0), count=4_000)
    odds = torch.softmax(scores / 0.7, dim=-1)
    wanted = Counter()
    for token, share in enumerate(odds.tolist()):
        ended = token in local.ends
        wanted["" if ended else local.tokenizer.decode([token], skip_special_tokens=True)] += share
    for text, share in wanted.most_common(6):
        assert drawn[text] / 4_000 == pytest.approx(share, abs=0.03)


def test_only_the_likeliest_tokens_that_make_up_top_p_are_drawn(local):
    drawn, scores = first_tokens(local, Sampling(temperature=1.0, top_p=0.5), count=2_000)
    odds, order = torch.softmax(scores, dim=-1).sort(descending=True)
    eligible = int((odds.cumsum(0) - odds < 0.5).sum())
    words = {local.tokenizer.decode([token], skip_special_tokens=True) for token in order[:eligible].tolist()}
    assert set(drawn) <= words | {""}
    assert len(drawn) > 1


def test_no_answer_is_longer_than_its_own_limit(local):
    prompt = local.tokenizer("a calm voice").input_ids
    asked = [Asked(prompt, 3, longest, seed=longest) for longest in (1, 7, 40)]
    for one, written in zip(asked, write(local, asked, Sampling(0.9, 0.95)), strict=True):
        for answer in written:
            assert len(local.tokenizer(answer.text).input_ids) <= one.longest or "�" in answer.text


def test_an_answer_that_fills_its_limit_is_cut_also_where_rows_are_filled_up_with_their_end(
    tmp_path, make_chat_model
):
    folder = make_chat_model(tmp_path / "padded")
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"pad_token": "<|im_end|>"}))
    local = load_model(folder, revision=None, device="cpu", dtype=None)
    assert local.pad in local.ends
    prompt = local.tokenizer("a calm voice").input_ids
    short, long = write(
        local, [Asked(prompt, 30, 2, seed=1), Asked(prompt, 30, 200, seed=2)], Sampling(0.9, 1)
    )
    assert sum(answer.cut for answer in short) > 20
    assert not any(answer.cut for answer in long)


def test_a_batch_that_is_too_much_for_the_memory_is_done_in_halves_in_its_order():
    sizes = []

    def work(part):
        sizes.append(len(part))
        if len(part) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return [item * 10 for item in part]

    assert in_halves(work, range(7), name="model") == [item * 10 for item in range(7)]
    assert max(sizes[1:]) == 4


def test_a_single_request_that_is_too_much_ends_the_job():
    def work(part):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(JobError, match="memory does not suffice for one request to model"):
        in_halves(work, range(4), name="model")


def test_another_error_is_not_taken_for_a_lack_of_memory():
    def work(part):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        in_halves(work, range(4), name="model")
