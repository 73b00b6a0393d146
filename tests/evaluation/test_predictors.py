"""Predictions of a model are those of a captioner with its options; of a file, those of a clip's name."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from budew.audio.samples import decode
from budew.corpora import Clip, read
from budew.errors import InputError
from budew.evaluation import FilePredictor, ModelPredictor
from budew.evaluation.predictors import Decoding, predicted
from budew.inference import Captioner, ModelOptions, WritingOptions
from budew.io.resources import data_folder
from budew.model.checkpoint import load_checkpoint
from tests.evaluation.conftest import profile, vowel

GREEDY, K3 = Decoding(), Decoding(num_samples=3)
DECODINGS = (K3, GREEDY, Decoding(num_beams=3), Decoding(num_samples=2))
CPU = ModelOptions(device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def speech() -> list[Clip]:
    """Clips of one and two windows of the embedded checkpoint, and silence."""
    clips = list(read(data_folder("demo_clips") / "clips.tar"))[:3]
    both = np.concatenate([decode(clip.audio).samples for clip in clips] * 2)
    out = io.BytesIO()
    soundfile.write(out, both, 16_000, format="FLAC")
    silence = Clip("silence", vowel(100, scale=0.0), "flac", profile=profile(1))
    return [*clips, Clip("both", out.getvalue(), "flac", profile=profile(2)), silence]


def test_decodings_of_one_encoder_pass_are_those_of_separate_captioners(speech):
    predictor = ModelPredictor(CPU, WritingOptions(batch_size=4))
    encoder, passes = predictor.captioner.backend.checkpoint.model.get_encoder(), []
    hook = encoder.register_forward_hook(lambda *_: passes.append(1))
    found = list(predictor.predict_decodings(speech, DECODINGS, skipped := []))
    hook.remove()
    assert len(passes) == 2  # of 4 and 2 windows
    assert not skipped
    for number, decoding in enumerate(DECODINGS):
        writing = WritingOptions(num_beams=decoding.num_beams, num_samples=decoding.num_samples)
        captioner = Captioner(predictor.captioner.backend, writing)
        assert ModelPredictor(CPU, writing).decoding == decoding
        for result, predictions in zip(captioner.caption_clips(speech), found, strict=True):
            assert predictions[number].expected == result.expected
            assert (predictions[number].profile, predictions[number].caption) == (
                result.profile,
                result.caption,
            )
        assert predictor.seconds(decoding) > 0
    assert len({len(predictions[3].expected.emotions) for predictions in found}) > 1
    assert [one.name for one in DECODINGS] == ["K = 3", "greedy", "3 beams", "K = 2"]


def test_predictions_of_a_checkpoint_that_repeats_itself_are_its_captions(speech, monkeypatch):
    looping = load_checkpoint(None, device="cpu", dtype="float32")
    looping.model.generation_config.suppress_tokens = [looping.processor.tokenizer.eos_token_id]
    monkeypatch.setattr(ModelPredictor, "captioner", Captioner(looping))
    results = list(Captioner(looping).caption_clips(speech))
    assert any(window.removed for result in results for window in result.windows)
    assert [one.caption for one in ModelPredictor(CPU).predict(speech, [])] == [
        result.caption for result in results
    ]


def test_clips_that_cannot_be_captioned_in_full_are_listed_and_have_no_prediction(speech):
    broken = replace(speech[0], id="broken", audio=b"nothing", format="wav")
    cut = replace(speech[1], id="cut", audio=speech[1].audio[: len(speech[1].audio) // 2])
    skipped = []
    found = predicted([broken, cut, speech[2]], lambda clip: clip, ModelPredictor(CPU), skipped)
    assert [(clip.id, one is None) for clip, one in found] == [
        ("broken", True),
        ("cut", True),
        (speech[2].id, False),
    ]
    assert [one.id for one in skipped] == ["broken", "cut"]


def test_the_model_runs_where_and_how_it_is_told_to(speech, whisper_folder):
    for options in ({"backend": "ctranslate2"}, {"dtype": "float64"}):
        with pytest.raises(InputError):
            list(
                ModelPredictor(
                    ModelOptions(whisper_folder, device="cpu", **options), WritingOptions(num_samples=2)
                ).predict(speech, [])
            )
    fast = ModelPredictor(ModelOptions(whisper_folder, backend="ctranslate2", dtype="float32"))
    assert all(fast.predict(speech, []))


def test_predictions_of_a_file_are_found_by_id_and_by_the_name_of_the_audio(tmp_path):
    clips = [Clip("a", b"", "wav"), Clip("row-7", b"", "wav", metadata={"file_name": "x/b.wav"})]
    lines = [{"id": name, "emotions": {"Anger": 0.5}} for name in ("a", "b.flac", "c")]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    predictor = FilePredictor(tmp_path / "p.jsonl")
    assert all(predictor.predict(clips, []))
    predictor.check_complete("data")
    assert (predictor.name, predictor.unused) == ("p.jsonl", 1)
    assert list(predictor.predict([Clip("d", b"", "wav")], [])) == [None]
    with pytest.raises(InputError, match="'d'"):
        predictor.check_complete("data")
