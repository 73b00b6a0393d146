"""A chat server gets the prompts, many at a time; its answers become candidates or a failure."""

import asyncio
import json

import pytest

from budew.captions import render
from budew.chat.server_settings import ServerSettings
from budew.paraphrase import RewriteRequest, load_prompts
from budew.paraphrase.chat_backend import ChatBackend
from tests.chat.conftest import refusal
from tests.paraphrase.scripted import FULL

REQUESTS = [
    RewriteRequest(
        f"clip-{n}", render(FULL, seed=n), FULL, seed=n, n=2, style=load_prompts().style_of(0, "a", n)
    )
    for n in range(6)
]


def backend(server, *, structured=True, **settings):
    chosen = {"patience": 2.0, "timeout": 2.0, "concurrency": 8, **settings}
    return ChatBackend(
        ServerSettings(base_url=server.url, model="some-model", **chosen), structured=structured
    )


def asked(backend, requests=REQUESTS):
    async def run():
        async with backend:
            return await backend.rewrite(requests)

    return asyncio.run(run())


def test_each_request_has_its_seed_and_prompt_and_answers_are_in_order(serve):
    server = serve(lambda body, count: json.dumps({"caption": f"answer to {body['seed']}"}))
    answers = asked(backend(server))
    assert [answer.texts for answer in answers] == [(f"answer to {n}",) for n in range(6)]
    assert answers[0].made_by["backend"] == "chat"
    assert answers[0].made_by["model"] == "some-model"
    assert answers[0].made_by["prompt_version"] == load_prompts().file.version
    body = next(body for body in server.seen if body["seed"] == 3)
    assert body["messages"] == list(load_prompts().messages(REQUESTS[3], structured=True))
    assert body["n"] == 2
    schema = body["response_format"]["json_schema"]["schema"]
    assert (schema["required"], schema["additionalProperties"]) == (["caption"], False)


@pytest.mark.parametrize(
    ("answer", "caption"),
    [
        ('Sure! Here is the caption:\n```json\n{"caption": "A sad   man."}\n```', "A sad man."),
        (json.dumps({"caption": "A \ud800 man."}), "A ? man."),
    ],
)
def test_wrappings_are_removed_from_answers(serve, answer, caption):
    given = backend(serve(lambda *_: answer))
    assert asked(given, REQUESTS[:1])[0].texts == (caption,)
    assert "127.0.0.1" not in json.dumps(given.settings())


def test_a_refused_request_fails_alone_with_its_reason(serve):
    def reply(body, count):
        return refusal(400, "no such luck") if body["seed"] == 3 else "A man."

    server = serve(reply)
    answers = asked(backend(server, structured=False))
    assert not any("response_format" in body for body in server.seen)
    assert [bool(answer.failure) for answer in answers] == [n == 3 for n in range(6)]
    assert "no such luck" in answers[3].failure


def test_answered_requests_come_from_the_cache(serve, tmp_path):
    server = serve(lambda *_: "A man.")
    first = asked(backend(server, cache=tmp_path / "answers.sqlite"))
    count = len(server.questions())
    assert asked(backend(server, cache=tmp_path / "answers.sqlite")) == first
    assert len(server.questions()) == count == 6
