"""Addresses are no paths, and what is secret in them is not shown in any form."""

from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from budew.errors import CorpusError
from budew.io.addresses import check_local, is_address, redact, without_secrets

SECRET = "s3cr/t+key=="


@pytest.mark.parametrize("address", ["https://host/a.tar", "s3://bucket/a", "hf://datasets/x", "a+b://c"])
def test_an_address_is_no_path_and_nothing_is_written_to_it(address):
    assert is_address(address)
    for out in (address, Path(address)):
        with pytest.raises(CorpusError):
            check_local(out)


@pytest.mark.parametrize("path", ["a/b.tar", "C:/data", "/a:b/c", "a b://c", Path("https://host")])
def test_a_path_is_no_address(path):
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
def test_user_password_and_query_are_not_shown(address, seen):
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


def test_the_longest_secret_is_found_first_and_without_one_a_text_stays():
    assert redact("secret-secret-1", keys=("secret", "secret-secret-1")) == "…"
    address = "https://user:pass@host/?page=1"
    assert redact(f"{address} refused user and pass 1", address) == "… refused … and … 1"
    assert redact("as it is", "https://host/a") == "as it is"
