"""The page of faces shows the strongest emotions of each image, and counts the images that it leaves out."""

import io
from types import SimpleNamespace

import numpy as np
from PIL import Image

from budew.corpora import Clip, write_shard
from budew.faces.descriptives import describe_faces
from budew.reports import faces_page
from budew.reports.section_layout import report_html


def test_a_description_has_each_emotion_by_ethnicity_and_the_variance_of_its_shares(tmp_path):
    prompts = ("White man of 20 years, fear", "Asian man of 20 years, fear", "Asian man of 30 years, joy")
    clips = [Clip(str(n), picture(), "png", metadata={"prompt": text}) for n, text in enumerate(prompts)]
    write_shard(tmp_path / "faces.tar", clips)
    found = describe_faces(tmp_path / "faces.tar")
    report = faces_page.description_report("faces.tar", found)
    sections = {section.heading: section for section in report.sections}
    shares = sections["Share of emotions"]
    assert shares.columns == ["White", "East Asian"]
    of_fear = shares.values[shares.rows.index("Fear")]
    assert (of_fear, shares.high, np.sum(shares.values, axis=0).tolist()) == ([1.0, 0.5], 1.0, [1.0, 1.0])
    bars = {row.label: row.value for row in sections["Variance of the shares of emotions"].rows}
    assert bars == found["emotion_variance"]
    assert bars["White"] > bars["East Asian"]
    assert "Share of emotions" in report_html(report)


def test_a_corpus_without_demographics_has_a_description(tmp_path):
    write_shard(tmp_path / "faces.tar", [Clip("a", picture(), "png")])
    report = faces_page.description_report("faces.tar", describe_faces(tmp_path / "faces.tar"))
    assert "Share of emotions" not in report_html(report)


def picture():
    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, "PNG")
    return file.getvalue()


def test_images_are_shown_with_their_strongest_emotions_and_further_ones_counted(monkeypatch):
    monkeypatch.setattr(faces_page, "MOST_IMAGES", 2)
    page = faces_page.FacesPage("Emotions by <mine>")
    file = io.BytesIO()
    Image.new("RGB", (400, 200)).save(file, "PNG")
    raw = {"Fear": 9.0, "Awe": 3.5, "Doubt": -1.0}
    scores = SimpleNamespace(raw=raw, softmax={name: (2 + value) / 15 for name, value in raw.items()})
    for number in range(5):
        page.add(Clip(f"face {number}", file.getvalue(), "png"), scores)
    report = page.report()
    assert report.subtitle == "2 images, 3 more are not shown."
    bars = report.sections[0].clips[0].bars
    assert [(bar.emotion, bar.intensities, bar.number) for bar in bars] == [
        ("Fear", [1.0], "9.0"), ("Awe", [0.5], "3.5"), ("Doubt", [0.0], "-1.0")
    ]  # fmt: skip
    html = report_html(report)
    assert html.count('<img src="data:image/jpeg;base64,') == 2
    assert "Emotions by &lt;mine&gt;" in html
