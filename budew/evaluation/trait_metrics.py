"""Gender, age and style of the predictions against the labels: accuracy, average recall, macro F1, confusion.

A caption need not mention a trait. So each trait is scored over the clips whose label is known and whose
caption mentions it. The coverage, per cent of the labelled clips whose caption mentions it, is reported
beside the scores. Clips whose label is unknown are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from budew.evaluation.class_metrics import Decisions, permuted_classes, score_classes
from budew.evaluation.pairs import SCORED_TRAITS, Pair
from budew.statistics.arrays import FloatArray, IntArray
from budew.statistics.resampling import UNDEFINED, ConfidenceInterval, Resampling, plain_data
from budew.taxonomy import CATEGORIES

TRAIT_METRICS = ("accuracy", "unweighted_average_recall", "macro_f1")
"""In per cent. A mean over words is over the words that occur as labels."""
_UNDEFINED = dict.fromkeys(TRAIT_METRICS, UNDEFINED)


@dataclass(frozen=True, slots=True)
class TraitScore:
    """Metrics of one trait.

    Attributes:
        trait: one of `SCORED_TRAITS`.
        n: number of clips whose label is known.
        mentioned: number of these whose prediction has the trait; the metrics are over them.
        coverage: `mentioned` in per cent of `n`.
        metrics, baseline: `TRAIT_METRICS` by name, of the predictions and with permuted labels; empty if no
            prediction has the trait.
        words: values of the trait that occur as label or prediction, in the order of the taxonomy.
        confusion: (words, words + 1), number of clips by label (row) and prediction (column); the last column
            is "not mentioned".
    """

    trait: str
    n: int
    mentioned: int
    coverage: ConfidenceInterval
    metrics: Mapping[str, ConfidenceInterval]
    baseline: Mapping[str, ConfidenceInterval]
    words: tuple[str, ...]
    confusion: FloatArray

    def to_dict(self) -> dict[str, Any]:
        """Return everything except `trait` as plain data, ready for JSON."""
        return {
            "n": self.n,
            "mentioned": self.mentioned,
            "coverage": self.coverage.to_dict(),
            **plain_data(self.metrics or _UNDEFINED),
            "permutation_baseline": plain_data(self.baseline or _UNDEFINED),
            "confusion": {"words": list(self.words), "clips": self.confusion.tolist()},
        }


def score_traits(pairs: Sequence[Pair], clusters: IntArray, settings: Resampling) -> tuple[TraitScore, ...]:
    """Score each of `SCORED_TRAITS` that is labelled in at least one clip.

    Args:
        pairs: references and predictions of n clips.
        clusters: (n,), number of the group that each clip is resampled with, see `clusters_of`.
        settings: number of bootstrap resamples and permutations, and seed.
    """
    scores = []
    for trait in SCORED_TRAITS:
        known = [place for place, pair in enumerate(pairs) if trait in pair.reference.traits]
        if known:
            labels = [str(pairs[place].reference.traits[trait]) for place in known]
            predicted = [pairs[place].predicted.traits.get(trait) for place in known]
            scores.append(_score(trait, labels, predicted, clusters[known], settings))
    return tuple(scores)


def _score(
    trait: str,
    labels: Sequence[str],
    predicted: Sequence[str | float | None],
    clusters: IntArray,
    settings: Resampling,
) -> TraitScore:
    words = tuple(word for word in CATEGORIES[trait] if word in labels or word in predicted)
    label = np.array([words.index(word) for word in labels])
    chosen = np.array([[word == one for word in words] for one in predicted], dtype=np.float64)
    decisions, mentioned = Decisions(chosen > 0, chosen), np.array([one is not None for one in predicted])
    refused = score_classes(decisions, label, _numbered(clusters), settings).overall["refused"]
    metrics: Mapping[str, ConfidenceInterval] = {}
    baseline: Mapping[str, ConfidenceInterval] = {}
    if mentioned.any():
        of = decisions.rows(mentioned), label[mentioned]
        metrics = score_classes(*of, _numbered(clusters[mentioned]), settings).overall
        baseline = permuted_classes(*of, settings)
    return TraitScore(
        trait=trait,
        n=len(labels),
        mentioned=int(mentioned.sum()),
        coverage=_rest(refused),
        metrics={name: metrics[name] for name in TRAIT_METRICS if metrics},
        baseline={name: baseline[name] for name in TRAIT_METRICS if baseline},
        words=words,
        confusion=np.eye(len(words))[label].T @ np.column_stack([chosen, ~mentioned]),
    )


def _numbered(clusters: IntArray) -> IntArray:
    """Number the clusters of some clips from 0."""
    return np.unique(clusters, return_inverse=True)[1]


def _rest(share: ConfidenceInterval) -> ConfidenceInterval:
    """Return 100 minus a share in per cent."""
    bounds = (share.value, share.high, share.low)
    return ConfidenceInterval(*(None if bound is None else 100 - bound for bound in bounds))
