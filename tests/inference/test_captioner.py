import io
import json
import re
import shutil
import tracemalloc
from itertools import islice

import numpy as np
import pytest
import soundfile
import torch

from budew.audio.samples import Window
from budew.captions import parse
from budew.corpora import Clip
from budew.errors import AudioError, InputError, JobError
from budew.inference import CaptionedRecording, Captioner, FailedRecording
from budew.inference.backends import DecodingOptions, GeneratedBatch, GeneratedText
from budew.inference.captioned_recording import SILENCE, TOO_SHORT, without_stray_letters
from budew.inference.file_captioning import caption_files
from budew.inference.options import WritingOptions
from budew.inference.recordings import Recording
from budew.inference.repetition import repetition_stop, without_repetition
from budew.model.generate import encode
from tests.trained import write_captions


def test_every_format_rate_and_length_in_a_folder_is_captioned_in_order(captioner, sounds):
    seen = []
    results = list(caption_files(captioner, [sounds], progress=lambda *counts: seen.append(counts)))
    assert seen == [(done, 8) for done in range(1, 9)]
    assert all(isinstance(result, CaptionedRecording) for result in results)
    windows = {result.source.rpartition("/")[2]: len(result.windows) for result in results}
    assert list(windows.items()) == [
        ("a.wav", 1), ("b.flac", 3), ("c.mp3", 1), ("d.ogg", 1),
        ("h.wav", 2), ("e_192k.wav", 2), ("f_8k.wav", 4), ("g.wav", 1),
    ]  # fmt: skip
    assert not any(result.damaged for result in results)
    assert captioner(str(sounds / "f_8k.wav")) == results[6]


@pytest.mark.parametrize(("num_beams", "sizes"), [(1, (1, 3, 16)), (4, (3, 16))])
def test_results_do_not_depend_on_the_batch_size(captioner, sounds, num_beams, sizes):
    paths = [sounds] if num_beams == 1 else [sounds / "b.flac", sounds / "c.mp3", sounds / "d.ogg"]
    results = [
        list(
            caption_files(
                Captioner(captioner.backend.checkpoint, WritingOptions(batch_size=size, num_beams=num_beams)),
                paths,
            )
        )
        for size in sizes
    ]
    assert all(some == results[0] for some in results)


def test_each_window_has_the_caption_of_its_own_samples_and_its_parse(captioner, make_sound):
    samples = make_sound(5, 5.0)
    result = captioner(samples, sampling_rate=16_000)
    pieces = [samples[:32_000], samples[32_000:64_000], samples[64_000:]]
    encoded = encode(captioner.backend.checkpoint, pieces)
    texts = write_captions(captioner.backend.checkpoint, encoded, stopping_criteria=repetition_stop())
    expected = [without_repetition(without_stray_letters(text)[0]) for text in texts]
    assert [window.text for window in result.windows] == expected
    assert [(window.start, window.end) for window in result.windows] == [(0, 2), (2, 4), (4, 5)]
    assert all(window.profile == parse(window.text).profile for window in result.windows)
    assert result.duration == 5


def test_a_bad_file_is_one_failure_and_the_rest_go_on(captioner, sounds, tmp_path):
    (tmp_path / "empty.mp3").write_bytes(b"")
    (tmp_path / "text.wav").write_text("this is no sound")
    paths = [sounds / "a.wav", tmp_path, sounds / "g.wav", tmp_path / "missing.wav"]
    results = list(caption_files(captioner, paths))
    assert [isinstance(result, FailedRecording) for result in results] == [
        False,
        True,
        True,
        False,
        True,
    ]
    for failure in (results[1], results[2], results[4]):
        assert str(failure) == f"{failure.source}: {failure.reason}"
        assert "\n" not in failure.reason
        assert failure.source not in failure.reason


def test_silence_is_captioned_without_the_model(captioner, make_sound):
    samples = np.concatenate([np.zeros(64_000, np.float32), make_sound(2, 2)])
    result = captioner(samples, sampling_rate=16_000)
    assert [window.silent for window in result.windows] == [True, True, False]
    assert result.profile == result.windows[2].profile
    silent = captioner(samples[:64_000], sampling_rate=16_000)
    assert (silent.caption, silent.emotions) == (SILENCE, {})


@pytest.mark.parametrize(("seconds", "short"), [(0.01, True), (0.1, True), (0.44, True), (0.6, False)])
def test_less_than_half_a_second_of_sound_is_too_short(captioner, make_sound, tmp_path, seconds, short):
    sound = make_sound(4, seconds)
    padded = np.concatenate([np.zeros(8_000, np.float32), sound])
    soundfile.write(tmp_path / "a.wav", sound, 16_000)
    for result in (captioner(tmp_path / "a.wav"), captioner(padded, sampling_rate=16_000)):
        assert (result.caption == TOO_SHORT) is short
        assert result.to_dict()["caption"] == result.caption
        assert not short or (result.emotions, result.bursts, result.windows[0].silent) == ({}, (), True)
    assert not parse(TOO_SHORT).mentions


def test_clips_are_known_by_their_ids_and_read_no_further_than_a_batch_ahead(captioner, sounds):
    taken = []

    def clips():
        for number in range(100):
            taken.append(number)
            yield Clip(str(number), b"broken" if number == 4 else sounds / "a.wav", "wav")

    results = Captioner(captioner.backend.checkpoint, WritingOptions(batch_size=4)).caption_clips(clips())
    assert next(results).source == "0"
    assert len(taken) <= 9
    *_, failure = islice(results, 4)
    assert (failure.source, type(failure)) == ("4", FailedRecording)


def test_paths_bytes_files_samples_tensors_mappings_and_lists_are_accepted(captioner, sounds):
    path = sounds / "a.wav"
    content = path.read_bytes()
    samples, rate = soundfile.read(path, dtype="float32")
    alone = [
        path,
        str(path),
        content,
        io.BytesIO(content),
        {"array": samples, "sampling_rate": rate},
        {"raw": list(samples), "sampling_rate": rate},
        {"bytes": content, "path": None},
        {"bytes": None, "path": str(path)},
    ]
    texts = [captioner(audio).caption for audio in alone]
    texts += [captioner(audio, sampling_rate=rate).caption for audio in (samples, torch.from_numpy(samples))]
    texts += [result.caption for result in captioner([path, str(path)])]
    assert len(set(texts)) == 1
    assert captioner([]) == []


def test_one_bad_recording_raises_when_it_was_asked_for_by_itself(captioner, tmp_path):
    with pytest.raises(AudioError, match=r"missing\.wav: "):
        captioner(tmp_path / "missing.wav")
    for wrong in (np.zeros(16_000), 7, io.StringIO("text"), {"sampling_rate": 16_000}):
        with pytest.raises(InputError):
            captioner(wrong)


def test_beam_width_is_that_of_the_checkpoint_unless_given(whisper_folder, sounds, tmp_path):
    folder = shutil.copytree(whisper_folder, tmp_path / "beams")
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**settings, "num_beams": 4}))
    by_itself = Captioner.from_pretrained(folder, device="cpu")
    for made in (by_itself, Captioner(by_itself.backend.checkpoint)):
        assert (made.options.batch_size, made.decoding) == (16, DecodingOptions(num_beams=4))
    asked = Captioner.from_pretrained(whisper_folder, device="cpu", num_beams=4)
    greedy = Captioner.from_pretrained(folder, device="cpu", num_beams=1)
    assert list(caption_files(by_itself, [sounds])) == list(caption_files(asked, [sounds]))
    assert list(caption_files(by_itself, [sounds])) != list(caption_files(greedy, [sounds]))


def test_memory_does_not_grow_with_the_recording(captioner, make_sound, tmp_path):
    """Ten minutes at 16 kHz are 38 MB as float32; to caption them takes less than 20 MB."""
    with soundfile.SoundFile(tmp_path / "long.flac", "w", 16_000, 1) as file:
        for _ in range(10):
            file.write(np.concatenate([make_sound(3, 2), np.zeros(58 * 16_000, np.float32)]))
    captioner(tmp_path / "long.flac")
    tracemalloc.start()
    result = captioner(tmp_path / "long.flac")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.duration == 600
    assert sum(not window.silent for window in result.windows) == 10
    assert peak < 20 * 2**20


def test_out_of_memory_is_reported_with_a_remedy(captioner, sounds, monkeypatch):
    """The error is that of torch: no machine has a petabyte."""
    monkeypatch.setattr(captioner.backend.checkpoint.model, "generate", lambda *_, **__: torch.empty(2**50))
    with pytest.raises(JobError, match=r"f_8k.wav: .* cpu.* 4 windows .*allocate memory.*--batch-size"):
        captioner(sounds / "f_8k.wav")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (AudioError("odd: samples are not numbers"), "samples are not numbers"),
        (OSError("disk gone"), "disk gone"),
        (ZeroDivisionError("division by zero"), r".*ZeroDivisionError \(division by zero\).*"),
    ],
)
def test_a_reader_that_fails_on_the_way_is_a_failure_and_its_neighbours_are_captioned(
    captioner, make_sound, error, reason
):
    def cut(seconds, rate):
        yield Window(0, seconds, make_sound(1, seconds))
        raise error

    whole = Recording("whole", lambda seconds, rate: iter([Window(0, seconds, make_sound(1, seconds))]))
    decodings = [captioner.decoding]
    (first,), (failure,), (last,) = captioner._caption([whole, Recording("odd", cut), whole], decodings)
    assert first == last == next(captioner.caption_recordings([whole]))
    assert (type(failure), failure.source) == (FailedRecording, "odd")
    assert re.fullmatch(reason, failure.reason)


@pytest.fixture
def says(monkeypatch):
    """`says(captioner, function)` has the model write what the function returns for windows."""

    def replace(captioner, texts):
        monkeypatch.setattr(
            captioner.backend,
            "write",
            lambda batch, _: [GeneratedBatch([GeneratedText(text) for text in texts(batch.windows)])],
        )

    return replace


def test_letters_before_a_caption_are_removed_and_reported_with_their_place(captioner, make_sound, says):
    written = iter(["The voice is sad.", "A B The voice is calm."])
    says(captioner, lambda windows: [next(written) for _ in windows])
    result = captioner(make_sound(1, 4), sampling_rate=16_000)
    assert [window.model_caption for window in result.windows] == ["The voice is sad.", "The voice is calm."]
    assert result.warnings == ("at 0:02: stray letters 'A B' before the caption removed",)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (["A child, extremely lustful.", "A sad woman."], ["", "A sad woman."]),
        (["A teenage boy.", "Extremely lustful moans of pleasure."], ["", ""]),
        (["A grown woman, lustful.", "A sad woman."], ["A grown woman, lustful.", "A sad woman."]),
    ],
)
def test_a_caption_that_joins_a_minor_with_sexual_content_is_withheld(
    captioner, make_sound, says, said, shown
):
    says(captioner, lambda _: said)
    result = captioner(make_sound(5, 4.0), sampling_rate=16_000)
    assert [window.model_caption or window.text for window in result.windows] == shown
    assert len(result.warnings) == shown.count("")
    assert all("joins a minor with sexual content" in warning for warning in result.warnings)
    assert not result.profile.is_withheld
    assert bool(result.profile.rated) == any(shown)
    assert ("lust" in json.dumps(result.to_dict()).lower()) == ("grown" in said[0])
