"""Reports of EmoNet-Face hold the numbers of the JSON, one's own model first, beside published figures."""

import numpy as np
import pytest

from budew.evaluation.benchmarks.emonet_face_binary import score_emonet_face_binary
from budew.evaluation.benchmarks.emonet_face_hq import score_emonet_face_hq
from budew.evaluation.predictors import FilePredictor
from budew.reports.emonet_face_page import emonet_face_binary_report, emonet_face_hq_report
from budew.reports.section_layout import report_html
from budew.taxonomy import EMOTIONS
from tests.evaluation.benchmarks.conftest import write_rows
from tests.evaluation.benchmarks.emonet_voice_set import write_scores


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    generator = np.random.default_rng(1)
    names = [f"{n:02d}" for n in range(30)]
    scores = {name: dict(zip(EMOTIONS, generator.random(40).tolist(), strict=True)) for name in names}
    return FilePredictor(write_scores(tmp_path_factory.mktemp("p") / "mine.jsonl", scores))


@pytest.fixture(scope="module")
def hq(predictor, tmp_path_factory):
    generator = np.random.default_rng(0)
    rows = [
        {
            "image": f"{image:02d}.png",
            "annotator": rater,
            "human": rater != "VLM ZS",
            "annotations": {f"Family|{name}": int(generator.integers(0, 8)) for name in EMOTIONS},
        }
        for rater in ("<p>", "q", "r", "VLM ZS")
        for image in range(20)
    ]
    rows = [{**row, "prompt": "a White man of 30 years" if row["image"] < "10" else ""} for row in rows]
    table = write_rows(rows, tmp_path_factory.mktemp("hq") / "hq.jsonl")
    return {"data": "hq.csv", **score_emonet_face_hq(table, predictor, demographics=table).to_dict()}


@pytest.fixture(scope="module")
def binary(predictor, tmp_path_factory):
    lines = ["path,annotator,value,emotion"]
    for image in range(30):
        for emotion, yes in zip((EMOTIONS[3], EMOTIONS[7]), ((3, 0), (2, 1), (0, 3))[image % 3], strict=True):
            lines += [f"{image:02d}.png,p{n},{n < yes},{emotion}" for n in range(min(yes + 1, 3))]
    table = tmp_path_factory.mktemp("b") / "b.csv"
    table.write_text("\n".join(lines))
    return {"data": "b.csv", **score_emonet_face_binary(table, predictor).to_dict()}


def sections(report):
    return {section.heading: section for section in report.sections}


def test_hq_report_holds_the_numbers_of_the_json(hq):
    report = emonet_face_hq_report(hq)
    own = next(rater for rater in hq["raters"] if rater["name"] == "mine")
    assert report.cards[0].value == own["kappa"]
    found = sections(report)
    raters = found["Raters"]
    assert [row[0] for row in raters.rows] == [rater["name"] for rater in hq["raters"]]
    assert [raters.rows[place][0] for place in raters.highlighted] == ["mine"]
    assert {row.label: row.value for row in found["κ by emotion: mine"].rows} == own["by_emotion"]
    published = {row[0]: row[1:] for row in found["Beside published results"].rows}
    assert published["Hume Face*"] == (None, 0.4659)
    assert published["mine"] == (own["matched_kappa"], None)
    assert len(published) == 15 + 2  # 14 models and the people, this table's model, one's own
    alpha = {
        row.label: (row.value, row.marks["published"]) for row in found["Krippendorff's α of people"].rows
    }
    assert alpha["Elation"] == (hq["alpha"]["by_emotion"]["Elation"], 0.5842)
    assert found["κ of pairs of raters, mean over emotions"].values == hq["pairs"]["kappa"]
    assert dict(found["Ratings by people, 0 to 7"].rows) == hq["ratings"]
    reliable = dict(report.notes)["beside published results"]
    assert all(name in reliable for name in ("Amusement", "Elation", "Thankfulness/Gratitude", "Anger"))


def test_models_groups_and_demographics_have_figures_with_intervals(hq):
    found = sections(emonet_face_hq_report(hq))
    of_raters = {one["name"]: one["spearman"] for one in hq["raters"] if one["group"] != "human"}
    twin = {**next(one for one in hq["raters"] if one["name"] == "VLM ZS"), "name": "Twin ZS"}
    two = sections(emonet_face_hq_report({**hq, "raters": [*hq["raters"], twin]}))
    models = two["ρ of models and their groups"]
    assert [(row.label, row.value) for row in models.rows] == [
        ("mine", of_raters["mine"]),
        ("mean of 2 models", hq["group_spearman"]["zero-shot"]),
        ("VLM ZS", of_raters["VLM ZS"]),
        ("Twin ZS", of_raters["VLM ZS"]),
    ]
    assert models.columns == {"group": ["predictions", "zero-shot", "zero-shot", "zero-shot"]}
    genders = found["ρ by gender: mine"]
    assert {row.label: row.value for row in genders.rows} == {
        value: one["spearman"] for value, one in hq["demographics"]["gender"].items()
    }
    assert [cell.text for cell in genders.columns["images"]] == ["10, few", "10, few"]
    assert genders.rows[0].marks == {"all groups": of_raters["mine"]["value"]}


def test_reports_show_the_share_that_was_predicted_and_the_counts_that_were_scored(hq, binary):
    for report, result in ((emonet_face_hq_report(hq), hq), (emonet_face_binary_report(binary), binary)):
        assert result["predicted"] in [card.value for card in report.cards]
    bars = sections(emonet_face_binary_report(binary))["ROC AUC by emotion"].rows
    for row, (name, scores) in zip(bars, binary["model"]["by_emotion"].items(), strict=True):
        assert row.label == f"{name} ({scores['yes']} / {scores['no']})"


def test_without_predictions_the_best_model_is_shown(hq):
    raters = [rater for rater in hq["raters"] if rater["name"] != "mine"]
    hq = {**hq, "model": None, "demographics": None}
    report = emonet_face_hq_report({**hq, "raters": raters})
    assert "κ by emotion: VLM ZS" in sections(report)
    assert not any(card.note == "mine" for card in report.cards)
    people = [rater for rater in raters if rater["group"] == "human"]
    assert "κ by emotion: people" in sections(emonet_face_hq_report({**hq, "raters": people}))


def test_people_who_all_answer_the_same_have_a_report_without_kappas(tmp_path):
    rows = [
        {"image": "a.png", "annotator": name, "human": True, "annotations": {"Joy|Awe": 1}} for name in "pq"
    ]
    result = score_emonet_face_hq(write_rows(rows, tmp_path / "hq.jsonl")).to_dict()
    report = emonet_face_hq_report({"data": "hq.jsonl", **result})
    assert not any("κ by emotion" in heading for heading in sections(report))
    assert report_html(report)


def test_binary_report_holds_the_numbers_of_the_json(binary):
    report = emonet_face_binary_report(binary)
    assert [card.value for card in report.cards[:2]] == [
        binary["model"]["mean"][name] for name in ("balanced_accuracy", "roc_auc")
    ]
    found = sections(report)
    table = {row[0]: row[1:] for row in found["Agreement table"].rows}
    assert table["Elation"][-1] == 0.987
    for emotion, row in binary["by_emotion"].items():
        assert table[emotion][:4] == (row["pairs"], row["two"], row["three"], row["agreement"])
    assert len(found["Agreement by emotion"].rows) == 2  # emotions that nobody was asked for have no bar


def test_reports_render_and_escape(hq, binary):
    assert "&lt;p&gt;" in report_html(emonet_face_hq_report(hq))
    assert "EmoNet-Face Binary: mine" in report_html(emonet_face_binary_report(binary))
