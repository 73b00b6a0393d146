"""Score two captioners on one corpus: a model, and the predictions of any other system.

    python examples/score.py CORPUS MODEL predictions.jsonl

CORPUS has clips with profiles, MODEL is a folder or hub id, and each line of the predictions has the `id` of
a clip and a `caption` or scores from 0 to 1 (docs/benchmarks.md). Intervals are 95 %, over speakers.
"""

import sys

import rich

from budew.evaluation import Evaluation, FilePredictor, ModelPredictor, evaluate_corpus
from budew.inference import ModelOptions, WritingOptions
from budew.reports import card_table, evaluation_summary


def main(corpus: str, model: str, predictions: str) -> list[Evaluation]:
    """Print a table for each system: correlation, error and ROC area, with a permutation baseline."""
    systems = [
        ModelPredictor(ModelOptions(model), WritingOptions(num_samples=4)),  # mean over 4 sampled captions
        FilePredictor(predictions),
    ]
    evaluations = [evaluate_corpus(corpus, system) for system in systems]
    for evaluation in evaluations:
        rich.print(card_table(evaluation_summary(evaluation)))
    return evaluations


if __name__ == "__main__":
    main(*sys.argv[1:])
