"""Splits of another corpus are refused, and of one that has grown it is told how much they do not know."""

import pytest

from budew.corpora import Clip, write_shard
from budew.curation import unknown_speakers as foreign
from budew.curation.splits import Splits, read_splits, write_splits
from budew.curation.unknown_speakers import unknown_to
from budew.errors import CorpusError

SPLITS = Splits(0, {"a": 0.5, "b": 0.5}, {"x": "a", "y": "b"}, {"bare": "a"}, {"talk": "b"})


def corpus(folder, *speakers: str | None) -> str:
    clips = [Clip(f"c{number}", b"x", "wav", speaker=name) for number, name in enumerate(speakers)]
    write_shard(folder / "a.tar", clips)
    return str(folder)


def test_what_the_lists_say_is_known_and_nothing_else():
    piece = {"segment": {"recording": "talk"}}
    known = [
        Clip("1", b"x", "wav", speaker="x"),
        Clip("2", b"x", "wav", metadata=piece),
        Clip("bare", b"x", "wav"),
    ]
    assert all(map(SPLITS.knows, known))
    other = [
        Clip("1", b"x", "wav", speaker="z"),
        Clip("x", b"x", "wav"),
        Clip("bare", b"x", "wav", speaker="bare"),
    ]
    assert not any(map(SPLITS.knows, other))


def test_clips_that_were_too_many_to_be_listed_are_known(tmp_path):
    many = Splits(0, SPLITS.shares, {"x": "a"}, lists_clips=False)
    write_splits(tmp_path / "splits.json", many)
    assert read_splits(tmp_path / "splits.json") == many
    assert unknown_to(many, corpus(tmp_path / "in", None, None)).clips == 0


def test_how_many_clips_and_speakers_are_unknown_is_told(tmp_path):
    found = unknown_to(SPLITS, corpus(tmp_path, "x", "new", "new", "newer", None))
    assert (found.looked_at, found.clips, found.speakers) == (5, 4, {"new", "newer"})
    assert "do not know 4 of the first 5 clips (2 speakers)" in str(found)
    assert unknown_to(SPLITS, corpus(tmp_path, "x", "y")).clips == 0


def test_splits_that_know_no_clip_are_refused_however_far_the_first_is(tmp_path, monkeypatch):
    monkeypatch.setattr(foreign, "LOOKED_AT", 2)
    with pytest.raises(CorpusError, match="know none of its 3 clips"):
        unknown_to(SPLITS, corpus(tmp_path, "u", "v", None))
    found = unknown_to(SPLITS, corpus(tmp_path, "u", "v", "w", "x", "y"))
    assert (found.looked_at, found.clips) == (4, 3)
