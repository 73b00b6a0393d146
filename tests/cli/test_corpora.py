"""`budew corpora` lists the known corpora and explains one, by name or by a file of the user."""

import json

import pytest
from typer.testing import CliRunner

from budew.cli import app
from budew.corpora import read
from budew.corpora.named.definition import corpus_names, known_corpora
from tests.evaluation.benchmarks.known_folders import folder_of


def call(*arguments: str):
    return CliRunner().invoke(app, ["corpora", *arguments], env={"COLUMNS": "200"})


def test_all_are_listed_on_the_terminal_as_a_page_and_as_json(tmp_path):
    page, table = tmp_path / "corpora.html", tmp_path / "corpora.json"
    done = call("--html", str(page), "--json", str(table))
    assert done.exit_code == 0
    for text in (done.stdout, page.read_text(encoding="utf-8")):
        assert all(name in text for name in corpus_names())
    listed = json.loads(table.read_text(encoding="utf-8"))
    assert sorted(listed) == list(corpus_names())
    assert list(listed) == list(known_corpora())
    hub = [name for name, corpus in listed.items() if corpus["hub"]]
    assert list(listed)[: len(hub)] == hub
    assert {"laions-got-talent-raw", "emonet-voice-bench", "emolia", "emonet-face-hq"} <= set(hub)
    assert all(corpus["parts"] and corpus["source"] for corpus in map(listed.get, hub))


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
    assert "is not the name of a known corpus (see budew corpora)" in str(unknown.exception)


def test_a_corpus_is_not_downloaded_before_its_licence_is_accepted(tmp_path):
    done = call("get", "ravdess", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert "licence: CC-BY-NC-SA-4.0 (https://zenodo.org/records/1188976)" in done.stderr
    assert "accept it with --accept-license" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_corpus_without_download_names_its_source(tmp_path):
    done = call("get", "iemocap", str(tmp_path / "out"), "--accept-license")
    assert done.exit_code == 1
    assert "IEMOCAP" in str(done.exception)
    assert "https://sail.usc.edu/iemocap/" in str(done.exception)


def test_downloaded_files_are_counted_and_read(tmp_path, monkeypatch):
    file, out = tmp_path / "mine.yaml", tmp_path / "out"
    file.write_text(
        "title: Mine\nabout: Us.\nkind: acted\nsource: own\npattern: '(?P<speaker>[a-z])_(?P<label>h)'\n"
        "examples: [a_h]\nlabels: {h: Elation}\nlicence: CC0-1.0\naddress: https://here\n"
        "downloads: [{url: 'https://here/x.zip'}]\n"
    )

    def download(corpus, folder, progress):
        folder_of(["a_h", "b_h", "notes"], folder)
        return 3

    monkeypatch.setattr("budew.corpora.get_corpus", download)
    done = call("get", str(file), str(out), "--accept-license")
    assert done.exit_code == 0, done.exception
    assert "3 files, 2 of them clips" in done.stdout
    assert len(list(read(f"{file}:{out}"))) == 2
