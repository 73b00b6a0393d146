"""The agreement table is counted by hand; accuracy and area under the curve are scikit-learn's."""

import csv
import json
from collections import defaultdict

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from budew.errors import CorpusError, InputError
from budew.evaluation.benchmarks.emonet_face_binary import (
    balanced_accuracy,
    contrast_pairs,
    score_emonet_face_binary,
    score_presence,
)
from budew.evaluation.predictors import FilePredictor
from budew.statistics.resampling import plain_data
from budew.taxonomy import EMOTIONS as EMOTIONS_40
from tests.evaluation.benchmarks.emonet_voice_set import write_scores

EMOTIONS = ("Anger", "Awe", "Helplessness")


def write(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "annotator", "value", "emotion"), *rows])
    return path


@pytest.fixture(scope="module")
def ratings():
    """(image, emotion) → answers of the experts in turn: the next is asked where all before say yes."""
    generator = np.random.default_rng(5)
    found = {}
    for image in range(150):
        for emotion in generator.choice(EMOTIONS, 2, replace=False):
            answers = [bool(generator.random() < 0.7)]
            while answers[-1] and len(answers) < 3:
                answers.append(bool(generator.random() < 0.7))
            found[f"{image:05d}", str(emotion)] = answers
    return found


@pytest.fixture(scope="module")
def table(ratings, tmp_path_factory):
    spelled = {"Helplessness": "Hopelessness"}  # as the published table has it
    rows = [
        (image, f"human-{person}", answer, spelled.get(emotion, emotion))
        for (image, emotion), answers in ratings.items()
        for person, answer in enumerate(answers)
    ]
    return write(tmp_path_factory.mktemp("binary") / "binary.csv", rows[::-1])


def test_pairs_are_counted(ratings, table):
    result = score_emonet_face_binary(table).to_dict()
    yes = [sum(answers) for answers in ratings.values()]
    assert result["counts"] == {
        "ratings": sum(map(len, ratings.values())),
        "images": 150,
        "people": 3,
        "pairs": 300,
        "all_yes": yes.count(3),
        "never_yes": yes.count(0),
        "other": yes.count(1) + yes.count(2),
        "contrast_no": yes.count(0) - result["counts"]["first_no"],
        "first_no": result["counts"]["first_no"],
    }
    for emotion in EMOTIONS:
        given = [answers for (_, name), answers in ratings.items() if name == emotion and len(answers) > 1]
        shares = {
            "two": sum(len(answers) == 2 for answers in given),
            "three": sum(len(answers) == 3 for answers in given),
            "agreement": given.count([True] * 3),
            "two_to_one": given.count([True, True, False]),
            "one_to_one": given.count([True, False]),
        }
        expected = {name: pytest.approx(count / len(given), abs=1e-12) for name, count in shares.items()}
        assert result["by_emotion"][emotion] == {"pairs": len(given), **expected}
    assert result["by_emotion"]["Fear"] == {"pairs": 0} | dict.fromkeys(shares)
    assert result["model"] is None


def test_the_contrastive_batch_is_told_from_the_first_stage():
    """Target answers as in the published table: human-4 has both tasks, and rows are sorted by rater."""
    generator, batch = np.random.default_rng(7), ("human-3", "human-4", "human-5")
    asked, truth = {}, set()
    for image in map(str, range(300)):
        target, contrast = generator.choice(40, 2, replace=False).tolist()
        experts = ["human-1", "human-4", "human-6"] if int(image) % 2 else ["human-4", "human-6", "human-1"]
        first = experts[: generator.integers(1, 4)]
        other = str(generator.choice(batch))
        rows = [((image, target), rater) for rater in first] + [((image, contrast), other)]
        for pair, rater in sorted(rows, key=lambda row: row[1]):
            asked.setdefault(pair, []).append(rater)
        truth.add((image, contrast))
    assert contrast_pairs(asked) == truth
    assert contrast_pairs({("1", 0): ["a"], ("1", 1): ["b"]}) == set()


def test_zero_and_one_are_no_and_yes_in_any_column(ratings, table, tmp_path):
    rows = list(csv.reader(table.open()))
    numbers = [[*row[:2], int(row[2] == "True"), row[3]] for row in rows[1:]]
    expected = score_emonet_face_binary(table)
    assert score_emonet_face_binary(write(tmp_path / "n.csv", numbers)) == expected
    labels = write(tmp_path / "l.csv", numbers)
    labels.write_text(labels.read_text().replace("value", "label", 1))
    assert score_emonet_face_binary(labels) == expected


def predictions(ratings):
    """Image → emotion → intensity."""
    generator, found = np.random.default_rng(6), defaultdict(dict)
    for (image, emotion), answers in ratings.items():
        noisy = 0.2 * sum(answers) + generator.normal(0, 0.3)
        found[f"faces/{image}.png"][emotion] = float(np.round(np.clip(noisy, 0, 1), 1))
    return found


def scored_model(table, scores, path, **options):
    """Score predictions; return the JSON."""
    predictor = FilePredictor(write_scores(path / "mine.jsonl", scores))
    return json.loads(
        json.dumps(score_emonet_face_binary(table, predictor, **options).to_dict(), allow_nan=False)
    )


def test_scores_are_those_of_scikit_learn_on_pairs_with_high_agreement(ratings, table, tmp_path):
    gone = {f"{image:05d}" for image in range(75)}
    scores = predictions(ratings)
    kept = {name: values for name, values in scores.items() if name[6:11] not in gone}
    result = scored_model(table, kept, tmp_path, threshold=0.4)
    model = result["model"]
    high = {pair: sum(answers) for pair, answers in ratings.items() if sum(answers) in (0, 3)}
    assert (result["predicted"]["value"], model["name"]) == (50, "mine")  # two pairs an image
    assert model["missing"] == sum(image in gone for image, _ in high)
    high = {pair: count for pair, count in high.items() if pair[0] not in gone}
    values = []
    for emotion in (None, *EMOTIONS):
        used = [pair for pair in high if emotion in (None, pair[1])]
        yes = [high[pair] == 3 for pair in used]
        given = np.array([scores[f"faces/{image}.png"].get(name, 0) for image, name in used])
        found = model["all"] if emotion is None else model["by_emotion"][emotion]
        assert (found["yes"], found["no"]) == (sum(yes), len(yes) - sum(yes))
        values.append((balanced_accuracy_score(yes, given >= 0.4), roc_auc_score(yes, given)))
        for metric, expected in zip(("balanced_accuracy", "roc_auc"), values[-1], strict=True):
            assert found[metric]["value"] == pytest.approx(expected, abs=1e-9)
            assert found[metric]["low"] < expected < found[metric]["high"]
    means = [model["mean"][metric]["value"] for metric in ("balanced_accuracy", "roc_auc")]
    assert means == pytest.approx(np.mean(values[1:], axis=0), abs=1e-9)
    assert model["by_emotion"]["Fear"]["roc_auc"]["value"] is None


@pytest.mark.parametrize(("awe", "scored"), [((4, 9), False), ((9, 4), False), ((5, 5), True)])
def test_an_emotion_with_few_pairs_is_not_scored_and_not_in_the_mean(awe, scored):
    """Anger has enough pairs of both kinds and is predicted perfectly, Awe is never predicted."""
    emotion = np.repeat([EMOTIONS_40.index("Anger"), EMOTIONS_40.index("Awe")], [12, sum(awe)])
    yes = np.array([True] * 6 + [False] * 6 + [True] * awe[0] + [False] * awe[1])
    scores = np.where(emotion == emotion[0], yes, 0.0)
    model = score_presence(np.arange(len(yes)), emotion, yes, scores, name="m", threshold=0.5)
    model = plain_data(model)
    found = model["by_emotion"]["Awe"]
    assert (found["yes"], found["no"]) == awe
    for metric in ("balanced_accuracy", "roc_auc"):
        assert found[metric]["value"] == (0.5 if scored else None)
        assert model["mean"][metric]["value"] == (0.75 if scored else 1)
        assert model["all"][metric]["value"] < 1


def test_the_balanced_accuracy_of_a_resample_is_that_of_the_drawn_pairs():
    generator = np.random.default_rng(7)
    yes, scores = generator.random(40) < 0.4, generator.integers(0, 5, 40) / 4
    counts = generator.multinomial(40, np.full(40, 1 / 40), size=20).astype(float)
    for row, accuracy in zip(counts.astype(int), balanced_accuracy(yes, scores > 0.5, counts), strict=True):
        drawn = np.repeat(np.arange(40), row)
        assert accuracy == pytest.approx(balanced_accuracy_score(yes[drawn], scores[drawn] > 0.5), abs=1e-9)


@pytest.mark.parametrize(
    ("predict", "expected"),
    [(lambda yes: float(yes), 1), (lambda yes: float(not yes), 0), (lambda yes: 0.6, 0.5)],
)
def test_perfect_inverted_and_constant_predictions(ratings, table, tmp_path, predict, expected):
    scores = defaultdict(dict)
    for (image, emotion), answers in ratings.items():
        scores[image][emotion] = predict(sum(answers) == 3)
    model = scored_model(table, scores, tmp_path)["model"]
    for part in ("all", "mean"):
        assert [model[part][metric]["value"] for metric in ("balanced_accuracy", "roc_auc")] == [expected] * 2


@pytest.mark.parametrize(
    "rows",
    [
        [("0", "a", "True", "Anger"), ("0", "a", "False", "Anger")],
        [("0", "a", "weakly_present", "Anger")],
        [("0", "a", "True", "Hunger")],
        [],
    ],
)
def test_a_table_that_is_not_binary_is_one_error(tmp_path, rows):
    with pytest.raises(CorpusError, match=r"t\.csv"):
        score_emonet_face_binary(write(tmp_path / "t.csv", rows))


def test_predictions_for_other_images_are_refused(table, tmp_path):
    with pytest.raises(InputError, match="00000"):
        scored_model(table, {"somewhere else": {"Awe": 1}}, tmp_path)
