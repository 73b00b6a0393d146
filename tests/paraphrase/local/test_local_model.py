"""Folders that are no model, or none that may be opened: each is one sentence with a remedy."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from budew.errors import JobError, MissingExtraError
from budew.paraphrase.local.files import find_model
from budew.paraphrase.local.model import load_model


def loaded(folder, **options):
    return load_model(folder, **{"revision": None, "device": "cpu", "dtype": None, **options})


def refused(folder, **options):
    with pytest.raises(JobError) as caught:
        loaded(folder, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_weights_that_are_pickled_only_are_never_opened(tmp_path, make_chat_model):
    folder = make_chat_model(tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    assert re.fullmatch(r".*pickled has only pickled weights, .* with save_pretrained.*", refused(folder))


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    assert (
        refused(tmp_path / "none")
        == f"{tmp_path / 'none'}: no such folder, and not a hub id of the form owner/name"
    )
    assert "no such folder" in refused("./none")


def test_a_file_is_told_to_be_one(chat_model):
    assert "is a file" in refused(chat_model / "config.json")


def test_a_folder_without_a_config_is_no_model(tmp_path):
    assert "no config.json" in refused(tmp_path)


def test_a_folder_without_weights_is_incomplete(tmp_path, make_chat_model):
    folder = make_chat_model(tmp_path / "empty")
    (folder / "model.safetensors").unlink()
    assert "has no model.safetensors" in refused(folder)


@pytest.mark.parametrize("named", ["../model.safetensors", "model.bin", "/etc/passwd", "gone.safetensors"])
def test_an_index_that_points_elsewhere_is_not_followed(tmp_path, make_chat_model, named):
    folder = make_chat_model(tmp_path / "indexed")
    (folder / "model.safetensors").rename(tmp_path / "model.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": named}}))
    assert named in refused(folder)


def test_weights_that_are_missing_are_not_made_up(tmp_path, make_chat_model):
    from safetensors.torch import load_file, save_file

    folder = make_chat_model(tmp_path / "partial")
    weights = load_file(folder / "model.safetensors")
    weights.pop("model.norm.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert "partial lacks 1 weights, such as model.norm.weight" in refused(folder)


def test_a_tokenizer_that_is_missing_is_not_made_up(tmp_path, make_chat_model):
    folder = make_chat_model(tmp_path / "mute")
    (folder / "tokenizer.json").unlink()
    assert "mute has no tokenizer" in refused(folder)


def test_a_tokenizer_of_sentencepiece_alone_needs_its_library_or_reads(tmp_path, make_chat_model):
    folder = make_chat_model(tmp_path / "pieces")
    (folder / "tokenizer.json").rename(folder / "spiece.model")
    try:
        import google.protobuf  # noqa: F401
        import sentencepiece  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match=r"reading the tokenizer of .*pieces needs \w+, which"):
            find_model(folder)
    else:
        assert find_model(folder) == folder


def test_a_t5_reads_with_the_tokenizer_of_sentencepiece_alone(tmp_path, t5_model):
    sentencepiece = pytest.importorskip("sentencepiece", reason="sentencepiece is not installed")
    pytest.importorskip("google.protobuf", reason="protobuf is not installed")
    folder = Path(shutil.copytree(t5_model, tmp_path / "pieces"))
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "T5Tokenizer", "extra_ids": 0})
    )
    with (folder / "spiece.model").open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a calm voice", "an angry voice"] * 20),
            model_writer=file,
            vocab_size=18,
            pad_id=0,
            eos_id=1,
            unk_id=2,
            bos_id=-1,
            minloglevel=2,
        )
    tokens = loaded(folder).tokenizer("a calm voice").input_ids
    assert loaded(folder).tokenizer.decode(tokens, skip_special_tokens=True) == "a calm voice"
    assert 2 not in tokens


def test_a_tokenizer_of_another_model_is_told(tmp_path, make_chat_model):
    folder = make_chat_model(tmp_path / "mixed")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["added_tokens"].append({**tokenizer["added_tokens"][0], "id": 5_000, "content": "<|new|>"})
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert "mixed: its tokenizer knows" in refused(folder)


def test_a_device_that_is_not_there_is_one_sentence(chat_model):
    assert "device 'nowhere' cannot be used here" in refused(chat_model, device="nowhere")


def test_a_model_is_loaded_once_in_a_process(chat_model):
    assert loaded(chat_model) is loaded(chat_model)


def test_a_config_tells_models_that_read_apart_from_what_they_write(chat_model, t5_model):
    assert not loaded(chat_model).encoder_decoder
    assert loaded(t5_model).encoder_decoder


def test_a_hub_that_cannot_be_reached_is_one_sentence(tmp_path):
    script = (
        "from budew.paraphrase.local.files import find_model\nfrom budew.errors import JobError\n"
        "try: find_model('owner/name', revision='main')\nexcept JobError as error: print(error)"
    )
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.stdout.count("\n") == 1, done.stderr
    assert "HF_HUB_OFFLINE is set): unset it, or give a local folder" in done.stdout
