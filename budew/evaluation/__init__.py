"""How close captions and scores come to the reference: metrics with intervals and a permutation baseline."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from budew.evaluation.corpus import evaluate_corpus as evaluate_corpus
    from budew.evaluation.judge import evaluate as evaluate
    from budew.evaluation.pairs import Pair as Pair
    from budew.evaluation.pairs import Skipped as Skipped
    from budew.evaluation.predictions import read_predictions as read_predictions
    from budew.evaluation.predictions import write_predictions as write_predictions
    from budew.evaluation.result import Evaluation as Evaluation
    from budew.evaluation.result import Settings as Settings

_HOMES = {
    "Evaluation": "result",
    "Pair": "pairs",
    "Settings": "result",
    "Skipped": "pairs",
    "evaluate": "judge",
    "evaluate_corpus": "corpus",
    "read_predictions": "predictions",
    "write_predictions": "predictions",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import what is asked for: a report needs jinja2, figures need only numpy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
