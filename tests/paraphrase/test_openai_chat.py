"""The chat backend against a real server on the loopback."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from budew.captions import render
from budew.paraphrase import OpenAIBackend, ParaphraseError, Request, rewrite_clips
from budew.profile import VoiceProfile

PROFILE = VoiceProfile({"Anger": 0.75}, ["Chuckle"], {"gender": "female"})
GOOD = "A woman sounds very angry, with a chuckle."


class ChatServer(ThreadingHTTPServer):
    """Answers chat completions with `reply(request)`: a list of texts, or an HTTP status."""

    daemon_threads = True

    def __init__(self, reply):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply = reply
        self.seen = []
        self.headers_seen = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append({"path": self.path, **asked})
        self.server.headers_seen.append({name.lower(): value for name, value in self.headers.items()})
        reply = self.server.reply(asked, len(self.server.seen))
        status, body = (
            (reply, {"error": {"message": "no"}}) if isinstance(reply, int) else (200, _completion(reply))
        )
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def _completion(texts):
    choices = [
        {"index": index, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        for index, text in enumerate(texts)
    ]
    return {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": choices}


@pytest.fixture
def serve():
    servers = []

    def start(reply):
        server = ChatServer(reply)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return server

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def backend(server, **options):
    return OpenAIBackend(base_url=server.url, model="m", **{"max_retries": 0, "timeout": 5.0, **options})


def rewritten(server, requests, **options):
    return asyncio.run(backend(server, **options).rewrite(requests))


def request(name="clip-1", n=3, seed=9):
    return Request(name, render(PROFILE, seed=1), PROFILE, seed, n)


def test_the_server_is_asked_for_n_answers_with_prompt_seed_and_temperature(serve):
    server = serve(lambda asked, _: [f' "{GOOD}"\n'] * asked["n"])
    answers = rewritten(server, [request()], temperature=0.3)
    assert answers[0].texts == (GOOD,) * 3
    assert answers[0].made_by["by"] == "openai-chat"
    assert answers[0].made_by["model"] == "m"
    (asked,) = server.seen
    assert asked["path"] == "/v1/chat/completions"
    assert (asked["model"], asked["n"], asked["temperature"]) == ("m", 3, 0.3)
    assert request().caption in asked["messages"][-1]["content"]
    assert [message["role"] for message in asked["messages"]] == ["system", "user"]


def test_what_a_server_that_ignores_n_leaves_out_is_asked_again_with_other_seeds(serve):
    server = serve(lambda _asked, count: [f"{GOOD} {'x' * count}"])
    answers = rewritten(server, [request()])
    assert len(set(answers[0].texts)) == 3
    assert len({asked["seed"] for asked in server.seen}) == 3


def test_a_server_that_answers_nothing_is_not_asked_for_ever(serve):
    server = serve(lambda *_: [])
    assert rewritten(server, [request()])[0].texts == ()
    assert len(server.seen) == 3


def test_the_same_request_is_sent_the_same_whatever_stands_beside_it(serve):
    server = serve(lambda asked, _: [GOOD] * asked["n"])
    rewritten(server, [request("a"), request("b")])
    rewritten(server, [request("b")])
    bodies = [json.dumps(asked, sort_keys=True) for asked in server.seen]
    assert bodies[-1] in bodies[:-1]


def test_answers_come_in_the_order_of_the_requests_however_many_run_at_once(serve):
    server = serve(lambda asked, _: [asked["messages"][-1]["content"][-40:].strip()] * asked["n"])
    requests = [Request(str(number), f"caption {number} ends", PROFILE, 1, 1) for number in range(30)]
    answers = rewritten(server, requests, concurrency=8)
    assert [answer.id for answer in answers] == [asked.id for asked in requests]
    assert all(f"caption {answer.id} ends" in answer.texts[0] for answer in answers)


def test_an_overloaded_server_is_tried_again(serve):
    server = serve(lambda asked, count: 503 if count == 1 else [GOOD] * asked["n"])
    assert rewritten(server, [request()], max_retries=2)[0].texts == (GOOD,) * 3
    assert len(server.seen) == 2


def test_one_failing_request_is_reported_and_the_others_go_on(serve):
    server = serve(
        lambda asked, _: 400 if "fatal" in asked["messages"][-1]["content"] else [GOOD] * asked["n"]
    )
    clips = [("bad", "A fatal caption.", PROFILE), ("good", "Very angry woman, chuckling.", PROFILE)]
    done = rewrite_clips(clips, backend(server))
    assert done.captions["good"][0].text == GOOD
    assert "fallback" in done.captions["bad"][0].made_by
    assert "400" in done.failures["bad"]


def test_no_server_is_one_error_that_says_so(serve):
    server = serve(lambda *_: 500)
    with pytest.raises(ParaphraseError, match="answered none of 1 requests"):
        rewrite_clips([("a", GOOD, PROFILE)], backend(server))


def test_an_answer_with_no_text_in_it_is_refused_by_the_gate(serve):
    server = serve(lambda asked, _: [None] * asked["n"])
    done = rewrite_clips([("a", "Very angry woman, chuckling.", PROFILE)], backend(server))
    assert done.refused == {"empty": 2}
    assert done.fallbacks == 1


def test_the_key_comes_from_the_environment_only(serve, monkeypatch):
    server = serve(lambda asked, _: [GOOD] * asked["n"])
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-environment")
    rewritten(server, [request()])
    monkeypatch.delenv("OPENAI_API_KEY")
    rewritten(server, [request()])
    keys = [headers["authorization"] for headers in server.headers_seen]
    assert keys == ["Bearer sk-from-environment", "Bearer not-needed"]
