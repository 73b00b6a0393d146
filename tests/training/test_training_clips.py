"""Clips are used that fit in the window and of which there is something to learn."""

import pytest

from budew.corpora import Caption, write_shard
from budew.errors import CorpusError
from budew.training.clip_index import index_corpus
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
