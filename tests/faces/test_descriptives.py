"""Counts, balance, shares and diversity of a corpus of faces are what a table of them says."""

from itertools import combinations

import numpy as np
import pytest

from budew.corpora import write_shard
from budew.faces.descriptives import describe_faces, mean_cosine
from budew.faces.embeddings import load_image_encoder

from .conftest import drawn, face

PEOPLE = [
    ("White man of 20 years", "fear, terror, dread", "Fear"),
    ("white caucasian european woman of 30 years", "happiness, excitement, joy", "Elation"),
    ("Asian woman of 30 years", "fear, terror, dread", "Fear"),
    ("Southeast Asian non-binary person of 80 years", "physical pain, suffering", "Pain"),
]


@pytest.fixture
def corpus(tmp_path):
    clips = [
        face(f"f{number}", drawn(number / 4), prompt=f"a focused close-up photo of a {who}, feeling {words}")
        for number, (who, words, _) in enumerate(PEOPLE)
    ]
    write_shard(tmp_path / "faces.tar", clips)
    return tmp_path / "faces.tar"


def test_who_is_in_a_corpus_and_which_emotions(corpus):
    found = describe_faces(corpus)
    assert found["images"] == 4
    assert found["counts"]["group"] == {"East Asian": 1, "Southeast Asian": 1, "White": 2}
    assert found["counts"]["age"] == {"20": 1, "30": 2, "80": 1}
    assert found["balance"]["gender"] == 0.5
    assert {name: count for name, count in found["emotions"].items() if count} == {
        "Fear": 2,
        "Elation": 1,
        "Pain": 1,
    }
    assert found["shares"]["White"]["Negative High-Energy Emotions"] == 0.5
    assert found["shares"]["East Asian"]["Negative High-Energy Emotions"] == 1.0
    white = found["emotion_shares"]["White"]
    assert {name: share for name, share in white.items() if share} == {"Fear": 0.5, "Elation": 0.5}
    assert len(white) == 40
    assert found["emotion_variance"]["White"] == pytest.approx(np.var(list(white.values()), ddof=1), abs=1e-8)
    assert found["emotion_variance"]["White"] < found["emotion_variance"]["East Asian"]
    assert found["variance"]["Negative High-Energy Emotions"] == pytest.approx(np.var([0.5, 1.0, 0.0]))


def test_similarity_is_the_mean_over_all_pairs(corpus, siglip, tmp_path):
    rows = np.random.default_rng(0).normal(size=(9, 5))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert mean_cosine(rows) == pytest.approx(np.mean([a @ b for a, b in combinations(unit, 2)]))
    found = describe_faces(corpus, load_image_encoder(siglip), tmp_path / "cache")
    assert set(found["similarity"]["group"]) == {"White"}
    assert -1 <= found["similarity"]["all"]["all"] <= 1
