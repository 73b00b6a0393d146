"""Heads score as the published ones do: one by one, batched, and what is computed of their scores."""

import json

import numpy as np
import pytest
import torch
from transformers import SiglipModel

from budew.errors import CheckpointError
from budew.evaluation.prediction_files import read_predictions, read_scores
from budew.faces.embeddings import load_image_encoder
from budew.faces.face_labels import face_names
from budew.faces.scoring import FaceScorer, FaceScores, head_name, load_face_heads
from budew.taxonomy import EMOTIONS
from tests.corpora.hub_server import hub

from .conftest import WIDTH, drawn, face, save_heads, write_neutral

NAMES = [head_name(name).removeprefix("model_").removesuffix("_best") for name in face_names()]


@pytest.mark.parametrize("sizes", [(1152, 1024, 512, 256, 1), (1152, 128, 32, 1)], ids=["large", "small"])
def test_stacked_face_heads_score_as_each_alone(sizes, siglip, tmp_path):
    plain = save_heads(tmp_path, [*NAMES[:3], "arousal"], *sizes)
    encoder = load_image_encoder(siglip)
    encoder.module.config.hidden_size = 1152
    try:
        scorer = FaceScorer(encoder, load_face_heads(tmp_path))
    finally:
        encoder.module.config.hidden_size = WIDTH
    embeddings = torch.randn(32, 1152, generator=torch.Generator().manual_seed(0))
    found = scorer.scores_of_embeddings(embeddings)
    assert len(found) == 4
    with torch.inference_mode():
        for name, scores in found.items():
            key = head_name(name).removeprefix("model_").removesuffix("_best")
            assert torch.allclose(scores, plain[key](embeddings), atol=1e-5)


def test_the_embedding_is_that_of_the_whole_model(siglip):
    encoder, whole = load_image_encoder(siglip), SiglipModel.from_pretrained(siglip).eval()
    pixels = encoder.processor(images=[drawn(1)], return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        features = whole.get_image_features(pixel_values=pixels).pooler_output
    assert torch.allclose(encoder.embed([drawn(1)]), features, atol=1e-6)


def test_every_published_name_is_a_head(siglip, tmp_path):
    save_heads(tmp_path / "heads", NAMES, WIDTH, 8, 4, 1)
    means = write_neutral(tmp_path / "heads", NAMES)
    scorer = FaceScorer.from_pretrained(tmp_path / "heads", encoder=siglip)
    (scores,) = scorer.score(["a"], [drawn(1)])
    assert set(scores.raw) == set(face_names())
    assert set(scores.softmax) == set(EMOTIONS)
    assert sum(scores.softmax.values()) == pytest.approx(1)
    for name, value in scores.raw.items():
        key = head_name(name).removeprefix("model_").removesuffix("_best")
        assert scores.mean_subtracted[name] == pytest.approx(value - means[key], abs=1e-9)


def test_softmax_is_over_the_means_subtracted():
    raw = {name: float(value) for name, value in zip(EMOTIONS, np.linspace(-1, 6, 40), strict=True)}
    scores = FaceScores.of_raw("a", raw | {"Arousal": 3.0}, dict.fromkeys(EMOTIONS, 0.5))
    less = np.array([*raw.values()]) - 0.5
    expected = np.exp(less) / np.exp(less).sum()
    assert [*scores.softmax.values()] == pytest.approx(expected.tolist(), abs=1e-12)
    assert scores.intensities["Amusement"] == 0.0
    assert scores.to_dict()["results"]["model_arousal_best"]["softmax"] is None


def test_scores_do_not_depend_on_the_batch(siglip, tmp_path):
    save_heads(tmp_path, NAMES[:5], WIDTH, 8, 1)
    scorer = FaceScorer.from_pretrained(tmp_path, encoder=siglip)
    clips = [face(f"f{number}", drawn(number / 5)) for number in range(7)]
    one, many = ([scores for _, scores in scorer.score_clips(clips, batch_size=size)] for size in (1, 4))
    for first, second in zip(one, many, strict=True):
        assert first.id == second.id
        assert [*first.raw.values()] == pytest.approx([*second.raw.values()], abs=1e-5)


def test_a_line_is_read_by_the_benchmarks(siglip, tmp_path):
    save_heads(tmp_path / "heads", NAMES, WIDTH, 8, 1)
    scorer = FaceScorer.from_pretrained(tmp_path / "heads", encoder=siglip)
    lines = [json.dumps(scores.to_dict()) for _, scores in scorer.score_clips([face("0001_Happy")])]
    (tmp_path / "scores.jsonl").write_text("\n".join(lines) + "\n")
    assert len(read_scores(tmp_path / "scores.jsonl")) == 1
    (prediction,) = read_predictions(tmp_path / "scores.jsonl").values()
    assert len(prediction.profile.rated) == 40


def test_heads_of_another_encoder_are_refused(siglip, tmp_path):
    save_heads(tmp_path, NAMES[:2], WIDTH + 1, 8, 1)
    with pytest.raises(CheckpointError, match="encoder"):
        FaceScorer.from_pretrained(tmp_path, encoder=siglip)


def test_invalid_neutral_means_are_refused(siglip, tmp_path):
    save_heads(tmp_path, NAMES[:2], WIDTH, 8, 1)
    for text in ("{", '{"model_elation_best": "high"}', '{"model_anger_best": 0.1}'):
        (tmp_path / "neutral_stats.json").write_text(text)
        with pytest.raises(CheckpointError, match="neutral_stats"):
            FaceScorer.from_pretrained(tmp_path, encoder=siglip)


def test_an_encoder_is_loaded_from_the_hub(siglip, at_hub):
    files = {path.name: path.read_bytes() for path in siglip.iterdir()}
    with hub("google/tiny", files, kind="models") as address:
        at_hub(address)
        encoder = load_image_encoder("google/tiny")
        assert encoder.name == "google/tiny"
        assert torch.equal(encoder.embed([drawn(1)]), load_image_encoder(siglip).embed([drawn(1)]))
        with pytest.raises(CheckpointError, match="google/other"):
            load_image_encoder("google/other")


def test_other_models_are_refused_as_image_encoders(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "whisper"}')
    with pytest.raises(CheckpointError, match="SigLIP"):
        load_image_encoder(tmp_path)
    with pytest.raises(CheckpointError, match="no such folder"):
        load_image_encoder("nosuch")
