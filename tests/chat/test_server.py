"""An address is one, what is secret in it is used and not shown, and the key is read where it is needed."""

import pickle

import pytest

from budew.chat.server import ChatServer
from budew.errors import JobError


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost",
        "localhost:8000/v1",
        "ftp://a/v1",
        "http://",
        "http:///v1",
        "http://a:99999/v1",
        "http://a:b/v1",
        "http://[::1/v1",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError, match="such as http://localhost:8000/v1"):
        ChatServer(address)


@pytest.mark.parametrize(
    ("address", "shown", "query"),
    [
        ("http://a:8000/v1", "http://a:8000/v1", {}),
        ("http://a/v1/", "http://a/v1", {}),
        ("https://[::1]:80", "https://[::1]:80", {}),
        ("https://u:p@a/x?key=k&b=", "https://a/x", {"key": "k", "b": ""}),
    ],
)
def test_nothing_secret_of_an_address_is_shown(address, shown, query):
    server = ChatServer(address)
    assert server.query() == query
    assert server.shown == shown
    assert shown in repr(server)
    assert "key=k" not in repr(server)
    assert "u:p" not in repr(server)
    assert pickle.loads(pickle.dumps(server)) == server


def test_name_and_password_are_unescaped():
    assert ChatServer("http://u%40x:p%2Fq@a").credentials() == ("u@x", "p/q")
    assert ChatServer("http://a").credentials() is None


@pytest.mark.parametrize(
    "change",
    [
        {"concurrency": 0},
        {"attempts": 0},
        {"timeout": 0},
        {"patience": -1},
        {"requests_per_minute": 0},
    ],
)
def test_numbers_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match=r"more than 0|at least 1"):
        ChatServer("http://a", **change)


@pytest.mark.parametrize("given", ["", "sk-live-abcdef", "A=B", "1KEY", "sk live", "KEY\n"])
def test_a_key_in_the_place_of_its_variable_is_refused_and_not_repeated(given):
    with pytest.raises(ValueError, match="no name of one: put the key into a variable") as caught:
        ChatServer("http://a", key_variable=given)
    assert not given or given not in str(caught.value)


def test_a_key_comes_from_the_variable_that_is_named(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "one")
    monkeypatch.setenv("OTHER_KEY", " two\n")
    assert ChatServer("http://a").key() == "one"
    assert ChatServer("http://a", key_variable="OTHER_KEY").key() == "two"


def test_only_a_variable_that_was_named_has_to_be_there(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert ChatServer("http://a").key() is None
    with pytest.raises(JobError, match="NO_SUCH_KEY is not set"):
        ChatServer("http://a", key_variable="NO_SUCH_KEY").key()


def test_what_cannot_be_a_key_is_told_without_telling_it(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a\nsk-b")
    with pytest.raises(JobError, match="no key") as caught:
        ChatServer("http://a").key()
    assert "sk-" not in str(caught.value)
