"""The page of faces shows the strongest emotions of each image, and counts the images that it leaves out."""

import io
from types import SimpleNamespace

from PIL import Image

from budew.corpora import Clip
from budew.reports import faces_page
from budew.reports.section_layout import report_html


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
