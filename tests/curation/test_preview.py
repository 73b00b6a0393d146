"""A preview draws the same clips in any order, and lists the largest contradictions to profiles first."""

from dataclasses import replace

import pytest

from budew.cli import app
from budew.corpora import Clip, read, write_shard
from budew.curation import preview as module
from budew.curation.preview import JobPreview, preview_job
from budew.errors import CorpusError, InputError
from budew.io.resources import data_folder
from budew.profile import VoiceProfile


class Angry:
    """A job that hears anger everywhere, and no clip 3."""

    name = "angry"

    def run(self, clips, failed):
        for clip in clips:
            if clip.id == "c3":
                failed(clip.id, CorpusError("not heard"))
            else:
                yield replace(clip, profile=VoiceProfile({"Anger": 1.0}))

    def settings(self):
        return {}


def shards(folder, shards, size):
    """Write clips c0, c1, … whose anger grows; the last has no profile."""
    for number in range(shards):
        ids = range(number * size, (number + 1) * size)
        last = shards * size - 1
        clips = [
            Clip(
                f"c{id}", b"x", "wav", profile=None if id == last else VoiceProfile({"Anger": (id + 1) / 100})
            )
            for id in ids
        ]
        write_shard(folder / f"{number:02d}.tar", clips)
    return folder


def test_drawn_clips_do_not_depend_on_the_order_of_the_corpus(tmp_path):
    corpus, one = shards(tmp_path / "many", 4, 5), shards(tmp_path / "one", 1, 20)
    assert [clip.id for clip in preview_job(corpus, Angry(), limit=5).clips] == ["c0", "c1", "c2", "c4"]
    drawn = [
        [clip.id for clip in preview_job(source, Angry(), sample=8, seed=seed).clips]
        for source, seed in ((corpus, 1), (one, 1), (corpus, 2))
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(preview_job(corpus, Angry(), sample=100).clips) == 19


def test_at_most_sixteen_files_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_FILES", 2)
    drawn = preview_job(shards(tmp_path, 4, 5), Angry(), sample=6, seed=1).clips
    assert len({int(clip.id[1:]) // 5 for clip in drawn}) == 2


def test_failures_are_listed_and_the_largest_contradictions_come_first(tmp_path):
    found = preview_job(shards(tmp_path, 2, 5), Angry(), limit=10)
    assert [id for id, _ in found.failures] == ["c3"]
    assert [clip.id for clip, _ in found.disagreements(4)] == ["c0", "c1", "c2", "c4"]
    assert [before.emotions["Anger"] for _, before in found.disagreements(2)] == [0.01, 0.02]
    assert "c9" not in {clip.id for clip, _ in found.disagreements(10)}
    with pytest.raises(InputError):
        preview_job(tmp_path, Angry(), limit=module.MOST_CLIPS + 1)


def test_clips_are_listed_by_how_much_they_changed_and_unchanged_ones_left_out():
    before = {"a": 0.9, "b": 0.2, "c": 1.0, "d": 0.2}
    clips = [Clip(id, b"x", "wav", profile=VoiceProfile({"Anger": 1.0})) for id in reversed(before)]
    found = JobPreview(clips, [], {id: VoiceProfile({"Anger": anger}) for id, anger in before.items()})
    assert [clip.id for clip, _ in found.disagreements(4)] == ["b", "d", "a"]


def test_the_command_writes_a_shard_and_a_page_with_players(tmp_path):
    demo = data_folder("demo_clips") / "clips.tar"
    command = ["corpus", "caption", str(demo), str(tmp_path / "out"), "--sample", "3", "--seed", "1"]
    assert app(command, standalone_mode=False) == 0
    assert len(list(read(tmp_path / "out"))) == 3
    page = (tmp_path / "out" / "look.html").read_text(encoding="utf-8")
    assert page.count("<audio") >= 3
    assert ", before " in page
