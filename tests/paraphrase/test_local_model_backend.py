"""Models with random weights in this process: a text depends on its own request only; faults are one line."""

import asyncio
import json
import pickle
import random
import shutil
from collections import Counter
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from budew.errors import InputError, JobError
from budew.paraphrase import load_prompts
from budew.paraphrase.local_model_backend import (
    LocalModelBackend,
    PromptTokens,
    load_language_model,
    prompt_ids,
    sample_answers,
)
from budew.paraphrase.prompt_file import AnswerTokens, FewShots
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS
from tests.paraphrase.conftest import make_chat_model, rewrite_requests

ALL_EMOTIONS = VoiceProfile(dict.fromkeys(EMOTIONS, 0.5))
SHIPPED = load_prompts()
LONGEST = 40
SHORT = SHIPPED.file.model_copy(update={"answer_tokens": AnswerTokens(fixed=LONGEST, for_each=0)})
OPTIONS = {"device": "cpu", "prompts": replace(SHIPPED, file=SHORT, few_shots=FewShots())}
MESSAGES = [
    {"role": "system", "content": "You rewrite captions.\n"},
    {"role": "user", "content": "Caption: calm"},
    {"role": "assistant", "content": "At rest."},
    {"role": "user", "content": "Caption: angry"},
]
PARTS = ["You rewrite captions.", "Caption: calm", "At rest.", "Caption: angry"]


def answers(backend, requests):
    async def rewritten():
        async with backend:
            return await backend.rewrite(requests)

    return asyncio.run(rewritten())


def texts(backend, requests):
    return [answer.texts for answer in answers(backend, requests)]


def loaded(folder, device="cpu"):
    return load_language_model(folder, None, device, None)


@pytest.fixture(params=["chat_model", "t5_model"])
def model(request):
    return request.getfixturevalue(request.param)


def test_each_request_gets_its_candidates_in_order(model):
    requests = rewrite_requests(5, n=3)
    done = answers(LocalModelBackend(model, **OPTIONS), requests)
    assert [len(answer.texts) for answer in done] == [3] * 5
    assert [answer.made_by["seed"] for answer in done] == [request.seed for request in requests]
    assert {answer.made_by["backend"] for answer in done} == {"transformers"}
    written = [text for answer in done for text in answer.texts if text]
    assert len(written) == len(set(written)) > 7  # of 15: some end at once
    assert all(text == " ".join(text.split()) for text in written)


def test_a_text_depends_on_its_own_request_only(model):
    requests = rewrite_requests(4)
    together = texts(LocalModelBackend(model, **OPTIONS), requests)
    torch.manual_seed(99)
    before = torch.random.get_rng_state(), random.getstate()
    assert texts(LocalModelBackend(model, batch=1, **OPTIONS), requests) == together
    assert texts(LocalModelBackend(model, batch=3, **OPTIONS), requests[::-1]) == together[::-1]
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert random.getstate() == before[1]


def test_temperature_0_gives_one_greedy_candidate(chat_model):
    (request,) = rewrite_requests(1, n=4)
    (answer,) = answers(LocalModelBackend(chat_model, temperature=0, **OPTIONS), [request])
    local = loaded(chat_model)
    prompt = torch.tensor(
        [prompt_ids(local.tokenizer, OPTIONS["prompts"].messages(request, structured=False))]
    )
    out = local.model.generate(input_ids=prompt, do_sample=False, max_new_tokens=LONGEST)[
        0, prompt.shape[1] :
    ]
    assert len(answer.texts) == 1
    whole = " ".join(local.tokenizer.decode(out, skip_special_tokens=True).split())
    assert whole.startswith(answer.texts[0])


@pytest.mark.parametrize(("temperature", "top_p"), [(0.7, 1.0), (1.0, 0.5)])
def test_tokens_are_sampled_with_the_probabilities_of_the_model(chat_model, monkeypatch, temperature, top_p):
    monkeypatch.setattr("budew.paraphrase.local_model_backend.clean_answer", lambda text, truncated: text)
    local, count = loaded(chat_model), 4_000
    tokens = local.tokenizer("a calm voice").input_ids
    with torch.inference_mode():
        odds = torch.softmax(local.model(torch.tensor([tokens])).logits[0, -1].float() / temperature, dim=-1)
        (answers,) = sample_answers(local, [PromptTokens(tokens, count, 1, 3)], temperature, top_p)
    found, wanted = Counter(answers), Counter()
    shares, order = odds.sort(descending=True)
    shares[shares.cumsum(0) - shares >= top_p] = 0
    for token, share in zip(order.tolist(), (shares / shares.sum()).tolist(), strict=True):
        ended = token in local.model.generation_config.eos_token_id
        wanted["" if ended else local.tokenizer.decode([token], skip_special_tokens=True)] += share
    assert all(wanted[text] > 0 for text in found)
    for text, share in wanted.most_common(6):
        assert found[text] / count == pytest.approx(share, abs=0.03)


def test_an_answer_without_end_token_is_truncated_even_if_padding_is_the_end_token(tmp_path, monkeypatch):
    folder = make_chat_model(tmp_path / "padded")
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"pad_token": "<|im_end|>"}))
    local, cuts = loaded(folder), []
    monkeypatch.setattr(
        "budew.paraphrase.local_model_backend.clean_answer",
        lambda text, truncated: cuts.append(truncated) or text,
    )
    assert local.model.generation_config.pad_token_id in local.model.generation_config.eos_token_id
    prompt = local.tokenizer("a calm voice").input_ids
    short, long = sample_answers(
        local, [PromptTokens(prompt, 30, 2, 1), PromptTokens(prompt, 30, 200, 2)], 0.9, 1.0
    )
    assert sum(cuts[:30]) > 20
    assert not any(cuts[30:])
    assert max(map(len, short)) < max(map(len, long))


def test_a_prompt_longer_than_the_context_fails_alone(tmp_path, chat_model):
    short, long = rewrite_requests(2), replace(rewrite_requests(1)[0], profile=ALL_EMOTIONS)
    local = loaded(chat_model)
    prompts = [LocalModelBackend(chat_model, **OPTIONS).prompt(local, request) for request in short]
    assert [(prompt.answers, prompt.longest) for prompt in prompts] == [(2, LONGEST)] * 2
    allowed = load_prompts().answer_tokens(short[0])
    assert LocalModelBackend(chat_model).prompt(local, short[0]).longest == allowed > LONGEST
    context = max(len(prompt.ids) + prompt.longest for prompt in prompts)
    backend = LocalModelBackend(make_chat_model(tmp_path / "short", context=context), **OPTIONS)
    done = answers(backend, [short[0], long, short[1]])
    assert [bool(answer.failure) for answer in done] == [False, True, False]
    assert done[1].texts == ()
    assert f"context of {context}" in done[1].failure
    assert [done[0].texts, done[2].texts] == texts(backend, short)


def test_settings_depend_on_the_files_of_the_model_and_not_on_its_path(tmp_path):
    one = LocalModelBackend(make_chat_model(tmp_path / "a" / "model"), **OPTIONS)
    same = LocalModelBackend(make_chat_model(tmp_path / "b" / "model"), batch=3, **OPTIONS)
    before, written = one.settings(), texts(one, rewrite_requests(2))
    assert before == same.settings()
    assert str(tmp_path) not in str(before)
    assert len(pickle.dumps(one)) < len(pickle.dumps(load_prompts())) + 2_000  # the model stays here
    make_chat_model(tmp_path / "a" / "model", seed=6)
    assert one.settings()["content"] != before["content"]
    assert texts(one, rewrite_requests(2)) != written


def test_messages_are_joined_if_the_chat_template_is_missing_or_refuses_them(tmp_path, chat_model):
    tokenizer = loaded(chat_model).tokenizer
    text = tokenizer.decode(prompt_ids(tokenizer, MESSAGES))
    places = [text.index(part) for part in PARTS]
    assert places == sorted(places)
    assert text.startswith("<|im_start|>system")
    assert text.endswith("<|im_start|>assistant\n<think></think>\n")  # no thinking
    plain = loaded(make_chat_model(tmp_path / "plain", template=None)).tokenizer
    assert plain.decode(prompt_ids(plain, MESSAGES)) == "\n\n".join(PARTS) + "\n"
    refusing = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    template = refusing + tokenizer.chat_template
    gemma = loaded(make_chat_model(tmp_path / "gemma", template=template)).tokenizer
    text = gemma.decode(prompt_ids(gemma, MESSAGES))
    assert text.startswith("<|im_start|>user\nYou rewrite captions.")
    assert all(text.count(part) == 1 for part in PARTS)
    odd = loaded(make_chat_model(tmp_path / "odd", template="{{ raise_exception('never') }}")).tokenizer
    with pytest.raises(JobError, match=r"refuses the messages \(never\)"):
        prompt_ids(odd, MESSAGES)


def _pickled(folder):
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")


def _incomplete(folder):
    weights = load_file(folder / "model.safetensors")
    weights.pop("model.norm.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_pickled, "model.safetensors"),
        (_incomplete, "lacks 1 weights, such as model.norm.weight"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "no tokenizer"),
        (shutil.rmtree, "cannot be loaded"),
        (lambda folder: None, "nowhere"),
    ],
)
def test_an_unsafe_or_incomplete_model_is_one_line(tmp_path, spoil, why):
    folder = make_chat_model(tmp_path / "spoilt")
    spoil(folder)
    with pytest.raises(JobError, match="spoilt cannot be loaded") as caught:
        loaded(folder, "nowhere" if why == "nowhere" else "cpu")
    assert why in str(caught.value)


def test_nan_and_short_memory_end_the_job(tmp_path, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    folder = make_chat_model(tmp_path / "spoilt")
    weights = {name: weight * torch.nan for name, weight in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(JobError, match="computes NaN"):
        answers(LocalModelBackend(folder, **OPTIONS), rewrite_requests(1))
    monkeypatch.setattr("budew.paraphrase.local_model_backend.sample_answers", full)
    with pytest.raises(JobError, match="smaller batch"):
        answers(LocalModelBackend(folder, **OPTIONS), rewrite_requests(1))


@pytest.mark.parametrize(
    "options", [{"batch": 0}, {"temperature": -0.1}, {"temperature": 2.1}, {"temperature": float("nan")}]
)
def test_numbers_out_of_range_are_refused(options):
    assert LocalModelBackend("model", batch=1, temperature=2)
    with pytest.raises(InputError):
        LocalModelBackend("model", **options)


def test_a_precision_that_kills_the_process_is_refused(faulty_cpu, chat_model, tmp_path):
    stored = shutil.copytree(chat_model, tmp_path / "half")
    config = json.loads((stored / "config.json").read_text())
    (stored / "config.json").write_text(json.dumps({**config, "dtype": "bfloat16"}))
    for folder, dtype in ((chat_model, "bfloat16"), (stored, "auto")):
        with pytest.raises(JobError, match=r"bfloat16 .*SIGILL.*use dtype float32"):
            load_language_model(folder, None, "cpu", dtype)
    assert load_language_model(stored, None, "cpu", None).model.dtype == torch.float32
