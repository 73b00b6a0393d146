"""An address is one, what is secret in it is used and not shown, and the key is read where it is needed."""

import pickle
from contextlib import nullcontext

import pytest

from budew.chat.request import Usage
from budew.chat.server_settings import ServerSettings
from budew.errors import JobError, SettingsError
from budew.io.settings import load


def server_at(base_url="http://a", **settings):
    return ServerSettings(**{"base_url": base_url, "model": "m", **settings})


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8000/v1",
        "ftp://a/v1",
        "http:///v1",
        "http://a:99999/v1",
        "http://a:b/v1",
        "http://a:0/v1",
    ],
)
def test_an_invalid_url_is_refused(address):
    with pytest.raises(ValueError, match="such as http://localhost:8000/v1"):
        server_at(address)


@pytest.mark.parametrize(
    ("address", "shown", "query", "credentials"),
    [
        ("http://a/v1/", "http://a/v1", {}, None),
        ("https://[::1]:80", "https://[::1]:80", {}, None),
        ("https://u%40x:p%2Fq@a/x?key=k&b=", "https://a/x", {"key": "k", "b": ""}, ("u@x", "p/q")),
    ],
)
def test_secrets_in_a_url_are_used_and_not_shown(address, shown, query, credentials):
    server = server_at(address)
    assert (server.query(), server.credentials()) == (query, credentials)
    assert server.shown == shown
    assert {*filter(None, query.values()), *(credentials or ())[1:]} <= set(server.secrets())
    assert "key=k" not in repr(server)
    assert "p%2Fq" not in repr(server)
    assert pickle.loads(pickle.dumps(server)) == server


def test_options_override_a_settings_file_and_errors_show_no_secret(tmp_path):
    file = tmp_path / "server.yaml"
    file.write_text("base_url: http://user:secret@a/v1\nmodel: m\ntimeout: 30\ncache: answers.sqlite\n")
    server = load(ServerSettings, file, ["concurrency=4"], model="n")
    assert (server.model, server.timeout, server.concurrency) == ("n", 30.0, 4)
    assert str(server.cache) == "answers.sqlite"
    secrets = (
        "base_url=http://user:secret@",
        "key_variable=sk-secret",
        "key_variable=secret 1",
        "password=secret",
    )
    for change in (*secrets, "max_cost=3", "max_cost=.inf", "price_in=-1", "concurrency=0", "timeout=0"):
        with pytest.raises(SettingsError, match=str(file)) as caught:
            load(ServerSettings, file, [change])
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "settings", [{"base_url": "http://user:secret@"}, {"key_variable": "sk-secret"}, {"password": "secret"}]
)
def test_errors_of_settings_made_in_python_show_no_secret(settings):
    with pytest.raises(ValueError, match=next(iter(settings))) as caught:
        server_at(**settings)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("prices", "is_valid"),
    [
        ({}, False),
        ({"price_in": 0.1, "price_out": 0.1}, True),
        ({"price_in": 0.1}, True),
        ({"price_out": 0.1}, True),
    ],
)
def test_a_ceiling_of_cost_needs_a_price(prices, is_valid):
    with nullcontext() if is_valid else pytest.raises(ValueError, match="price_in"):
        assert server_at(max_cost=0.0, **prices).has_ceiling
    assert server_at(max_tokens=0).has_ceiling


def test_prices_are_per_million_tokens():
    assert server_at(price_in=2.0, price_out=10.0).cost(Usage(500_000, 100_000)) == 2.0
    assert server_at().cost(Usage(10**9, 10**9)) == 0


def test_the_key_is_read_from_the_named_variable_which_must_be_set(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "one")
    monkeypatch.setenv("OTHER_KEY", " two\n")
    assert (server_at().key(), server_at(key_variable="OTHER_KEY").key()) == ("one", "two")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a\nsk-b")
    with pytest.raises(JobError, match="contains no valid key") as caught:
        server_at().key()
    assert "sk-" not in str(caught.value)
    monkeypatch.delenv("OPENAI_API_KEY")
    assert server_at().key() is None
    with pytest.raises(JobError, match="NO_SUCH_KEY is not set"):
        server_at(key_variable="NO_SUCH_KEY").key()


def test_defaults_of_server_settings():
    server = server_at()
    assert (server.concurrency, server.timeout, server.retries, server.patience) == (16, 120, 4, 600)
    assert (server.requests_per_minute, server.max_cost, server.max_tokens, server.cache) == (None,) * 4
