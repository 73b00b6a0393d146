"""Heads learn what faces drawn with known emotions show; embeddings are computed once."""

import json
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch
from scipy.stats import spearmanr

from budew.corpora import read, write_shard
from budew.corpora.media import IMAGE
from budew.errors import CheckpointError, CorpusError
from budew.faces import face_head_training
from budew.faces.embeddings import Face, FaceEmbeddings, embed_corpus, load_image_encoder
from budew.faces.face_head_training import (
    FEWEST_NEUTRAL,
    NEUTRAL,
    FaceFittingOptions,
    neutral_scores,
    train_face_heads,
)
from budew.faces.face_labels import Demographics, agreed_ratings
from budew.faces.scoring import FaceScorer
from budew.heads.fitting import Quality
from budew.heads.networks import Head
from budew.heads.stack_training import FittingOptions
from budew.taxonomy import EMOTIONS
from tests.trained import check_duties

from .conftest import drawn, encoded, face

HAPPY, SAD, AWED = "Elation", "Sadness", "Astonishment/Surprise"


def faces(count: int, *, seed: int):
    """Faces whose mouth shows joy or sadness, and whose brows and eyes show surprise."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        mouth, brows = rng.uniform(-1, 1), rng.uniform(0, 1)
        image = drawn(mouth, brows, 0.2 + 0.8 * brows, shade=int(rng.integers(150, 255)), grain=number + 1)
        rated = {HAPPY: 7 * max(mouth, 0), SAD: 7 * max(-mouth, 0), AWED: 7 * brows}
        yield face(f"{seed}-{number:04d}", image, annotations=[{"human-1": rated}])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    write_shard(folder / "weak.tar", faces(400, seed=1))
    write_shard(folder / "expert.tar", expert_faces(120))
    write_shard(folder / "test.tar", faces(150, seed=4))
    return folder


def expert_faces(count: int):
    """Faces with a happy or sad mouth, and whether joy is present."""
    for number, mouth in enumerate(np.random.default_rng(3).uniform(-1, 1, count), start=1):
        image = drawn(float(mouth), 0.5, grain=number)
        yield face(f"e{number}", image, annotator="human-1", emotion=HAPPY, value=bool(mouth > 0))


OPTIONS = FittingOptions(widths=(32, 16), batch=32, most_epochs=25)


def train(out, corpus, siglip, **how):
    weak, expert = corpus / "weak.tar", corpus / "expert.tar"
    encoder = load_image_encoder(siglip)
    return train_face_heads(out, encoder, **{"weak": weak, "expert": expert, "options": OPTIONS, **how})


@pytest.fixture(scope="module")
def trained(corpus, siglip, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained") / "heads"
    return out, train(out, corpus, siglip)


def test_held_out_faces_are_scored_far_above_the_permutation_baseline(trained, corpus, siglip):
    scorer = FaceScorer.from_pretrained(trained[0], encoder=siglip)
    rows = list(scorer.score_clips(read(corpus / "test.tar", media=IMAGE)))
    shuffled = np.random.default_rng(0).permutation(len(rows))
    for name in (HAPPY, SAD, AWED):
        truth = np.array([clip.metadata["annotations"][0]["human-1"][name] for clip, _ in rows])
        scores = np.array([found.raw[name] for _, found in rows])
        found, chance = (spearmanr(order, scores).statistic for order in (truth, truth[shuffled]))
        print(f"{name}: Spearman {found:.2f} on held-out faces, {chance:.2f} after permutation")  # pytest -s
        assert found > 0.5
        assert abs(chance) < 0.25


def test_emotions_labeled_by_experts_alone_get_a_head(corpus, siglip, tmp_path):
    weak = (
        face(f"w{n}", drawn(n / 60, grain=n + 1), annotations=[{"human-1": {SAD: n % 8}}]) for n in range(60)
    )
    write_shard(tmp_path / "weak.tar", weak)
    found = train(tmp_path / "out", corpus, siglip, weak=tmp_path / "weak.tar", expert=corpus / "weak.tar")
    assert {HAPPY, AWED} <= {head.name for head in found.heads}
    assert SAD in found.quality["weak"] or SAD in found.quality["expert"]


def agreed_faces(count: int):
    """A row for each expert: of every third face one of three denies the target, another joy or sadness."""
    for number, mouth in enumerate(np.random.default_rng(5).uniform(-1, 1, count)):
        image = drawn(float(mouth), 0.5, grain=number + 1)
        target, contrast = (HAPPY, SAD) if mouth > 0 else (SAD, HAPPY)
        for rater in range(3):
            yield face(f"{number}-{rater}", image, emotion=target, value=int(rater < 2 or number % 3 > 0))
        yield face(f"{number}-c", image, emotion=contrast, value=0)


def test_heads_are_trained_on_triple_agreement_and_the_contrastive_batch_alone(corpus, siglip, tmp_path):
    write_shard(tmp_path / "expert.tar", agreed_faces(90))
    options = FaceFittingOptions(widths=(32, 16), batch=32, most_epochs=25, expert_labels="agreed")
    found = train(
        tmp_path / "out", corpus, siglip, weak=None, expert=tmp_path / "expert.tar", options=options
    )
    assert json.loads((tmp_path / "out" / "heads.json").read_text())["fitting"]["expert_labels"] == "agreed"
    encoder, cache = load_image_encoder(siglip), tmp_path / "out-embeddings" / "expert"
    agreed = embed_corpus(tmp_path / "expert.tar", encoder, cache, label=agreed_ratings).faces
    assert [len(one.ratings) for one in agreed] == [1, 2, 2] * 30
    assert all(set(one.ratings.values()) <= {0.0, 7.0} for one in agreed)
    mean = embed_corpus(tmp_path / "expert.tar", encoder, cache).faces
    assert [max(one.ratings.values()) for one in mean] == pytest.approx([14 / 3, 7, 7] * 30)
    positive = sum(one.ratings.get(HAPPY) == 7 for one in agreed)
    assert 0 < found.quality["expert"][HAPPY].clips <= positive


def test_heads_are_written_in_the_published_layout(trained):
    out, found = trained
    assert (out / "model_astonishment_surprise_best.pth").is_file()
    notes = json.loads((out / "heads.json").read_text())
    assert notes["images"] == {"weak": 400, "expert": 120}
    assert {head.name for head in found.heads} == {HAPPY, SAD, AWED}
    assert set(found.quality["expert"]) == {HAPPY}  # the only one that the experts were asked for
    check_duties(out)
    card = (out / "README.md").read_text()
    assert all(name in card for name in (HAPPY, SAD, AWED))


def test_the_same_seed_gives_the_same_heads(trained, corpus, siglip, tmp_path):
    again = train(tmp_path / "heads", corpus, siglip, cache=trained[0].with_name("heads-embeddings"))
    for one, other in zip(trained[1].heads, again.heads, strict=True):
        for mine, theirs in zip(one.layers, other.layers, strict=True):
            assert all((a == b).all() for a, b in zip(mine, theirs, strict=True))


@pytest.fixture
def two_wide():
    """An image encoder with two outputs, which is not run."""
    return SimpleNamespace(width=2, name="tiny", module=SimpleNamespace(device=torch.device("cpu")))


def embeddings_of(*ratings):
    faces = [Face(f"{n}", f"{n}", dict(one), Demographics()) for n, one in enumerate(ratings)]
    return FaceEmbeddings(np.ones((len(faces), 2), np.float16), tuple(faces))


def test_neutral_faces_have_no_emotion_above_a_trace(two_wide):
    faint = dict.fromkeys(EMOTIONS, NEUTRAL)
    scorer = FaceScorer(two_wide, [constant_head(HAPPY, 3.0)])
    others = ({**faint, SAD: NEUTRAL + 0.1}, {SAD: 0.0})  # visible, and not fully rated
    neutral = [faint] * (FEWEST_NEUTRAL - 1)
    assert neutral_scores(scorer, [embeddings_of(*neutral, *others)]) == ({}, len(neutral))
    both = [embeddings_of(*neutral, *others), embeddings_of(faint)]
    assert neutral_scores(scorer, both) == ({HAPPY: 3.0}, FEWEST_NEUTRAL)


def constant_head(name, value):
    return Head.of_layers(
        name, [(torch.zeros(4, 2), torch.zeros(4)), (torch.zeros(1, 4), torch.tensor([value]))]
    )


def test_experts_train_better_heads_further(two_wide, monkeypatch, tmp_path):
    r2 = {"weak": {HAPPY: 0.5, SAD: 0.0}, "expert": {HAPPY: -0.1, SAD: 0.2}}
    corpora = {stage: embeddings_of(dict.fromkeys(found, 1.0)) for stage, found in r2.items()}
    fitted = []

    def fit(data, options, *, start):
        fitted.append([head.name for head in start])
        stage = "expert" if len(fitted) > 1 else "weak"
        for name, column in zip(data.names, data.targets.T, strict=True):
            if column[0] == 1:
                yield constant_head(name, float(len(fitted))), Quality(20, r2[stage][name], 1.0, 1.0, 1)

    monkeypatch.setattr(face_head_training, "fit_heads", fit)
    monkeypatch.setattr(face_head_training, "embed_corpus", lambda corpus, *_, **__: corpora[str(corpus)])
    found = train_face_heads(tmp_path / "out", two_wide, weak="weak", expert="expert", options=OPTIONS)
    assert fitted == [[], [HAPPY]]
    last = {head.name: float(head.layers[-1][1][0]) for head in found.heads}
    assert last == {HAPPY: 1.0, SAD: 2.0}  # of the last fit that was better than the mean


def test_no_head_that_is_better_than_the_mean_is_an_error(two_wide, monkeypatch, tmp_path):
    monkeypatch.setattr(face_head_training, "embed_corpus", lambda *_, **__: embeddings_of({HAPPY: 1.0}))
    with pytest.raises(CorpusError, match="expert: no head can be trained"):
        train_face_heads(tmp_path / "out", two_wide, expert="expert", options=OPTIONS)
    assert not (tmp_path / "out").exists()


def test_embeddings_are_computed_once_and_continued(corpus, siglip, tmp_path):
    encoder = load_image_encoder(siglip)
    whole = embed_corpus(corpus / "test.tar", encoder, tmp_path / "whole")
    embed_corpus(corpus / "test.tar", encoder, tmp_path / "cut")
    states, lines = tmp_path / "cut/embeddings.f16", tmp_path / "cut/images.jsonl"
    states.write_bytes(states.read_bytes()[:1_001])  # killed within an image
    lines.write_text(lines.read_text()[:5_000])
    calls = []
    embed = type(encoder).embed

    def counting(self, images):
        calls.append(len(images))
        return embed(self, images)

    type(encoder).embed = counting
    try:
        continued = embed_corpus(corpus / "test.tar", encoder, tmp_path / "cut")
        assert sum(calls) == 150 - 1_001 // (2 * encoder.width)
        embed_corpus(corpus / "test.tar", encoder, tmp_path / "cut")
        assert sum(calls) == 150 - 1_001 // (2 * encoder.width)
    finally:
        type(encoder).embed = embed
    assert [one.sha256 for one in continued.faces] == [one.sha256 for one in whole.faces]
    assert np.abs(continued.states.astype(float) - whole.states).max() < 1e-2
    assert whole.states.dtype == np.float16


def test_embeddings_of_another_corpus_are_refused(corpus, siglip, tmp_path):
    encoder = load_image_encoder(siglip)
    embed_corpus(corpus / "test.tar", encoder, tmp_path / "cache")
    with pytest.raises(CheckpointError, match="cache"):
        embed_corpus(corpus / "expert.tar", encoder, tmp_path / "cache")


def test_rows_of_one_image_are_one_face(siglip, tmp_path):
    """As in a table with a row for each rater."""
    image = {"bytes": encoded(drawn(1)), "path": "00000.png"}
    rows = [
        {"path": image, "annotator": f"human-{number}", "value": number < 3, "emotion": "Anger"}
        for number in (1, 2, 3, 4)
    ]
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "binary.parquet")
    found = embed_corpus(tmp_path / "binary.parquet", load_image_encoder(siglip), tmp_path / "cache")
    (one,) = found.faces
    assert one.ratings == {"Anger": 3.5}
    assert found.states.shape == (1, 32)
