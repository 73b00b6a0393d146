"""A LoRA adapter loads as its base with the adapter merged in, and whatever else it may be is refused."""

import json
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from budew.errors import CheckpointError, MissingExtraError
from budew.model.adapt import Lora, set_prefix, set_trained, set_window
from budew.model.checkpoint import identity, load_checkpoint
from budew.model.generate import features_of
from tests.model.published_layout import write_published_tiny

SOUND = np.random.default_rng(0).normal(0, 0.1, 80_000).astype(np.float32)


def adapt(base: Path, folder: Path, *, rank: int = 4, window: int | None = None):
    """Save an adapter of random weights for `base` in `folder`; return the model with it, not merged."""
    checkpoint = load_checkpoint(base, device="cpu")
    model, processor = checkpoint.model, checkpoint.processor
    if window:
        processor = set_window(model, processor, window)
        set_prefix(model, processor.tokenizer)
        model.generation_config.trained_with_prompts = True
        model.generation_config.save_pretrained(folder)
        processor.save_pretrained(folder)
        processor.feature_extractor.save_pretrained(folder)
    adapted = set_trained(model, "lora", Lora(rank=rank, alpha=2 * rank)).eval()
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 0.02, generator=torch.Generator().manual_seed(rank))
    adapted.save_pretrained(folder)
    return adapted


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A published Whisper and an adapter of 8 s windows beside it, which names it by a relative path."""
    folder = tmp_path_factory.mktemp("adapted")
    base = write_published_tiny(folder / "base", layers=2)
    apart = adapt(base, folder / "adapter", window=8)
    write(folder / "adapter", base_model_name_or_path="../base")
    return folder / "adapter", apart


@pytest.fixture
def adapter(whisper_folder, tmp_path):
    """An adapter of the tiny checkpoint, to spoil; nothing is saved beside it."""
    adapt(whisper_folder, tmp_path / "adapter")
    return tmp_path / "adapter"


def write(folder: Path, **changes: object) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def logits(model, features, tokens=(50258, 50259, 50359, 50363)) -> torch.Tensor:
    with torch.inference_mode():
        return model(input_features=features, decoder_input_ids=torch.tensor([tokens])).logits


def test_merged_it_computes_what_peft_does_with_the_window_prefix_and_config_saved_beside_it(published):
    folder, apart = published
    checkpoint = load_checkpoint(folder, device="cpu")
    assert (checkpoint.window_seconds, checkpoint.trained_with_prompts) == (8, True)
    assert checkpoint.model.generation_config.suppress_tokens is None
    assert not any("lora" in name for name, _ in checkpoint.model.named_parameters())
    features = features_of(checkpoint, [SOUND])
    assert features.shape == (1, 80, 800)
    merged = logits(checkpoint.model, features)
    assert (merged - logits(apart, features)).abs().max() < 1e-5
    with apart.disable_adapter():
        assert (merged - logits(apart, features)).abs().max() > 1e-2


def test_without_files_beside_it_it_has_those_of_its_base_and_prints_nothing(whisper_folder, adapter, capfd):
    capfd.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own = load_checkpoint(adapter, device="cpu")
    assert capfd.readouterr() == ("", "")
    base = load_checkpoint(whisper_folder, device="cpu")
    assert (own.name, own.window_seconds, own.sampling_rate) == ("adapter", 2, 16_000)
    assert own.model.generation_config == base.model.generation_config
    assert own.processor.tokenizer.get_vocab() == base.processor.tokenizer.get_vocab()
    features = features_of(own, [SOUND])
    assert not torch.equal(logits(own.model, features, (1, 2)), logits(base.model, features, (1, 2)))


def test_scale_and_rank_of_each_layer_are_those_of_its_config(whisper_folder, tmp_path):
    peft = pytest.importorskip("peft")
    layer = "decoder.layers.0.self_attn.q_proj"
    for number, options in enumerate(
        ({"use_rslora": True}, {"rank_pattern": {layer: 3}}, {"alpha_pattern": {layer: 64}})
    ):
        settings = peft.LoraConfig(
            r=4, lora_alpha=16, target_modules=["q_proj", "fc1"], init_lora_weights=False, **options
        )
        apart = peft.get_peft_model(load_checkpoint(whisper_folder, device="cpu").model, settings).eval()
        apart.save_pretrained(tmp_path / str(number))
        checkpoint = load_checkpoint(tmp_path / str(number), device="cpu")
        features = features_of(checkpoint, [SOUND])
        ours, theirs = (logits(model, features, (1, 2)) for model in (checkpoint.model, apart))
        assert torch.allclose(ours, theirs, atol=1e-4 * float(theirs.abs().max()))


def test_adapters_of_one_base_bases_and_scales_have_identities_of_their_own(
    whisper_folder, make_whisper, tmp_path
):
    for rank in (4, 5):
        adapt(whisper_folder, tmp_path / str(rank), rank=rank)
    seen = [identity(path) for path in (whisper_folder, tmp_path / "4", tmp_path / "5")]
    write(tmp_path / "4", lora_alpha=9)
    seen.append(identity(tmp_path / "4"))
    other = make_whisper(tmp_path / "other", seconds=1)
    write(tmp_path / "4", base_model_name_or_path="../other")
    seen.append(identity(tmp_path / "4"))
    torch_weights = load_file(other / "model.safetensors")
    save_file({**torch_weights, "proj_out.weight": torch.zeros(1)}, other / "model.safetensors")
    seen.append(identity(tmp_path / "4"))
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    "changes",
    [
        {"peft_type": "ADALORA"},
        {"peft_type": None},
        {"r": 0},
        {"r": 10**6},
        {"r": 8},  # the weights have rank 4
        {"lora_alpha": float("inf")},
        {"rank_pattern": {"(a+)+$": 4}},
        {"alpha_pattern": {"(a+)+$": 4}},
        {"rank_pattern": {"q_proj": 10**6}},
        {"use_dora": True},
        {"bias": "all"},
        {"modules_to_save": ["proj_out"]},
        {"init_lora_weights": "pissa"},
        {"megatron_config": {"a": 1}},
        {"base_model_name_or_path": None},
        {"base_model_name_or_path": "./nowhere"},
    ],
)
def test_a_config_that_is_none_of_a_plain_adapter_is_one_line_that_names_it(adapter, changes):
    write(adapter, **changes)
    with pytest.raises(CheckpointError, match=r"^adapter") as caught:
        load_checkpoint(adapter, device="cpu")
    assert "\n" not in str(caught.value)


def test_code_that_a_config_names_is_not_imported(adapter, tmp_path, monkeypatch):
    (tmp_path / "evil.py").write_text("raise SystemExit('ran')")
    monkeypatch.syspath_prepend(tmp_path)
    write(
        adapter,
        auto_mapping={"base_model_class": "Evil", "parent_library": "evil"},
        megatron_core="evil",
        target_modules="(a+)+$",
    )
    assert load_checkpoint(adapter, device="cpu").window_seconds == 2


FIRST = "base_model.model.model.decoder.layers.0.self_attn.q_proj.lora_{}.weight"


@pytest.mark.parametrize(
    "changes",
    [
        {FIRST.format("A"): torch.zeros(4, 33)},
        {FIRST.format("A"): torch.zeros(4, 32, 1)},
        {FIRST.format("B"): torch.zeros(32, 5)},
        {FIRST.format("A"): torch.zeros(5, 32), FIRST.format("B"): torch.zeros(32, 5)},
        {FIRST.format("A"): torch.zeros(0, 32), FIRST.format("B"): torch.zeros(32, 0)},
        {FIRST.format("B"): None},
        {FIRST.format("A").replace(".0.", ".7."): torch.zeros(4, 32)},
        {"base_model.model.model.encoder.conv1.lora_A.weight": torch.zeros(4, 16)},
        {"base_model.model.proj_out.weight": torch.zeros(2)},
        {FIRST.format("A"): torch.full((4, 32), torch.nan)},
    ],
)
def test_weights_of_another_architecture_size_or_rank_are_refused(adapter, changes):
    weights = load_file(adapter / "adapter_model.safetensors") | changes
    kept = {key: value for key, value in weights.items() if value is not None}
    save_file(kept, adapter / "adapter_model.safetensors")
    with pytest.raises(CheckpointError, match=r"^adapter"):
        load_checkpoint(adapter, device="cpu")


def test_pickled_weights_are_never_opened(adapter):
    (adapter / "adapter_model.safetensors").unlink()
    (adapter / "adapter_model.bin").write_bytes(b"cos\nsystem\n(S'touch opened'\ntR.")
    with pytest.raises(CheckpointError, match=r"no adapter_model\.safetensors"):
        load_checkpoint(adapter, device="cpu")


def test_the_base_is_checked_as_any_checkpoint_and_is_no_adapter(adapter, whisper_folder, tmp_path):
    base = Path(shutil.copytree(whisper_folder, tmp_path / "base"))
    write(adapter, base_model_name_or_path="../base")
    assert load_checkpoint(adapter, device="cpu").window_seconds == 2
    (base / "adapter_config.json").write_text((adapter / "adapter_config.json").read_text())
    for folder in (adapter, base):
        with pytest.raises(CheckpointError, match=r"^base: adapter_config\.json"):
            load_checkpoint(folder, device="cpu")
    (base / "adapter_config.json").unlink()
    (base / "model.safetensors").rename(base / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"^base has no model\.safetensors"):
        load_checkpoint(adapter, device="cpu")


def test_a_tokenizer_or_an_extractor_alone_is_taken_from_beside_it(adapter, whisper_folder):
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(whisper_folder / file, adapter)
    edited = (adapter / "tokenizer.json").read_text().replace('"<|nospeech|>"', '"<|hush|>"')
    (adapter / "tokenizer.json").write_text(edited)
    config = (adapter / "tokenizer_config.json").read_text().replace("<|nospeech|>", "<|hush|>")
    (adapter / "tokenizer_config.json").write_text(config)
    assert "<|hush|>" in load_checkpoint(adapter, device="cpu").processor.tokenizer.get_vocab()
    (adapter / "tokenizer.json").unlink()
    settings = json.loads((whisper_folder / "processor_config.json").read_text())["feature_extractor"]
    (adapter / "preprocessor_config.json").write_text(json.dumps(settings | {"dither": 0.25}))
    processor = load_checkpoint(adapter, device="cpu").processor
    assert processor.feature_extractor.dither == 0.25
    assert "<|nospeech|>" in processor.tokenizer.get_vocab()


def test_a_window_beyond_measure_or_of_other_features_is_refused(adapter, whisper_folder):
    for changes in ({"chunk_length": 31, "n_samples": 31 * 16_000}, {"feature_size": 80}, {"n_fft": 10**9}):
        settings = json.loads((whisper_folder / "processor_config.json").read_text())["feature_extractor"]
        (adapter / "preprocessor_config.json").write_text(json.dumps(settings | changes))
        with pytest.raises(CheckpointError, match=r"^adapter"):
            load_checkpoint(adapter, device="cpu")


def test_without_peft_it_says_what_to_install(adapter, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingExtraError, match="budew"):
        load_checkpoint(adapter, device="cpu")
