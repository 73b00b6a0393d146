"""What a checkpoint says about itself is read from its own files, survives saving, and is checked."""

import json
import re
from pathlib import Path

import pytest
import yaml
from huggingface_hub import ModelCard

from budew.errors import CheckpointError, SettingsError
from budew.io.resources import data_folder
from budew.model import exporting
from budew.model.card import RESULTS, read_card, write_export_card
from budew.model.exporting import FORMATS, export_checkpoint
from budew.version import __version__
from tests.trained import RESULT, TINY_SYNTHETIC, check_duties, with_card


def test_a_checkpoint_that_says_nothing_has_an_empty_card(whisper_folder):
    card = read_card(whisper_folder)
    assert (card.name, card.training, card.results) == (whisper_folder.name, "", ())
    assert not read_card("someone/not-in-the-cache").results


def test_the_sentence_that_captions_are_not_reliable_is_only_that_of_synthetic_speech(
    whisper_folder, tmp_path
):
    said = {
        trained_on: read_card(with_card(whisper_folder, tmp_path / trained_on[:4], trained_on)).training
        for trained_on in ("synthetic speech", "recordings of people", "something else")
    }
    assert "not reliable" in said["synthetic speech"]
    assert "not reliable" not in said["recordings of people"]
    assert "trained on recordings of people" in said["recordings of people"]
    assert said["something else"] == ""


def test_exports_keep_what_the_model_was_trained_on(whisper_folder, tmp_path):
    folder = with_card(whisper_folder, tmp_path / "model", "synthetic speech")
    for to in ("merged", "ct2"):
        exported = read_card(export_checkpoint(tmp_path / to, to=to, model=folder))
        assert (exported.trained_on, exported.results) == ("synthetic speech", ())


@pytest.mark.parametrize(
    ("change", "named"),
    [({"value": 25.0}, "value"), ({"speakers": "many"}, "speakers"), ({"mean": 1}, "mean")],
)
def test_a_wrong_result_is_one_error_that_names_file_and_field(whisper_folder, tmp_path, change, named):
    folder = with_card(whisper_folder, tmp_path / "model", "recordings of people")
    (folder / RESULTS).write_text(json.dumps({"results": [RESULT | change]}))
    with pytest.raises(SettingsError, match=rf"{RESULTS}: results\.0\.{named}"):
        read_card(folder)
    (folder / RESULTS).write_text("[]")
    with pytest.raises(CheckpointError, match=RESULTS):
        read_card(folder)


def test_the_trained_checkpoint_of_the_tests_has_the_results_of_its_model_card():
    card = read_card(TINY_SYNTHETIC)
    values = {result.corpus: result.value for result in card.results[::-1]}
    assert card.trained_on == "synthetic speech"
    assert values == {"RAVDESS": 0.2, "synthetic speech": 0.72}


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("to", FORMATS)
def test_an_export_carries_the_duties_and_the_card_of_the_original(to, whisper_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "write_graphs", lambda *_: None)  # takes half a minute
    check_duties(export_checkpoint(tmp_path / to, to=to, model=whisper_folder))
    folder = with_card(whisper_folder, tmp_path / "mine", "synthetic speech")
    (folder / "README.md").write_text("---\nlicense: mit\ntags: [a]\n---\n# Mine\n\nLearned from owls.\n")
    out = export_checkpoint(tmp_path / f"{to}-2", to=to, model=folder)
    check_duties(out)
    card = ModelCard.load(out / "README.md")
    assert card.data.license == "mit"
    assert all(part in card.text for part in ("Learned from owls.", "mine was trained on synthetic speech"))


def test_a_card_that_has_the_duties_does_not_get_them_twice(tmp_path):
    write_export_card(tmp_path, TINY_SYNTHETIC, "ONNX Runtime")
    check_duties(tmp_path)
    assert "unweighted average recall" in (tmp_path / "README.md").read_text()


def test_shipped_checkpoints_and_pages_have_the_duties_of_all_cards():
    shipped = [folder for folder in data_folder("checkpoints").iterdir() if folder.is_dir()]
    duties = (data_folder("model_cards") / "duties.md").read_text().strip()
    for folder in (*shipped, TINY_SYNTHETIC):
        check_duties(folder)
        assert duties in (folder / "README.md").read_text()
    ethics = (ROOT / "docs/ethics.md").read_text()
    assert [line for line in duties.splitlines() if line.startswith("- ") and line not in ethics] == []
    assert duties.partition("```bibtex")[2] in (ROOT / "README.md").read_text()


def test_the_citation_file_names_what_the_cards_cite():
    bibliography = (data_folder("model_cards") / "duties.md").read_text().partition("```bibtex")[2]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    found = {work["title"]: work["identifiers"][0]["value"] for work in cited["references"]}
    titles = re.findall(r"title = {(.*)}", bibliography)
    assert [*found, cited["title"]] == titles
    assert [f"arXiv:{number}" for number in re.findall(r"eprint = {(.*?)}", bibliography)] == [
        *found.values()
    ]
    assert cited["version"] == __version__
    assert f"version = {{{__version__}}}" in bibliography
