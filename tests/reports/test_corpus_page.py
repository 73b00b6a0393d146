"""The page of a corpus shows every emotion, plays what was encoded anew, and takes no text for HTML."""

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from budew.corpora import Caption, Clip, write_shard
from budew.curation.inspection import Inspection, Remark, inspect_corpus
from budew.profile import VoiceProfile
from budew.reports.corpus_page import inspection_report, inspection_summary
from budew.reports.section_layout import report_html
from budew.taxonomy import EMOTIONS
from tests.reports.conftest import HOSTILE, check_safe, on_page, seconds_played


def corpus_html(found: Inspection) -> str:
    return report_html(inspection_report(found))


def noise(seconds: float = 0.4) -> bytes:
    file = io.BytesIO()
    samples = np.random.default_rng(1).normal(0, 0.1, round(16_000 * seconds))
    soundfile.write(file, samples, 16_000, format="FLAC")
    return file.getvalue()


@pytest.fixture
def inspected(tmp_path: Path) -> Inspection:
    """A corpus of every emotion in two languages, with a clip of hostile text and one that is broken."""
    clips = []
    for number, name in enumerate(EMOTIONS):
        profile = VoiceProfile({name: 0.5}, ["Yawn"], {"gender": "male", "Arousal": 3})
        language, speaker = "en" if number % 2 else "de", f"voice {number % 7}"
        clips.append(
            Clip(f"clip {number}", noise(), "flac", language=language, speaker=speaker, profile=profile)
        )
    texts = dict.fromkeys(("language", "speaker", "transcript"), HOSTILE)
    hostile = Clip(HOSTILE.replace("/", "-"), noise(), "flac", captions=(Caption(HOSTILE),), **texts)
    loud = replace(hostile, profile=VoiceProfile({"Anger": 1}))
    broken = Clip("broken " + HOSTILE.replace("/", "-"), b"not audio", "flac")
    write_shard(tmp_path / "a.tar", [*clips, loud, broken])
    return inspect_corpus(tmp_path / "a.tar")


def test_every_emotion_is_plotted_and_the_strongest_clips_play(inspected: Inspection) -> None:
    text = corpus_html(inspected)
    page = check_safe(text)
    assert text.count("&lt;script&gt;alert(1)") >= 6
    for name in EMOTIONS:
        assert f'<th class="name" scope="row">{on_page(name)}</th>' in text
        assert f'<th scope="row">{on_page(name)}</th>' in text
    assert len(page.of("audio")) == len(inspected.examples) == 24
    assert seconds_played(page) == pytest.approx([0.4] * 24, abs=0.15)
    assert text.count('aria-label="extreme"') == 1
    assert re.search(r"<dt>speaker</dt><dd><bdi>voice \d</bdi></dd><dt>duration</dt><dd><bdi>0.4 s<", text)
    assert "<dt>gender</dt><dd><bdi>male</bdi></dd>" in text
    assert 'class="small soft">and' not in text  # no list has more than 12 names
    assert '<div class="turned">de (20)</div>' in text


def test_emotions_that_are_unknown_are_not_shown_as_none(tmp_path: Path) -> None:
    measured = Clip("a", noise(), "flac", language="de", profile=VoiceProfile(None, (), {"pace": "fast"}))
    calm = replace(measured, id="b", language="en", profile=VoiceProfile())
    for name, clips in {
        "alone": [measured],
        "mixed": [measured, calm, replace(calm, id="c", profile=VoiceProfile({"Awe": 1}))],
    }.items():
        write_shard(tmp_path / f"{name}.tar", clips)
    alone, mixed = (corpus_html(inspect_corpus(tmp_path / f"{name}.tar")) for name in ("alone", "mixed"))
    assert "no emotion" not in alone
    assert "<h2>Emotions</h2>" not in alone
    for page in (alone, mixed):
        assert '<div class="soft nothing">emotions unknown</div>' in page
        assert '<div class="name">emotions unknown</div><div class="big">1</div>' in page
    assert "(2 clips have rated emotions)" in mixed
    check_safe(mixed)
    assert "Emotions by language" not in mixed  # there is one language alone
    assert '<td class="extra">1</td><td class="extra">50.0</td>' in mixed


def test_problems_and_broken_items_are_listed(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.tar", [Clip("a", noise(), "flac")])
    found = inspect_corpus(tmp_path / "a.tar")
    found.remarks["silent"] = Remark(3, ["x", "y"])
    found.statistics.bad, found.broken = 60, [f"reason {number}" for number in range(60)]
    found.files = {"audio": (1_200, 3_400_000), "JSON": (2, 10)}
    report = inspection_summary(found)
    assert report.subtitle == "audio 1,200 (3.4 MB), JSON 2 (10 bytes). Audio headers only."
    problems, broken, *_ = report.sections
    assert problems.rows == [("silent", 3, "x, y")]
    assert (broken.note, len(broken.rows)) == ("60 items are broken; the first 50.", 50)
    assert report.sections[-1].heading == "Languages, speakers and formats"


def test_an_empty_corpus_and_one_without_profiles_have_a_page(tmp_path: Path) -> None:
    for name, clips in {"empty": [], "bare": [Clip("a", noise(), "flac")]}.items():
        write_shard(tmp_path / f"{name}.tar", clips)
        page = check_safe(corpus_html(inspect_corpus(tmp_path / f"{name}.tar"))).text
        assert "Emotions" not in page
        assert ("no profile" in page) == bool(clips)


def test_an_earlier_profile_stands_beside_the_present_one(inspected: Inspection) -> None:
    clip = Clip("a", noise(), "flac", profile=VoiceProfile({"Awe": 0.75, "Fear": 0.25}))
    sections = inspection_report(inspected, [(clip, VoiceProfile({"Fear": 1.0}))]).sections
    differing = next(one for one in sections if one.heading == "Caption and earlier profile disagree")
    assert differing.legend == ("now", "before")
    (card,) = differing.clips
    assert [(bar.emotion, bar.intensities, bar.meaning) for bar in card.bars] == [
        ("Awe", [0.75, 0.0], "strong, before absent"),
        ("Fear", [0.25, 1.0], "slight, before extreme"),
    ]
    (examples,) = [one for one in sections if one.heading == "Listen"]
    assert all(len(bar.intensities) == 1 for card in examples.clips for bar in card.bars)
