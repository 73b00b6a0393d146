"""Every backend writes what transformers writes in single precision, or nearly so."""

import json
import shutil

import numpy as np
import pytest
import torch

from budew.audio.samples import decode
from budew.captions import parse
from budew.corpora import read
from budew.errors import BudewError, CheckpointError, InputError
from budew.inference import Captioner
from budew.inference.backends import DecodingOptions
from budew.inference.file_captioning import caption_files
from budew.inference.loading import load_backend
from budew.inference.options import ModelOptions, WritingOptions
from budew.inference.repetition import repetition_stop, without_repetition
from budew.io.disk import user_cache
from budew.io.resources import data_folder
from budew.model.checkpoint import load_checkpoint
from budew.model.converted import convert_to_ctranslate2, load_converted
from budew.model.generate import encode, features_of, generate, generation_settings
from tests.conftest import needs_precision
from tests.inference.conftest import RATE

PROMPT = "tags, emotions"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """The folder where converted checkpoints are kept."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    if not folder.exists():
        (folder / "budew").mkdir(parents=True)
        (folder / "budew" / "precision").symlink_to(user_cache() / "precision")  # its trials take seconds
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "budew" / "ctranslate2"


@pytest.fixture(scope="module")
def speech():
    """Twelve bundled clips, samples."""
    clips = list(read(data_folder("demo_clips") / "clips.tar"))[:12]
    return [decode(clip.audio).samples for clip in clips]


@pytest.fixture(scope="module")
def reference(speech):
    return _written(load_backend(ModelOptions(device="cpu", dtype="float32")), speech)


def _written(backend, windows, seconds=None, **asked):
    seconds = seconds or backend.window_seconds
    decoding = DecodingOptions(**asked, stop_repetition=False)  # random weights repeat themselves
    (batch,) = backend.write(backend.prepare(windows, seconds), [decoding])
    return [one.text for one in batch.texts]


def test_in_single_precision_ctranslate2_writes_the_same_greedy_captions(speech, reference):
    backend = load_backend(ModelOptions(backend="ctranslate2", device="cpu", dtype="float32"))
    assert _written(backend, speech) == reference
    assert len(set(reference)) > 6


@pytest.mark.parametrize(
    ("kind", "dtype", "least"),
    [("transformers", "int8", 0.25), ("transformers", "bfloat16", 0.6), ("ctranslate2", "int8", 0.6)],
)
def test_rounded_weights_change_the_meaning_of_few_captions(speech, reference, kind, dtype, least):
    needs_precision("torch" if kind == "transformers" else kind, dtype)
    loaded = load_backend(ModelOptions(backend=kind, device="cpu", dtype=dtype))
    assert dtype in loaded.runs_on
    profiles = ([parse(text).profile for text in texts] for texts in (_written(loaded, speech), reference))
    assert np.mean([one == other for one, other in zip(*profiles, strict=True)]) >= least


def test_prompts_and_beams_reach_ctranslate2(prompted_folder, make_sound):
    windows = [make_sound(seed, 1.5) for seed in range(4)]
    ours, theirs = (
        load_backend(ModelOptions(prompted_folder, backend=kind, device="cpu", dtype="float32"))
        for kind in ("transformers", "ctranslate2")
    )
    assert theirs.trained_with_prompts
    limit = 8  # further on, random weights are undecided in the last digits
    for asked in ({}, {"prompt": PROMPT}):
        texts = [[text[:limit] for text in _written(one, windows, **asked)] for one in (ours, theirs)]
        assert texts[0] == texts[1]
    assert _written(theirs, windows, num_beams=3) != _written(theirs, windows)


def test_a_caption_does_not_depend_on_the_others_of_its_batch(speech):
    needs_precision("ctranslate2", "int8")
    for dtype in ("float32", "int8"):
        backend = load_backend(ModelOptions(backend="ctranslate2", device="cpu", dtype=dtype))
        assert _written(backend, speech) == [_written(backend, [one])[0] for one in speech]


def test_a_checkpoint_is_converted_once_and_again_when_it_changes(whisper_folder, tmp_path, cache):
    folder = shutil.copytree(whisper_folder, tmp_path / "model")
    before = set(cache.glob("*"))
    load_converted(folder, device="cpu", dtype="float32")
    (made,) = set(cache.glob("*")) - before
    written = (made / "model.bin").stat().st_mtime_ns
    load_converted(folder, device="cpu", dtype="float32")
    assert (made / "model.bin").stat().st_mtime_ns == written
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**settings, "num_beams": 3}))
    assert (
        load_backend(ModelOptions(folder, backend="ctranslate2", device="cpu", dtype="float32")).num_beams
        == 3
    )
    assert len(set(cache.glob("*")) - before) == 2


def test_a_converted_folder_is_a_model(whisper_folder, tmp_path, sounds):
    folder = convert_to_ctranslate2(whisper_folder, tmp_path / "converted")
    captioner = Captioner.from_pretrained(folder, device="cpu", dtype="float32")
    assert captioner.backend.runs_on.startswith("ctranslate2")
    assert len(list(caption_files(captioner, [sounds]))) == 8
    with pytest.raises(CheckpointError, match="converted"):
        convert_to_ctranslate2(whisper_folder, tmp_path / "converted")


@pytest.mark.parametrize(
    "wrong",
    [{"backend": "tensorrt"}, {"dtype": "int3"}, {"backend": "ctranslate2", "dtype": "int3"}],
)
def test_what_there_is_not_is_an_error_that_names_the_choices(wrong):
    with pytest.raises(InputError, match=r"transformers|float32"):
        load_backend(ModelOptions(device="cpu", **wrong))
    with pytest.raises(BudewError):
        Captioner.from_pretrained(backend="ctranslate2", device="cpu", num_samples=3)


@pytest.mark.parametrize("seconds", [1, 1.5, 2])
def test_frames_of_a_short_window_are_the_first_of_a_whole_one(captioner, make_sound, seconds):
    checkpoint = captioner.backend.checkpoint
    windows = [make_sound(seed, seconds) for seed in range(2)]
    whole, short = features_of(checkpoint, windows), features_of(checkpoint, windows, seconds=seconds)
    assert short.shape[-1] == pytest.approx(whole.shape[-1] * seconds / 2, abs=1)
    assert short.equal(whole[..., : short.shape[-1]])


@pytest.fixture
def short(whisper_folder, tmp_path, monkeypatch):
    """A captioner whose checkpoint was trained on short windows, it says; a second is enough for it."""
    monkeypatch.setattr("budew.model.generate.SHORTEST", 1.0)
    folder = shutil.copytree(whisper_folder, tmp_path / "short")
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**settings, "short_windows": True}))
    return Captioner.from_pretrained(folder, device="cpu", dtype="float32")


def test_windows_of_like_length_share_a_batch_and_results_keep_their_order(short, make_sound):
    sounds = [make_sound(number, 0.4 + number % 4 * 0.5) for number in range(24)]
    batches, write = [], short.backend.write

    def watched(batch, asked):
        batches.append(batch)
        return write(batch, asked)

    short.backend.write = watched
    asked = Captioner(short.backend, WritingOptions(batch_size=3))
    results = asked(sounds, sampling_rate=RATE)
    assert {batch.features.shape[-1] for batch in batches} == {50, 100}
    assert all(
        (len(window) <= RATE) == (batch.features.shape[-1] == 50)
        for batch in batches
        for window in batch.windows
    )
    alone = [asked([sound], sampling_rate=RATE)[0] for sound in sounds]
    assert [result.windows for result in results] == [result.windows for result in alone]


def test_a_rare_length_does_not_wait_for_ever(short, make_sound):
    asked, given = Captioner(short.backend, WritingOptions(batch_size=2)), []

    def recordings():
        for number in range(200):
            given.append(number)
            yield {"array": make_sound(1, 2 if number else 1), "sampling_rate": RATE}

    assert next(asked.caption_recordings(map(_recording, recordings()))).duration == 1
    assert len(given) < 50


def _recording(audio):
    from budew.inference.recordings import from_audio

    return from_audio(audio)


def test_a_text_that_repeats_itself_is_ended_and_cut(captioner, make_sound, monkeypatch):
    checkpoint = captioner.backend.checkpoint
    settings = generation_settings(checkpoint)
    settings.suppress_tokens = list(range(5, checkpoint.model.config.vocab_size))  # five tokens are left
    encoded = encode(checkpoint, [make_sound(seed, 1) for seed in range(6)])
    free, stopped = (
        generate(checkpoint, settings, encoder_outputs=encoded.outputs(), stopping_criteria=criteria)
        for criteria in (None, repetition_stop())
    )
    assert stopped.shape[1] < free.shape[1]
    assert without_repetition("A sad man, and a sad man, and a sad man, and a") == "A sad man, and"
    assert without_repetition("A very, very, very sad man.") == "A very, very, very sad man."


def test_quantized_layers_are_those_of_torch():
    needs_precision("torch", "int8")
    model = load_checkpoint(device="cpu", dtype="int8").model
    assert isinstance(model.proj_out, torch.ao.nn.quantized.dynamic.Linear)


def test_padding_after_a_text_is_no_repetition(captioner, make_sound, monkeypatch):
    backend = captioner.backend
    tokenizer, pad = backend.checkpoint.processor.tokenizer, 7
    (text,) = tokenizer(["A sad man"], add_special_tokens=False).input_ids
    end, settings = tokenizer.eos_token_id, backend.checkpoint.model.generation_config
    monkeypatch.setattr(settings, "pad_token_id", pad)
    for row in ([*text, end, *[pad] * 9], [*text, *[pad] * 9], [*text, end, *[end] * 9]):
        monkeypatch.setattr(
            "budew.inference.backends.generate", lambda *_, row=row, **__: torch.tensor([row])
        )
        (batch,) = backend.write(backend.prepare([make_sound(1, 1)], 2), [DecodingOptions(num_beams=1)])
        assert [(one.text, one.repetitive) for one in batch.texts] == [("A sad man", False)]


def test_ctranslate2_on_a_device_that_it_does_not_have_is_an_error(whisper_folder):
    with pytest.raises(CheckpointError, match="CTranslate2 does not run on meta: use backend transformers"):
        load_converted(whisper_folder, device="meta")  # as on xpu, where torch has it
