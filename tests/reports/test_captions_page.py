"""A page of captions shows what was said when, and plays what a browser can be given."""

import json
import re

import pytest

from budew.errors import BudewWarning, InputError
from budew.inference.file_captioning import from_paths
from budew.reports import captions_page
from tests.reports.captioned_pages import page, recordings, results


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    return page(tmp_path_factory.mktemp("page"))


def test_captions_times_and_failures_are_shown_and_nothing_of_them_is_markup(html):
    times = re.findall(r'<li data-start="([\d.]+)" data-end="([\d.]+)">', html)
    assert [tuple(map(float, pair)) for pair in times] == [(0, 2), (3, 6), (0, 1)]
    assert '<mark class="mark emotion affirmed"' in html
    html = re.sub(r"</?mark[^>]*>", "", html)
    for text in ("She sobs. &lt;/script&gt;&lt;b&gt;", "&lt;script&gt;no audio", "An angry voice.", "cut"):
        assert text in html
    assert html.count("<script>") == 1


def test_a_waveform_is_as_high_as_the_sound_is_loud_and_an_emotion_as_strong(html):
    waveform, *lanes = re.findall(r'<path d="([^"]+)"', html)
    tops = [float(top) for top in re.findall(r"M[\d.]+ ([\d.]+)V", waveform)]
    assert len(tops) == 1000
    assert max(tops[:499]) == pytest.approx(50 * 7 / 8, abs=2)
    assert max(tops[501:]) < 3
    names = re.findall(r'aria-label="([^"]+) over time"', html)
    drawn = dict(zip(names[:3], lanes, strict=False))
    assert drawn.keys() == {"Sadness", "Fear", "Anger"}
    assert drawn["Sadness"] == "M0 100H0.0V0H333.3V100H500.0V100H1000.0V100H1000Z"
    assert drawn["Anger"] == "M0 100H0.0V100H333.3V100H500.0V50H1000.0V100H1000Z"  # none of a silent window
    assert len(names[3:]) == captions_page.LANES


def test_scores_of_a_face_are_drawn_on_the_timeline_of_the_voice(tmp_path):
    rows = [
        {
            "image_path": f"long@{time}.000",
            "results": {"model_awe_best": {"raw": 7, "intensity": level}},
        }
        for time, level in ((0, 0.5), (4, 0.25), (2, 1.0))
    ]
    (tmp_path / "faces.jsonl").write_text("\n".join(map(json.dumps, rows)))
    faces = captions_page.face_courses(tmp_path / "faces.jsonl")
    assert [(one["start"], one["end"]) for one in faces["long"]] == [(0, 2), (2, 4), (4, 6)]
    paths = recordings(tmp_path)
    records = [result.to_dict() for result in results(paths)]
    without, html = (captions_page.captions_html(records, (), given) for given in (None, faces))
    (lane,) = re.findall(r'aria-label="Awe of the face over time".*?<path d="([^"]+)"', html)
    assert lane == "M0 100H0.0V50H333.3V100H333.3V0H666.7V100H666.7V75H1000.0V100H1000Z"
    assert html.count(" over time") == without.count(" over time") + 1
    with pytest.warns(BudewWarning, match="no recording is named as a video"):
        captions_page.captions_html(records[1:], (), faces)
    (tmp_path / "image.jsonl").write_text(json.dumps({**rows[0], "image_path": "a"}))
    with pytest.raises(InputError, match=r"budew face score film\.mkv"):
        captions_page.face_courses(tmp_path / "image.jsonl")


def test_recordings_that_are_too_long_for_a_page_or_gone_have_no_player(tmp_path, monkeypatch):
    paths = recordings(tmp_path)
    records = [result.to_dict() for result in results(paths)]
    monkeypatch.setattr(captions_page, "LARGEST_AUDIO", 3_000)
    monkeypatch.setattr(captions_page, "_BLOCK", 0.5)
    made = captions_page.captions_html(records, from_paths(paths)[0])
    assert made.count("<audio") == 1  # the short one
    assert made.count(" disabled>") == 2
    paths[1].unlink()
    assert captions_page.captions_html(records, from_paths(paths)[0]).count("<audio") == 0
    assert captions_page.captions_html(records, ()).count("<audio") == 0
    monkeypatch.setattr(captions_page, "MOST_RECORDINGS", 1)
    assert captions_page.captions_html(records, ()).count("<section") == 1
    assert "No recordings" in captions_page.captions_html([], ())


def test_the_probability_of_presence_is_beside_the_intensity():
    record = {"source": "a", "duration": 1.0, "caption": "Sad.", "traits": {}, "bursts": []}
    emotions = {"Sadness": 0.5, "Fear": 0.25}
    made = captions_page.captions_html([{**record, "emotions": emotions, "presence": {"Sadness": 0.75}}], ())
    assert "Sadness 0.50 (present: 0.75)" in made
    assert made.count("(present:") == 1
