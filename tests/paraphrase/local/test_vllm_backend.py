"""What vLLM is asked, wherever; that it answers, where it is installed beside a GPU."""

import asyncio
import pickle
from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch

from budew.errors import JobError, MissingExtraError
from budew.paraphrase.local.vllm_backend import VLLMBackend
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS

INSTALLED = find_spec("vllm") is not None
runs = pytest.mark.skipif(
    not (INSTALLED and torch.cuda.is_available()),
    reason="vLLM is not installed" if not INSTALLED else "there is no GPU for vLLM",
)


def answers(backend, requests):
    async def written():
        async with backend:
            return await backend.rewrite(requests)

    return asyncio.run(written())


def test_a_request_is_a_conversation_of_its_prompt(rewrite_requests):
    (request,) = rewrite_requests(1)
    conversation = VLLMBackend("model").conversation(request)
    assert conversation[0]["role"] == "system"
    assert conversation[-1]["role"] == "user"
    assert request.caption in conversation[-1]["content"]


def test_each_request_is_sampled_by_its_own_seed_as_often_as_it_wants(rewrite_requests):
    backend = VLLMBackend("model", temperature=0.8, top_p=0.9)
    asked = [backend.sampling(request) for request in rewrite_requests(5, n=3)]
    assert len({one["seed"] for one in asked}) == 5
    assert {(one["n"], one["temperature"], one["top_p"]) for one in asked} == {(3, 0.8, 0.9)}
    assert asked == [backend.sampling(request) for request in rewrite_requests(5, n=3)]


def test_the_answer_may_be_as_long_as_the_prompts_or_the_option_say(rewrite_requests):
    (short,) = rewrite_requests(1)
    long = replace(short, profile=VoiceProfile(dict.fromkeys(EMOTIONS, 0.5)))
    backend = VLLMBackend("model")
    assert backend.sampling(short)["max_tokens"] < backend.sampling(long)["max_tokens"]
    assert VLLMBackend("model", max_new_tokens=7).sampling(long)["max_tokens"] == 7


def test_without_temperature_one_candidate_is_asked_for(rewrite_requests):
    assert VLLMBackend("model", temperature=0).sampling(rewrite_requests(1, n=4)[0])["n"] == 1


def test_the_backend_pickles_small():
    assert len(pickle.dumps(VLLMBackend("owner/name"))) < 2_000


@pytest.mark.skipif(INSTALLED, reason="vLLM is installed")
def test_without_vllm_one_line_says_what_to_install(rewrite_requests):
    said = r'vLLM in process needs vllm, which is not installed: run pip install "budew\[vllm\]"'
    with pytest.raises(MissingExtraError, match=said):
        answers(VLLMBackend("owner/name"), rewrite_requests(1))
    with pytest.raises(MissingExtraError, match=said):
        VLLMBackend("owner/name").settings()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"batch": 0}, "at least 1"),
        ({"context": 0}, "at least 1"),
        ({"memory": 1.5}, "memory"),
        ({"temperature": 3}, "from 0 to 2"),
        ({"top_p": 0}, "top_p"),
        ({"dtype": "int8"}, "give one of auto"),
    ],
)
def test_options_out_of_range_are_told_at_once(wrong, said):
    with pytest.raises(ValueError, match=said):
        VLLMBackend("model", **wrong)


@runs
@pytest.mark.slow
def test_vllm_answers_each_request_but_one_that_is_too_long(tmp_path, make_chat_model, rewrite_requests):
    folder = make_chat_model(tmp_path / "short", context=1_500)
    short, long = rewrite_requests(2, n=3), rewrite_requests(1, words=2_000)
    backend = VLLMBackend(folder, memory=0.3, max_new_tokens=60)
    done = answers(backend, [short[0], long[0], short[1]])
    assert [len(answer.texts) for answer in done] == [3, 0, 3]
    assert [bool(answer.failure) for answer in done] == [False, True, False]
    assert any(text for answer in done for text in answer.texts)
    assert backend.settings()["backend"] == "vllm"


@runs
@pytest.mark.slow
def test_vllm_opens_no_pickles(tmp_path, make_chat_model, rewrite_requests):
    folder = make_chat_model(tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(JobError, match="only pickled weights"):
        answers(VLLMBackend(folder), rewrite_requests(1))
