"""A real open-weights serving stack on the loopback: `transformers serve` and a random chat model.

What such a model writes means nothing, so the gate has to refuse all of it.
"""

import asyncio
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from budew.chat.client import Client
from budew.chat.request import Answer, ChatRequest
from budew.chat.server import ServerSettings
from budew.corpora import read
from budew.corpora.shards import write_shard
from budew.jobs import run
from budew.paraphrase import Paraphrase, Rewriting, judge, load_prompts
from budew.paraphrase.chat_backend import ChatBackend
from budew.paraphrase.job import counted
from tests.paraphrase.scripted import some_clips

NEEDED = ("fastapi", "openai", "uvicorn")
MISSING = [name for name in NEEDED if find_spec(name) is None]
START = "from transformers.cli.transformers import main; main()"
SECONDS_TO_START, SECONDS_TO_END = 120, 20

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"transformers serve needs {', '.join(MISSING)}"),
]


@pytest.fixture(scope="module")
def served(chat_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the server, which lives as long as the tests of this file."""
    log = tmp_path_factory.mktemp("served") / "log"
    # Port 0: the system gives one that is free, and the server writes which.
    command = [sys.executable, "-c", START, "serve", str(chat_model), "--device", "cpu"]
    command += ["--host", "127.0.0.1", "--port", "0"]
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(log.parent),
        "OMP_NUM_THREADS": "1",  # 30 times as fast as with the threads of two cores
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        yield _address(process, log)
    finally:
        process.terminate()
        try:
            process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen, log: Path) -> str:
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end:
        written = log.read_text(errors="replace")
        assert process.poll() is None, written
        if found := re.search(r"running on (http://127\.0\.0\.1:\d+)", written):
            with urllib.request.urlopen(f"{found[1]}/health", timeout=30) as response:
                assert response.status == 200
            return f"{found[1]}/v1"
        time.sleep(0.1)
    raise AssertionError(f"the server does not answer within {SECONDS_TO_START} s:\n{log.read_text()}")


def _asked(url: str, requests: list[ChatRequest]) -> tuple[list[Answer], int]:
    """Return the answers, and how many requests the account paid."""

    async def ask() -> tuple[list[Answer], int]:
        server = ServerSettings(base_url=url, model=requests[0].model, concurrency=4)
        async with Client(server, account="test") as client:
            answers = await asyncio.gather(*(client.complete(request) for request in requests))
            return list(answers), client.spent.requests

    return asyncio.run(ask())


def _chat_requests(model: Path, rewrite_requests, count: int) -> list[ChatRequest]:
    prompts = load_prompts()
    return [
        ChatRequest(
            model=str(model),
            messages=prompts.messages(request, structured=False),
            max_tokens=40,
            temperature=0.9,
            seed=request.seed,
            n=request.n,
        )
        for request in rewrite_requests(count)
    ]


def test_every_answer_is_refused_by_the_gate_and_every_clip_falls_back(served, chat_model, tmp_path):
    clips = some_clips(6)
    write_shard(tmp_path / "in/a.tar", clips)
    backend = ChatBackend(
        ServerSettings(base_url=served, model=str(chat_model), concurrency=4), structured=False
    )
    job = Paraphrase(backend, Rewriting(attempts=2, candidates=1))
    summary = run(job, tmp_path / "in", tmp_path / "out", workers=0)
    done = list(read(tmp_path / "out"))
    counts = counted(done)
    assert (summary.clips, summary.failures) == (6, 0)
    assert (counts["requests"], counts["unanswered"], counts["fallbacks"]) == (12, 0, 6)
    assert counts["candidates"] == counts["refused"] == 12
    for clip in done:
        (caption,) = clip.captions
        assert caption.made_by["fallback"]
        assert judge(caption.text, clip.profile).accepted


def test_a_question_asked_twice_is_paid_once(served, chat_model, rewrite_requests):
    (question,) = _chat_requests(chat_model, rewrite_requests, 1)

    async def twice() -> tuple[Answer, Answer, int]:
        async with Client(ServerSettings(base_url=served, model=question.model), account="test") as client:
            first = await client.complete(question)
            return first, await client.complete(question), client.spent.requests

    first, second, paid = asyncio.run(twice())
    assert (second, paid) == (first, 1)
