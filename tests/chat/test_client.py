"""Whatever a server does, a request ends with an answer or a reason, and what was answered is asked once."""

import asyncio
import json
import re
import threading
import time

import pytest

from budew.chat.connection import LARGEST
from budew.chat.request import Schema
from budew.errors import BudewWarning, InputError, JobError, ServerError

from .conftest import ask, client_of, completion, refusal

FLAWED = {
    "hangs up": None,
    "500": refusal(500),
    "drips": (200, {"Drip": "0.02"}, completion("late")),
    "deep": (200, {}, b"[" * 100_000),
    "error within": (200, {}, b'{"error": {"message": "later"}, "choices": []}'),
    "cut short": (200, {"Content-Length": "500"}, b'{"choices": [{"mess'),
    "too much": (200, {}, completion("late") + b" " * LARGEST),
}


def completed(server, *requests, url=None, **options):
    async def run():
        async with client_of(url or server.url, **options) as client:
            return await asyncio.gather(*map(client.complete, requests), return_exceptions=True)

    return asyncio.run(run())


@pytest.mark.parametrize("flaw", FLAWED)
def test_temporary_failures_are_retried(serve, flaw):
    server = serve(lambda body, count: FLAWED[flaw] if count < 3 else "yes")
    (answer,) = completed(server, ask("?"), timeout=0.5)
    assert answer.texts == ("yes",)
    assert 2 <= len(server.questions()) <= 3


def test_requests_follow_the_openai_protocol(serve):
    server = serve(lambda *_: "yes")
    schema = {"type": "object"}
    completed(server, ask("?", n=3, seed=7, temperature=0.5, schema=Schema("form", schema)))
    assert server.headers_seen[0]["path"] == "/v1/chat/completions"
    form = {"name": "form", "strict": True, "schema": schema}
    assert server.seen[0] == {
        "model": "m",
        "messages": [{"role": "user", "content": "?"}],
        "max_tokens": 50,
        "n": 3,
        "seed": 7,
        "temperature": 0.5,
        "response_format": {"type": "json_schema", "json_schema": form},
    }


def test_all_choices_are_returned_whether_in_parts_or_not(serve):
    contents = ["a", None, [{"type": "text", "text": "b"}, {"text": "c"}, 5]]
    data = json.dumps({"choices": [{"message": {"content": content}} for content in contents]}).encode()
    (answer,) = completed(serve(lambda *_: (200, {}, data)), ask("?", n=3))
    assert answer.texts == ("a", "", "bc")
    assert answer.usage is None


@pytest.mark.parametrize(("places", "concurrency"), [(40, 5), (2, 16)], ids=["as allowed", "overloaded"])
def test_concurrency_is_limited_and_an_overloaded_server_answers_all_requests(serve, places, concurrency):
    there, most, lock = 0, 0, threading.Lock()

    def reply(*_):
        nonlocal there, most
        with lock:
            there += 1
            most, full = max(most, there), there > places
        time.sleep(0.02)
        with lock:
            there -= 1
        return refusal(429) if full else "yes"

    answers = completed(serve(reply), *(ask(str(number)) for number in range(40)), concurrency=concurrency)
    assert all(answer.texts == ("yes",) for answer in answers)
    assert places < 40 or most == concurrency


def test_a_request_that_always_fails_is_refused_and_the_others_are_answered(serve):
    server = serve(lambda body, _: refusal(500) if "bad" in body["messages"][0]["content"] else "yes")
    answers = completed(server, ask("1"), ask("bad"), ask("2"), retries=2)
    assert [getattr(answer, "texts", None) for answer in answers] == [("yes",), None, ("yes",)]
    assert isinstance(answers[1], ServerError)
    assert "500" in str(answers[1])
    assert server.questions().count("bad") == 3 + 2 + 2


QUOTA = (429, {}, b'{"error": {"message": "You exceeded", "code": "insufficient_quota"}}')


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (refusal(301, Location="http://127.0.0.1:1/"), "301"),
        *((refusal(status), str(status)) for status in (401, 402, 403, 404)),
        (QUOTA, "quota"),
    ],
)
def test_errors_that_concern_every_request_end_the_job(serve, reply, reason):
    server = serve(lambda *_: reply)
    answers = completed(server, *map(ask, "12345"), concurrency=1, retries=0)
    assert all(isinstance(answer, JobError) for answer in answers)
    assert reason in str(answers[0])
    assert len(server.questions()) == 1


def test_a_server_that_refuses_everything_from_the_start_ends_the_job(serve):
    server = serve(lambda *_: refusal(400, "audio is not supported"))
    answers = completed(server, *(ask(str(number)) for number in range(100)), concurrency=2)
    assert sum(isinstance(answer, ServerError) for answer in answers) == 19
    assert "audio is not supported" in str(answers[-1])
    assert isinstance(answers[-1], JobError)
    assert len(server.seen) < 25


def test_refusals_do_not_end_a_job_whose_other_answers_are_cached(serve, tmp_path):
    server = serve(lambda body, _: "yes" if body["messages"][0]["content"] == "good" else refusal(400))
    requests = (ask("good"), *(ask(str(number)) for number in range(25)))
    for account in ("one", "two"):
        answers = completed(server, *requests, cache=tmp_path / "a.sqlite", account=account, concurrency=1)
        assert answers[0].texts == ("yes",)
        assert not any(isinstance(answer, JobError) for answer in answers)


def test_requests_wait_for_a_server_that_restarts(serve):
    server = serve(lambda *_: "yes")
    port = server.server_port
    server.shutdown()
    server.server_close()

    async def run():
        async with client_of(f"http://127.0.0.1:{port}/v1", retries=1) as client:
            tasks = [asyncio.create_task(client.complete(ask(str(number)))) for number in range(8)]
            await asyncio.sleep(0.6)
            again = serve(lambda *_: "back", port)
            answers = await asyncio.gather(*tasks)
            return again, answers

    with pytest.warns(BudewWarning, match="does not answer"):
        again, answers = asyncio.run(run())
    assert {answer.texts for answer in answers} == {("back",)}
    assert sorted(again.questions()) == sorted(map(str, range(8)))


def test_a_server_that_stays_down_ends_the_job_after_patience(serve):
    server = serve(lambda *_: refusal(503))
    start = time.monotonic()
    answers = completed(server, *(ask(str(number)) for number in range(20)), patience=0.5, retries=0)
    assert all(isinstance(answer, JobError) for answer in answers)
    assert re.match(rf"{re.escape(server.url)}\b.*\b503\b.*\bagain\b", str(answers[0]))
    assert time.monotonic() - start > 0.5


def test_a_server_without_schema_support_gets_plain_requests(serve):
    server = serve(lambda body, _: refusal(400) if "response_format" in body else "yes")
    requests = [ask(str(number), schema=Schema("form", {}), seed=1) for number in range(5)]
    answers = completed(server, *requests, concurrency=1)
    assert all(answer.texts == ("yes",) for answer in answers)
    assert ["response_format" in body for body in server.seen] == [True] + [False] * 5
    assert "seed" not in server.seen[1]


def test_a_refused_request_is_not_retried_plainly_once_schemas_worked(serve):
    server = serve(lambda body, count: "yes" if count != 2 else refusal(400, "too large"))
    requests = [ask(str(number), schema=Schema("form", {})) for number in range(3)]
    answers = completed(server, *requests, concurrency=1)
    assert isinstance(answers[1], ServerError)
    assert str(answers[1]) == "status 400: too large"
    assert ["response_format" in body for body in server.seen] == [True] * 3


def test_tokens_and_cost_are_added_up_over_runs_up_to_a_ceiling(serve, tmp_path):
    server = serve(lambda *_: "yes")
    requests = [ask(str(number)) for number in range(10)]
    prices = {"price_in": 100.0, "price_out": 1000.0, "max_cost": 0.1}  # 0.02 an answer
    options = {"cache": tmp_path / "a.sqlite", "account": "out", "concurrency": 1}
    for _ in range(2):
        answers = completed(server, *requests, **options, **prices)
        assert [isinstance(answer, JobError) for answer in answers] == [False] * 5 + [True] * 5
        assert "limit max_cost=0.1 is reached after 5 requests, 550 tokens" in str(answers[-1])
        assert len(server.seen) == 5
    completed(server, *requests, **options, max_tokens=660)
    assert len(server.seen) == 6
    completed(server, *requests, **{**options, "account": "other"}, max_tokens=660)
    assert len(server.seen) == 10


def test_a_ceiling_requires_token_counts_and_a_cache(serve, tmp_path):
    server = serve(lambda *_: (200, {}, completion("yes", tokens=None)))
    (error,) = completed(server, ask("?"), max_tokens=9, cache=tmp_path / "a.sqlite")
    assert isinstance(error, JobError)
    assert completed(server, ask("?"), cache=tmp_path / "a.sqlite")[0].texts == ("yes",)
    assert len(server.seen) == 1
    with pytest.raises(InputError, match="cache"):
        completed(server, ask("?"), max_tokens=9)


def test_requests_per_minute_are_limited(serve):
    start = time.monotonic()
    completed(serve(lambda *_: "yes"), *(ask(str(number)) for number in range(6)), requests_per_minute=600)
    assert time.monotonic() - start >= 0.49


def test_requests_that_wait_for_their_turn_end_with_the_job(serve):
    server = serve(lambda *_: refusal(401))
    start = time.monotonic()
    answers = completed(server, *map(ask, "123"), requests_per_minute=20)
    assert all(isinstance(answer, JobError) for answer in answers)
    assert len(server.seen) == 1
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    ("key", "user", "sent", "secrets"),
    [
        ("sk-very-secret", "", "Bearer sk-very-secret", ("sk-very",)),
        ("sk-very-secret", "user:p%40ss@", "Basic dXNlcjpwQHNz", ("p@ss", "p%40ss", "dXNlcjpwQHNz")),
        ("", "", None, ()),
    ],
    ids=["key", "password", "none"],
)
def test_secrets_are_sent_and_never_shown(serve, monkeypatch, caplog, key, user, sent, secrets):
    caplog.set_level("DEBUG")
    monkeypatch.setenv("OPENAI_API_KEY", key)
    echoed = refusal(400, f"you sent {sent}, p@ss \x1b[31m" + "x" * 900)
    for reply in (echoed, (200, *echoed[1:])):
        server = serve(lambda *_, reply=reply: reply)
        url = server.url.replace("//", f"//{user}")
        (error,) = completed(server, ask("?"), url=url, retries=0, patience=0.1)
        assert server.headers_seen[0].get("Authorization") == sent
        shown = f"{error!r} {error.__cause__!r} {error.__context__!r} {caplog.text}"
        assert not any(secret in shown for secret in secrets)
        assert "[31mxxx" in str(error)
        assert str(error).isprintable()
        assert len(str(error)) < 400


@pytest.mark.parametrize("status", [408, 429, 500, 300, 400])
def test_the_status_decides_whether_a_request_is_retried(serve, status):
    server = serve(lambda _, count: refusal(status) if count == 1 else "yes")
    (answer,) = completed(server, ask("?"), retries=0)
    again = status in (408, 429, 500)
    assert (getattr(answer, "texts", None), len(server.questions())) == (
        (("yes",), 2) if again else (None, 1)
    )
    assert isinstance(answer, JobError) == (status == 300)


@pytest.mark.parametrize("status", [429, 503, 500])
def test_overload_is_retried_more_often_than_other_failures(serve, status):
    server = serve(lambda body, _: "yes" if body["messages"][0]["content"] == "ping" else refusal(status))
    (answer,) = completed(server, ask("?"), retries=0)
    assert isinstance(answer, ServerError)
    asked = 3 if status == 500 else 12
    assert len(server.questions()) == 1 + 2 * (asked - 1)


def test_overload_does_not_use_up_the_retries_of_other_failures(serve):
    replies = iter([refusal(429)] * 5 + [refusal(500)] * 2)
    server = serve(lambda body, _: "yes" if "ping" in str(body) else next(replies, "yes"))
    (answer,) = completed(server, ask("?"), retries=0)
    assert answer.texts == ("yes",)
    assert len(server.questions()) == 8
