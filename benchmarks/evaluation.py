"""Times of an evaluation of 400 clips: bootstrap, permutation baseline, report; ranks compared with sorting.

Then EmoNet-Voice Bench: 12,600 clips, rated by two to four of six raters, all with different predictions.
"""

import time
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.stats import rankdata

from budew.corpora.clip import Clip
from budew.evaluation.benchmarks.emonet_voice import score_predictions
from budew.evaluation.benchmarks.emonet_voice_data import RatedClip
from budew.evaluation.benchmarks.emonet_voice_scores import numbers_of
from budew.evaluation.emotion_metrics import score_emotions
from budew.evaluation.pairs import Pair
from budew.evaluation.prediction_files import Prediction
from budew.evaluation.results import evaluate
from budew.profile import VoiceProfile
from budew.reports import evaluation_report, report_html
from budew.statistics.correlation import mean_ranks
from budew.statistics.pair_metrics import pair_intervals
from budew.statistics.resampling import Resampling, bootstrap, permutation_baseline
from budew.taxonomy import EMOTIONS as NAMES

CLIPS, EMOTIONS, RESAMPLES = 400, 40, 1000


def seconds(what: str, work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    taken = time.perf_counter() - start
    print(f"{what:52s} {taken:7.2f} s")
    return taken


def main() -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 5, (CLIPS, EMOTIONS)) / 4
    predicted = generator.random((CLIPS, EMOTIONS))
    print(f"{CLIPS} clips, {EMOTIONS} emotions, {RESAMPLES} resamples")
    settings = Resampling(RESAMPLES, permutations=100)
    metrics = partial(score_emotions, truth, predicted)
    seconds("bootstrap of all metrics", lambda: bootstrap(metrics, CLIPS, settings, width=4 * CLIPS))
    seconds(
        "permutation baseline, 100 permutations",
        lambda: permutation_baseline(lambda order: score_emotions(truth, predicted[order]), CLIPS, settings),
    )
    draws = generator.integers(0, CLIPS, (RESAMPLES, CLIPS))
    counts = np.stack([np.bincount(draw, minlength=CLIPS) for draw in draws]).astype(float)
    columns = predicted.T
    sorting = seconds("ranks by sorting each resample", lambda: [rankdata(c[draws], axis=1) for c in columns])
    ours = seconds("ranks by cumulative counts", lambda: [mean_ranks(c, counts) for c in columns])
    print(f"ratio {sorting / ours:.1f}")
    pairs = [
        Pair(f"{number:04d}", VoiceProfile.from_vector(row), VoiceProfile.from_vector(other), "A caption.")
        for number, (row, other) in enumerate(zip(truth, predicted, strict=True))
    ]
    evaluation = evaluate(pairs)
    seconds("evaluation from profiles to metrics", lambda: evaluate(pairs))
    seconds("report", lambda: report_html(evaluation_report(evaluation)))
    time_emonet_voice(generator)


def time_emonet_voice(generator: np.random.Generator) -> None:
    categories = [*NAMES, "Authenticity", "Arousal"] * 300
    clips = [
        RatedClip(Clip(f"{number:05d}", b"", ""), category, _answers(generator), "en", f"voice {number % 11}")
        for number, category in enumerate(categories)
    ]
    predicted = [
        (
            clip,
            Prediction(VoiceProfile({clip.category: generator.random()})) if clip.category in NAMES else None,
        )
        for clip in clips
    ]
    print(f"{len(clips):,} clips of EmoNet-Voice Bench")
    labels = np.array([clip.label for clip in clips])
    for what, values in (("5 levels", generator.integers(0, 5, len(clips))), ("different", labels)):
        values = values + generator.random(len(clips)) * (what == "different")
        work = partial(pair_intervals, labels, values, Resampling())
        seconds(f"metrics of pairs, {what}", work)
    seconds("all metrics of both sets", lambda: score_predictions(predicted, model="", data=""))
    counts = numbers_of(clips)
    print(f"same answer by all: {counts['same_answers']}; largest number with the same: {counts['agreeing']}")


def _answers(generator: np.random.Generator) -> dict[str, int]:
    raters = generator.choice(6, size=generator.choice([2, 3, 4], p=[0.36, 0.61, 0.03]), replace=False)
    return {f"human-{rater}": int(generator.integers(0, 3)) for rater in raters}


if __name__ == "__main__":
    main()
