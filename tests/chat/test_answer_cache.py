"""The cache loses no answer, counts nothing twice, and survives a writer that is killed."""

import multiprocessing
import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from budew.chat.answer_cache import AnswerCache, Spending, default_cache, spending_of
from budew.chat.request import Answer, Usage
from budew.errors import JobError

ANSWER = Answer(("übel \ud800", ""), Usage(7, 3))
SPAWN = multiprocessing.get_context("spawn")


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_stored_answers_are_returned_unchanged(tmp_path):
    for answer in (ANSWER, Answer(("a",))):
        with closing(AnswerCache(tmp_path / "deep" / "er" / "a.sqlite")) as cache:
            cache.store(key(1), answer, account="a", cost=0.5)
        with closing(AnswerCache(tmp_path / "deep" / "er" / "a.sqlite")) as cache:
            assert cache.answer(key(1)) == answer
            assert cache.answer(key(2)) is None


@pytest.mark.parametrize("content", [b"{}\n", b"notes of mine" * 100])
def test_a_file_that_is_no_answer_cache_ends_the_job_and_is_left_alone(tmp_path, content):
    path = tmp_path / "a.sqlite"
    path.write_bytes(content)
    with pytest.raises(JobError, match=r"a\.sqlite: .*name another"):
        AnswerCache(path)
    assert path.read_bytes() == content
    with pytest.raises(JobError, match="below"):
        AnswerCache(path / "below")


def test_a_damaged_file_ends_the_job(tmp_path):
    path = tmp_path / "a.sqlite"
    _write(path, 0, 100)
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(JobError, match=r"a\.sqlite"), closing(AnswerCache(path)) as cache:
        cache.answer(key(1))


def _write(path: Path, first: int, count: int) -> None:
    with closing(AnswerCache(path)) as cache:
        for number in range(first, first + count):
            cache.store(key(number), Answer((str(number),), Usage(1, 2)), account="a", cost=1.0)


def test_concurrent_processes_lose_no_answer(tmp_path):
    path = tmp_path / "a.sqlite"
    workers = [SPAWN.Process(target=_write, args=(path, 1_000 * number, 100)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {worker.exitcode for worker in workers} == {0}
    with closing(AnswerCache(path)) as cache:
        assert cache.spent("a") == Spending(400, 400, 800, 400.0)
        for worker in range(4):
            assert cache.answer(key(1_000 * worker + 99)) == Answer((str(1_000 * worker + 99),), Usage(1, 2))


def test_a_killed_writer_leaves_as_many_costs_as_answers(tmp_path):
    path = tmp_path / "a.sqlite"
    AnswerCache(path).close()
    for round_ in range(3):
        writer = SPAWN.Process(target=_write, args=(path, 10**6 * round_, 10**6))
        writer.start()
        before = _count(path)
        while _count(path) < before + 20:
            time.sleep(0.005)
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
    with closing(AnswerCache(path)) as cache:
        spent = cache.spent("a")
        assert spent.requests == _count(path) >= 60
        assert spent.tokens_out == 2 * spent.requests
        assert cache.answer(key(0)) == Answer(("0",), Usage(1, 2))
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _count(path: Path) -> int:
    with closing(sqlite3.connect(path, timeout=10)) as database:
        return database.execute("SELECT count(*) FROM answers").fetchone()[0]


def test_an_answer_is_not_stored_without_its_cost(tmp_path, monkeypatch):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    with closing(AnswerCache(tmp_path / "a.sqlite")) as cache:
        monkeypatch.setattr(AnswerCache, "_add", full)
        with pytest.raises(JobError, match="disk is full"):
            cache.store(key(1), ANSWER, account="a", cost=1.0)
        assert cache.answer(key(1)) is None


def test_the_rate_limit_is_shared_by_the_requests_to_a_server(tmp_path):
    path = tmp_path / "a.sqlite"
    with closing(AnswerCache(path)) as one, closing(AnswerCache(path)) as other:
        assert one.seconds_until_due("s", interval=50.0) == 0
        for waiting in (other, one, other):  # who waits and never asks, as a killed run, delays nobody
            assert waiting.seconds_until_due("s", interval=50.0) == pytest.approx(50, abs=1)
        assert other.seconds_until_due("t", interval=50.0) == 0


def test_the_rate_limit_survives_a_clock_that_is_set_back(tmp_path, monkeypatch):
    with closing(AnswerCache(tmp_path / "a.sqlite")) as cache:
        assert cache.seconds_until_due("s", interval=2.0) == 0
        earlier = time.time() - 10**6
        monkeypatch.setattr("budew.chat.answer_cache.time", SimpleNamespace(time=lambda: earlier))
        assert cache.seconds_until_due("s", interval=2.0) == 2.0


def test_the_default_cache_is_in_the_folder_for_caches(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "budew" / "answers.sqlite"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() == Path.home() / ".cache" / "budew" / "answers.sqlite"


def test_spending_is_added_up_for_each_account(tmp_path):
    with closing(AnswerCache(tmp_path / "a.sqlite")) as cache:
        cache.store(key(1), ANSWER, account="a", cost=0.5)
        cache.store(key(2), Answer(("?",)), account="a", cost=0.0)
        cache.count(Usage(12_000, 1), account="a", cost=0.25)
        assert cache.spent("b") == Spending()
    spent = spending_of(tmp_path / "a.sqlite", "a")
    assert spent == Spending(2, 12_007, 4, 0.75)
    assert str(spent) == "answers paid so far: 2, 12,007 tokens in, 4 out, a cost of 0.75"


@pytest.mark.parametrize("limit", [(100, None), (None, 0.5)], ids=["tokens", "cost"])
def test_a_ceiling_ends_the_job_exactly_when_it_is_reached(limit):
    tokens, cost = limit
    Spending(1, 90, 9, 0.49).check(max_tokens=tokens, max_cost=cost)
    with pytest.raises(JobError, match="raise it to continue"):
        Spending(1, 90, 10, 0.5).check(max_tokens=tokens, max_cost=cost)
    with pytest.raises(JobError):
        Spending().check(max_tokens=0, max_cost=None)
