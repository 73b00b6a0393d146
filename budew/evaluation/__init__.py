"""Metrics of captions and scores against reference profiles, with intervals and a permutation baseline."""

from budew.evaluation.corpus_evaluation import evaluate_corpus
from budew.evaluation.predictions import read_predictions, write_predictions
from budew.evaluation.results import Evaluation, Pair, Settings, Skipped, evaluate

__all__ = [
    "Evaluation",
    "Pair",
    "Settings",
    "Skipped",
    "evaluate",
    "evaluate_corpus",
    "read_predictions",
    "write_predictions",
]
