import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from budew.errors import CheckpointError
from budew.model.checkpoint import load_checkpoint


def index_of(part: object) -> str:
    return json.dumps({"metadata": {}, "weight_map": {"proj_out.weight": part}})


OUTSIDE = ["../outside.bin", "pytorch_model.bin", "/etc/passwd", "sub/model.safetensors", "", 3, None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        *((index_of(part), "only safetensors files beside it") for part in OUTSIDE),
        *((text, r"index\.json") for text in ("", "[]", "{}", '{"weight_map": 3}', "[" * 100_000)),
    ],
)
def test_an_index_opens_nothing_but_safetensors_beside_it(folder, text, message):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    (folder / "model.safetensors.index.json").write_text(text)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(folder)


def test_pickled_weights_are_never_opened(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch opened'\ntR.")
    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin.*convert them"):
        load_checkpoint(folder, device="cpu")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "wav2vec2"}, "'wav2vec2' model"),
        ({"architectures": ["WhisperForAudioClassification"]}, "writes no captions"),
        *(({"architectures": wrong}, "writes no captions") for wrong in (5, "whisper", {"a": 1}, [5], [[]])),
        ({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}, "quantized"),
        ({"encoder_layers": 200, "d_model": 4096}, r"[\d,.]+ million parameters, its weights have 0\.\d MB"),
    ],
)
def test_a_config_of_another_model_is_refused(folder, edit, changes, message):
    edit(folder / "config.json", **changes)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(folder, device="cpu")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("encoder_layers", 10**6),
        ("d_model", 10**9),
        ("vocab_size", -1),
        ("decoder_layers", 1.5),
        ("decoder_layers", True),
        ("max_source_positions", 10**30),
        ("encoder_ffn_dim", None),
    ],
)
def test_sizes_that_no_whisper_has_are_refused_before_they_are_built(folder, edit, setting, value):
    edit(folder / "config.json", **{setting: value})
    with pytest.raises(CheckpointError, match=rf"config\.json says {setting}: "):
        load_checkpoint(folder, device="cpu")


@pytest.mark.parametrize("setting", ["n_fft", "feature_size", "chunk_length", "hop_length", "sampling_rate"])
@pytest.mark.parametrize("value", [10**9, 0, "many"])
def test_an_extractor_beyond_measure_is_refused_before_it_is_built(folder, edit, setting, value):
    extractor = json.loads((folder / "processor_config.json").read_text())["feature_extractor"]
    edit(folder / "processor_config.json", feature_extractor=extractor | {setting: value})
    with pytest.raises(CheckpointError, match=rf"processor_config\.json says {setting}: "):
        load_checkpoint(folder, device="cpu")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(folder, value):
    weights = load_file(folder / "model.safetensors")
    name = "model.decoder.layers.0.fc1.weight"
    weights[name][0, 0] = torch.tensor(value)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(CheckpointError, match=rf"not all of {name} are numbers"):
        load_checkpoint(folder, device="cpu")
