"""Every decoding predicts what a captioner with that setting does, from one encoder pass a batch."""

import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from budew.audio.samples import decode
from budew.corpora import Clip, read
from budew.errors import InputError
from budew.evaluation.decoding import GREEDY, Decoding, decode_clips, decoding_of
from budew.inference import Captioner
from budew.io.resources import data_folder
from budew.model.checkpoint import load_checkpoint
from tests.evaluation.conftest import profile, vowel

SETTINGS = (Decoding(num_samples=3), GREEDY, Decoding(num_beams=3), Decoding(num_samples=2))


@pytest.fixture(scope="module")
def some_clips() -> list[Clip]:
    """Of one to three windows of 2 s, and silence."""
    seconds = (0.6, 5.0, 1.0, 2.5)
    sounds = [vowel(100 + 30 * number, seconds=length) for number, length in enumerate(seconds)]
    silence = vowel(100, seconds=0.5, scale=0.0)
    return [Clip(f"c{n}", one, "flac", profile=profile(n)) for n, one in enumerate([*sounds, silence])]


@pytest.fixture(scope="module")
def embedded():
    return load_checkpoint(None, device="cpu")


@pytest.fixture(scope="module")
def speech() -> list[Clip]:
    """Of one and two windows of the checkpoint, and silence."""
    clips = list(read(data_folder("demo_clips") / "clips.tar"))[:3]
    both = np.concatenate([decode(clip.audio).samples for clip in clips] * 2)
    out = io.BytesIO()
    soundfile.write(out, both, 16_000, format="FLAC")
    silence = Clip("silence", vowel(100, scale=0.0), "flac", profile=profile(1))
    return [*clips, Clip("both", out.getvalue(), "flac", profile=profile(2)), silence]


@pytest.fixture(scope="module")
def checkpoint(whisper_folder):
    return load_checkpoint(whisper_folder, device="cpu")


@pytest.mark.parametrize("batch_size", [2, 16])
def test_predictions_are_those_of_a_captioner_with_the_same_settings(speech, embedded, batch_size):
    found = decode_clips(speech, embedded, SETTINGS, batch_size=batch_size)
    for decoding in SETTINGS:
        options = decoding.model_dump()
        captioner = Captioner(embedded, **options)
        assert decoding_of(embedded, **options) == decoding
        expected = {result.id: result for result in captioner.caption_clips(speech)}
        assert found.predictions[decoding].keys() == expected.keys() == found.references.keys()
        for id, prediction in found.predictions[decoding].items():
            assert prediction.profile == expected[id].expected
            assert (prediction.caption is None) == bool(decoding.num_samples)
    pairs = found.pairs(GREEDY)
    assert [pair.reference for pair in pairs] == [clip.profile for clip in speech]
    assert len({len(found.predictions[one]["both"].profile.emotions) for one in SETTINGS}) > 1


def test_the_encoder_runs_once_a_batch_and_longer_sampling_takes_longer(some_clips, checkpoint, monkeypatch):
    from budew.model import generate

    passes = []
    encode = generate.encode
    monkeypatch.setattr(generate, "encode", lambda *given: passes.append(1) or encode(*given))
    found = decode_clips(some_clips, checkpoint, SETTINGS, batch_size=4)
    assert len(passes) == 2 + 1  # 7 windows with sound, and one run to warm up
    assert found.seconds[Decoding(num_samples=3)] > found.seconds[Decoding(num_samples=2)]
    assert all(np.isfinite(list(found.seconds.values())))


def test_clips_that_cannot_be_decoded_in_full_are_listed(some_clips, checkpoint):
    broken = replace(some_clips[0], id="broken", audio=b"nothing", format="wav")
    whole = some_clips[1].audio
    cut = replace(some_clips[1], id="cut", audio=whole[: len(whole) // 2])
    found = decode_clips([broken, cut, some_clips[2]], checkpoint, [GREEDY])
    assert [one.id for one in found.skipped] == ["broken", "cut"]
    assert list(found.predictions[GREEDY]) == ["c2"]
    with pytest.raises(InputError, match="'c2'"):
        decode_clips([some_clips[2]] * 2, checkpoint, [GREEDY])


def test_names_tell_decodings_apart():
    assert [one.name for one in SETTINGS] == ["K = 3", "greedy", "3 beams", "K = 2"]


def test_the_beam_width_is_that_of_the_checkpoint_and_does_not_tell_samples_apart(checkpoint):
    checkpoint.model.generation_config.num_beams = 2
    assert decoding_of(checkpoint) == Decoding(num_beams=2)
    assert decoding_of(checkpoint, 1) == GREEDY
    assert decoding_of(checkpoint, 3, 4) == decoding_of(checkpoint, None, 4) == Decoding(num_samples=4)
    checkpoint.model.generation_config.num_beams = None


@pytest.fixture
def looping():
    """A checkpoint that never ends a caption by itself."""
    checkpoint = load_checkpoint(None, device="cpu", dtype="float32")
    checkpoint.model.generation_config.suppress_tokens = [checkpoint.processor.tokenizer.eos_token_id]
    return checkpoint


def test_of_a_checkpoint_that_loops_the_captions_are_those_of_the_captioner(speech, looping):
    results = {result.id: result for result in Captioner(looping, num_beams=1).caption_clips(speech)}
    assert any(window.removed for result in results.values() for window in result.windows)
    found = decode_clips(speech, looping, [GREEDY])
    texts = {id: " ".join(window.text for window in result.windows) for id, result in results.items()}
    assert {id: one.caption for id, one in found.predictions[GREEDY].items()} == texts
