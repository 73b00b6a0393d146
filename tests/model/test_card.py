"""What a checkpoint says about itself is read from its own files, survives saving, and is checked."""

import json

import pytest

from budew.errors import CheckpointError, SettingsError
from budew.model.card import RESULTS, read_card
from budew.model.exporting import export_checkpoint
from tests.trained import RESULT, TINY_SYNTHETIC, with_card


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
