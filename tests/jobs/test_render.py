"""Captions of a corpus: a function of seed and clip id, each of which reads back."""

from dataclasses import replace

import pytest

from budew import parse
from budew.captions.salience import Baseline
from budew.corpora import Caption, Clip, read
from budew.jobs import run
from budew.jobs.render import Render
from budew.profile import VoiceProfile

CLIPS = [
    Clip(f"c{number}", b"x", "wav", profile=VoiceProfile({"Anger": 0.5, "Sadness": 0.25}))
    for number in range(5)
]


def captions(job, clips=CLIPS):
    failed = []
    done = list(job.run(iter(clips), lambda clip, error: failed.append((clip, str(error)))))
    return [[caption.text for caption in clip.captions] for clip in done], failed


def test_captions_read_back_and_differ_by_clip_and_number():
    texts, failed = captions(Render(seed=3, per_clip=4))
    assert not failed
    assert all(parse(text).emotions == {"Anger": 0.5, "Sadness": 0.25} for row in texts for text in row)
    assert len({text for row in texts for text in row}) > 15


def test_neither_order_nor_neighbours_change_a_caption():
    forward, _ = captions(Render(seed=3))
    backward, _ = captions(Render(seed=3), CLIPS[::-1])
    assert forward == backward[::-1]
    assert captions(Render(seed=4))[0] != forward


def test_captions_of_others_stay_and_those_of_an_earlier_render_go():
    old = (Caption("Mine."), Caption("Old.", {"by": "render", "seed": 1}))
    (texts,), _ = captions(Render(), [replace(CLIPS[0], captions=old)])
    assert texts[0] == "Mine."
    assert len(texts) == 2
    assert "Old." not in texts


def test_salience_says_what_stands_out():
    angry = Baseline.from_profiles([VoiceProfile({"Anger": 0.5})] * 9)
    (texts, *_), _ = captions(Render(baseline=angry))
    assert parse(texts[0]).emotions == {"Sadness": 0.25}


def test_a_clip_without_a_profile_is_told():
    texts, failed = captions(Render(), [Clip("bare", b"x", "wav"), CLIPS[0]])
    assert len(texts) == 1
    assert failed[0][0] == "bare"


def test_of_a_clip_that_was_only_measured_no_emotion_is_said_or_denied():
    angry = Baseline.from_profiles([VoiceProfile({"Anger": 0.5})] * 9)
    clips = [
        Clip(f"m{number}", b"x", "wav", profile=VoiceProfile(None, (), {"pace": "fast"}))
        for number in range(9)
    ]
    left_out, _ = captions(Render(per_clip=3, leave_out=("emotions",)), clips)
    assert (
        captions(Render(per_clip=3), clips)
        == captions(Render(per_clip=3, baseline=angry), clips)
        == (left_out, [])
    )
    assert not any("emotion" in text or "neutral" in text.lower() for row in left_out for text in row)


def test_a_bad_setting_is_told_before_the_work():
    for wrong in ({"style": "odes"}, {"per_clip": 0}):
        with pytest.raises(ValueError, match=r"style|caption"):
            Render(**wrong)


def test_a_rendered_corpus_is_a_corpus(shard, tmp_path):
    shard("in/a", "one", "two")
    run(Render(), tmp_path / "in", tmp_path / "out", workers=0)
    assert [len(clip.captions) for clip in read(tmp_path / "out")] == [1, 1]
