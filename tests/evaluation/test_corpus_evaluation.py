"""A model is evaluated on every clip that can be evaluated, and the others are accounted for."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from budew import parse
from budew.corpora import Clip, write_shard
from budew.errors import CorpusError, InputError
from budew.evaluation import evaluate_corpus
from budew.evaluation.predictors import FilePredictor, ModelPredictor
from budew.inference import Captioner
from budew.inference.options import ModelOptions, WritingOptions
from budew.profile import VoiceProfile
from budew.statistics.resampling import Resampling

FEW = Resampling(resamples=20, permutations=3)


def test_a_model_is_evaluated_by_its_caption_of_each_clip(
    clips: list[Clip], corpus: Path, whisper_folder: Path
) -> None:
    done: list[int] = []
    result = evaluate_corpus(
        corpus,
        ModelPredictor(ModelOptions(whisper_folder, device="cpu"), WritingOptions(batch_size=4)),
        settings=FEW,
        progress=done.append,
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
    predictor = ModelPredictor(ModelOptions(whisper_folder, device="cpu"))
    result = evaluate_corpus(tmp_path / "c.tar", predictor, settings=FEW)
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
        result = evaluate_corpus(tmp_path / "c.tar", FilePredictor(predictions), settings=FEW)
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
        evaluate_corpus(tmp_path / "c.tar", FilePredictor(predictions))
    with pytest.raises(CorpusError, match="nowhere"):
        evaluate_corpus(tmp_path / "nowhere", ModelPredictor(ModelOptions(whisper_folder)))
