"""Speech by a server on the loopback that misbehaves: every planned clip is written or listed."""

import json
import time
from dataclasses import replace

import pytest

from budew.corpora import read
from budew.errors import JobError
from budew.synthesis.acting import ActingError, Performance, ServerBackend, act

from .conftest import Reply, tone


def backend(server, **options):
    given = {"model": "m", "attempts": 3, "first_wait": 0.01, "timeout": 5.0, **options}
    return ServerBackend(base_url=server.url, **given)


def acted(out, server, small, clips=10, *, retry_failed=False, **options):
    speaker = backend(server, **options)
    performance = Performance(small(speaker), speaker, clips, clips_per_shard=5)
    return act(out, performance, retry_failed=retry_failed)


def failures(out):
    path = out / "failures.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_the_server_is_asked_for_what_the_plan_says(serve, small, tmp_path):
    server = serve(lambda *_: Reply())
    acted(tmp_path, server, small, clips=5, response_format="flac")
    plan = small(backend(server))
    asked = {(q["input"], q["voice"], q["instructions"]) for q in server.seen}
    assert asked == {(i.text, i.voice, i.instructions) for i in map(plan.item, range(5))}
    assert {(q["path"], q["model"], q["response_format"]) for q in server.seen} == {
        ("/v1/audio/speech", "m", "flac")
    }


def test_clips_have_what_came_and_what_is_known(serve, small, tmp_path):
    audio = tone(1.2)
    server = serve(lambda *_: Reply(body=audio))
    done = acted(tmp_path, server, small, clips=7)
    assert (done.clips, done.complete, done.failures) == (7, 2, 0)
    plan = small(backend(server))
    for number, clip in enumerate(read(tmp_path)):
        item = plan.item(number)
        assert clip.id == item.id
        assert clip.audio == audio
        assert (clip.format, clip.sampling_rate, clip.duration) == ("wav", 24_000, 1.2)
        assert (clip.transcript, clip.speaker, clip.language) == (item.text, item.voice, item.language)
        assert clip.profile == item.profile()
        told = clip.metadata["acting"]
        assert told["instructions"] == item.instructions
        assert told["challenge"] == item.challenge
        assert (told["model"], told["seed"], told["number"]) == ("m", 3, number)


def test_every_clip_of_a_server_that_misbehaves_is_written_or_listed(serve, small, tmp_path):
    bad = [
        Reply(429, b'{"error": {"message": "slow down"}}', Retry_After="0.01"),
        Reply(500, b"<h1>oops</h1>"),
        Reply(body=b"<!DOCTYPE html><p>Sign in</p>", Content_Type="text/html"),
        Reply(body=b""),
        Reply(body=tone(1.0)[:9_000]),
        Reply(body=b"RIFF\x24\x00\x00\x00WAVE"),
        Reply(body=tone(1.0, level=0.0)),
        Reply(body=tone() * 100, endless=True),
        Reply(400, b'{"error": {"message": "this voice is not to be had"}}'),
    ]
    speaker = ServerBackend(base_url="http://localhost/v1", model="m")
    plan = small(speaker)
    order = {(i.text, i.voice, i.instructions): i.number for i in map(plan.item, range(36))}

    def replies(asked, before):
        number = order[asked["input"], asked["voice"], asked["instructions"]]
        what = bad[number % 9]
        for_good = number >= 27  # the last nine never recover; the others are bad once or twice
        return what if for_good or before < 1 + number % 2 else Reply()

    server = serve(replies)
    done = acted(tmp_path, server, small, clips=36)
    written = {clip.id for clip in read(tmp_path)}
    listed = {row["clip"]: row["reason"] for row in failures(tmp_path)}
    ids = [plan.item(number).id for number in range(36)]
    assert written | set(listed) == set(ids)
    assert not written & set(listed)
    assert set(listed) == {*ids[27:], ids[8], ids[17], ids[26]}  # a 400 is not asked again
    assert done.failures == len(listed)
    reasons = [listed[name] for name in ids[27:]]
    for reason, word in zip(
        reasons,
        (
            "slow down",
            "500",
            "text/html",
            "empty",
            "early",
            "decoded",
            "nothing is said",
            "larger",
            "this voice",
        ),
        strict=True,
    ):
        assert word in reason


def test_a_server_asks_to_wait_and_is_waited_for(serve, small, tmp_path):
    def replies(_, before):
        return Reply(429, b"{}", Retry_After="0.6") if not before else Reply()

    server = serve(replies)
    start = time.monotonic()
    assert acted(tmp_path, server, small, clips=2, first_wait=30.0).clips == 2
    assert 0.6 <= time.monotonic() - start < 10


def test_an_answer_that_stalls_is_given_up_in_time(serve, small, tmp_path):
    def replies(_, before):
        if not before:
            time.sleep(1.0)
        return Reply()

    server = serve(replies)
    assert acted(tmp_path, server, small, clips=2, timeout=0.3).clips == 2
    assert len(server.seen) == 4


def test_an_answer_that_trickles_in_for_ever_is_given_up_in_time(serve, small, tmp_path):
    server = serve(lambda _, before: Reply() if before else Reply(pause=0.05))
    start = time.monotonic()
    assert acted(tmp_path, server, small, clips=2, timeout=0.4).clips == 2
    assert time.monotonic() - start < 10
    assert len(server.seen) == 4


def test_no_more_requests_are_under_way_than_allowed(serve, small, tmp_path):
    def replies(*_):
        time.sleep(0.03)
        return Reply()

    server = serve(replies)
    acted(tmp_path, server, small, clips=20, concurrency=3)
    assert server.most == 3


@pytest.mark.parametrize(
    ("reply", "match"),
    [
        (Reply(401, b'{"error": {"message": "no key"}}'), "no key: set the key in OPENAI_API_KEY"),
        (Reply(404, b'{"detail": "no model m"}'), "no model m: check the address and the name of the model"),
        (Reply(429, b'{"error": {"code": "insufficient_quota", "message": "paid up?"}}'), "pay the bill"),
    ],
)
def test_what_no_clip_fares_better_with_ends_the_run_at_once(serve, small, tmp_path, reply, match):
    server = serve(lambda *_: reply)
    with pytest.raises(JobError, match=match):
        acted(tmp_path, server, small, concurrency=1)
    assert len(server.seen) == 1
    assert not list(tmp_path.glob("*.tar"))
    server.replies = lambda *_: Reply()
    assert acted(tmp_path, server, small).clips == 10


def test_nobody_at_the_address_ends_the_run(serve, small, tmp_path):
    server = serve(lambda *_: Reply())
    speaker = ServerBackend(base_url="http://127.0.0.1:9/v1", model="m", attempts=2, first_wait=0.01)
    with pytest.raises(JobError, match="start the server"):
        act(tmp_path, Performance(small(backend(server)), speaker, 3))


def test_a_server_that_fails_clip_after_clip_ends_the_run(serve, small, tmp_path):
    server = serve(lambda *_: Reply(503, b"down"))
    speaker = backend(server, attempts=1)
    with pytest.raises(JobError, match="20 clips in a row could not be spoken"):
        act(tmp_path, Performance(small(speaker), speaker, 40, clips_per_shard=40))
    assert not list(tmp_path.glob("*.tar"))


def test_a_refusal_of_any_size_is_read_in_part_only(serve, small, tmp_path):
    server = serve(lambda *_: Reply(500, b"x" * 100_000, endless=True))
    start = time.monotonic()
    done = acted(tmp_path, server, small, clips=2, attempts=1)
    assert time.monotonic() - start < 4
    assert done.failures == 2
    assert len(failures(tmp_path)[0]["reason"]) <= 300


def test_the_key_comes_from_the_environment_and_is_told_to_nobody(serve, small, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    server = serve(lambda *_: Reply(400, b'{"error": {"message": "key sk-secret is odd"}}'))
    acted(tmp_path, server, small, clips=2)
    assert set(server.keys) == {"Bearer sk-secret"}
    assert "key (key) is odd" in failures(tmp_path)[0]["reason"]
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"sk-secret" not in kept
    assert "sk-secret" not in repr(backend(server))


def test_clips_that_failed_are_spoken_again_when_asked_and_the_others_kept(serve, small, tmp_path):
    server = serve(lambda asked, _: Reply(400, b"{}") if "e" in asked["voice"] else Reply())
    first = acted(tmp_path, server, small)
    assert 0 < first.failures < 10
    asked = len(server.seen)
    server.replies = lambda *_: Reply(body=tone(2.0))
    assert acted(tmp_path, server, small) == replace(first, done=0)
    assert len(server.seen) == asked
    again = acted(tmp_path, server, small, retry_failed=True)
    assert (again.clips, again.failures) == (10, 0)
    assert len(server.seen) == asked + first.failures
    assert not (tmp_path / "failures.jsonl").exists()
    clips = list(read(tmp_path))
    assert [clip.id for clip in clips] == [small(backend(server)).item(n).id for n in range(10)]
    assert sum(clip.duration == 2.0 for clip in clips) == first.failures


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "localhost:8000"},
        {"base_url": "file:///etc/passwd"},
        {"model": ""},
        {"response_format": "pcm"},
        {"concurrency": 0},
        {"timeout": 0.0},
    ],
)
def test_a_backend_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ActingError):
        ServerBackend(**{"base_url": "http://localhost/v1", "model": "m", **wrong})
