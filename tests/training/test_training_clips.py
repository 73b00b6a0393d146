"""Clips are used that fit in the window and of which there is something to learn."""

import pytest

from budew.corpora import Caption, write_shard
from budew.errors import CorpusError
from budew.profile import VoiceProfile
from budew.training.clip_index import index_corpus
from budew.training.clip_order import ClipOrder
from budew.training.data_settings import TrainingCorpus
from budew.training.training_clips import select_clips

CORPUS = TrainingCorpus(corpus="b.tar")


def shard_of(path, make_clip, lengths, **changes):
    """Write clips of so many seconds; nothing is known of the first."""
    unknown = {"profile": None, "captions": ()}
    clips = [
        make_clip(number, seconds=seconds, duration=seconds, **changes, **({} if number else unknown))
        for number, seconds in enumerate(lengths)
    ]
    write_shard(path, clips)
    return index_corpus(path, path.parent / "index")


def ids_of(clips):
    return [int(clips.record(place).id[4:]) for place in range(len(clips))]


@pytest.mark.parametrize(
    ("longer", "used", "left", "cut", "seconds"),
    [
        ("skip", [1, 2, 3, 4], 2, 0, 5),
        ("cut", [1, 2, 3, 4, 5, 7], 0, 2, 9),
        ("split", [1, 2, 3, 4, 5, 5, 7, 7, 7], 0, 0, 13.5),
    ],
)
def test_clips_longer_than_the_window_are_left_out_split_or_cut_and_counted(
    make_recipe, make_clip, tmp_path, longer, used, left, cut, seconds
):
    index = shard_of(tmp_path / "a.tar", make_clip, [1, 1, 1, 1, 2, 2.5, 0.02, 6])
    found = select_clips(index, CORPUS, make_recipe(f"data.longer={longer}"), window=2)
    assert ids_of(found) == used
    assert found.used_seconds.sum() == pytest.approx(seconds)
    assert (found.left_out.get("longer than 2 s", 0), found.cut) == (left, cut)
    assert found.left_out["no caption to learn"] == 1
    assert found.left_out["shorter than 0.1 s"] == 1
    if longer == "split":
        assert list(found.starts) == [0, 0, 0, 0, 0, 2, 0, 2, 4]


def test_a_corpus_without_a_clip_to_learn_from_is_an_error_with_the_reasons(make_recipe, make_clip, tmp_path):
    with pytest.raises(CorpusError, match=r"b\.tar.*paraphrase.*no caption"):
        select_clips(shard_of(tmp_path / "b.tar", make_clip, [1]), CORPUS, make_recipe(), window=2)


@pytest.mark.parametrize(
    ("changes", "used"),
    [
        (("data.captions=checked", "target.kind=paraphrase"), [1]),
        (("data.captions=any", "target.kind=paraphrase"), [1, 2]),
        (("target.kind=template",), [2, 3]),
        (("target.kind=scalars",), [2, 3]),
        (("data.captions=checked", "target.kind=mixed"), [1, 2, 3]),
    ],
)
def test_clips_from_which_no_target_can_be_made_are_left_out(make_recipe, make_clip, tmp_path, changes, used):
    render_only = make_clip(2).captions
    clips = [
        make_clip(0, profile=None, captions=()),
        make_clip(1, profile=None, captions=(Caption("Somebody fumes.", {"by": "paraphrase"}),)),
        make_clip(2, captions=render_only),
        make_clip(3, captions=()),
    ]
    write_shard(tmp_path / "a.tar", clips)
    index = index_corpus(tmp_path / "a.tar", tmp_path)
    assert ids_of(select_clips(index, CORPUS, make_recipe(*changes), window=2)) == used


ABSENT = VoiceProfile({}, rated=["Pride"])


@pytest.mark.parametrize(("share", "expected"), [(0.25, 0.25), (1, 0.75), (0, 0)])
def test_clips_that_only_deny_are_used_but_make_at_most_their_share(
    make_recipe, make_clip, tmp_path, share, expected
):
    others = VoiceProfile({"Pride": 0.5}, rated=["Pride"])
    clips = [make_clip(n, captions=(), profile=others if n % 4 == 0 else ABSENT) for n in range(80)]
    write_shard(tmp_path / "a.tar", clips)
    index = index_corpus(tmp_path / "a.tar", tmp_path)
    found = select_clips(index, CORPUS, make_recipe("target.kind=template"), window=2).with_denials(share)
    assert len(found) == 80
    assert not found.left_out
    drawn = [place.place for place in ClipOrder([found], 800, 16, 8, 0)]
    assert sum(not found.record(place).profile.emotions for place in drawn) / 800 == pytest.approx(
        expected, abs=0.02
    )
    assert len(set(drawn)) == (80 if share else 20)


def test_the_reason_for_which_a_clip_is_left_out_is_that_of_the_clip(make_recipe, make_clip, tmp_path):
    clips = [
        make_clip(0, profile=None, captions=()),
        make_clip(1, profile=VoiceProfile(None), captions=()),
        make_clip(2, profile=None),  # has a rendered caption
        make_clip(3, profile=ABSENT, captions=()),
    ]
    write_shard(tmp_path / "a.tar", clips)
    index = index_corpus(tmp_path / "a.tar", tmp_path)
    reasons = {
        kind: select_clips(
            index, CORPUS, make_recipe(f"target.kind={kind}", "data.captions=checked"), window=2
        ).left_out
        for kind in ("template", "scalars", "mixed")
    }
    empty, unused = "a profile without rated emotion, burst or trait", "only captions of templates or models"
    assert reasons["template"] == reasons["scalars"] == {"no profile": 2, empty: 1}
    assert reasons["mixed"] == {"no profile and no caption to learn": 1, empty: 1, unused: 1}
