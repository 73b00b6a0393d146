"""How close captions and scores come to the truth: figures with intervals and a floor, tables, reports."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from budew.evaluation.corpus import evaluate_corpus as evaluate_corpus
    from budew.evaluation.judge import evaluate as evaluate
    from budew.evaluation.pairs import EvaluationError as EvaluationError
    from budew.evaluation.pairs import Pair as Pair
    from budew.evaluation.pairs import Skipped as Skipped
    from budew.evaluation.paraphrases import ParaphraseReport as ParaphraseReport
    from budew.evaluation.paraphrases import paraphrase_report as paraphrase_report
    from budew.evaluation.predictions import read_predictions as read_predictions
    from budew.evaluation.predictions import write_predictions as write_predictions
    from budew.evaluation.report import write_html as write_html
    from budew.evaluation.result import Evaluation as Evaluation
    from budew.evaluation.result import Settings as Settings
    from budew.evaluation.table import tables as tables

_HOMES = {
    "Evaluation": "result",
    "EvaluationError": "pairs",
    "Pair": "pairs",
    "ParaphraseReport": "paraphrases",
    "Settings": "result",
    "Skipped": "pairs",
    "evaluate": "judge",
    "evaluate_corpus": "corpus",
    "paraphrase_report": "paraphrases",
    "read_predictions": "predictions",
    "tables": "table",
    "write_html": "report",
    "write_predictions": "predictions",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import what is asked for: a report needs jinja2, figures need only numpy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
