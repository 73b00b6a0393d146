"""The metrics of `budew.evaluation.score` as a metric of the library `evaluate`, usable without network.

`EmotionScores()` works offline. `evaluate.load` also takes the path of this file, if it has one import per
line.
"""

from typing import Any

from budew.errors import require
from budew.evaluation.rated_pairs import score

evaluate = require("evaluate", extra="evaluate", purpose="budew.evaluation.hub_metric")
datasets = require("datasets", extra="evaluate", purpose="budew.evaluation.hub_metric")

_VECTOR = datasets.Sequence(datasets.Value("float64"))


class EmotionScores(evaluate.Metric):  # type: ignore[misc,name-defined]  # untyped
    """Pearson, Spearman, MAE and RMSE over the pairs of rated emotions, as EmoNet-Voice Bench reports them.

    References are vectors of 40 intensities in [0, 1], NaN where unrated. Predictions are either such
    vectors, or captions; a vector of NaN or an empty caption is a refusal. `compute` returns the dictionary
    that `budew.evaluation.score` returns.
    """

    def _info(self) -> Any:
        return evaluate.MetricInfo(
            description=self.__doc__,
            citation="arXiv:2506.09827",
            inputs_description="predictions: vectors of 40 intensities or captions; references: vectors",
            features=[
                datasets.Features(predictions=_VECTOR, references=_VECTOR),
                datasets.Features(predictions=datasets.Value("string"), references=_VECTOR),
            ],
        )

    def _compute(
        self, predictions: list[list[float] | str], references: list[list[float]]
    ) -> dict[str, float | int | None]:
        return score(predictions, references)
