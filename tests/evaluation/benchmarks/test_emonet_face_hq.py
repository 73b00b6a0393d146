"""The analysis equals that of the published notebook, computed with scikit-learn, scipy and krippendorff."""

import csv
import json
from itertools import combinations

import krippendorff
import numpy as np
import pytest
from scipy.stats import mannwhitneyu, spearmanr

from budew.errors import CorpusError
from budew.evaluation.benchmarks.emonet_face_hq import score_emonet_face_hq
from budew.evaluation.predictors import FilePredictor
from budew.taxonomy import EMOTIONS
from tests.evaluation.benchmarks.emonet_voice_set import write_scores
from tests.statistics.test_agreement import sklearn_kappa as kappa

from .conftest import MODELS, write_rows

FIVE = ("Amusement", "Elation", "Thankfulness/Gratitude", "Astonishment/Surprise", "Anger")
PEOPLE = tuple(f"human-{n}" for n in range(5))


@pytest.fixture(scope="module")
def result(face_csv):
    return score_emonet_face_hq(face_csv).to_dict()


@pytest.fixture(scope="module")
def ratings(face_rows):
    """(rater, emotion) → ratings of the 40 images, NaN where there is none."""
    found = {(rater, name): np.full(40, np.nan) for rater in (*PEOPLE, *MODELS) for name in EMOTIONS}
    for row in face_rows:
        for name in EMOTIONS:
            value = row["annotations"].get(f"Family|{name}", 0)
            value *= 7 if row["annotator"].startswith("Hume") else 1
            found[row["annotator"], name][int(row["image"][6:10])] = value
    return found


@pytest.fixture(scope="module")
def kappas(ratings):
    pairs = combinations((*PEOPLE, *MODELS), 2)
    return {
        frozenset(pair): [kappa(*(ratings[one, name] for one in pair)) for name in EMOTIONS] for pair in pairs
    }


def test_kappas_of_pairs_and_raters(result, kappas):
    names = result["pairs"]["raters"]
    for one, other in combinations(range(len(names)), 2):
        expected = np.nanmean(kappas[frozenset((names[one], names[other]))])
        assert result["pairs"]["kappa"][one][other] == pytest.approx(expected, abs=1e-9)
        assert result["pairs"]["kappa"][other][one] == result["pairs"]["kappa"][one][other]
    assert result["pairs"]["kappa"][0][0] is None
    for rater in result["raters"]:
        partners = [kappas[frozenset((rater["name"], one))] for one in PEOPLE if one != rater["name"]]
        own = np.nanmean(partners, axis=0)
        assert list(rater["by_emotion"].values()) == pytest.approx(own, abs=1e-9)
        found = (rater["kappa"]["value"], rater["sd"], rater["median"])
        assert found == pytest.approx((own.mean(), own.std(ddof=1), np.median(own)), abs=1e-9)
        assert rater["kappa"]["low"] < rater["kappa"]["value"] < rater["kappa"]["high"]
    values = [rater["kappa"]["value"] for rater in result["raters"]]
    assert values == sorted(values, reverse=True)


def test_comparison_with_people_leaves_out_the_person_compared(result, kappas):
    for rater in result["raters"]:
        name = rater["name"]
        own = np.ravel([kappas[frozenset((name, one))] for one in PEOPLE if one != name])
        others = np.ravel([kappas[frozenset(pair)] for pair in combinations(PEOPLE, 2) if name not in pair])
        own, others = (some[np.isfinite(some)].round(12) for some in (own, others))  # rounding breaks ties
        p = mannwhitneyu(own, others, alternative="two-sided").pvalue
        assert rater["p"] == pytest.approx(p, abs=1e-9)
        assert rater["could_be_annotator"] == (p > 0.05)
        assert rater["difference"]["value"] == pytest.approx(own.mean() - others.mean(), abs=1e-9)
        assert rater["difference"]["low"] < rater["difference"]["value"] < rater["difference"]["high"]
    assert not next(rater for rater in result["raters"] if rater["group"] == "random")["could_be_annotator"]


def test_alpha_is_that_of_the_people(result, ratings):
    for name, alpha in result["alpha"]["by_emotion"].items():
        people = [ratings[one, name] for one in PEOPLE]
        expected = krippendorff.alpha(people, level_of_measurement="interval")
        assert alpha["value"] == pytest.approx(expected, abs=1e-9)
        assert alpha["low"] < alpha["value"] < alpha["high"]


def test_spearman_with_the_median_of_the_people(result, ratings):
    for rater in result["raters"]:
        if rater["group"] == "human":
            assert "spearman" not in rater
            continue
        median = {name: np.nanmedian([ratings[one, name] for one in PEOPLE], axis=0) for name in EMOTIONS}
        expected = [spearmanr(ratings[rater["name"], name], median[name]).statistic for name in EMOTIONS]
        assert list(rater["spearman_by_emotion"].values()) == pytest.approx(expected, abs=1e-9)
        draws = np.random.default_rng(42).choice(expected, (1000, 40)).mean(axis=1)
        bounds = np.percentile(draws, [2.5, 97.5])
        found = rater["spearman"]
        assert (found["value"], found["low"], found["high"]) == pytest.approx(
            (np.mean(expected), *bounds), abs=1e-9
        )


def test_spearman_of_a_group_is_the_mean_over_its_models(face_rows, tmp_path):
    twin = [{**row, "annotator": "Other VLM ZS"} for row in face_rows if row["annotator"] == "Hume Face*"]
    result = score_emonet_face_hq(write_rows(face_rows + twin, tmp_path / "t.jsonl")).to_dict()
    models = [rater for rater in result["raters"] if rater["group"] != "human"]
    assert list(result["group_spearman"]) == ["own", "proprietary", "multi-shot", "zero-shot", "random"]
    for group, found in result["group_spearman"].items():
        of_group = [list(one["spearman_by_emotion"].values()) for one in models if one["group"] == group]
        assert len(of_group) == (2 if group == "zero-shot" else 1)
        assert found["value"] == pytest.approx(np.mean(of_group), abs=1e-9)
        assert found["low"] < found["value"] < found["high"]


def test_scores_by_demographics_are_those_of_the_images_alone(face_rows, result, ratings, tmp_path):
    lines = ["image_path,path,Prompt,Age"]
    for image in range(39):
        who = "arabic woman" if image < 35 else "White man"
        lines.append(f"x,{image:04d}.png,a photo of a {who} of 20 years,{20 + image % 2 * 30}")
        lines.append(f"x,{image:04d}.png,,")
    (tmp_path / "images.csv").write_text("\n".join(lines))
    table = write_rows(face_rows, tmp_path / "t.jsonl")
    found = score_emonet_face_hq(table, demographics=tmp_path / "images.csv").to_dict()["demographics"]
    best = next(rater["name"] for rater in result["raters"] if rater["group"] != "human")
    assert found["model"] == best
    assert {axis: list(found[axis]) for axis in ("ethnicity", "gender", "age")} == {
        "ethnicity": ["White", "arabic", "unknown"],
        "gender": ["man", "unknown", "woman"],
        "age": ["20", "50", "unknown"],
    }
    assert [one["few"] for one in found["ethnicity"].values()] == [True, False, True]
    women, rhos, errors = found["gender"]["woman"], [], []
    for name in EMOTIONS:
        median = np.nanmedian([ratings[one, name][:35] for one in PEOPLE], axis=0)
        scores = ratings[best, name][:35]
        rhos.append(spearmanr(scores, median).statistic)
        errors.append(np.abs(scores - median).mean())
    assert (women["images"], women["emotions"]) == (35, 40)
    assert women["spearman"]["value"] == pytest.approx(np.mean(rhos), abs=1e-9)
    assert women["mae"]["value"] == pytest.approx(np.mean(errors), abs=1e-9)
    for metric in ("spearman", "mae"):
        assert women[metric]["low"] < women[metric]["value"] < women[metric]["high"]
    assert found["age"]["unknown"]["spearman"]["value"] is None  # one image
    json.dumps(found, allow_nan=False)


def test_a_table_of_other_images_has_no_demographics(face_csv, tmp_path):
    (tmp_path / "other.csv").write_text("image,prompt\n0001.jpg,a face\nelse.jpg,a White man of 20 years\n")
    with pytest.raises(CorpusError, match=r"other\.csv has no demographics .*'0000'"):
        score_emonet_face_hq(face_csv, demographics=tmp_path / "other.csv")


def test_pooled_and_matched_kappa_as_the_later_study_computes_them(result, ratings, face_csv):
    turns = {}
    with face_csv.open() as file:
        for row in csv.DictReader(file):
            if row["annotator"] in PEOPLE:
                turns.setdefault(int(row["image"][6:10]), []).append(row["annotator"])
    pooled, matched = [], {name: [] for name in MODELS}
    for name in EMOTIONS:
        people = np.array([[ratings[one, name][image] for one in turns[image]] for image in range(40)]).T
        pooled.append(kappa(*(np.concatenate(side) for side in zip(*combinations(people, 2), strict=True))))
        if name in FIVE:
            levels = np.sort(np.round(people.mean(axis=0)))
            for model in MODELS:
                scores = np.empty(40)
                scores[np.argsort(ratings[model, name], kind="stable")] = levels
                matched[model].append(kappa(np.tile(scores, 3), people.ravel()))
    assert list(result["pooled_kappa"]["by_emotion"].values()) == pytest.approx(pooled, abs=1e-9)
    assert result["pooled_kappa"]["mean"] == pytest.approx(np.mean(pooled), abs=1e-9)
    of_five = [result["pooled_kappa"]["by_emotion"][name] for name in FIVE]
    assert result["pooled_kappa"]["mean_of_reliable"] == pytest.approx(np.mean(of_five), abs=1e-9)
    assert result["pooled_kappa"]["reliable"] == list(FIVE)
    for rater in result["raters"]:
        if rater["name"] in MODELS:
            assert rater["matched_kappa"] == pytest.approx(np.mean(matched[rater["name"]]), abs=1e-9)


def test_groups_hold_the_kappas_of_their_raters_and_are_compared(result):
    by_group = {}
    for rater in result["raters"]:
        by_group.setdefault(rater["group"], []).extend(rater["by_emotion"].values())
    assert list(result["groups"]) == ["human", "own", "proprietary", "multi-shot", "zero-shot", "random"]
    for name, box in result["groups"].items():
        assert (box["n"], box["mean"]) == (
            len(by_group[name]),
            pytest.approx(np.mean(by_group[name]), abs=1e-9),
        )
        assert box["lower_quartile"] == pytest.approx(np.percentile(by_group[name], 25), abs=1e-9)
    assert len(result["group_comparisons"]) == 15
    for one in result["group_comparisons"]:
        p = mannwhitneyu(by_group[one["first"]], by_group[one["second"]], alternative="two-sided").pvalue
        assert one["p"] == pytest.approx(p, abs=1e-9)


def test_ratings_are_counted_and_json_is_strict(result, ratings):
    for name, counts in result["ratings"].items():
        given = np.concatenate([ratings[one, name] for one in PEOPLE])
        assert counts == [int((given == level).sum()) for level in range(8)]
    assert result["counts"]["people"] == result["counts"]["models"] == 5
    scores = np.concatenate([ratings["Empathic Insight Face", name] for name in EMOTIONS])
    own = next(rater for rater in result["raters"] if rater["group"] == "own")
    assert own["outside"] == ((scores <= -1) | (scores >= 8)).sum() > 0
    json.dumps(result, allow_nan=False)


def test_nothing_but_the_pooled_kappa_depends_on_the_order_of_rows(result, face_rows, tmp_path):
    other = score_emonet_face_hq(write_rows(face_rows, tmp_path / "t.jsonl")).to_dict()
    assert other["pooled_kappa"]["mean"] == pytest.approx(result["pooled_kappa"]["mean"], abs=0.05)
    for one in (result, other):
        one["raters"] = [{k: v for k, v in rater.items() if k != "matched_kappa"} for rater in one["raters"]]
    assert {k: v for k, v in other.items() if k != "pooled_kappa"} == {
        k: v for k, v in result.items() if k != "pooled_kappa"
    }


def test_a_table_of_two_people_and_one_image_has_undefined_metrics(tmp_path):
    rows = [
        {"image": "a.png", "annotator": name, "human": name != "m MS", "annotations": {"Joy|Awe": 1}}
        for name in ("p", "q", "m MS")
    ]
    result = score_emonet_face_hq(write_rows(rows, tmp_path / "t.jsonl")).to_dict()
    assert {rater["kappa"]["value"] for rater in result["raters"]} == {None}
    assert {rater["p"] for rater in result["raters"]} == {None}
    json.dumps(result, allow_nan=False)


def test_a_table_without_an_image_that_two_people_rated_is_refused(tmp_path):
    rows = [
        {"image": f"{name}.png", "annotator": name, "human": name != "m MS", "annotations": {"Joy|Awe": 1}}
        for name in ("p", "q", "m MS")
    ]
    with pytest.raises(CorpusError, match=r"t\.jsonl .*two people"):
        score_emonet_face_hq(write_rows(rows, tmp_path / "t.jsonl"))


def test_the_share_of_images_with_a_prediction_is_reported(result, face_csv, tmp_path):
    scores = {f"{image:04d}": {"Awe": 0.5} for image in range(10)} | {"0020": None}
    file = write_scores(tmp_path / "mine.jsonl", scores)
    found = score_emonet_face_hq(face_csv, FilePredictor(file)).to_dict()
    assert (found["model"], found["predicted"]["value"]) == ("mine", 25)
    assert result["predicted"] is None


def test_published_figures_are_complete_and_have_a_source(result):
    published = result["published"]
    assert list(published["agreement"]["by_emotion"]) == list(EMOTIONS)
    pooled = [row["pooled_kappa"] for row in published["agreement"]["by_emotion"].values()]
    assert published["agreement"]["pooled_kappa"] == pytest.approx(np.mean(pooled), abs=1e-4)
    assert len(published["leaderboard"]) == published["counts"]["models"] + 1  # and the people
    for row in (published["counts"], published["agreement"], *published["leaderboard"]):
        assert row["source"].startswith("saveli/emonet-readout, ")
        assert "date" in row
