"""Metrics of captions and scores against reference profiles, with intervals and a permutation baseline."""

from budew.evaluation.corpus_evaluation import evaluate_corpus
from budew.evaluation.pairs import Pair, Skipped
from budew.evaluation.predictions import by_id, read_predictions, read_scores, write_predictions
from budew.evaluation.rated_pairs import score
from budew.evaluation.results import Evaluation, evaluate
from budew.statistics.resampling import Resampling

__all__ = [
    "Evaluation",
    "Pair",
    "Resampling",
    "Skipped",
    "by_id",
    "evaluate",
    "evaluate_corpus",
    "read_predictions",
    "read_scores",
    "score",
    "write_predictions",
]
