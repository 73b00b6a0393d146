"""`budew benchmark emonet-face-hq|emonet-face-binary`: the same numbers in the terminal, JSON and page."""

import json

import numpy as np
import pytest

from budew.corpora import IMAGE, write_shard
from budew.evaluation import read_predictions
from budew.taxonomy import EMOTIONS, find_emotion
from tests.chat.conftest import ScriptedServer, quick_retries, start  # noqa: F401
from tests.faces.conftest import drawn, face
from tests.faces.test_vlm_annotation import KEYS, multi_shot, zero_shot


@pytest.fixture
def hq(tmp_path):
    """Twelve images, three people and a model: the model answers as the first person does."""
    generator, lines = np.random.default_rng(0), []
    for image in range(12):
        people = generator.integers(0, 8, (3, len(EMOTIONS)))
        raters = {"human-1": people[0], "human-2": people[1], "human-3": people[2], "Copy ZS": people[0]}
        for rater, ratings in raters.items():
            answers = {f"Group|{name}": int(one) for name, one in zip(EMOTIONS, ratings, strict=True)}
            human = rater != "Copy ZS"
            row = {"image": f"{image}.jpg", "annotator": rater, "human": human, "annotations": answers}
            lines.append(json.dumps(row))
    (tmp_path / "hq.jsonl").write_text("\n".join(lines))
    return tmp_path / "hq.jsonl"


def predictions_of(table, rater, path, scale=7):
    """Write what one rater says as predictions on 0 to `scale`."""
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    with path.open("w") as file:
        for row in rows:
            if row["annotator"] == rater:
                said = {key[6:]: value * scale / 7 for key, value in row["annotations"].items()}
                file.write(json.dumps({"id": row["image"], "emotions": said}) + "\n")
    return path


def test_hq_scores_predictions_as_it_scores_the_same_rater_in_the_table(budew, hq, tmp_path):
    mine = predictions_of(hq, "Copy ZS", tmp_path / "mine.jsonl")
    (tmp_path / "images.csv").write_text("image,prompt\n7.jpg,an Asian man of 20 years\n")
    files = ("--json", tmp_path / "r.json", "--html", tmp_path / "r.html")
    more = ("--predictions", mine, "--scale", "0-7", "--demographics", tmp_path / "images.csv")
    outcome = budew("benchmark", "emonet-face-hq", "--data", hq, *more, *files)
    assert outcome.status == 0, outcome.err
    found = json.loads((tmp_path / "r.json").read_text())
    assert found["model"] == "mine"
    same = {
        rater["name"]: {k: v for k, v in rater.items() if k not in ("name", "group")}
        for rater in found["raters"]
    }
    assert same["mine"] == same["Copy ZS"]
    assert same["mine"]["by_emotion"]["Awe"] > 0.25  # with one of three people it agrees perfectly
    page = (tmp_path / "r.html").read_text()
    groups = found["demographics"]["ethnicity"]
    assert {name: (one["images"], one["few"]) for name, one in groups.items()} == {
        "Asian": (1, True),
        "unknown": (11, True),
    }
    assert "ρ by ethnicity: mine" in page
    for text in (f"{same['mine']['kappa']['value']:.3f}", f"{found['alpha']['mean']:.3f}".replace("-", "−")):
        assert text in page
        assert text in outcome.out


@pytest.mark.parametrize("protocol", ["zero-shot", "multi-shot"])
def test_hq_scores_images_that_a_language_model_annotated(budew, hq, start, tmp_path, protocol):  # noqa: F811
    answer = zero_shot() if protocol == "zero-shot" else multi_shot()
    other = {**multi_shot(0)["emotions"], "Fear": {"rating": 7, "reasoning": "eyes"}}
    answers = {"m": answer, "other": {**multi_shot(), "emotions": other}}
    server = start(ScriptedServer(lambda body, count: json.dumps(answers[body["model"]])))
    write_shard(tmp_path / "in.tar", [face(f"faces/{number}", drawn(number / 12)) for number in range(12)])
    for source, out, model, form in (
        ("in.tar", "vlm", "m", protocol),
        ("vlm", "other", "other", "multi-shot"),
    ):
        settings = ("--base-url", server.url, "--model", model, "--protocol", form)
        cache = ("--set", f"cache={tmp_path}/c.sqlite")
        ended = budew("face", "annotate", tmp_path / source, tmp_path / out, *settings, *cache)
        assert ended.status == 0, ended.err
    arguments = ("benchmark", "emonet-face-hq", "--data", hq, "--json", "-", "--predictions")
    found = json.loads(budew(*arguments, tmp_path / "vlm").out)
    (mine,) = (rater for rater in found["raters"] if rater["name"] == "vlm")
    assert (mine["images"], mine["outside"], found["predicted"]["value"]) == (12, 0, 100)
    predicted = read_predictions(tmp_path / "vlm", media=IMAGE)["faces/3"].profile
    named = [find_emotion(key.rpartition("|")[2]) for key in KEYS]
    rated = dict.fromkeys(named[:25], 3 / 7) if protocol == "zero-shot" else dict.fromkeys(named[:2], 4 / 7)
    assert dict(predicted.emotions) == pytest.approx(rated)
    assert set(predicted.rated) == set(EMOTIONS)
    assert read_predictions(tmp_path / "other", media=IMAGE)["faces/3"].profile.emotions["Fear"] == 1
    lines = tmp_path / "answers.jsonl"
    lines.write_text("\n".join(json.dumps({"id": f"{n}", "response": json.dumps(answer)}) for n in range(12)))
    row = read_predictions(lines, scale="0-7")["3"].profile
    assert dict(row.emotions) == pytest.approx(rated)


def test_hq_reports_what_is_wrong_with_a_table_in_one_line(budew, hq, tmp_path):
    (tmp_path / "bad.csv").write_text(
        "image,annotator,human,annotations\na.jpg,h,True,\"{'Joy|Hunger': 1}\"\n"
    )
    outcome = budew("benchmark", "emonet-face-hq", "--data", tmp_path / "bad.csv")
    assert outcome.status == 1
    assert "bad.csv: line 2" in outcome.err
    wrong = predictions_of(hq, "Copy ZS", tmp_path / "wrong.jsonl", scale=70)
    outcome = budew("benchmark", "emonet-face-hq", "--data", hq, "--predictions", wrong, "--scale", "0-7")
    assert outcome.status == 1
    assert outcome.err.count("\n") == 1


def test_binary_with_and_without_predictions(budew, tmp_path):
    rows = [
        (image, person, image % 2 == 0) for image in range(10) for person in range(3 if image % 2 == 0 else 1)
    ]
    table = tmp_path / "binary.csv"
    lines = [f"{image:05d},human-{person},{yes},Anger" for image, person, yes in rows]
    table.write_text("\n".join(["path,annotator,value,emotion", *lines]))
    outcome = budew("benchmark", "emonet-face-binary", "--data", table, "--json", "-")
    found = json.loads(outcome.out)
    assert (found["counts"]["all_yes"], found["counts"]["never_yes"], found["model"]) == (5, 5, None)
    assert found["by_emotion"]["Anger"]["agreement"] == 1
    mine = tmp_path / "mine.jsonl"
    scores = [
        {"id": f"{image:05d}.png", "emotions": {"Anger": 0.3 if image % 2 == 0 else 0.1}}
        for image in range(10)
    ]
    mine.write_text("\n".join(map(json.dumps, scores)))
    arguments = ("benchmark", "emonet-face-binary", "--data", table, "--predictions", mine)
    page = tmp_path / "b.html"
    model = json.loads(budew(*arguments, "--json", "-", "--html", page).out)["model"]
    assert (model["mean"]["roc_auc"]["value"], model["mean"]["balanced_accuracy"]["value"]) == (1, 0.5)
    assert "EmoNet-Face Binary: mine" in page.read_text()
    lower = json.loads(budew(*arguments, "--threshold", 0.2, "--json", "-").out)["model"]
    assert lower["mean"]["balanced_accuracy"]["value"] == 1
