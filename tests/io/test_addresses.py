"""URLs are told from paths, and secrets in them are removed in every form."""

from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from budew.errors import CorpusError
from budew.io.addresses import check_local, is_address, redact, without_secrets

SECRET = "s3cr/t+key=="


@pytest.mark.parametrize("address", ["https://host/a.tar", "s3://bucket/a", "hf://datasets/x", "a+b://c"])
def test_nothing_is_written_to_a_url(address):
    assert is_address(address)
    for out in (address, Path(address)):
        with pytest.raises(CorpusError):
            check_local(out)


@pytest.mark.parametrize("path", ["a/b.tar", "C:/data", "/a:b/c", "a b://c", Path("https://host")])
def test_paths_are_not_taken_for_urls(path):
    assert not is_address(path)


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("https://user:secret@host:80/a/b?token=secret#secret", "https://host:80/a/b"),
        ("https://host/a@b", "https://host/a@b"),
        ("s3://host#secret", "s3://host"),
        ("folder/a?b", "folder/a?b"),
    ],
)
def test_user_password_query_and_fragment_are_removed(address, seen):
    assert without_secrets(address) == seen


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        b64encode(SECRET.encode()).decode(),
    ],
)
def test_secrets_are_redacted_in_every_form(form):
    for address, keys in (("", (SECRET,)), (f"https://host/a?token={quote(SECRET)}&page=1", ())):
        assert redact(f"status 1: you sent {form}!", address, keys).rstrip("=!") == "status 1: you sent …"


def test_the_longest_secret_is_redacted_first_and_other_words_stay():
    assert redact("secret-secret-1", keys=("secret", "secret-secret-1")) == "…"
    address = "https://user:pass@host/?page=1"
    assert redact(f"{address} refused user and pass 1", address) == "… refused … and … 1"
    assert redact("as it is", "https://host/a") == "as it is"
