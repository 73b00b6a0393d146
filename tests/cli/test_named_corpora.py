"""`budew corpora` lists the known corpora and explains one, by name or by a file of the user."""

import json

import pytest
from typer.testing import CliRunner

from budew.cli import app
from budew.corpora.named.definition import corpus_names


def call(*arguments: str):
    return CliRunner().invoke(app, ["corpora", *arguments], env={"COLUMNS": "200"})


def test_all_are_listed_on_the_terminal_as_a_page_and_as_json(tmp_path):
    page, table = tmp_path / "corpora.html", tmp_path / "corpora.json"
    done = call("--html", str(page), "--json", str(table))
    assert done.exit_code == 0
    for text in (done.stdout, page.read_text(encoding="utf-8")):
        assert all(name in text for name in corpus_names())
    assert list(json.loads(table.read_text(encoding="utf-8"))) == list(corpus_names())


@pytest.mark.parametrize("arguments", [("crema-d",), ("CREMA-D",), ("show", "crema-d")])
def test_a_name_explains_its_corpus(arguments):
    done = call(*arguments)
    assert done.exit_code == 0
    for text in (
        "Twelve English sentences",
        "Don't forget a jacket.",
        "ODbL-1.0",
        "VideoDemographics",
        "@article",
    ):
        assert text in done.stdout


def test_a_definition_of_the_user_is_explained_and_an_unknown_name_refused(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        "title: Mine\nabout: Us.\nkind: read\nsource: own\npattern: '(?P<speaker>a)'\nexamples: [a]\n"
    )
    assert "Mine" in call(str(file)).stdout
    unknown = call("nowhere")
    assert unknown.exit_code == 1
    assert "is no corpus that is known by name: see budew corpora" in str(unknown.exception)
