"""Several checkpoints in one pass write what each writes alone, and share what they can."""

import json
import shutil

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from budew.cli import app
from budew.corpora import read, write_shard
from budew.errors import InputError
from budew.inference import Captioner, backends
from budew.inference.caption_corpus import CaptionClips
from budew.inference.options import ModelOptions
from budew.io.resources import data_folder
from budew.jobs import run
from budew.model.checkpoint import identity
from tests.trained import TINY_SYNTHETIC


@pytest.fixture(scope="module")
def clips():
    return list(read(data_folder("demo_clips") / "clips.tar"))[:4]


@pytest.fixture(scope="module")
def experts(tmp_path_factory):
    """A trained checkpoint, and one whose decoder or encoder is another."""
    folders = [TINY_SYNTHETIC]
    for part in ("decoder", "encoder"):
        folder = tmp_path_factory.mktemp("expert") / part
        shutil.copytree(folders[0], folder)
        weights = load_file(folder / "model.safetensors")
        name = f"model.{part}.layers.0.fc1.weight"
        weights[name] = weights[name] + 0.3
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        folders.append(folder)
    return folders


def captions(model, clips, **options):
    return list(Captioner.from_pretrained(model, device="cpu", **options).caption_clips(clips))


def test_a_caption_joins_theirs_and_equal_encoders_run_once(experts, clips, monkeypatch):
    alone = [captions(one, clips, num_samples=2) for one in experts]
    runs, encode = [], backends.encode
    monkeypatch.setattr(backends, "encode", lambda *args: runs.append(args[0].name) or encode(*args))
    together = captions(experts, clips, num_samples=2)
    assert sorted(set(runs)) == sorted({experts[0].name, "encoder"})
    for results in zip(together, *alone, strict=True):
        (window, *theirs) = (result.windows[0] for result in results)
        assert window.text.split() == " ".join(one.text for one in theirs).split()
        assert len(window.samples) == 2
    assert len({result.caption for results in alone for result in results}) > len(clips)


def test_a_corpus_and_the_command_take_several(experts, clips, tmp_path, capsys):
    write_shard(tmp_path / "in" / "a.tar", clips)
    run(CaptionClips(ModelOptions(tuple(experts[:2]))), tmp_path / "in", tmp_path / "out", workers=0)
    expected = [result.caption for result in captions(experts[:2], clips)]
    (first, *_) = done = list(read(tmp_path / "out"))
    assert [clip.captions[-1].text for clip in done] == expected
    assert first.captions[-1].made_by["weights"] == " + ".join(map(identity, experts[:2]))
    models = [word for one in experts[:2] for word in ("--model", str(one))]
    app(["caption", str(tmp_path / "in"), *models, "--format", "jsonl"], standalone_mode=False)
    assert [json.loads(line)["caption"] for line in capsys.readouterr().out.splitlines()] == expected


def test_windows_of_other_kinds_are_refused(experts, whisper_folder):
    with pytest.raises(InputError, match=TINY_SYNTHETIC.name):
        Captioner.from_pretrained([experts[0], whisper_folder])
    (one,) = Captioner.from_pretrained(experts[:1])([np.zeros(16_000)], sampling_rate=16_000)
    assert one.windows[0].silent
