"""A model is evaluated on every clip that can be evaluated, and the others are accounted for."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from budew import parse
from budew.corpora import Clip, read, write_shard
from budew.errors import CorpusError, InputError
from budew.evaluation import evaluate_corpus
from budew.evaluation.corpus_evaluation import predict_clips
from budew.inference import Captioner
from budew.io.resources import data_folder
from budew.profile import VoiceProfile
from budew.statistics.resampling import Resampling

FEW = Resampling(resamples=20, permutations=3)


def test_a_model_is_evaluated_by_its_caption_of_each_clip(
    clips: list[Clip], corpus: Path, whisper_folder: Path
) -> None:
    done: list[int] = []
    result = evaluate_corpus(
        corpus, model=whisper_folder, device="cpu", batch_size=4, settings=FEW, progress=done.append
    )
    captioner = Captioner.from_pretrained(whisper_folder, device="cpu")
    assert done == [1, 2, 3, 4, 5, 6]
    for clip, pair in zip(clips, result.pairs, strict=True):
        assert (pair.id, pair.reference, pair.audio) == (clip.id, clip.profile, clip.audio)
        assert isinstance(clip.audio, bytes)
        assert pair.caption == captioner(clip.audio).caption
        assert pair.predicted.emotions == parse(pair.caption).profile.emotions


def test_clips_that_cannot_be_evaluated_are_listed(
    clips: list[Clip], whisper_folder: Path, tmp_path: Path
) -> None:
    broken = replace(clips[0], id="broken", audio=b"nothing", format="wav")
    whole = clips[0].audio
    cut = replace(clips[0], id="cut", audio=whole[: len(whole) * 3 // 4])
    bare = replace(clips[1], id="bare", profile=None)
    write_shard(tmp_path / "c.tar", [*clips[:3], broken, cut, bare])
    result = evaluate_corpus(tmp_path / "c.tar", model=whisper_folder, device="cpu", settings=FEW)
    assert len(result.pairs) == 3
    assert {clip.id for clip in result.skipped} == {"broken", "cut", "bare"}


def test_clips_whose_emotions_are_unknown_are_listed_and_not_evaluated_as_neutral(
    clips: list[Clip], tmp_path: Path
) -> None:
    measured = replace(clips[0], id="measured", profile=VoiceProfile(None, (), {"pace": "fast"}))
    write_shard(tmp_path / "c.tar", [*clips, measured])
    predictions = tmp_path / "p.jsonl"
    ids = [*(clip.id for clip in clips), "measured"]
    for some in (ids, ids[:-1]):
        lines = (json.dumps({"id": id, "caption": "A very angry voice."}) for id in some)
        predictions.write_text("\n".join(lines), encoding="utf-8")
        result = evaluate_corpus(tmp_path / "c.tar", predictions=predictions, settings=FEW)
        assert [pair.id for pair in result.pairs] == [clip.id for clip in clips]
        assert [clip.id for clip in result.skipped] == ["measured"]
        assert "rated" in result.skipped[0].reason


def test_inputs_that_cannot_be_evaluated_are_reported(
    clips: list[Clip], corpus: Path, whisper_folder: Path, tmp_path: Path
) -> None:
    predictions = tmp_path / "p.jsonl"
    predictions.write_text("", encoding="utf-8")
    write_shard(tmp_path / "c.tar", [replace(clip, profile=None) for clip in clips])
    with pytest.raises(InputError, match="no clips to evaluate; all 6 were skipped"):
        evaluate_corpus(tmp_path / "c.tar", predictions=predictions)
    with pytest.raises(CorpusError, match="nowhere"):
        evaluate_corpus(tmp_path / "nowhere", model=whisper_folder)
    with pytest.raises(InputError, match="one at a time"):
        evaluate_corpus(corpus, model="some/model", predictions=predictions)


def test_predictions_from_samples_leave_weak_emotions_out_unless_expectations_are_asked_for() -> None:
    clips = list(read(data_folder("demo_clips") / "clips.tar"))[:4]
    captioner = Captioner.from_pretrained(device="cpu", num_samples=6)
    results = list(captioner.caption_clips(clips))
    for expected in (False, True):
        _, found = predict_clips(clips, skipped=[], device="cpu", num_samples=6, expected=expected)
        wanted = [result.expected if expected else result.profile for result in results]
        assert [prediction.profile for _, prediction in found] == wanted
    assert any(result.expected != result.profile for result in results)


def test_the_model_runs_where_it_is_asked_to(whisper_folder) -> None:
    clips = list(read(data_folder("demo_clips") / "clips.tar"))[:2]
    for given in ({"backend": "ctranslate2", "num_samples": 2}, {"dtype": "float64"}):
        with pytest.raises(InputError):
            list(predict_clips(clips, whisper_folder, skipped=[], device="cpu", **given)[1])
    _, predicted = predict_clips(clips, whisper_folder, skipped=[], backend="ctranslate2", dtype="float32")
    assert [clip.id for clip, _ in predicted] == [clip.id for clip in clips]
