"""EmoNet-Voice Bench: every metric equals numpy, scipy, scikit-learn and krippendorff on made ratings."""

import ast
import json
import random
from collections import Counter
from urllib.parse import unquote

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from budew.corpora import read
from budew.errors import InputError
from budew.evaluation.benchmarks.emonet_voice import score_emonet_voice
from budew.evaluation.predictors import FilePredictor
from budew.statistics.resampling import Resampling
from budew.taxonomy import EMOTION_TABLE, find_emotion
from tests.evaluation.benchmarks.emonet_voice_set import rated_rows, write_scores, write_set

ROWS = rated_rows()
EMOTION_ROWS = [row for row in ROWS if row.category not in ("Authenticity", "Arousal")]
FEW = Resampling(resamples=20, permutations=5, seed=1)
METRICS = ("pearson", "spearman", "mae", "rmse")


def noisy(row):
    return min(1.0, max(0.0, row.label / 10 + random.Random(row.file).uniform(-0.4, 0.4)))


PREDICTORS = {
    "perfect": lambda row: row.label / 10,
    "constant": lambda row: 0.5,
    "noisy": noisy,
    "refusing": lambda row: None if len(row.answers) == 3 else noisy(row),
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("bench"), ROWS)


@pytest.fixture(scope="module", params=PREDICTORS)
def scored(bench, request, tmp_path_factory):
    """Name of the predictor, rows of emotions with its predictions (0–10, None refused), the results."""
    predict = PREDICTORS[request.param]
    scores = {row.file: {row.category: predict(row)} for row in EMOTION_ROWS}
    lineless = {row.file for row in EMOTION_ROWS if predict(row) is None and row.voice == "nova"}
    scores = {file: values for file, values in scores.items() if file not in lineless}
    file = write_scores(tmp_path_factory.mktemp("p") / "scores.jsonl", scores)
    result = score_emonet_voice(bench, FilePredictor(file), settings=FEW).to_dict()
    pairs = [(row, None if predict(row) is None else 10 * predict(row)) for row in EMOTION_ROWS]
    return request.param, pairs, json.loads(json.dumps(result, allow_nan=False))


def expected(pairs):
    labels, values = np.array([(row.label, value) for row, value in pairs]).T
    found = {"mae": np.abs(values - labels).mean(), "rmse": np.sqrt(((values - labels) ** 2).mean())}
    if np.ptp(labels) == 0:
        return found | {"pearson": None, "spearman": None}
    if np.ptp(values) == 0:
        return found | {"pearson": 0.0, "spearman": 0.0}
    correlations = {
        "pearson": stats.pearsonr(labels, values)[0],
        "spearman": stats.spearmanr(labels, values)[0],
    }
    return found | correlations


def check(group, pairs):
    n = group["n"] if isinstance(group["n"], int) else group["n"]["value"]
    assert n == len(pairs)
    for name, value in expected(pairs).items():
        estimate = group[name]
        assert estimate["value"] == (None if value is None else pytest.approx(value, abs=1e-9))
        if value is not None and name in ("mae", "rmse"):
            assert estimate["low"] - 1e-9 <= value <= estimate["high"] + 1e-9


def check_all(result, pairs):
    check(result, pairs)
    check(result["voice_intervals"], pairs)
    keys = {
        "by_emotion": lambda row: row.category,
        "by_language": lambda row: row.language,
        "by_voice": lambda row: row.voice,
        "by_arousal": lambda row: EMOTION_TABLE[row.category].arousal.replace("medium-", ""),
    }
    for part, key in keys.items():
        for name, group in result[part].items():
            chosen = [pair for pair in pairs if key(pair[0]) == name]
            assert group["n"] == len(chosen)
            if chosen:
                check(group, chosen)
        assert {key(row) for row, _ in pairs} <= result[part].keys()
    check_classes(result["classes"], pairs)


def agreed(row, raters=3):
    return len(row.answers) >= raters and len(set(row.answers.values())) == 1


def majority(answers):
    counts, mean = Counter(answers), sum(answers) / len(answers)
    return sorted(counts, key=lambda one: (-counts[one], abs(one - mean), one))[0]


def check_classes(found, pairs):
    labels = [majority(list(row.answers.values())) for row, _ in pairs]
    classes = [0 if value < 2.5 else 1 if value < 7.5 else 2 for _, value in pairs]
    options = {"labels": [0, 1, 2], "average": "macro", "zero_division": 0}
    most = Counter(labels).most_common(1)[0][0]
    constant = [most] * len(labels)
    baseline = found["baseline"]
    assert baseline["class"] == most
    assert found["confusion"] == confusion_matrix(labels, classes, labels=[0, 1, 2]).tolist()
    for metrics, values in ((found, classes), (baseline, constant)):
        assert metrics["accuracy"]["value"] == pytest.approx(accuracy_score(labels, values), abs=1e-9)
        assert metrics["macro_f1"]["value"] == pytest.approx(f1_score(labels, values, **options), abs=1e-9)
        assert metrics["accuracy"]["low"] <= metrics["accuracy"]["value"] <= metrics["accuracy"]["high"]


def test_every_metric_equals_an_independent_computation(scored):
    name, pairs, result = scored
    for which, of_set in {"all": pairs, "exact": [pair for pair in pairs if agreed(pair[0])]}.items():
        predicted = [pair for pair in of_set if pair[1] is not None]
        found = result["sets"][which]
        check_all(found["as_zero"], [(row, value or 0.0) for row, value in of_set])
        check_all(found, predicted) if predicted else None
        refused = len(of_set) - len(predicted)
        assert found["refused"]["value"] == pytest.approx(100 * refused / len(of_set), abs=1e-9)
    assert {key: result[key] for key in result["sets"]["all"]} == result["sets"]["all"]
    refused = sum(value is None for _, value in pairs)
    assert bool(refused) is (name == "refusing")
    lineless = sum(value is None and row.voice == "nova" for row, value in pairs)
    counts = {"refused": refused, "without_prediction": lineless, "unparsed": 0, "unused_predictions": 0}
    assert result["missing"] == counts


def test_whole_voices_are_resampled(scored):
    _, pairs, result = scored
    pairs = [(row, value) for row, value in pairs if value is not None]
    voices = sorted({row.voice for row, _ in pairs})
    errors = {name: [abs(v - row.label) for row, v in pairs if row.voice == name] for name in voices}
    draws = np.random.default_rng(FEW.seed).integers(len(voices), size=(FEW.resamples, len(voices)))
    sampled = [np.concatenate([errors[voices[one]] for one in drawn]).mean() for drawn in draws]
    assert result["voice_intervals"]["mae"]["low"] == pytest.approx(np.quantile(sampled, 0.025), abs=1e-9)


def test_reliability_and_human_ceiling_are_of_the_ratings_alone(scored):
    krippendorff = pytest.importorskip("krippendorff")
    _, _, result = scored
    groups = {name: [row for row in ROWS if row.category == name] for name in {row.category for row in ROWS}}
    for name, rows in {"all": ROWS, **groups}.items():
        matrix = [[row.answers.get(f"human-{rater}", np.nan) for row in rows] for rater in range(1, 7)]
        alpha = krippendorff.alpha(matrix, level_of_measurement="interval")
        assert result["reliability"][name]["krippendorff"]["value"] == pytest.approx(alpha, abs=1e-9)
    said = [(5 * own, row, who) for row in EMOTION_ROWS for who, own in row.answers.items()]
    others = [(5 * sum(row.answers.values()) - own) / (len(row.answers) - 1) for own, row, _ in said]
    own = np.array([one[0] for one in said])
    ceiling = result["human_ceiling"]
    assert ceiling["n"] == len(own)
    assert ceiling["pearson"]["value"] == pytest.approx(stats.pearsonr(own, others)[0], abs=1e-9)
    assert ceiling["spearman"]["value"] == pytest.approx(
        stats.spearmanr(own, np.round(others, 9))[0], abs=1e-9
    )
    assert ceiling["mae"]["value"] == pytest.approx(np.abs(own - others).mean(), abs=1e-9)


def test_numbers_of_the_data_are_counted(scored):
    numbers = scored[2]["numbers"]
    assert numbers["clips"] == len(ROWS)
    assert numbers["raters_per_clip"] == dict(sorted(Counter(str(len(row.answers)) for row in ROWS).items()))
    assert sum(numbers["ratings_of_rater"].values()) == numbers["ratings"]
    assert numbers["voices"] == dict(sorted(Counter(row.voice for row in ROWS).items()))
    same = [row for row in ROWS if len(set(row.answers.values())) == 1]
    assert numbers["unanimous"] == sum(map(agreed, ROWS))
    most = Counter(str(max(Counter(row.answers.values()).values())) for row in ROWS)
    assert numbers["agreeing"] == dict(sorted(most.items()))
    assert numbers["same_answers"] == dict(sorted(Counter(str(len(row.answers)) for row in same).items()))


def test_the_chosen_set_comes_first_and_has_as_many_raters_as_asked_for(bench, tmp_path):
    scores = {row.file: {row.category: noisy(row)} for row in EMOTION_ROWS}
    file = write_scores(tmp_path / "s.jsonl", scores)
    results = {}
    for raters in (2, 3):
        options = {"consensus": "exact", "min_raters": raters, "settings": FEW}
        found = score_emonet_voice(bench, FilePredictor(file), **options).to_dict()
        assert (found["consensus"], found["min_raters"]) == ("exact", raters)
        check_all(found, [(row, 10 * noisy(row)) for row in EMOTION_ROWS if agreed(row, raters)])
        assert {key: found[key] for key in found["sets"]["exact"]} == found["sets"]["exact"]
        same = found["numbers"]["same_answers"]
        assert found["numbers"]["unanimous"] == sum(n for number, n in same.items() if int(number) >= raters)
        results[raters] = found
    assert results[2]["sets"]["all"] == results[3]["sets"]["all"]
    assert results[3]["n"]["value"] < results[2]["n"]["value"] < results[2]["sets"]["all"]["n"]["value"]
    with pytest.raises(InputError, match="5 raters"):
        score_emonet_voice(bench, FilePredictor(file), consensus="exact", min_raters=5)
    none = score_emonet_voice(bench, FilePredictor(file), min_raters=5, settings=FEW).to_dict()
    assert none["sets"]["exact"]["n"]["value"] == 0
    assert [row["set"] for row in none["leaderboard"] if row.get("own")] == ["all"]


def test_both_sets_of_a_table_of_two_thousand_ratings_equal_scipy(tmp_path):
    rows = rated_rows(102, seed=11)
    assert 2000 < sum(len(row.answers) for row in rows) < 2200
    refused = {row.file for row in rows if random.Random(row.file).random() < 0.1}
    scores = {row.file: {row.category: noisy(row)} for row in rows if row.file not in refused}
    bench, file = write_set(tmp_path / "b", rows, shards=3), write_scores(tmp_path / "s.jsonl", scores)
    table = pq.read_table(bench).to_pylist()
    found = score_emonet_voice(bench, FilePredictor(file), settings=FEW).to_dict()
    for name, least in {"all": 1, "exact": 3}.items():
        kept = []  # category, label, prediction (NaN: refused)
        for row in table:
            (category,) = {
                name for one in ast.literal_eval(row["label"]) for name in next(iter(one.values()))
            }
            said = [
                next(iter(answer.values()))
                for one in ast.literal_eval(row["label"])
                for answer in one.values()
            ]
            if name == "exact" and (len(said) < least or len(set(said)) > 1):
                continue
            value = next(iter(scores.get(row["audioId"]["path"], {"": np.nan}).values()))
            kept.append((find_emotion(unquote(category)) or category, 5 * np.mean(said), 10 * value))
        block, categories = found["sets"][name], np.array([one[0] for one in kept])
        labels, values = np.array([one[1] for one in kept]), np.array([one[2] for one in kept])
        emotion, given = ~np.isin(categories, ("Authenticity", "Arousal")), np.isfinite(values)
        assert block["refused"]["value"] == pytest.approx(100 * (~given[emotion]).mean(), abs=1e-9)
        groups = {None: emotion} | {one: categories == one for one in set(categories)}
        for category, chosen in groups.items():
            own = {**block["by_emotion"], **block["attributes"], None: block}[category]
            y, x = labels[chosen & given], values[chosen & given]
            assert own["spearman"]["value"] == pytest.approx(stats.spearmanr(y, x).statistic, abs=1e-9)
            assert own["pearson"]["value"] == pytest.approx(stats.pearsonr(y, x).statistic, abs=1e-9)
            assert own["mae"]["value"] == pytest.approx(np.abs(y - x).mean(), abs=1e-9)
            assert own["rmse"]["value"] == pytest.approx(np.sqrt(np.square(y - x).mean()), abs=1e-9)
    assert 0 < found["sets"]["exact"]["n"]["value"] < found["sets"]["all"]["n"]["value"] / 2


def test_the_leaderboard_has_the_model_among_the_published_rows_and_every_row_a_source(scored):
    board = scored[2]["leaderboard"]
    own = [row["set"] for row in board if row.get("own")]
    assert sorted(own) == [
        name for name, one in scored[2]["sets"].items() if one["refused"]["value"] is not None
    ]
    assert {row["set"] for row in board} == {"all", "exact", "open"}
    values = [row["pearson"] for row in board if row["pearson"] is not None]
    assert values == sorted(values, reverse=True)
    assert all(row["source"] for row in board)
    best = max(row["pearson"] for row in board if not row.get("own"))
    assert best == 0.421
    published = scored[2]["published_by_emotion"]
    assert all(
        one["source"] and one["date"] and set(one["spearman"]) <= set(EMOTION_TABLE) for one in published
    )


def test_the_two_attributes_are_scored_apart(bench, tmp_path):
    rows = [row for row in ROWS if row.category == "Authenticity"]
    scores = {row.file: {"Anger": 0.0, "Authenticity": noisy(row)} for row in rows[1:]}
    scores |= {row.file: {row.category: 0.5} for row in EMOTION_ROWS}
    file = write_scores(tmp_path / "p.jsonl", scores)
    result = score_emonet_voice(bench, FilePredictor(file), settings=FEW).to_dict()
    check(result["attributes"]["Authenticity"], [(row, 10 * noisy(row)) for row in rows[1:]])
    assert result["attributes"]["Authenticity"]["refused"]["value"] == pytest.approx(100 / len(rows))
    assert result["attributes"]["Arousal"]["refused"]["value"] == 100
    assert result["n"]["value"] == len(EMOTION_ROWS)
    assert result["missing"]["unused_predictions"] == 0


def test_captions_without_anything_parsed_are_counted_and_scored_as_zero(bench, tmp_path):
    captions = dict.fromkeys((row.file for row in EMOTION_ROWS), "A voice full of extreme anger.")
    unparsed = [row.file for row in EMOTION_ROWS if row.category == "Interest"]
    captions |= dict.fromkeys(unparsed, "Zzz.")
    lines = [{"id": id, "caption": caption} for id, caption in captions.items()]
    refused = next(line for line in lines if line["id"] == unparsed[0])
    refused["emotions"] = {"Interest": None}
    (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    result = score_emonet_voice(bench, FilePredictor(tmp_path / "c.jsonl"), settings=FEW).to_dict()
    assert (result["missing"]["unparsed"], result["missing"]["refused"]) == (len(unparsed) - 1, 1)
    pairs = [(row, 10.0 * (row.category == "Anger")) for row in EMOTION_ROWS]
    check(result, [pair for pair in pairs if pair[0].category != "Interest"])
    check(result["as_zero"], pairs)


def test_ids_match_with_or_without_suffix_and_folder_and_as_rows(bench, tmp_path):
    by_file = {clip.metadata["file_name"]: clip.id for clip in read(bench)}
    named = {
        "bare": lambda file: file.removesuffix(".flac"),
        "wav": lambda file: f"audio/{file.removesuffix('.flac')}.wav",
        "row": by_file.__getitem__,
    }
    found = []
    for name, call in named.items():
        scores = {call(row.file): {row.category: noisy(row)} for row in EMOTION_ROWS}
        file = write_scores(tmp_path / f"{name}.jsonl", scores)
        result = score_emonet_voice(bench, FilePredictor(file), settings=FEW).to_dict()
        found.append({key: result[key] for key in (*METRICS, "by_emotion", "missing")})
    assert found[0] == found[1] == found[2]
    assert found[0]["missing"]["refused"] == 0


def test_the_order_of_rows_and_predictions_does_not_matter(tmp_path):
    scores = {row.file: {row.category: noisy(row)} for row in EMOTION_ROWS}
    results = []
    for seed in (1, 2):
        rows = random.Random(seed).sample(ROWS, len(ROWS))
        order = random.Random(seed).sample(list(scores), len(scores))
        folder = write_set(tmp_path / f"{seed}" / "set", rows)
        file = write_scores(tmp_path / f"{seed}" / "p.jsonl", {id: scores[id] for id in order})
        results.append(score_emonet_voice(folder, FilePredictor(file), settings=FEW).to_dict() | {"data": ""})
    own = [row.pop("source") for result in results for row in result["leaderboard"] if row.get("own")]
    assert len(own) == 4
    assert results[0] == results[1]


def test_predictions_for_other_clips_are_one_error(bench, tmp_path):
    other = write_scores(tmp_path / "other.jsonl", {"somewhere": {"Anger": 1.0}})
    with pytest.raises(InputError, match="no prediction"):
        score_emonet_voice(bench, FilePredictor(other))
