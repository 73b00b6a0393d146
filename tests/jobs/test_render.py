"""Captions of a corpus: a function of seed and clip id, each of which reads back."""

from dataclasses import replace

import pytest

from budew import parse
from budew.captions.content_selection import ContentSelection
from budew.captions.salience import Baseline
from budew.corpora import Caption, Clip
from budew.errors import FilteredError, InputError
from budew.jobs.render import Render
from budew.profile import VoiceProfile

CLIPS = [
    Clip(f"c{number}", b"x", "wav", profile=VoiceProfile({"Anger": 0.5, "Sadness": 0.25}))
    for number in range(5)
]


ANGRY = Baseline.from_profiles([VoiceProfile({"Anger": 0.5})] * 9)


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
    assert captions(Render(seed=3), CLIPS[::-1])[0] == forward[::-1]
    assert captions(Render(seed=4))[0] != forward


def test_captions_of_an_earlier_render_are_replaced_and_others_stay():
    old = (Caption("Mine."), Caption("Old.", {"by": "render", "seed": 1}))
    (texts,), failed = captions(Render(), [Clip("bare", b"x", "wav"), replace(CLIPS[0], captions=old)])
    assert (texts[0], len(texts), "Old." in texts) == ("Mine.", 2, False)
    assert [clip for clip, _ in failed] == ["bare"]


def test_with_a_baseline_the_emotions_that_stand_out_are_named():
    (texts, *_), _ = captions(Render(baseline=ANGRY))
    assert parse(texts[0]).emotions == {"Sadness": 0.25}


def test_a_profile_with_unknown_emotions_names_none():
    clips = [
        Clip(f"m{number}", b"x", "wav", profile=VoiceProfile(None, (), {"pace": "fast"}))
        for number in range(9)
    ]
    left_out = captions(Render(per_clip=3, selection=ContentSelection(leave_out=["emotions"])), clips)
    assert captions(Render(per_clip=3), clips) == left_out
    assert captions(Render(per_clip=3, baseline=ANGRY), clips) == left_out
    assert not any("emotion" in text or "neutral" in text.lower() for row in left_out[0] for text in row)


@pytest.mark.parametrize("wrong", [{"style": "odes"}, {"per_clip": 0}])
def test_invalid_settings_are_refused_when_the_job_is_made(wrong):
    with pytest.raises(InputError):
        Render(**wrong)


def test_a_clip_with_an_empty_profile_is_left_out_and_an_absent_emotion_is_denied():
    denied = VoiceProfile({"Shame": 0.0}, rated=["Shame"])
    profiles = [denied, VoiceProfile({"Shame": 1.0}, rated=["Shame"]), VoiceProfile(), VoiceProfile(None)]
    clips = [Clip(str(n), b"x", "wav", profile=profile) for n, profile in enumerate(profiles)]
    left_out = {}
    made = list(Render().run(iter(clips), left_out.__setitem__))
    assert [clip.id for clip in made] == ["0", "1", "2"]
    assert parse(made[0].captions[0].text).absent == ("Shame",)
    assert {id: type(error) for id, error in left_out.items()} == {"3": FilteredError}
    measured = replace(clips[0], profile=replace(denied, traits={"gender": "female"}))
    assert parse(next(Render().run(iter([measured]), None)).captions[0].text).traits == {"gender": "female"}
