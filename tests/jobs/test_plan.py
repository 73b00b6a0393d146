"""A plan ends the same however it was run, and what fails is listed and costs nothing else."""

import json
import os
import time
from dataclasses import replace

import pytest
from odd_jobs import Counting, Odd, contents, flac

from budew.corpora import read
from budew.errors import InputError, JobError
from budew.jobs import Plan, Progress, run
from budew.jobs.convert import Convert
from budew.jobs.units import file_units


def test_output_does_not_depend_on_the_number_of_workers(shard, tmp_path):
    for name in "abc":
        shard(f"in/{name}", f"{name}1", f"{name}2-twice", f"{name}3-raise")
    summaries = [run(Odd(), tmp_path / "in", tmp_path / f"out{n}", workers=n) for n in (0, 2)]
    assert contents(tmp_path / "out0") == contents(tmp_path / "out2")
    assert [(s.units, s.complete, s.done, s.clips, s.failures) for s in summaries] == [(3, 3, 3, 9, 3)] * 2
    assert [clip.id for clip in read(tmp_path / "out0/b.tar")] == ["b1", "b2-twice-a", "b2-twice-b"]


def test_failed_clips_are_listed_and_the_others_written(shard, tmp_path):
    shard("in/a", "ok", "x-raise", "x-nan", "x-half", "x-gone", "x-same", "x-none")
    truncated = shard("in/b", "one", "two")
    truncated.write_bytes(truncated.read_bytes()[:3000])
    shard("in/c", "y-raise")
    summary = run(Odd(), tmp_path / "in", tmp_path / "out", workers=0)
    assert [clip.id for clip in read(tmp_path / "out")] == ["ok", "x-same", "one"]
    rows = [json.loads(line) for line in (tmp_path / "out/failures.jsonl").read_text().splitlines()]
    listed = ["x-raise", "x-nan", "x-half", "x-gone", "x-same", "", "y-raise"]
    assert [row["clip"] for row in rows] == listed
    assert [row["shard"] for row in rows] == ["a"] * 5 + ["b", "c"]
    assert rows[0]["reason"] == "no such luck"
    assert "unpaired surrogate" in rows[2]["reason"]
    assert (summary.clips, summary.failures) == (3, 7)
    assert not (tmp_path / "out/c.tar").exists()


def test_filtered_clips_are_not_failures(shard, tmp_path):
    shard("in/a", "ok", "x-unwanted")
    for done in (1, 0):
        summary = run(Odd(), tmp_path / "in", tmp_path / "out", workers=0, retry_failed=True)
        assert (summary.done, summary.failures, summary.left_out) == (done, 0, 1)
    assert "too loud" in (tmp_path / "out/left_out.jsonl").read_text()
    assert not (tmp_path / "out/failures.jsonl").exists()


def test_finished_units_are_skipped_unless_input_or_output_changed(shard, tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    shard("in/a", "a1")
    shard("in/b", "b1")
    assert run(Odd(), source, out, workers=0).done == 2
    assert run(Odd(), source, out, workers=0).done == 0
    (out / "a.tar").unlink()
    assert run(Odd(), source, out, workers=0).done == 1
    (out / "b.tar").write_bytes(b"cut")
    assert run(Odd(), source, out, workers=0).done == 1
    shard("in/b", "b1", "b2")
    assert run(Odd(), source, out, workers=0).clips == 3
    (out / "notes/a.json").write_text("{")
    assert run(Odd(), source, out, workers=0).done == 1


@pytest.mark.parametrize("workers", [0, 2])
def test_a_job_error_ends_the_job_and_leaves_it_resumable(shard, tmp_path, workers):
    shard("in/a", "fine")
    shard("in/b", "x-fatal")
    with pytest.raises(JobError, match="there is no key"):
        run(Odd(), tmp_path / "in", tmp_path / "out", workers=workers)
    assert not (tmp_path / "out/notes/b.json").exists()
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_shard_that_kills_every_worker_is_given_up(shard, tmp_path):
    shard("in/a", "x-die")
    shard("in/b", "b1")
    summary = run(Odd(), tmp_path / "in", tmp_path / "out", workers=1)
    assert (summary.clips, summary.given_up, summary.complete) == (1, ("a",), 1)


def test_temporary_files_of_a_killed_run_are_removed(shard, tmp_path):
    shard("in/a", "a1")
    out = tmp_path / "out"
    run(Convert(), tmp_path / "in", out, workers=0)
    (out / "notes/a.json").unlink()
    for name in (".a.tar.123.part", "notes/.a.json.123.part", ".failures.jsonl.9.part"):
        (out / name).touch()
    run(Convert(), tmp_path / "in", out, workers=0)
    assert sorted(contents(out)) == ["a.tar", "job.json", "notes/a.json"]


def test_shards_of_removed_inputs_are_reported_as_unexpected(shard, tmp_path):
    shard("in/a", "a1")
    shard("in/b", "b1")
    run(Convert(), tmp_path / "in", tmp_path / "out", workers=0)
    (tmp_path / "in/b.tar").unlink()
    assert run(Convert(), tmp_path / "in", tmp_path / "out", workers=0).unexpected == ("b.tar",)


def test_a_plan_lists_the_waiting_units_and_writes_nothing(shard, tmp_path):
    shard("in/a", "a1", "x-raise")
    shard("in/b", "b1")
    plan = Plan(Odd(), tmp_path / "in", tmp_path / "out")
    assert [unit.name for unit in plan.waiting] == [unit.name for unit in plan.units] == ["a", "b"]
    assert not (tmp_path / "out").exists()
    seen: list[Progress] = []
    plan.run(workers=0, progress=seen.append)
    assert seen[0] == Progress(0, 2, 0, 0)
    assert replace(seen[-1], clips=0) == Progress(2, 2, 0, 1)
    assert plan.waiting == ()
    again = Plan(Odd(), tmp_path / "in", tmp_path / "out", retry_failed=True)
    assert [unit.name for unit in again.waiting] == ["a"]
    assert again.run(workers=0).done == 1
    for wrong in (lambda: plan.run(workers=-1), lambda: Plan(Odd(), range(3), tmp_path / "out")):
        with pytest.raises(InputError):
            wrong()


@pytest.mark.parametrize("workers", [0, 2])
def test_tallies_are_reported_and_added_up_over_all_runs(shard, tmp_path, workers):
    shard("in/a", "abba", "abc-twice", "x-raise")
    first = run(Counting(), tmp_path / "in", tmp_path / "out", workers=workers)
    assert first.tally == {"letters": 4 + 2 * 11, "a": 2 + 3}
    shard("in/b", "banana")
    shard("in/c", "kiwi-none")
    seen: list[Progress] = []
    second = run(Counting(), tmp_path / "in", tmp_path / "out", workers=workers, progress=seen.append)
    assert second.tally == {"letters": 4 + 2 * 11 + 6, "a": 2 + 3 + 3}
    assert seen[0].tally == {"letters": 0, "a": 0}
    assert seen[-1].tally == {"letters": 6, "a": 3}
    assert json.loads((tmp_path / "out/notes/b.json").read_text())["tally"] == {"letters": 6, "a": 3}
    assert run(Odd(), tmp_path / "in", tmp_path / "odd", workers=0).tally == {}


def test_reported_clips_never_become_fewer(shard, tmp_path):
    shard("in/a", "a1", "a2-wait")
    shard("in/b", "b1", "b2", "b3-wait")
    clips: list[int] = []

    def progress(now: Progress) -> None:
        clips.append(now.clips)
        if now.clips == 5:
            (tmp_path / "go").touch()

    run(Odd(tmp_path), tmp_path / "in", tmp_path / "out", workers=2, progress=progress)
    assert clips == sorted(clips)


def test_a_renamed_file_has_its_new_id_in_the_next_run(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "a.flac").write_bytes(flac())
    run(Convert(), source, out, workers=0)
    (source / "a.flac").rename(source / "b.flac")
    assert run(Convert(), source, out, workers=0).done == 1
    assert [clip.id for clip in read(out)] == ["b"]
    (source / "c.txt").touch()  # changes the folder, not its clips
    assert run(Convert(), source, out, workers=0).done == 0


def test_changed_labels_beside_the_audio_are_read_again(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "a.flac").write_bytes(flac())
    for emotion in ("Anger", "Sadness"):
        (source / "a.json").write_text(json.dumps({"profile": {"emotions": {emotion: 1}}}))
        assert run(Convert(), source, out, workers=0).done == 1
        assert [dict(clip.profile.emotions) for clip in read(out)] == [{emotion: 1}]
    assert run(Convert(), source, out, workers=0).done == 0


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("clips.jsonl", '{"file_name": "a.flac"}\nno JSON\n{"audio": "b.flac"}\n{"audio": "c.flac"}\n'),
        ("clips.csv", "file_name,text\na.flac,x\nb.flac,y\nc.flac\nc.flac,z\n"),
    ],
)
def test_replaced_audio_of_a_manifest_is_read_again(tmp_path, name, lines):
    source, out = tmp_path / name, tmp_path / "out"
    source.write_text(lines)
    for part in "ab":
        (tmp_path / f"{part}.flac").write_bytes(flac())

    def done() -> int:
        return run(Odd(), source, out, workers=0, clips_per_shard=2).done

    units = len(list(file_units(source, clips_per_shard=2)))
    assert (done(), done()) == (units, 0)
    now = time.time() + 5
    other = flac()[:-1] + b"x"
    (tmp_path / "a.flac").write_bytes(other)  # of the same size
    os.utime(tmp_path / "a.flac", (now, now))
    assert (done(), next(read(out)).audio) == (1, other)
    os.utime(tmp_path / "b.flac", (now, now))  # touched and the same
    assert done() == 0
    (tmp_path / "c.flac").write_bytes(flac())
    assert (done(), [clip.id for clip in read(out)], done()) == (1, ["a", "b", "c"], 0)


def test_files_that_a_manifest_may_not_name_are_not_opened(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out.flac").write_bytes(flac())
    (tmp_path / "in/link.flac").symlink_to(tmp_path / "out.flac")
    os.mkfifo(tmp_path / "in/pipe.flac")
    names = ("../out.flac", str(tmp_path / "out.flac"), "link.flac", "pipe.flac", "a\0b.flac", "", 7)
    lines = [json.dumps({"audio": name}) for name in names]
    (tmp_path / "in/clips.jsonl").write_text("\n".join(lines))
    assert run(Odd(), tmp_path / "in/clips.jsonl", tmp_path / "out", workers=0).failures == len(names)
    assert run(Odd(), tmp_path / "in/clips.jsonl", tmp_path / "out", workers=0).done == 0


@pytest.mark.parametrize("has_manifest", [True, False])
def test_a_unit_whose_input_changes_while_it_is_read_is_not_done(shard, tmp_path, has_manifest):
    changing = path = shard("in/a", "x-grow")
    if has_manifest:
        changing, path = tmp_path / "in/x-grow.flac", tmp_path / "in/a.jsonl"
        changing.write_bytes(flac())
        path.write_text('{"audio": "x-grow.flac"}\n')
    with pytest.raises(JobError, match="changed while it was read"):
        run(Odd(marks=changing), path, tmp_path / "out", workers=0)
    assert not (tmp_path / "out/notes/a.json").exists()


def test_the_rating_scale_is_determined_for_the_folder_not_for_a_unit(tmp_path):
    (tmp_path / "in").mkdir()
    for name, score in (("a", 3), ("b", 1)):
        (tmp_path / f"in/{name}.flac").write_bytes(flac())
        (tmp_path / f"in/{name}.json").write_text(json.dumps({"scores": {"anger": score}}))
    for size in (1, 500):
        out = tmp_path / f"out{size}"
        run(Convert(), tmp_path / "in", out, workers=0, clips_per_shard=size)
        assert [clip.profile.emotions["Anger"] for clip in read(out)] == [0.75, 0.25]
