"""Bursts are scored by group and one by one, as scikit-learn scores them, where they are labelled."""

import json

import numpy as np
import pytest
from sklearn.metrics import precision_score, recall_score

from budew import parse
from budew.evaluation import Pair, evaluate
from budew.evaluation.burst_metrics import score_bursts
from budew.evaluation.pairs import clusters_of
from budew.profile import VoiceProfile
from budew.statistics.resampling import Resampling, plain_data
from budew.taxonomy import BURST_GROUPS, BURSTS

FEW = Resampling(resamples=40, permutations=30, seed=5)


def sounds(*bursts: str) -> VoiceProfile:
    return VoiceProfile(None, bursts)


def matrix(profiles: list[VoiceProfile], names: list[list[str]]) -> np.ndarray:
    return np.array([[not set(of).isdisjoint(one.bursts) for of in names] for one in profiles], dtype=int)


def by_hand(label: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    there = label.any(axis=0)
    both = (("recall", recall_score), ("precision", precision_score))
    micro = {
        f"micro_{name}": measure(label, predicted, average="micro", zero_division=0) for name, measure in both
    }
    macro = {
        f"macro_{name}": measure(label[:, there], predicted[:, there], average="macro", zero_division=0)
        for name, measure in both
    }
    return {name: 100 * value for name, value in {**micro, **macro}.items()}


@pytest.mark.parametrize("by", ["groups", "bursts"])
def test_metrics_and_intervals_over_speakers_equal_an_independent_computation(by):
    generator = np.random.default_rng(2)
    some = [str(name) for name in BURSTS[::3]]
    label = [sounds(*generator.choice(some, size=generator.integers(1, 3))) for _ in range(60)]
    guess = [one if generator.random() < 0.6 else sounds(str(generator.choice(BURSTS))) for one in label]
    pairs = [
        Pair(f"{n:02d}", *both, speaker=f"s{n % 6}") for n, both in enumerate(zip(label, guess, strict=True))
    ]
    clusters, _ = clusters_of([pair.speaker for pair in pairs])
    found = getattr(score_bursts(pairs, clusters, FEW), by)
    names = list(BURST_GROUPS.values()) if by == "groups" else [[name] for name in BURSTS]
    labels, guesses = matrix(label, names), matrix(guess, names)
    draws = np.random.default_rng(FEW.seed).multinomial(6, np.full(6, 1 / 6), size=FEW.resamples)
    drawn = [[at for at in range(60) for _ in range(draw[at % 6])] for draw in draws]
    sampled = [by_hand(labels[rows], guesses[rows]) for rows in drawn]
    for metric, value in by_hand(labels, guesses).items():
        low, high = np.quantile([sample[metric] for sample in sampled], [0.025, 0.975])
        assert found.overall[metric].to_dict() == pytest.approx({"value": value, "low": low, "high": high})
    for at, row in enumerate(found.rows):
        assert (row.support, row.predicted) == (labels[:, at].sum(), guesses[:, at].sum())
        agreed = (labels[:, at] & guesses[:, at]).sum()
        assert row.recall.value == (pytest.approx(100 * agreed / row.support) if row.support else None)
        assert row.precision.value == (pytest.approx(100 * agreed / row.predicted) if row.predicted else None)
    orders = np.random.default_rng(FEW.seed)
    permuted = [by_hand(labels, guesses[orders.permutation(60)]) for _ in range(FEW.permutations)]
    for metric, estimate in found.baseline.items():
        assert estimate.value == pytest.approx(np.mean([one[metric] for one in permuted]))


def test_a_caption_that_names_the_group_is_right_by_group_and_wrong_by_burst():
    pairs = [Pair(f"{n}", sounds("Cackle"), parse("She laughs.").profile, "She laughs.") for n in range(3)]
    found = evaluate(pairs, settings=FEW).bursts
    for metric in ("micro_recall", "micro_precision"):
        assert (found.groups.overall[metric].value, found.bursts.overall[metric].value) == (100, 0)


def test_clips_without_a_labelled_burst_count_for_nothing_but_the_number_that_got_one():
    labelled = [Pair(f"{n}", sounds("Yawn"), sounds("Yawn" if n else "Scream")) for n in range(4)]
    unknown = VoiceProfile({"Fear": 1})
    others = [Pair("x", unknown, sounds("Scream")), Pair("y", unknown, unknown)]
    found, alone = (evaluate(some, settings=FEW).bursts for some in ([*labelled, *others], labelled))
    assert (found.groups, found.bursts) == (alone.groups, alone.bursts)
    assert (found.n, found.unlabelled, found.named_there) == (4, 2, 1)
    assert found.groups.overall["micro_precision"].value == 75
    assert evaluate([Pair("z", unknown, sounds("Yawn"))], settings=FEW).bursts is None
    data = json.loads(json.dumps(plain_data(found), allow_nan=False))
    assert list(data["groups"]["by_name"]) == list(BURST_GROUPS)
    assert list(data["bursts"]["by_name"]) == list(BURSTS)
