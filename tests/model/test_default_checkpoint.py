"""The checkpoint that is used where none is named: the one in the package, or that of BUDEW_MODEL."""

import pytest

from budew import Captioner, parse
from budew.cli import app
from budew.corpora import read
from budew.errors import CheckpointError
from budew.inference.backends import CTranslate2Backend
from budew.inference.loading import load_backend
from budew.inference.options import ModelOptions
from budew.io.resources import data_folder
from budew.model.card import read_card
from budew.model.checkpoint import EMBEDDED, default_checkpoint, find_checkpoint, identity
from budew.model.exporting import export_checkpoint
from budew.model.saving import PIPELINE


@pytest.fixture
def embedded(monkeypatch):
    """The folder of the checkpoint in the package, which is the default."""
    monkeypatch.delenv("BUDEW_MODEL")
    return data_folder("checkpoints") / EMBEDDED


def test_the_embedded_checkpoint_is_the_default_and_captions_a_clip(embedded):
    captioner = Captioner.from_pretrained(device="cpu")
    assert captioner.backend.name == EMBEDDED
    (clip,) = [clip for clip, _ in zip(read(data_folder("demo_clips") / "clips.tar"), "1", strict=False)]
    (result,) = captioner.caption_clips([clip])
    assert parse(result.caption).profile.emotions


def test_the_embedded_checkpoint_is_the_only_one_in_the_package_with_a_card_of_figures(embedded):
    assert [folder.name for folder in embedded.parent.iterdir() if folder.is_dir()] == [EMBEDDED]
    assert (embedded / "README.md").is_file()
    card = read_card()
    assert card.name == EMBEDDED
    assert card.trained_on
    assert card.results


def test_the_embedded_checkpoint_carries_the_pipeline_of_today(embedded):
    assert (embedded / PIPELINE.name).read_bytes() == PIPELINE.read_bytes()


def test_the_variable_names_the_default_everywhere(embedded, whisper_folder, monkeypatch):
    before = identity(None)
    monkeypatch.setenv("BUDEW_MODEL", str(whisper_folder))
    assert default_checkpoint() == str(whisper_folder)
    assert find_checkpoint(None) == (whisper_folder, whisper_folder.name)
    assert identity(None) == identity(whisper_folder) != before
    assert load_backend(ModelOptions(device="cpu")).name == read_card().name == whisper_folder.name
    monkeypatch.setenv("BUDEW_MODEL", "")
    assert identity(None) == before


def test_workers_of_a_job_use_the_checkpoint_of_the_command(whisper_folder, tmp_path, monkeypatch):
    jobs = []
    monkeypatch.setattr("budew.cli.corpus_jobs.run_job", lambda job, *_: jobs.append(job))
    monkeypatch.setenv("BUDEW_MODEL", str(whisper_folder))
    app(["corpus", "caption", "in", str(tmp_path / "out")], standalone_mode=False)
    monkeypatch.delenv("BUDEW_MODEL")
    assert jobs[0].settings()["model"] == identity(whisper_folder)


def test_the_variable_may_name_an_export(whisper_folder, tmp_path, monkeypatch):
    monkeypatch.setenv(
        "BUDEW_MODEL", str(export_checkpoint(tmp_path / "converted", to="ct2", model=whisper_folder))
    )
    backend = load_backend(ModelOptions(device="cpu", dtype="float32"))
    assert isinstance(backend, CTranslate2Backend)
    assert backend.name == "converted"


def test_a_wrong_variable_is_named_in_the_error(monkeypatch):
    monkeypatch.setenv("BUDEW_MODEL", "no/such/folder")
    with pytest.raises(CheckpointError, match="BUDEW_MODEL=no/such/folder: no such folder"):
        load_backend(ModelOptions())
