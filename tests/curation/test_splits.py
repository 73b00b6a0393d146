"""A splits file gives each clip one part, always the same; a job writes one part."""

import json
import pickle
from dataclasses import replace

import pytest

from budew.corpora import Clip, read, write_shard
from budew.curation import splits as module
from budew.curation.splits import (
    Select,
    Splits,
    part_by_hash,
    read_splits,
    select_part,
    unknown_to,
    write_splits,
)
from budew.errors import CorpusError, InputError, JobError, SettingsError
from budew.jobs import run

SPLITS = Splits(0, {"train": 0.5, "test": 0.5}, {}, {"one": "train", "two": "test", "three": "train"})
LISTED = Splits(0, {"a": 0.5, "b": 0.5}, {"x": "a", "y": "b"}, {"bare": "a"}, {"talk": "b"})
ODD = Splits(3, {"a": 0.5, "b": 0.5}, {"\u202e \n": "a", "": "b"}, recordings={"ü" * 5_000: "b"})
GOOD = {"seed": 1, "shares": {"a": 0.5, "b": 0.5}, "speakers": {"a": ["x"]}, "clips": {}}


@pytest.mark.parametrize("splits", [LISTED, ODD, replace(ODD, lists_clips=False)])
def test_splits_come_back_from_their_file(splits, tmp_path):
    path = tmp_path / "new" / "splits.json"
    write_splits(path, splits, {"parts": 2})
    assert json.loads(path.read_text())["report"] == {"parts": 2}
    assert read_splits(path) == splits
    table = json.loads(path.read_text())
    path.write_text(json.dumps({key: table[key] for key in ("seed", "shares", "speakers", "clips")}))
    assert read_splits(path) == replace(splits, recordings={}, lists_clips=True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[]", "budew corpus split"),
        ("{}", "seed: required"),
        (json.dumps(GOOD | {"speakers": {"c": ["x"]}}), "no part 'c'"),
        (json.dumps(GOOD | {"speakers": {"a": ["x"], "b": ["x"]}}), "'x' is in the part 'a' and in 'b'"),
        (json.dumps(GOOD | {"speakers": {"a": [3]}}), "speakers.a.0: "),
        (json.dumps(GOOD | {"shares": {"a": 0.9, "b": 0.6}}), "add up to 1.5, not 1"),
        (
            json.dumps(GOOD | {"shares": {"a": 1, "b": 0}}),
            "each share must be above 0 and below 1, not a 1, b 0",
        ),
    ],
)
def test_an_invalid_splits_file_is_an_error_that_names_it(text, fault, tmp_path):
    (tmp_path / "splits.json").write_text(text)
    with pytest.raises(SettingsError, match=r"splits\.json\b") as raised:
        read_splits(tmp_path / "splits.json")
    assert fault in str(raised.value)


def test_only_listed_speakers_recordings_and_clips_are_known():
    known = {
        "a": [Clip("1", b"x", "wav", speaker="x"), Clip("bare", b"x", "wav", speaker="")],
        "b": [Clip("2", b"x", "wav", metadata={"segment": {"recording": "talk"}})],
    }
    for part, clips in known.items():
        assert all(LISTED.knows(clip) and LISTED.part_of(clip) == part for clip in clips)
    others = (("1", "z"), ("x", None), ("bare", "bare"))
    assert not any(LISTED.knows(Clip(id, b"x", "wav", speaker=speaker)) for id, speaker in others)


def test_unlisted_speakers_have_one_part_by_hash():
    shares = {"train": 0.8, "validation": 0.1, "test": 0.1}
    splits = Splits(0, shares, {"x": "train"})
    late = [Clip(f"late {number}", b"x", "wav", speaker=f"new {number % 50}") for number in range(500)]
    parts = {clip.speaker: splits.part_of(clip) for clip in late}
    assert all(splits.part_of(clip) == parts[clip.speaker] for clip in late)
    hashed = [part_by_hash(shares, 3, "clip", str(number)) for number in range(4_000)]
    for part, share in shares.items():
        assert hashed.count(part) / len(hashed) == pytest.approx(share, abs=0.02)
    assert hashed != [part_by_hash(shares, 3, "speaker", str(number)) for number in range(4_000)]


def test_parts_are_disjoint_and_together_are_the_corpus(shard, tmp_path):
    shard("in/a", "one", "two")
    shard("in/b", "three")
    for part in SPLITS.shares:
        summary = run(Select(SPLITS, part), tmp_path / "in", tmp_path / part, workers=0)
        assert summary.failures == 0
    train, test = (list(read(tmp_path / part)) for part in ("train", "test"))
    assert [clip.id for clip in train] == ["one", "three"]
    assert [clip.id for clip in test] == ["two"]
    before = {clip.id: clip for clip in read(tmp_path / "in")}
    assert all(clip == before[clip.id] for clip in (*train, *test))
    with pytest.raises(JobError, match="splits"):  # a folder of one split is not continued by another
        run(Select(replace(SPLITS, seed=1), "train"), tmp_path / "in", tmp_path / "train", workers=0)


def test_the_job_can_be_sent_to_a_worker_and_refuses_a_part_that_is_not_there():
    assert pickle.loads(pickle.dumps(Select(SPLITS, "train"))) == Select(SPLITS, "train")
    for refused in (lambda: Select(SPLITS, "dev"), lambda: select_part([], SPLITS, "dev")):
        with pytest.raises(InputError, match="no part 'dev': use one of train, test"):
            refused()


def corpus(folder, *speakers: str | None) -> str:
    clips = [Clip(f"c{number}", b"x", "wav", speaker=name) for number, name in enumerate(speakers)]
    write_shard(folder / "a.tar", clips)
    return str(folder)


def test_unknown_clips_and_speakers_are_counted(tmp_path):
    found = unknown_to(LISTED, corpus(tmp_path, "x", "new", "new", "newer", None))
    assert "do not list 4 of the first 5 clips (2 unknown speakers)" in found
    assert unknown_to(LISTED, corpus(tmp_path, "x", "y")) == ""
    many = Splits(0, LISTED.shares, {"x": "a"}, lists_clips=False)
    assert unknown_to(many, corpus(tmp_path / "in", None, None)) == ""


def test_splits_that_list_no_clip_of_the_corpus_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHECKED", 2)
    with pytest.raises(CorpusError, match="list none of its 3 clips"):
        unknown_to(LISTED, corpus(tmp_path, "u", "v", None))
    assert "3 of the first 4" in unknown_to(LISTED, corpus(tmp_path, "u", "v", "w", "x", "y"))


NAMES = ("CC0-1.0", "CC-BY-4.0", "CC-BY-3.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "ODbL-1.0", None)


@pytest.mark.parametrize(
    ("patterns", "kept"),
    [
        (["CC0-1.0"], ["CC0-1.0"]),
        (["cc-by-[0-9]*", "CC0-*"], ["CC0-1.0", "CC-BY-4.0", "CC-BY-3.0"]),
        (["CC-BY*"], ["CC-BY-4.0", "CC-BY-3.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0"]),
        (["not stated"], [None]),
        (["CC-BY"], []),
    ],
)
def test_clips_are_selected_by_licence(patterns, kept):
    clips = [Clip(f"{name}", b"", "wav", license=name) for name in NAMES]
    job = Select(licenses=tuple(patterns))
    assert [clip.license for clip in job.run(iter(clips), pytest.fail)] == kept
    assert job.settings() == {"licenses": patterns}


def test_part_and_licence_hold_together_and_one_of_them_is_needed():
    spoken = [Clip(f"{n}", b"", "wav", speaker=f"{n}", license="MIT") for n in range(50)]
    clips = [*spoken, *(replace(clip, id=f"{clip.id} too", license=None) for clip in spoken)]
    part, both = (
        [clip.id for clip in Select(SPLITS, "train", given).run(iter(clips), pytest.fail)]
        for given in ((), ("MIT",))
    )
    assert both == [id for id in part if "too" not in id]
    assert len(part) == 2 * len(both) > 0
    assert set(Select(SPLITS, "train").settings()) == {"part", "splits"}
    for nothing in (Select, lambda: Select(part="train", licenses=("MIT",))):
        with pytest.raises(InputError, match="licences"):
            nothing()
