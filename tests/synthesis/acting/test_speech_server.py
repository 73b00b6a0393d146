"""Speech by a server on the loopback that misbehaves: every planned clip is written or listed."""

import hashlib
import json
from base64 import b64encode
from dataclasses import replace
from itertools import count

import pytest

from budew.chat.connection import LARGEST
from budew.corpora import read
from budew.errors import AnswerError, InputError, JobError
from budew.jobs import run
from budew.synthesis.acting import Act, make_plan
from budew.synthesis.acting.speech_server import READ_SECONDS, decode_speech
from tests.chat.conftest import ScriptedServer

from .conftest import ASKED, reply, server_at, tone


def backend(server, **options):
    return server_at(server.url, **options)


def acted(out, server, small, clips=10, *, retry_failed=False, **options):
    speaker = backend(server, **options)
    job = Act(small(speaker), speaker)
    return run(job, range(clips), out, clips_per_shard=5, workers=0, retry_failed=retry_failed)


def failures(out):
    path = out / "failures.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_clips_record_the_request_and_the_answer(serve, small, tmp_path):
    audio = tone(1.2)
    server = serve(lambda *_: reply(body=audio))
    done = acted(tmp_path, server, small, clips=7, response_format="flac")
    assert (done.clips, done.complete, done.failures) == (7, 2, 0)
    items = [small(backend(server)).clip(number) for number in range(7)]
    asked = {tuple(request[name] for name in ASKED) for request in server.seen}
    assert asked == {(item.text, item.voice, item.instructions) for item in items}
    assert {(request["model"], request["response_format"]) for request in server.seen} == {("m", "flac")}
    assert {seen["path"] for seen in server.headers_seen} == {"/v1/audio/speech"}
    for item, clip in zip(items, read(tmp_path), strict=True):
        assert (clip.id, clip.audio, clip.profile) == (item.id, audio, item.profile())
        assert (clip.format, clip.sampling_rate, clip.duration) == ("wav", 24_000, 1.2)
        assert (clip.transcript, clip.speaker, clip.language) == (item.text, item.voice, item.language)
        acting = clip.metadata["acting"]
        assert (acting["instructions"], acting["challenge"]) == (item.instructions, item.challenge)
        assert (acting["model"], acting["seed"], acting["number"]) == ("m", 3, item.number)


FAULTS = {
    "slow down": reply(429, b'{"error": {"message": "slow down"}}', Retry_After="0.01"),
    "500": reply(500, b"<h1>oops</h1>"),
    "text/html": reply(body=b"<!DOCTYPE html><p>Sign in</p>", Content_Type="text/html"),
    "empty": reply(body=b""),
    "early": reply(body=tone(1.0)[:9_000]),
    "decoded": reply(body=b"RIFF\x24\x00\x00\x00WAVE"),
    "has no speech": reply(body=tone(1.0, level=0.0)),
    "more than": reply(body=tone() + b" " * LARGEST),
    "this voice": reply(400, b'{"error": {"message": "this voice is not to be had"}}'),
}
"""Answers that cannot be used, by a word of the reason."""


def test_every_clip_of_a_server_that_misbehaves_is_written_or_listed(serve, small, tmp_path):
    items = [small(server_at("http://localhost/v1")).clip(number) for number in range(36)]
    order = {(item.text, item.voice, item.instructions): item.number for item in items}
    bad = list(FAULTS.values())

    def replies(asked, before):
        number = order[tuple(asked[name] for name in ASKED)]
        for_good = number >= 27  # the last nine never recover; the others are bad once or twice
        return bad[number % 9] if for_good or before < 1 + number % 2 else reply()

    done = acted(tmp_path, serve(replies), small, clips=36)
    written = {clip.id for clip in read(tmp_path)}
    listed = {row["clip"]: row["reason"] for row in failures(tmp_path)}
    ids = [item.id for item in items]
    assert written | set(listed) == set(ids)
    assert not written & set(listed)
    assert set(listed) == {*ids[27:], ids[8], ids[17], ids[26]}  # a 400 is not asked again
    assert done.failures == len(listed)
    for name, word in zip(ids[27:], FAULTS, strict=True):
        assert word in listed[name]


def test_failed_clips_are_spoken_again_on_request(serve, small, tmp_path):
    server = serve(lambda asked, _: reply(400, b"{}") if "e" in asked["voice"] else reply())
    first = acted(tmp_path, server, small)
    assert 0 < first.failures < 10
    asked = len(server.seen)
    server.replies = lambda *_: reply(body=tone(2.0))
    assert acted(tmp_path, server, small) == replace(first, done=0)
    assert len(server.seen) == asked
    again = acted(tmp_path, server, small, retry_failed=True)
    assert (again.clips, again.failures) == (10, 0)
    assert len(server.seen) == asked + first.failures
    assert not (tmp_path / "failures.jsonl").exists()
    clips = list(read(tmp_path))
    assert [clip.id for clip in clips] == [small(backend(server)).clip(n).id for n in range(10)]
    assert sum(clip.duration == 2.0 for clip in clips) == first.failures


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3"])
def test_speech_is_stored_as_it_is_with_its_rate_and_length(format):
    audio = tone(1.5, format=format)
    take = decode_speech(audio)
    assert take.audio == audio
    assert take.format == format.lower()
    assert take.sampling_rate == 24_000
    assert take.duration == pytest.approx(1.5, abs=0.1)


def test_a_wav_of_unknown_length_as_servers_stream_it_is_speech():
    audio = bytearray(tone())
    audio[4:8] = audio[40:44] = b"\xff\xff\xff\xff"
    assert decode_speech(bytes(audio)).duration == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("audio", "match"),
    [
        (b"\x1b[31mred\x00" + b"x" * 10_000, "not audio"),
        (b"<!DOCTYPE html><title>Sign in</title>", "not audio but text/html: b'<!DOCTYPE html>"),
        (tone(0.05), r"\b0\.1 s\b.*\b0\.2 to 60 s"),
        (tone(READ_SECONDS[1] + 1, rate=8_000), r"\b61\.0 s\b.*\b0\.2 to 60 s"),
    ],
)
def test_answers_without_speech_are_errors(audio, match):
    with pytest.raises(AnswerError, match=match) as error:
        decode_speech(audio, content_type="text/html")
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("wrong", [{"response_format": "pcm"}, {"max_tokens": 5}])
def test_settings_without_meaning_for_speech_servers_are_refused(wrong):
    with pytest.raises(InputError):
        server_at("http://localhost/v1", **wrong)


def improvised(seconds=4.0, *, audio=None, rate=24_000, **message):
    """An answer of a chat with audio output."""
    data = b64encode(tone(seconds, rate=rate) if audio is None else audio).decode()
    said = {"id": "a", "data": data, "transcript": "No. Not you, not now.", "expires_at": 1}
    choice = {"message": {"role": "assistant", "content": None, "audio": said | message}}
    usage = {"prompt_tokens": 200, "completion_tokens": 90}
    return 200, {}, json.dumps({"choices": [choice], "usage": usage}).encode()


@pytest.fixture
def audition(start):
    """`audition(replies)` answers with `replies(request, how often it was asked before)`, and probes well."""

    def serve(replies):
        def answer(asked, _count):
            if asked["messages"][-1]["content"] == "ping":
                return "pong"
            same = [other for other in server.seen if other["messages"] == asked["messages"]]
            return replies(asked, len(same) - 1)

        server = start(ScriptedServer(answer))
        return server

    return serve


def test_an_improvised_clip_has_its_own_transcript(audition, small, tmp_path):
    server = audition(lambda *_: improvised())
    done = acted(tmp_path, server, small, clips=7, api="chat", response_format="wav")
    assert (done.clips, done.failures) == (7, 0)
    items = {small(backend(server, api="chat")).clip(number) for number in range(7)}
    asked = {tuple(turn["content"] for turn in request["messages"]) for request in server.seen}
    assert asked == {(item.instructions, item.text) for item in items}
    for request in server.seen:
        assert request["modalities"] == ["text", "audio"]
        assert request["audio"]["format"] == "wav"
    assert {request["audio"]["voice"] for request in server.seen} == {item.voice for item in items}
    assert {seen["path"] for seen in server.headers_seen} == {"/v1/chat/completions"}
    for clip in read(tmp_path):
        assert (clip.format, clip.sampling_rate, clip.duration) == ("wav", 24_000, 4.0)
        assert clip.transcript == "No. Not you, not now."
        assert clip.metadata["acting"]["backend"] == "openai-chat"


@pytest.mark.parametrize("apart", [True, False])
def test_the_transcript_may_be_beside_the_audio(apart, audition, small, tmp_path):
    def beside(*_):
        status, headers, body = improvised(transcript="")
        answer = json.loads(body)
        text = {"message": {"role": "assistant", "content": "Oh. You again."}}
        if apart:
            answer["choices"].insert(0, text)
        else:
            answer["choices"][0]["message"] |= {"content": text["message"]["content"]}
        return status, headers, json.dumps(answer).encode()

    acted(tmp_path, audition(beside), small, clips=1, api="chat")
    (clip,) = read(tmp_path)
    assert (clip.transcript, clip.duration) == ("Oh. You again.", 4.0)


NO_AUDITION = {
    "2.0 s": improvised(2.0),
    "31.0 s": improvised(31.0),
    "sorry": (200, {}, b'{"choices": [{"message": {"content": "I am sorry"}}]}'),
    "slow down": reply(429, b'{"error": {"message": "slow down"}}', Retry_After="0.01"),
    "Base64": improvised(data="%%%"),
    "no transcript of its audio": improvised(transcript=""),
    "not audio": improvised(audio=b"<html>" * 40),
    "this voice": reply(400, b'{"error": {"message": "this voice is not to be had"}}'),
    "[1, 2]": (200, {}, b"[1, 2]"),
}
"""Answers that are no audition, by a word of the reason."""


def test_every_improvised_clip_of_a_server_that_misbehaves_is_written_or_listed(audition, small, tmp_path):
    plan = small(server_at("http://localhost/v1", api="chat"))
    order = {(item.instructions, item.text): item.number for item in map(plan.clip, range(18))}
    bad = list(NO_AUDITION.values())

    def replies(asked, before):
        number = order[tuple(turn["content"] for turn in asked["messages"])]
        return bad[number % 9] if number >= 9 or before < 1 + number % 2 else improvised()

    server = audition(replies)
    done = acted(tmp_path, server, small, clips=18, api="chat")
    written = {clip.id for clip in read(tmp_path)}
    listed = {row["clip"]: row["reason"] for row in failures(tmp_path)}
    assert written | set(listed) == {plan.id_of(number) for number in range(18)}
    assert set(listed) == {plan.id_of(number) for number in (7, *range(9, 18))}  # a 400 is not asked again
    assert done.failures == len(listed)
    for number, word in enumerate(NO_AUDITION):
        assert word in listed[plan.id_of(9 + number)]
    asked = len(server.seen)
    assert acted(tmp_path, server, small, clips=18, api="chat").done == 0
    assert len(server.seen) == asked


@pytest.mark.parametrize(
    "refused",
    [
        {"message": {"content": None, "refusal": "I cannot say that."}},
        {"message": {"content": ""}, "finish_reason": "content_filter"},
    ],
)
def test_refused_clips_are_not_requested_again(refused, audition, small, tmp_path):
    answers = {True: (200, {}, json.dumps({"choices": [refused]}).encode()), False: improvised()}
    server = audition(lambda asked, _: answers[asked["audio"]["voice"] == "onyx"])
    done = acted(tmp_path, server, small, clips=20, api="chat")
    assert 0 < done.failures < 20
    assert len(server.seen) == 20


def test_a_model_without_audio_output_ends_the_run(start, small, tmp_path):
    text = (200, {}, json.dumps({"choices": [{"message": {"content": "Hello!"}}]}).encode())
    speaker = backend(start(ScriptedServer(lambda *_: text)), api="chat", patience=60.0)
    with pytest.raises(JobError, match="no audio"):
        run(Act(small(speaker), speaker), range(40), tmp_path, workers=0)


@pytest.mark.parametrize("api", ["speech", "chat"])
def test_clips_with_equal_requests_are_spoken_separately(api, serve, audition, tmp_path):
    lengths = count(1)

    def longer(*_):
        seconds = 3 + next(lengths) / 10
        return reply(body=tone(seconds)) if api == "speech" else improvised(seconds)

    server = (serve if api == "speech" else audition)(longer)
    speaker = backend(server, api=api, cache=tmp_path / "cache")
    axes = {"emotions": ["anger"], "languages": ["en"], "voices": ["alloy"], "accents": ["none"]}
    same = {**axes, "challenges": ["plain"], "intensities": ["strong"], "texts": ["fitting"]}
    run(Act(make_plan(speaker, seed=1, **same), speaker), range(24), tmp_path / "out", workers=0)
    clips = list(read(tmp_path / "out"))
    assert len({(clip.speaker, clip.metadata["acting"]["instructions"]) for clip in clips}) < 24
    assert len({clip.audio for clip in clips}) == 24
    asked = len(server.seen)
    run(Act(make_plan(speaker, seed=1, **same), speaker), range(24), tmp_path / "again", workers=0)
    assert len(server.seen) == asked  # they are in the cache


def test_the_audio_prompt_is_sent_before_each_line_and_recorded(audition, small, tmp_path):
    server, prompt = audition(lambda *_: improvised()), tone(0.5)
    speaker = replace(backend(server, api="chat"), audio_prompt=prompt)
    plan = small(speaker, personas=["caring nurse"])
    run(Act(plan, speaker), range(3), tmp_path, workers=0)
    for request in server.seen:
        instructions, (recording, line) = (turn["content"] for turn in request["messages"])
        assert recording["input_audio"] == {"data": b64encode(prompt).decode(), "format": "wav"}
        assert "a caring nurse" in instructions
        assert "The recording" in instructions
        assert line["text"] in {plan.clip(number).text for number in range(3)}
    for clip in read(tmp_path):
        acting = clip.metadata["acting"]
        assert acting["audio_prompt_sha256"] == hashlib.sha256(prompt).hexdigest()
        assert (acting["persona"], clip.transcript) == ("caring nurse", "No. Not you, not now.")


@pytest.mark.parametrize(
    ("api", "prompt", "match"),
    [("speech", tone(), "chat API"), ("chat", b"OggS" + bytes(20), "no wav or mp3")],
)
def test_audio_prompts_that_cannot_be_sent_are_errors(api, prompt, match):
    with pytest.raises(InputError, match=match):
        replace(server_at("http://localhost/v1", api=api), audio_prompt=prompt)


def test_improvised_speech_at_another_rate_is_converted(audition, small, tmp_path):
    acted(tmp_path, audition(lambda *_: improvised(rate=44_100)), small, clips=1, api="chat")
    (clip,) = read(tmp_path)
    assert (clip.format, clip.sampling_rate) == ("flac", 24_000)
    assert clip.duration == pytest.approx(4.0, abs=0.01)


def test_the_cost_of_improvised_speech_is_limited(audition, small, tmp_path):
    server = audition(lambda *_: improvised())
    with pytest.raises(JobError):
        acted(
            tmp_path / "out",
            server,
            small,
            api="chat",
            max_tokens=600,
            cache=tmp_path / "a.db",
            concurrency=1,
        )
    assert 2 <= len(server.seen) <= 4
