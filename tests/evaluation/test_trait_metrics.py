"""Traits are scored where they are known and mentioned, as scikit-learn does; coverage is apart."""

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score

from budew.evaluation import Pair, evaluate
from budew.evaluation.pairs import clusters_of
from budew.evaluation.trait_metrics import score_traits
from budew.profile import VoiceProfile
from budew.statistics.resampling import Resampling
from budew.taxonomy import CATEGORIES

FEW = Resampling(resamples=60, permutations=40, seed=3)
AGES = tuple(CATEGORIES["age"])


def said(**traits: str | None) -> VoiceProfile:
    return VoiceProfile(None, (), {name: word for name, word in traits.items() if word})


def pairs_of(labels: list[str | None], predicted: list[str | None], speakers: int = 0) -> list[Pair]:
    rows = enumerate(zip(labels, predicted, strict=True))
    return [
        Pair(f"{n:03d}", said(age=label), said(age=word), speaker=f"s{n % speakers}" if speakers else None)
        for n, (label, word) in rows
    ]


def scored(pairs: list[Pair], settings: Resampling = FEW):
    clusters, _ = clusters_of([pair.speaker for pair in pairs])
    return score_traits(pairs, clusters, settings)


def by_hand(labels: list[str], predicted: list[str]) -> dict[str, float]:
    return {
        "accuracy": 100 * accuracy_score(labels, predicted),
        "unweighted_average_recall": 100 * balanced_accuracy_score(labels, predicted),
        "macro_f1": 100 * f1_score(labels, predicted, labels=sorted(set(labels)), average="macro"),
    }


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_metrics_and_intervals_over_speakers_equal_an_independent_computation():
    generator = np.random.default_rng(1)
    labels = [str(word) for word in generator.choice(AGES[:4], size=90)]
    predicted = [word if generator.random() < 0.5 else str(generator.choice(AGES[1:])) for word in labels]
    (row,) = scored(pairs_of(labels, predicted, speakers=9))
    draws = np.random.default_rng(FEW.seed).multinomial(9, np.full(9, 1 / 9), size=FEW.resamples)
    places = [[at for at in range(90) for _ in range(draw[at % 9])] for draw in draws]
    sampled = [by_hand([labels[at] for at in some], [predicted[at] for at in some]) for some in places]
    for metric, value in by_hand(labels, predicted).items():
        low, high = np.quantile([sample[metric] for sample in sampled], [0.025, 0.975])
        assert row.metrics[metric].to_dict() == pytest.approx({"value": value, "low": low, "high": high})
    orders = np.random.default_rng(FEW.seed)
    permuted = [by_hand(list(orders.permutation(labels)), predicted) for _ in range(FEW.permutations)]
    for metric, estimate in row.baseline.items():
        assert estimate.value == pytest.approx(np.mean([one[metric] for one in permuted]))
    assert np.array_equal(row.confusion[:, :-1], confusion_matrix(labels, predicted, labels=row.words))
    assert row.coverage.value == 100


def test_unknown_labels_take_no_part_and_captions_without_the_trait_lower_only_the_coverage():
    labels = ["child", "child", "adult", "adult", None, None]
    predicted = ["child", None, "adult", "child", "child", None]
    (row,) = scored(pairs_of(labels, predicted))
    assert (row.n, row.mentioned, row.coverage.value) == (4, 3, 75)
    assert row.metrics["accuracy"].value == pytest.approx(200 / 3)
    assert row.metrics["unweighted_average_recall"].value == pytest.approx(75)
    assert row.words == ("child", "adult")
    assert row.confusion.tolist() == [[1, 0, 1], [1, 1, 0]]


def test_each_trait_is_scored_by_itself_and_one_that_is_no_label_is_left_out():
    pairs = [
        Pair("a", said(gender="female", style="whispered"), said(gender="female")),
        Pair("b", said(gender="male"), said(gender="male", age="adult", style="ranting")),
    ]
    found = evaluate(pairs, settings=FEW)
    assert {row.trait: (row.n, row.mentioned) for row in found.traits} == {"gender": (2, 2), "style": (1, 0)}
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))["traits"]
    assert data["gender"]["accuracy"] == {"value": 100, "low": 100, "high": 100}
    assert data["style"]["accuracy"] == {"value": None, "low": None, "high": None}
    assert data["style"]["coverage"]["value"] == 0
