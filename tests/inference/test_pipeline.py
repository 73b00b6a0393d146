"""The task of transformers: every kind of input, every format, with this package and without it."""

import io
import os
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import torch
from transformers import pipeline

from budew.audio.samples import decode
from budew.corpora import read
from budew.errors import AudioError
from budew.inference import Captioner, register_pipeline
from budew.io.resources import data_folder
from budew.model.saving import add_pipeline
from budew.taxonomy import EMOTIONS
from tests.inference.conftest import RATE, sound
from tests.trained import TINY_SYNTHETIC

register_pipeline()

WITHOUT_BUDEW = """
import sys

class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "budew":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from transformers import pipeline
captions = pipeline(model=sys.argv[1], trust_remote_code=True, device="cpu")
for path in sys.argv[2:]:
    print(captions(path)["caption"].replace(chr(10), "|"))
with open(sys.argv[2], "rb") as file:
    print(captions([file.read()], batch_size=2)[0]["caption"].replace(chr(10), "|"))
print("budew" in sys.modules)
"""


@pytest.fixture(scope="module")
def formats(tmp_path_factory):
    """The same second of sound in each format, at several rates and with one or two channels."""
    folder = tmp_path_factory.mktemp("formats")
    files = {"16000_1.wav": 1, "16000_2.wav": 2, "8000_1.flac": 1, "192000_2.flac": 2, "44100_1.mp3": 1}
    for name, channels in {**files, "48000_1.ogg": 1}.items():
        rate = int(name.partition("_")[0])
        soundfile.write(folder / name, np.repeat(sound(1, 1.0, rate)[:, None], channels, axis=1), rate)
    with av.open(str(folder / "a.m4a"), "w") as container:
        track = container.add_stream("aac", rate=44_100, layout="mono")
        frame = av.AudioFrame.from_ndarray(sound(1, 1.0, 44_100)[None], format="flt", layout="mono")
        frame.sample_rate = 44_100
        container.mux([*track.encode(frame), *track.encode(None)])
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def captions(whisper_folder):
    return pipeline("emotion-captioning", model=str(whisper_folder), device="cpu", dtype="float32")


def test_every_format_as_path_bytes_file_and_mapping_is_captioned_without_ffmpeg(
    captions, captioner, formats, monkeypatch
):
    monkeypatch.setenv("PATH", "/nowhere")
    expected = [captioner(path).caption for path in formats]
    of_bytes = [path.read_bytes() for path in formats]
    for inputs in (
        formats,
        list(map(str, formats)),
        of_bytes,
        list(map(io.BytesIO, of_bytes)),
        [{"bytes": encoded, "path": None} for encoded in of_bytes],
        [{"bytes": None, "path": str(path)} for path in formats],
    ):
        assert [one["caption"] for one in captions(inputs, batch_size=5)] == expected


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2)])
def test_arrays_and_tensors_of_any_rate_are_captioned(captions, captioner, rate, channels):
    samples = np.repeat(sound(2, 1.0, rate)[None], channels, axis=0).squeeze()
    expected = captioner(samples, sampling_rate=rate).caption
    assert captions({"array": samples, "sampling_rate": rate})["caption"] == expected
    assert captions({"raw": samples, "sampling_rate": rate})["caption"] == expected
    assert captions(samples, sampling_rate=rate)["caption"] == expected
    assert captions(torch.from_numpy(samples), sampling_rate=rate)["caption"] == expected


def test_a_list_gives_a_list_and_a_generator_or_dataset_an_iterator(captions, formats):
    class Sounds(torch.utils.data.Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, place):
            return str(formats[place])

    one = captions(str(formats[0]))
    assert one == captions([str(formats[0])])[0]
    assert {"caption", "emotions", "bursts", "traits"} <= one.keys()
    of_list = captions([str(path) for path in formats[:3]])
    for streamed in (captions(str(path) for path in formats[:3]), captions(Sounds())):
        assert not isinstance(streamed, list)
        assert list(streamed) == of_list


def test_options_of_the_pipeline_and_of_a_call_reach_the_captioner(captions, whisper_folder, make_sound):
    long = {"array": make_sound(3, 5.0), "sampling_rate": RATE}
    scored = captions(long, scores=True, num_beams=3, num_samples=2)
    settings = {"device": "cpu", "dtype": "float32", "num_beams": 3, "num_samples": 2}
    captioner = Captioner.from_pretrained(whisper_folder, **settings)
    result = captioner(long)
    assert scored["caption"] == result.caption
    assert list(scored["scores"]) == list(EMOTIONS)
    assert np.allclose(list(scored["scores"].values()), result.expected.vector())
    assert len(scored["windows"]) == 3
    given = {"device": "cpu", "dtype": "float32", "num_beams": 3}
    beams = pipeline("emotion-captioning", model=str(whisper_folder), **given)
    assert beams(long)["caption"] == result.caption != captions(long)["caption"]
    with pytest.raises(TypeError, match="temperature"):
        captions(long, temperature=2)
    with pytest.raises(AudioError):
        captions(b"no audio")


def test_a_datasets_map_function(captions, formats):
    from datasets import Audio, Dataset

    paths = {"audio": [str(path) for path in formats[:4]]}
    sounds = Dataset.from_dict(paths).cast_column("audio", Audio(decode=False))
    mapped = sounds.map(
        lambda rows: {"caption": [one["caption"] for one in captions(rows["audio"])]}, batched=True
    )
    assert mapped["caption"] == [one["caption"] for one in captions(paths["audio"])]


@pytest.mark.parametrize("precision", [None, "float16"])
def test_pipeline_and_captioner_say_the_same_of_short_and_long_recordings(monkeypatch, formats, precision):
    if precision is not None:
        monkeypatch.setattr("budew.model.checkpoint.fastest", lambda _: precision)
    clips = [clip.audio for clip in islice(read(data_folder("demo_clips") / "clips.tar"), 3)]
    film = np.concatenate([decode(clip).samples for clip in clips])
    captions, captioner = (
        pipeline("emotion-captioning", device="cpu"),
        Captioner.from_pretrained(device="cpu"),
    )
    assert captions.model.dtype == captioner.backend.checkpoint.model.dtype
    for audio in (*clips, *formats, {"array": film, "sampling_rate": 16_000}):
        expected = captioner(audio).to_dict()
        del expected["source"], expected["duration"]
        assert captions(audio) == expected
    assert "model_caption" in str(captions({"array": film, "sampling_rate": 16_000}))


def test_the_default_checkpoint_is_used_and_other_tasks_are_as_before(make_sound):
    captions = pipeline("emotion-captioning", device="cpu")
    folder = captions.model.name_or_path
    assert folder == str(TINY_SYNTHETIC)
    stock = pipeline("automatic-speech-recognition", model=folder, device="cpu")
    sound = {"raw": make_sound(1, 1.0), "sampling_rate": RATE}
    assert captions(sound)["caption"] == stock(dict(sound))["text"]


@pytest.mark.long
def test_a_saved_checkpoint_captions_without_this_package(formats, tmp_path):
    folder = Path(shutil.copytree(TINY_SYNTHETIC, tmp_path / "carried"))
    add_pipeline(folder)
    with_budew = pipeline("emotion-captioning", model=str(folder), device="cpu")
    paths = [str(path) for path in formats if path.suffix != ".ogg"]
    expected = [with_budew(path)["caption"] for path in paths]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_BUDEW, folder, *paths],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HOME": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1", "PATH": "/nowhere"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *written, present = done.stdout.rstrip().split("\n")
    assert present == "False"
    assert written[-1] == written[0]
    assert all(written)
    for path, text, ours in zip(paths, written[:-1], expected, strict=True):
        assert text == ours or "16000_" not in path  # its resampler is another
