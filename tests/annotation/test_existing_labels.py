"""Labels that a corpus has are kept, or read out of its captions; a clip without any fails."""

import re

import pytest

from budew.annotation.existing_labels import AnnotateByLabels, label_clip, read_labels
from budew.captions import render
from budew.corpora import Caption, Clip
from budew.errors import CorpusError, FilteredError, InputError, JobError
from budew.profile import VoiceProfile

PROFILE = VoiceProfile({"Sadness": 0.75, "Longing": 0.5}, ["Sobs"], {"gender": "female"})


def clip(id: str = "a", **fields) -> Clip:
    return Clip(id, b"", "wav", **fields)


def said(*texts: str) -> VoiceProfile:
    made = label_clip(clip(captions=tuple(map(Caption, texts))))
    assert made.profile is not None
    return made.profile


def test_a_profile_is_kept_with_a_note_and_other_metadata():
    made = label_clip(clip(profile=PROFILE, metadata={"profile_from": {"form": "talent"}}))
    assert made.profile == PROFILE
    assert made.metadata["profile_from"] == {"form": "talent"}
    assert made.metadata["annotated_by"]["from"] == "profile"


def test_captions_are_parsed_into_the_profile_they_were_rendered_from():
    assert said(*(render(PROFILE, seed=seed) for seed in range(4))) == PROFILE


def test_several_captions_give_mean_emotions_and_majority_traits():
    texts = ("A strongly sad woman.", "A woman, extremely sad, with a wistful sigh.", "A slightly sad man.")
    profile = said(*texts)
    assert profile.emotions["Sadness"] == pytest.approx((0.75 + 1 + 0.25) / 3, abs=1e-3)
    assert profile.traits["gender"] == "female"
    assert profile.bursts == ()
    assert said(texts[1]).bursts == ("Wistful Sigh",)


def test_a_source_can_be_chosen_and_traits_missing_in_captions_are_kept():
    both = clip(profile=PROFILE, captions=(Caption("A voice full of fear."),))
    assert label_clip(both).profile == label_clip(both, source="profile").profile == PROFILE
    made = label_clip(both, source="captions")
    assert set(made.profile.emotions) == {"Fear"}
    assert made.profile.bursts == ()
    assert made.profile.traits == {"gender": "female"}
    assert made.metadata["annotated_by"]["from"] == "captions"


def test_captions_are_preferred_to_a_profile_of_speaker_columns_alone():
    bare = clip(
        profile=VoiceProfile(None, [], {"accent": "Welsh"}),
        captions=(Caption("A voice full of fear."),),
        metadata={"profile_from": {"form": "speaker"}},
    )
    made = label_clip(bare)
    assert "Fear" in made.profile.emotions
    assert made.profile.traits["accent"] == "Welsh"
    assert not label_clip(bare, source="profile").profile.rated
    assert not label_clip(clip(profile=bare.profile, metadata=bare.metadata)).profile.rated


def test_annotating_twice_gives_the_same_clip_and_the_note_of_another_annotator_stays():
    by_heads = clip(profile=PROFILE, metadata={"annotated_by": {"by": "heads"}})
    labelled = label_clip(clip(captions=(Caption("A sad man."),)))
    for once in (by_heads, labelled):
        assert label_clip(once) == once


def test_clips_without_labels_are_reported_as_failures(run_on, failures):
    made = run_on(AnnotateByLabels(), clip("bare"), clip("known", profile=PROFILE))
    assert [clip.id for clip in made] == ["known"]
    assert "has no labels" in str(failures["bare"])
    assert run_on(AnnotateByLabels("captions"), clip(profile=PROFILE)) == []
    assert "has no captions" in str(failures["a"])
    with pytest.raises(InputError, match="tea leaves"):
        AnnotateByLabels("tea leaves")


ROWS = [
    '{"id": "a", "profile": {"emotions": {"Awe": 0.5}, "rated": ["Awe", "Pain"]}, "more": 1}',
    '{"id": "b", "profile": {"emotions": null, "traits": {"Arousal": 2}}}',
]


def labels_in(tmp_path, *rows: str):
    (tmp_path / "labels.jsonl").write_text("\n".join(rows))
    return tmp_path / "labels.jsonl"


def test_a_file_of_labels_replaces_emotions_and_keeps_the_rest(tmp_path, run_on, failures):
    job = AnnotateByLabels(labels=labels_in(tmp_path, *ROWS))
    clips = [clip(id, profile=PROFILE) for id in ("folder/a", "b", "c")]
    first, second, bare = run_on(job, *clips, clip("a"))
    assert (first.profile.emotions, first.profile.rated) == ({"Awe": 0.5}, ("Awe", "Pain"))
    assert (first.profile.bursts, first.profile.traits) == (PROFILE.bursts, PROFILE.traits)
    assert (second.profile.emotions, second.profile.rated) == (PROFILE.emotions, PROFILE.rated)
    assert second.profile.traits == {**PROFILE.traits, "Arousal": 2.0}
    assert (bare.profile.rated, bare.metadata["annotated_by"]["from"]) == (("Awe", "Pain"), "file")
    assert [type(error) for error in failures.values()] == [FilteredError]
    assert "'c'" in str(failures["c"])
    assert run_on(job, *[first, second, bare]) == [first, second, bare]


def test_the_settings_of_the_job_change_with_the_labels(tmp_path):
    settings = AnnotateByLabels(labels=labels_in(tmp_path, *ROWS)).settings()
    assert settings == AnnotateByLabels(labels=tmp_path / "labels.jsonl").settings()
    assert settings != AnnotateByLabels(labels=labels_in(tmp_path, ROWS[0])).settings()
    assert "labels" not in AnnotateByLabels().settings()


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (ROWS[0], "two labels of 'a'"),
        ('{"id": "z"}', "id and profile"),
        ('{"id": "z", "profile": {"emotions": {"Joyful": 1}}}', "Joyful"),
        ("{", "JSON"),
    ],
)
def test_an_invalid_label_ends_the_job_with_its_line(tmp_path, run_on, row, fault):
    path = labels_in(tmp_path, *ROWS, row)
    with pytest.raises(CorpusError, match=fault) as raised:
        read_labels(path)
    assert re.match(rf"{re.escape(str(path))}: line 3\b", str(raised.value))
    with pytest.raises(JobError, match=fault):
        run_on(AnnotateByLabels(labels=path), clip("a"))
    with pytest.raises(InputError, match="choose one"):
        AnnotateByLabels("captions", path)
