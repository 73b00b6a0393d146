import json
import shutil
import warnings
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file

from budew.errors import CheckpointError
from budew.model.checkpoint import load_checkpoint


def test_a_folder_gives_model_processor_and_window_and_prints_nothing(whisper_folder, capfd):
    for name in (whisper_folder, str(whisper_folder)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            checkpoint = load_checkpoint(name, device="cpu")
        found = (checkpoint.window_seconds, checkpoint.sampling_rate, checkpoint.name)
        assert found == (2.0, 16_000, "tiny")
        assert not checkpoint.model.training
        assert len(checkpoint.processor.tokenizer) > 300
    assert capfd.readouterr() == ("", "")


def test_half_precision_on_disk_is_single_precision_on_a_cpu(folder, edit):
    weights = {name: value.half() for name, value in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    edit(folder / "config.json", dtype="float16")
    model = load_checkpoint(folder, device="cpu").model
    assert {value.dtype for value in model.parameters()} == {torch.float32}


def test_languages_survive_a_config_that_was_made_from_the_model(folder, edit):
    edit(folder / "generation_config.json", _from_model_config=True)
    assert load_checkpoint(folder, device="cpu").model.generation_config.lang_to_id.keys() == {"<|en|>"}


def test_code_in_a_checkpoint_is_not_run(folder, edit):
    (folder / "evil.py").write_text("raise SystemExit('ran')")
    tokenizer = {"AutoTokenizer": ["evil.T", None]}
    model = {"AutoConfig": "evil.C", "AutoModelForSpeechSeq2Seq": "evil.M"}
    edit(folder / "config.json", auto_map=model | tokenizer)
    edit(folder / "processor_config.json", auto_map={"AutoProcessor": "evil.P"})
    edit(folder / "tokenizer_config.json", auto_map=tokenizer)
    assert load_checkpoint(folder, device="cpu").window_seconds == 2


def test_missing_weights_are_not_made_up(folder):
    weights = load_file(folder / "model.safetensors")
    del weights["model.decoder.layers.0.fc1.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(CheckpointError, match=r"lacks 1 weights, such as model\.decoder\.layers\.0\.fc1"):
        load_checkpoint(folder, device="cpu")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.safetensors", b"\xff" * 64),
        ("model.safetensors", b""),
        ("config.json", b"{"),
        ("config.json", b"[]"),
        ("config.json", b"[" * 300_000),
        ("config.json", b'{"model_type": "whisper", "d_model": "wide"}'),
        ("generation_config.json", b"\xff\xfe"),
        ("tokenizer.json", b"{}"),
        ("processor_config.json", b'{"feature_extractor": 7}'),
    ],
)
def test_a_spoilt_file_is_one_line_that_names_the_checkpoint(folder, file, content):
    (folder / file).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"^copy") as caught:
        load_checkpoint(folder, device="cpu")
    assert "\n" not in str(caught.value)


def test_parts_that_do_not_fit_are_refused(folder, edit):
    path = folder / "processor_config.json"
    extractor = json.loads(path.read_text())["feature_extractor"]
    for changes, message in (
        ({"chunk_length": 30, "n_samples": 480_000}, "1500 frames, its encoder takes 100.*chunk_length=2"),
        ({"feature_size": 80}, "80 mel bands, its model takes 16"),
    ):
        edit(path, feature_extractor=extractor | changes)
        with pytest.raises(CheckpointError, match=message):
            load_checkpoint(folder, device="cpu")
    edit(path, feature_extractor=extractor)
    edit(folder / "config.json", eos_token_id=5)
    with pytest.raises(CheckpointError, match="ends a text"):
        load_checkpoint(folder, device="cpu")


@pytest.mark.parametrize(
    ("name", "device", "message"),
    [
        ("nowhere", "cpu", "owner/name"),
        ("./nowhere", "cpu", "no such folder"),
        ("", "cpu", r"no config\.json"),
        ("file", "cpu", "is a file"),
        (None, "abacus", r"'abacus' cannot be used here.*device='cpu'"),
    ],
)
def test_a_missing_checkpoint_or_device_is_reported(
    tmp_path, monkeypatch, whisper_folder, name, device, message
):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(whisper_folder if name is None else name, device=device)


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """No network, and a hub cache of our own; gives the folder of a cached checkpoint by its name."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    def place(name: str, source: Path) -> Path:
        repository = tmp_path / "hub" / f"models--{name.replace('/', '--')}"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text("f" * 40)
        return Path(shutil.copytree(source, repository / "snapshots" / ("f" * 40)))

    return place


def test_a_cached_hub_checkpoint_loads_offline(offline, whisper_folder):
    offline("someone/tiny", whisper_folder)
    checkpoint = load_checkpoint("someone/tiny", device="cpu")
    assert (checkpoint.name, checkpoint.window_seconds) == ("someone/tiny", 2.0)


def test_a_hub_checkpoint_out_of_reach_is_one_line_with_the_remedy(offline, folder):
    (folder / "tokenizer.json").unlink()
    for name, message in (
        ("someone/tiny", "someone/tiny is not.*HF_HUB_OFFLINE is set.*local folder[^\n]*$"),
        (folder, "openai/whisper-small is not[^\n]*$"),  # its processor
    ):
        with warnings.catch_warnings(action="ignore"), pytest.raises(CheckpointError, match=message):
            load_checkpoint(name, device="cpu")


@pytest.mark.parametrize("missing", ["processor_config.json", "tokenizer.json"])
def test_a_checkpoint_without_processor_takes_whispers_and_warns(offline, folder, whisper_folder, missing):
    offline("openai/whisper-small", whisper_folder)
    (folder / missing).unlink()
    with pytest.warns(UserWarning, match=r"copy has no processor of its own: using openai/whisper-small's"):
        checkpoint = load_checkpoint(folder, device="cpu")
    assert len(checkpoint.processor.tokenizer) > 300
