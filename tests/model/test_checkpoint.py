import json
import shutil
import warnings
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file

from budew.errors import CheckpointError
from budew.model.checkpoint import choose_device, identity, is_on_hub, load_checkpoint
from budew.training.devices import accelerated


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


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(folder, value):
    weights = load_file(folder / "model.safetensors")
    weights["model.decoder.layers.0.fc1.weight"][0, 0] = torch.tensor(value)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(CheckpointError, match=r"model\.decoder\.layers\.0\.fc1.* contain NaN"):
        load_checkpoint(folder, device="cpu")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.safetensors", b"\xff" * 64),
        ("config.json", b"{"),
        ("config.json", b"[]"),
        ("config.json", b"[" * 300_000),
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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "wav2vec2"}, "'wav2vec2' model"),
        ({"architectures": ["WhisperForAudioClassification"]}, "writes no captions"),
        ({"architectures": [[]]}, "writes no captions"),
        ({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}, "quantized"),
        ({"encoder_layers": 200, "d_model": 4096}, r"[\d,.]+ million parameters, its weights have 0\.\d MB"),
        ({"encoder_layers": 10**6}, r"config\.json: encoder_layers\b"),
        ({"vocab_size": -1}, r"config\.json: vocab_size\b"),
        ({"decoder_layers": 1.5}, r"config\.json: decoder_layers\b"),
        ({"decoder_layers": True}, r"config\.json: decoder_layers\b"),
        ({"encoder_ffn_dim": None}, r"config\.json: encoder_ffn_dim\b"),
        ({"d_model": "wide"}, r"config\.json: d_model\b"),
        ({"eos_token_id": 5}, "end a text"),
    ],
)
def test_a_config_of_another_model_or_size_is_refused(folder, edit, changes, message):
    edit(folder / "config.json", **changes)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(folder, device="cpu")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        *(
            ({name: 10**9}, rf"processor_config\.json: {name}\b")
            for name in ("n_fft", "chunk_length", "hop_length", "sampling_rate")
        ),
        ({"feature_size": 0}, r"processor_config\.json: feature_size\b"),
        ({"feature_size": "many"}, r"processor_config\.json: feature_size\b"),
        ({"feature_size": 80}, "80 mel bands and 100 frames, its encoder expects 16 and 100"),
        ({"chunk_length": 30, "n_samples": 480_000}, "16 mel bands and 1500 frames"),
    ],
)
def test_an_extractor_beyond_measure_or_of_another_model_is_refused(folder, edit, changes, message):
    path = folder / "processor_config.json"
    edit(path, feature_extractor=json.loads(path.read_text())["feature_extractor"] | changes)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(folder, device="cpu")


@pytest.mark.parametrize(
    "part", ["../outside.bin", "pytorch_model.bin", "/etc/passwd", "sub/model.safetensors", 3]
)
def test_an_index_opens_nothing_but_safetensors_beside_it(folder, part):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    index = {"metadata": {}, "weight_map": {"proj_out.weight": part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match="other files than safetensors"):
        load_checkpoint(folder)


def test_pickled_weights_are_never_opened(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch opened'\ntR.")
    with pytest.raises(CheckpointError, match=r"no model\.safetensors.*convert them"):
        load_checkpoint(folder, device="cpu")


@pytest.mark.parametrize(
    ("name", "device", "message"),
    [
        ("./nowhere", "cpu", "no such folder"),
        ("", "cpu", r"no config\.json"),
        ("file", "cpu", "no such folder"),
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
        ("someone/tiny", "someone/tiny is not.*HF_HUB_OFFLINE.*local folder[^\n]*$"),
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


@pytest.mark.parametrize(
    ("available", "device"),
    [
        ("cuda xpu mps", "cuda"),
        ("cuda", "cuda"),
        ("xpu", "xpu"),
        ("xpu mps", "xpu"),
        ("mps", "mps"),
        ("", "cpu"),
    ],
)
def test_the_fastest_device_is_chosen(monkeypatch, available, device):
    for name, module in {"cuda": "cuda", "xpu": "xpu", "mps": "backends.mps"}.items():
        monkeypatch.setattr(f"torch.{module}.is_available", lambda name=name: name in available)
    assert choose_device(None).type == device
    assert accelerated() == (device != "cpu")
    assert choose_device("cpu").type == "cpu"


@pytest.mark.skipif(torch.xpu.is_available(), reason="there is a GPU of Intel")
def test_a_gpu_of_intel_that_is_not_there_is_an_error_with_the_reason():
    with pytest.raises(
        CheckpointError, match=r"device 'xpu' cannot be used here \(.*XPU.*\): try device='cpu'"
    ):
        choose_device("xpu")


def test_the_identity_is_that_of_the_weights_or_the_hub_id(folder):
    before = identity(folder)
    assert before == identity(str(folder)) != identity(None)
    (folder / "model.safetensors").write_bytes(b"other")
    assert identity(folder) != before
    assert identity("someone/tiny") == "someone/tiny"
    assert is_on_hub("someone/tiny")
    for here in (folder, str(folder), "someone", "a/b/c"):
        assert not is_on_hub(here)
