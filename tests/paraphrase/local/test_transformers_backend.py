"""Models of random weights in this process: what they write makes no sense, and must always be the same."""

import asyncio
import pickle
import random
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from budew.errors import JobError
from budew.paraphrase import load_prompts
from budew.paraphrase.local.conversation import prompt_tokens
from budew.paraphrase.local.transformers_backend import TransformersBackend
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS

ALL_EMOTIONS = VoiceProfile(dict.fromkeys(EMOTIONS, 0.5))
OPTIONS = {"device": "cpu", "max_new_tokens": 80}
IN_ANOTHER_PROCESS = """
import asyncio, pickle, sys
sys.path.insert(0, sys.argv[1])
backends, requests = pickle.load(sys.stdin.buffer)
async def written(backend):
    async with backend:
        return [answer.texts for answer in await backend.rewrite(requests)]
pickle.dump([asyncio.run(written(backend)) for backend in backends], sys.stdout.buffer)
"""


def answers(backend, requests):
    async def written():
        async with backend:
            return await backend.rewrite(requests)

    return asyncio.run(written())


def texts(backend, requests):
    return [answer.texts for answer in answers(backend, requests)]


@pytest.fixture(params=["chat_model", "t5_model"])
def model(request):
    return request.getfixturevalue(request.param)


def test_each_request_gets_as_many_candidates_as_it_wants_in_the_order_of_the_requests(
    model, rewrite_requests
):
    requests = rewrite_requests(5, n=3)
    done = answers(TransformersBackend(model, **OPTIONS), requests)
    assert [len(answer.texts) for answer in done] == [3] * 5
    assert [answer.made_by["seed"] for answer in done] == [request.seed for request in requests]
    written = {text for answer in done for text in answer.texts if text}
    assert len(written) > 7  # of 15: some end at once, none is another's
    assert all(text == " ".join(text.split()) for text in written)


def test_the_same_batch_gets_the_same_texts_whatever_was_written_before_it(model, rewrite_requests):
    backend, requests = TransformersBackend(model, **OPTIONS), rewrite_requests()
    first = texts(backend, requests)
    texts(backend, rewrite_requests(3, n=1))
    torch.manual_seed(99)
    assert texts(backend, requests) == first


def test_the_same_batch_gets_the_same_texts_in_another_process(chat_model, t5_model, rewrite_requests):
    requests = rewrite_requests()
    backends = [TransformersBackend(model, **OPTIONS) for model in (t5_model, chat_model)]
    sent = pickle.dumps((backends, requests))
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, sys.path[0]]
    done = subprocess.run(command, input=sent, capture_output=True, check=True, timeout=120)
    assert pickle.loads(done.stdout) == [texts(backend, requests) for backend in backends]


def test_a_text_depends_on_its_own_request_whatever_stands_beside_it_in_the_batch(model, rewrite_requests):
    requests = rewrite_requests()
    together = texts(TransformersBackend(model, **OPTIONS), requests)
    assert texts(TransformersBackend(model, batch=1, **OPTIONS), requests) == together
    assert texts(TransformersBackend(model, batch=4, **OPTIONS), requests[::-1]) == together[::-1]


def test_other_seeds_make_other_texts(chat_model, rewrite_requests):
    (request,) = rewrite_requests(1, n=4)
    others = [type(request)(request.id, request.caption, request.profile, seed, 4) for seed in range(4)]
    written = [text for found in texts(TransformersBackend(chat_model, **OPTIONS), others) for text in found]
    assert len(set(written) - {""}) == sum(text != "" for text in written) > 8


def test_the_chance_of_the_caller_is_left_alone(chat_model, rewrite_requests):
    before = torch.random.get_rng_state(), random.getstate()
    texts(TransformersBackend(chat_model, **OPTIONS), rewrite_requests(2))
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert random.getstate() == before[1]


def test_without_temperature_there_is_one_candidate_the_likeliest(chat_model, rewrite_requests):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    backend = TransformersBackend(chat_model, temperature=0, **OPTIONS)
    (request,) = rewrite_requests(1, n=4)
    (answer,) = answers(backend, [request])
    tokenizer = AutoTokenizer.from_pretrained(chat_model)
    messages = backend._prompts().messages(request, structured=False)
    prompt = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, enable_thinking=False, return_tensors="pt", return_dict=True
    )
    model = AutoModelForCausalLM.from_pretrained(chat_model)
    out = model.generate(**prompt, do_sample=False, max_new_tokens=80)[0, prompt["input_ids"].shape[1] :]
    whole = tokenizer.decode(out, skip_special_tokens=True)
    assert len(answer.texts) == 1
    assert " ".join(whole.split()).startswith(answer.texts[0])


def test_a_prompt_longer_than_the_context_fails_alone_with_its_reason(
    tmp_path, chat_model, make_chat_model, rewrite_requests
):
    from transformers import AutoTokenizer

    short, long = rewrite_requests(2), [replace(rewrite_requests(1)[0], profile=ALL_EMOTIONS)]
    tokenizer = AutoTokenizer.from_pretrained(chat_model)
    longest = max(
        len(prompt_tokens(tokenizer, load_prompts().messages(one, structured=False))) for one in short
    )
    context = longest + OPTIONS["max_new_tokens"]
    folder = make_chat_model(tmp_path / "short", context=context)
    done = answers(TransformersBackend(folder, **OPTIONS), [short[0], long[0], short[1]])
    assert [bool(answer.failure) for answer in done] == [False, True, False]
    assert done[1].texts == ()
    assert f"short reads {context}" in done[1].failure
    assert "longer context" in done[1].failure
    assert [done[0].texts, done[2].texts] == texts(TransformersBackend(folder, **OPTIONS), short)


def test_the_backend_pickles_small_when_its_model_is_loaded(chat_model, rewrite_requests):
    backend = TransformersBackend(chat_model, **OPTIONS)
    texts(backend, rewrite_requests(1))
    assert len(pickle.dumps(backend)) < 2_000


def test_the_settings_tell_models_of_other_content_apart(tmp_path, make_chat_model):
    one = TransformersBackend(make_chat_model(tmp_path / "a" / "model"))
    same = TransformersBackend(make_chat_model(tmp_path / "b" / "model"), batch=3, device="cpu")
    other = TransformersBackend(make_chat_model(tmp_path / "c" / "model", seed=6))
    assert one.settings() == same.settings()
    assert one.settings()["content"] != other.settings()["content"]
    assert str(tmp_path) not in str(one.settings())


def test_a_model_that_is_saved_anew_is_loaded_anew(tmp_path, make_chat_model, rewrite_requests):
    backend = TransformersBackend(make_chat_model(tmp_path / "model"), **OPTIONS)
    before = texts(backend, rewrite_requests(2))
    make_chat_model(tmp_path / "model", seed=6)
    assert texts(backend, rewrite_requests(2)) != before


def test_a_model_without_a_chat_template_reads_plain_text(tmp_path, make_chat_model, rewrite_requests):
    folder = make_chat_model(tmp_path / "plain", template=None)
    done = texts(TransformersBackend(folder, **OPTIONS), rewrite_requests(3))
    assert all(len(found) == 2 for found in done)


def test_weights_that_compute_no_numbers_end_the_job(tmp_path, make_chat_model, rewrite_requests):
    from safetensors.torch import load_file, save_file

    folder = make_chat_model(tmp_path / "spoilt")
    weights = load_file(folder / "model.safetensors")
    save_file(
        {name: weight * torch.nan for name, weight in weights.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    with pytest.raises(JobError, match="spoilt computes no numbers"):
        answers(TransformersBackend(folder, **OPTIONS), rewrite_requests(1))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"batch": 0}, "one request at least"),
        ({"max_new_tokens": 0}, "one token"),
        ({"temperature": -1}, "from 0 to 2"),
        ({"temperature": float("nan")}, "from 0 to 2"),
        ({"top_p": 0}, "top_p"),
        ({"dtype": "int8"}, "give one of auto"),
    ],
)
def test_options_out_of_range_are_told_at_once(wrong, said):
    with pytest.raises(ValueError, match=said):
        TransformersBackend("model", **wrong)
