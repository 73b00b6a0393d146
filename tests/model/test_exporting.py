"""An exported checkpoint writes what the original writes, and what cannot be exported leaves nothing."""

import json
import shutil

import pytest
from transformers import pipeline

from budew.cli import app
from budew.corpora import read
from budew.errors import CheckpointError, InputError
from budew.evaluation.parity import compare_captions
from budew.inference import Captioner
from budew.inference.loading import load_backend
from budew.inference.options import ModelOptions
from budew.io.resources import data_folder
from budew.model.checkpoint import load_checkpoint
from budew.model.exporting import FORMATS, export_checkpoint
from tests.trained import TINY_SYNTHETIC, check_duties

CLOSE = 1e-3
"""Difference of logits (their range is about 30) by the order of additions alone."""


@pytest.fixture(scope="module")
def clips():
    return list(read(data_folder("demo_clips") / "clips.tar"))


@pytest.fixture(scope="module")
def original():
    return load_checkpoint(device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """A trained checkpoint as one that takes windows of any length."""
    folder = tmp_path_factory.mktemp("short") / "checkpoint"
    shutil.copytree(TINY_SYNTHETIC, folder)
    settings = folder / "generation_config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"short_windows": True}))
    return folder


@pytest.fixture(scope="module")
def onnx(short, tmp_path_factory):
    return export_checkpoint(tmp_path_factory.mktemp("exported") / "onnx", to="onnx", model=short)


def captions(captioner, clips):
    return [result.caption for result in captioner.caption_clips(clips)]


@pytest.mark.long
def test_graphs_write_and_draw_the_same_captions_with_beams_and_prompts_in_windows_of_any_length(
    onnx, short, clips
):
    for options in ({"num_beams": 3, "style": "tags"}, {"num_samples": 2, "batch_size": 5}):
        here, there = (
            list(Captioner.from_pretrained(model, dtype=dtype, **options).caption_clips(clips[:8]))
            for model, dtype in ((short, "float32"), (onnx, None))
        )
        assert [one.caption for one in here] == [one.caption for one in there]
        assert [one.expected for one in here] == [one.expected for one in there]


@pytest.mark.parametrize(
    "to",
    [
        pytest.param("onnx", marks=pytest.mark.long),
        pytest.param("openvino", marks=pytest.mark.long),
        "ct2",
        "merged",
    ],
)
def test_captions_are_the_same_and_logits_close(to, original, clips, tmp_path):
    out = export_checkpoint(tmp_path / to, to=to)
    found = compare_captions(
        original,
        load_backend(ModelOptions(out, device="cpu", dtype=None if to == "onnx" else "float32")),
        clips,
    )
    assert (found.clips, found.same) == (16, 1)
    assert found.spearman == found.reference_spearman > 0.5
    assert found.logits < CLOSE


@pytest.mark.long
@pytest.mark.parametrize(
    ("to", "dtype"),
    [(to, dtype) for to, dtypes in FORMATS.items() for dtype in dtypes if (to, dtype) != ("ct2", "float16")],
)
def test_every_format_and_precision_hears_what_the_original_does(to, dtype, original, clips, tmp_path):
    out = export_checkpoint(tmp_path / to, to=to, dtype=dtype)
    found = compare_captions(original, load_backend(ModelOptions(out, device="cpu")), clips)
    assert found.same > 0.6
    assert abs(found.spearman - found.reference_spearman) < 0.03


def test_the_merged_folder_opens_without_this_package(tmp_path, clips, original):
    out = export_checkpoint(tmp_path / "merged", to="merged", dtype="float16")
    stock = pipeline("automatic-speech-recognition", model=str(out), device="cpu")
    assert stock.model.dtype.itemsize == 2
    assert {file.name for file in out.iterdir()} >= {
        "model.safetensors",
        "emotion_captioning.py",
        "tokenizer.json",
    }


def test_the_command_keeps_how_the_captions_compare(capsys, tmp_path):
    app(["export", "merged", str(tmp_path / "out"), "--clips", "2"], standalone_mode=False)
    assert "same captions" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "parity.json").read_text())["clips"] == 2


def test_what_cannot_be_exported_is_one_error_and_leaves_nothing(tmp_path):
    (tmp_path / "there").mkdir()
    for out, to, dtype, kind in (
        ("there", "onnx", "float32", CheckpointError),
        ("new", "onnx", "float16", InputError),
        ("new", "gguf", "float32", InputError),
    ):
        with pytest.raises(kind):
            export_checkpoint(tmp_path / out, to=to, dtype=dtype)
    with pytest.raises(CheckpointError):
        export_checkpoint(tmp_path / "new", to="onnx", model=tmp_path / "there")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@pytest.mark.long
def test_graphs_hold_no_paths_of_the_machine_that_exported_them(onnx):
    check_duties(onnx)
    assert not any(b".py" in file.read_bytes() for file in onnx.glob("*.onnx"))


@pytest.mark.long
def test_damaged_graphs_are_one_error(onnx, tmp_path):
    with pytest.raises(InputError):
        Captioner.from_pretrained(onnx, dtype="int8")
    damaged = tmp_path / "damaged"
    shutil.copytree(onnx, damaged)
    (damaged / "decoder_model.onnx").write_bytes(b"no graph")
    with pytest.raises(CheckpointError, match="decoder_model"):
        Captioner.from_pretrained(damaged)
    (damaged / "decoder_model.onnx").unlink()
    with pytest.raises(CheckpointError, match="decoder_model"):
        Captioner.from_pretrained(damaged)
