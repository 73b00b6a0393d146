"""The rule of the EmoNet papers and what stands beside it, against scipy, scikit-learn and plain loops."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score

from budew.evaluation.benchmarks.coarse import CoarseTask, LabelledClip, decide, load_task, score_coarse
from budew.statistics.resampling import Resampling
from budew.taxonomy import EMOTIONS

NAMES = ("emodb", "ravdess", "ferd", "affectnet")
FEW = Resampling(resamples=20, permutations=10, seed=3)


def examples(task: CoarseTask, count: int, seed: int = 0, speakers: int = 0) -> list[LabelledClip]:
    """Random scores that know a little of the label, which differ from one another."""
    generator = np.random.default_rng(seed)
    made = []
    for number in range(count):
        label = task.classes[generator.integers(len(task.classes))]
        scores = generator.normal(0, 1.5, 40) + [task.mapping.get(name) == label for name in EMOTIONS]
        speaker = f"s{generator.integers(speakers)}" if speakers else None
        made.append(LabelledClip(f"{number:04d}", label, scores, speaker))
    return made


def by_hand(task: CoarseTask, rows: list[LabelledClip]) -> tuple[np.ndarray, list[str], list[str]]:
    """Accepted classes, argmax classes and labels, emotion by emotion."""
    mapped = [(EMOTIONS.index(name), label) for name, label in task.mapping.items()]
    accepted = np.zeros((len(rows), len(task.classes)), bool)
    argmax = []
    for at, row in enumerate(rows):
        shares = softmax([row.scores[column] for column, _ in mapped])
        for share, (_, label) in zip(shares, mapped, strict=True):
            if share > 1.5 / len(mapped):
                accepted[at, task.classes.index(label)] = True
        argmax.append(mapped[int(np.argmax(shares))][1])
    return accepted, argmax, [row.label for row in rows]


def percentages(task, rows) -> dict[str, float]:
    accepted, argmax, labels = by_hand(task, rows)
    right = [accepted[at, task.classes.index(label)] for at, label in enumerate(labels)]
    return {
        "accuracy": 100 * float(np.mean(right)),
        "argmax_accuracy": 100 * accuracy_score(labels, argmax),
        "unweighted_average_recall": 100 * balanced_accuracy_score(labels, argmax),
        "macro_f1": 100 * f1_score(labels, argmax, labels=sorted(set(labels)), average="macro"),
        "accepted_classes": float(accepted.sum(axis=1).mean()),
        "refused": 0.0,
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_every_metric_and_interval_equals_an_independent_computation(name):
    task = load_task(name)
    rows = examples(task, 80)
    result = score_coarse(task, rows, settings=FEW).to_dict()
    draws = np.random.default_rng(FEW.seed).multinomial(80, np.full(80, 1 / 80), size=FEW.resamples)
    sampled = [percentages(task, [rows[at] for at in np.repeat(np.arange(80), draw)]) for draw in draws]
    for metric, value in percentages(task, rows).items():
        low, high = np.quantile([sample[metric] for sample in sampled], [0.025, 0.975])
        assert result[metric] == pytest.approx({"value": value, "low": low, "high": high}, abs=1e-9)
    accepted, argmax, labels = by_hand(task, rows)
    matrix = confusion_matrix(labels, argmax, labels=task.classes)
    assert np.array_equal(np.array(result["confusion"]["clips"])[:, :-1], matrix)
    assert result["accepted_counts"] == [
        int((accepted.sum(axis=1) == k).sum()) for k in range(len(task.classes) + 1)
    ]
    for at, label in enumerate(task.classes):
        of_class = np.array(labels) == label
        row = result["by_class"][label]
        assert row["n"] == of_class.sum() == matrix[at].sum()
        assert row["accuracy"]["value"] == pytest.approx(100 * accepted[of_class, at].mean(), abs=1e-9)
        assert row["recall"]["value"] == pytest.approx(100 * matrix[at, at] / matrix[at].sum(), abs=1e-9)
        assert row["accepted"] == pytest.approx(100 * accepted[:, at].mean(), abs=1e-9)


def test_the_baseline_is_the_same_rule_on_permuted_labels():
    task = load_task("emodb")
    rows = examples(task, 90)
    baseline = score_coarse(task, rows, settings=FEW).to_dict()["permutation_baseline"]
    generator = np.random.default_rng(FEW.seed)
    orders = [generator.permutation([row.label for row in rows]) for _ in range(FEW.permutations)]
    permuted = [
        percentages(task, [replace(row, label=str(label)) for row, label in zip(rows, order, strict=True)])
        for order in orders
    ]
    for metric in permuted[0]:
        assert baseline[metric]["value"] == pytest.approx(np.mean([p[metric] for p in permuted]), abs=1e-9)
    accepted, _, labels = by_hand(task, rows)
    expected = sum(labels.count(name) * accepted[:, at].sum() for at, name in enumerate(task.classes)) / 90**2
    many = score_coarse(task, rows, settings=Resampling(1, 4000)).to_dict()["permutation_baseline"]
    assert many["accuracy"]["value"] == pytest.approx(100 * expected, abs=0.5)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_speakers_are_resampled_with_all_of_their_clips():
    task = load_task("ravdess")
    rows = examples(task, 60, speakers=6)
    result = score_coarse(task, rows, settings=FEW).to_dict()
    names = sorted({row.speaker for row in rows})
    draws = np.random.default_rng(FEW.seed).multinomial(6, np.full(6, 1 / 6), size=FEW.resamples)
    of = [[row for row in rows if row.speaker == name] for name in names]
    sampled = [
        percentages(task, [row for clips, times in zip(of, draw, strict=True) for row in clips * times])
        for draw in draws
    ]
    assert result["speakers"] == 6
    for metric in ("accuracy", "argmax_accuracy", "macro_f1", "accepted_classes"):
        low, high = np.quantile([sample[metric] for sample in sampled], [0.025, 0.975])
        assert (result[metric]["low"], result[metric]["high"]) == pytest.approx((low, high), abs=1e-9)
    alone = score_coarse(task, [replace(row, speaker="one") for row in rows], settings=FEW).to_dict()
    assert alone["accuracy"] == {"value": result["accuracy"]["value"], "low": None, "high": None}


@given(st.integers(0, 10_000), st.sampled_from(NAMES))
@settings(max_examples=10, deadline=None)
def test_neither_order_nor_unmapped_emotions_nor_a_constant_change_anything(seed, name):
    task = load_task(name)
    rows = examples(task, 12, seed)
    unmapped = [emotion not in task.mapping for emotion in EMOTIONS]
    generator = np.random.default_rng(seed)
    others = [
        replace(row, scores=np.where(unmapped, generator.normal(0, 9, 40), row.scores + 64)) for row in rows
    ]
    assert (
        score_coarse(task, rows[::-1], settings=FEW).to_dict()
        == score_coarse(task, rows, settings=FEW).to_dict()
    )
    assert np.array_equal(
        decide(task, np.array([row.scores for row in others])).accepted,
        decide(task, np.array([row.scores for row in rows])).accepted,
    )


@pytest.mark.parametrize("name", NAMES)
def test_no_emotion_at_all_is_the_class_without_emotion_and_any_other_tie_is_shared(name):
    task = load_task(name)
    neutral = np.array(task.classes) == "neutral"
    one, other = (task.members[label][0] for label in task.classes[:2])
    missing = np.where(np.arange(40) == EMOTIONS.index(one), np.nan, 0.0)
    decided = decide(task, np.array([np.zeros(40), missing, np.full(40, 0.5), np.full(40, np.nan)]))
    assert np.array_equal(decided.strongest[:2], [neutral, neutral])
    assert decided.strongest[2] == pytest.approx(1 / len(task.classes))
    assert not decided.strongest[3].any()
    assert not decided.accepted.any()  # the published rule knows no such class
    tied = np.isin(EMOTIONS, (one, other)) * 0.5
    assert decide(task, tied[None]).strongest[0] == pytest.approx(np.isin(task.classes, task.classes[:2]) / 2)
    without = replace(task, without_emotion=None)
    assert decide(without, np.zeros((1, 40))).strongest == pytest.approx(1 / len(task.classes))


def test_an_emotion_of_several_classes_shares_the_clip_over_them():
    members = {"proud": ("Pride",), "triumphant": ("Pride", "Triumph"), "neutral": ()}
    task = CoarseTask("own", "Own", members, "neutral", "a definition")
    rows = np.array([np.isin(EMOTIONS, name) * 1.0 for name in ("Pride", "Triumph", "Anger")])
    assert decide(task, rows).strongest.tolist() == [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 1]]
    assert task.mapping == {"Triumph": "triumphant", "Pride": "proud, triumphant"}


def test_a_refusal_is_wrong_and_a_missing_score_takes_no_part():
    task = load_task("emodb")
    rows = examples(task, 10)
    nothing = replace(rows[0], scores=np.full(40, np.nan))
    partial = replace(
        rows[1], scores=np.where(np.arange(40) == EMOTIONS.index("Anger"), np.nan, rows[1].scores)
    )
    result = score_coarse(task, [nothing, partial, *rows[2:]], settings=FEW).to_dict()
    assert (result["refused"]["value"], result["incomplete"]) == (10, 1)
    assert sum(row[-1] for row in result["confusion"]["clips"]) == 1
    scores = {name: partial.scores[EMOTIONS.index(name)] for name in task.mapping if name != "Anger"}
    shares = dict(zip(scores, softmax(list(scores.values())), strict=True))
    accepted = {task.mapping[name] for name, share in shares.items() if share > 1.5 / 37}
    decided = decide(task, np.array([nothing.scores, partial.scores]))
    assert not decided.accepted[0].any()
    assert {name for name, is_in in zip(task.classes, decided.accepted[1], strict=True) if is_in} == accepted


def test_tables_are_those_of_the_papers():
    assert [len(load_task(name).mapping) for name in NAMES] == [37, 39, 40, 40]
    assert [len(load_task(name).classes) for name in NAMES] == [7, 8, 8, 8]
    for name in NAMES:
        task = load_task(name)
        assert set(task.mapping.values()) == set(task.classes)
        for row in task.published:
            assert set(row["by_class"]) == (set() if "supervised" in row["model"] else set(task.classes))
            assert row["source"]
            assert row["date"]
    sizes = {
        "anger": 127,
        "boredom": 81,
        "disgust": 46,
        "fear": 69,
        "happiness": 71,
        "neutral": 79,
        "sadness": 62,
    }
    emodb = load_task("emodb").published[0]  # the published accuracy is that over clips
    assert sum(sizes[k] * v for k, v in emodb["by_class"].items()) / 535 == pytest.approx(
        emodb["accuracy"], abs=0.1
    )


def test_clips_of_unknown_speakers_are_not_counted_as_for_training():
    task = replace(load_task("emodb"), name="librispeech")  # all of whose other speakers are for training
    for speakers, counted in ((0, 0), (2, 5)):
        assert score_coarse(task, examples(task, 5, speakers=speakers), settings=FEW).for_training == counted
