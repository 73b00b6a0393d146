"""A plan ends the same however it was run, and what fails is listed and costs nothing else."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from odd_jobs import Counting, Odd, flac, in_session

from budew.corpora import read
from budew.errors import CorpusError, InputError, JobError
from budew.jobs import Plan, Progress, run
from budew.jobs.convert import Convert
from budew.jobs.render import Render
from budew.jobs.units import file_units


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def failures(out: Path) -> list[tuple[str, str]]:
    rows = [json.loads(line) for line in (out / "failures.jsonl").read_text().splitlines()]
    return [(row["clip"], row["reason"]) for row in rows]


def test_workers_change_no_byte(shard, tmp_path):
    for name in "abc":
        shard(f"in/{name}", f"{name}1", f"{name}2-twice", f"{name}3-raise")
    summaries = [run(Odd(), tmp_path / "in", tmp_path / f"out{n}", workers=n) for n in (0, 2)]
    assert contents(tmp_path / "out0") == contents(tmp_path / "out2")
    assert [(s.units, s.complete, s.done, s.clips, s.failures) for s in summaries] == [(3, 3, 3, 9, 3)] * 2
    assert [clip.id for clip in read(tmp_path / "out0/b.tar")] == ["b1", "b2-twice-a", "b2-twice-b"]


def test_each_clip_that_fails_is_listed_and_the_others_are_there(shard, tmp_path):
    shard("in/a", "ok", "x-raise", "x-nan", "x-half", "x-gone", "x-same", "x-none")
    summary = run(Odd(), tmp_path / "in/a.tar", tmp_path / "out", workers=0)
    assert [clip.id for clip in read(tmp_path / "out/a.tar")] == ["ok", "x-same"]
    listed = failures(tmp_path / "out")
    assert [clip for clip, _ in listed] == ["x-raise", "x-nan", "x-half", "x-gone", "x-same"]
    assert listed[0][1] == "no such luck"
    assert listed[2][1] == r"clip 'x-half': holds '\ud800', which is half of a character: correct the text"
    assert summary.failures == 5


@pytest.mark.parametrize("labels", ['{"transcript": "a\\ud800b"}', '{"notes": {"\\uDC00": []}}'])
def test_half_a_character_in_the_labels_of_a_clip_is_one_failure(tmp_path, labels):
    (tmp_path / "in").mkdir()
    for name, text in (("a", labels), ("b", '{"transcript": "\\ud83d\\ude00"}')):
        (tmp_path / f"in/{name}.flac").write_bytes(flac())
        (tmp_path / f"in/{name}.json").write_text(text)
    errors: list[CorpusError] = []
    assert [clip.transcript for clip in read(tmp_path / "in", on_bad=errors.append)] == ["\U0001f600"]
    assert "which is half of a character" in str(errors[0])
    assert run(Convert(), tmp_path / "in", tmp_path / "out", workers=0).failures == 1
    assert failures(tmp_path / "out") == [("", str(errors[0]))]
    assert [clip.id for clip in read(tmp_path / "out")] == ["b"]


def test_what_the_settings_leave_out_is_no_failure(shard, tmp_path):
    shard("in/a", "ok", "x-unwanted")
    for done in (1, 0):
        summary = run(Odd(), tmp_path / "in", tmp_path / "out", workers=0, retry_failed=True)
        assert (summary.done, summary.failures, summary.left_out) == (done, 0, 1)
    assert "too loud" in (tmp_path / "out/left_out.jsonl").read_text()
    assert not (tmp_path / "out/failures.jsonl").exists()


def test_what_is_done_is_not_done_again_unless_it_changed(shard, tmp_path):
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


def test_failures_are_tried_again_when_asked(shard, tmp_path):
    shard("in/a", "x-raise")
    shard("in/b", "fine")
    run(Odd(), tmp_path / "in", tmp_path / "out", workers=0)
    assert run(Odd(), tmp_path / "in", tmp_path / "out", workers=0, retry_failed=True).done == 1


def test_a_shard_of_nothing_but_failures_has_a_note_and_no_file(shard, tmp_path):
    shard("in/a", "x-raise")
    run(Odd(), tmp_path / "in", tmp_path / "out", workers=0)
    assert sorted(contents(tmp_path / "out")) == ["failures.jsonl", "job.json", "notes/a.json"]


def test_a_truncated_shard_gives_its_whole_clips_and_a_failure(shard, tmp_path):
    path = shard("in/a", "one", "two")
    path.write_bytes(path.read_bytes()[:3000])
    shard("in/b", "three")
    summary = run(Convert(), tmp_path / "in", tmp_path / "out", workers=0)
    assert (summary.clips, summary.failures) == (2, 1)
    assert "a.tar" in failures(tmp_path / "out")[0][1]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_job_error_ends_the_job_and_leaves_it_resumable(shard, tmp_path, workers):
    shard("in/a", "fine")
    shard("in/b", "x-fatal")
    with pytest.raises(JobError, match="there is no key"):
        run(Odd(), tmp_path / "in", tmp_path / "out", workers=workers)
    assert not (tmp_path / "out/notes/b.json").exists()
    assert not list((tmp_path / "out").rglob("*.unfinished"))


def test_a_worker_that_is_killed_costs_its_shard_a_second_try(shard, tmp_path):
    (tmp_path / "marks").mkdir()
    shard("in/a", "a1", "a-once")
    shard("in/b", "b1")
    summary = run(Odd(tmp_path / "marks"), tmp_path / "in", tmp_path / "out", workers=2)
    assert (summary.clips, summary.failures, summary.given_up) == (3, 0, ())


def test_a_shard_that_kills_every_worker_is_given_up(shard, tmp_path):
    shard("in/a", "x-die")
    shard("in/b", "b1")
    summary = run(Odd(), tmp_path / "in", tmp_path / "out", workers=1)
    assert (summary.clips, summary.given_up, summary.complete) == (1, ("a",), 1)


def test_workers_end_with_a_parent_that_was_killed(shard, tmp_path):
    for number in range(40):
        shard(f"in/{number}", *(f"c{number}-{index}" for index in range(20)))
    command = [sys.executable, "-m", "budew", "corpus", "convert", tmp_path / "in", tmp_path / "out"]
    job = subprocess.Popen([*command, "--workers", "2"], start_new_session=True, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("out/notes/*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(job.pid, signal.SIGKILL)
    job.wait()
    while in_session(job.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not in_session(job.pid)
    assert run(Convert(), tmp_path / "in", tmp_path / "out", workers=0).clips == 800
    assert not list((tmp_path / "out").rglob(".*"))


def test_a_folder_of_something_else_is_not_written_to(shard, tmp_path):
    shard("in/a", "a1")
    run(Render(seed=1), tmp_path / "in", tmp_path / "out", workers=0)
    for other, told in (
        (Render(seed=2), "seed was 1 and is now 2"),
        (Convert(), "'render', not 'convert'"),
    ):
        with pytest.raises(JobError, match=told):
            run(other, tmp_path / "in", tmp_path / "out", workers=0)
    with pytest.raises(JobError, match="clips_per_shard was 500 and is now 3"):
        run(Render(seed=1), tmp_path / "in", tmp_path / "out", workers=0, clips_per_shard=3)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.txt").touch()
    with pytest.raises(JobError, match=r"thesis\.txt"):
        run(Convert(), tmp_path / "in", tmp_path / "full", workers=0)


def test_output_among_the_input_is_refused(shard, tmp_path):
    shard("in/a", "a1")
    for source, out in ((tmp_path / "in", tmp_path / "in"), (tmp_path / "in", tmp_path)):
        with pytest.raises((CorpusError, JobError)):
            run(Convert(), source, out, workers=0)


def test_two_runs_at_a_time_in_one_folder_are_refused(shard, tmp_path):
    shard("in/a", "a1")
    run(Convert(), tmp_path / "in", tmp_path / "out", workers=0)
    with (tmp_path / "out/job.json").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(JobError, match="another run"):
            run(Convert(), tmp_path / "in", tmp_path / "out", workers=0)


def test_what_a_killed_run_left_is_removed(shard, tmp_path):
    shard("in/a", "a1")
    out = tmp_path / "out"
    run(Convert(), tmp_path / "in", out, workers=0)
    (out / "notes/a.json").unlink()
    for name in (".a.tar.123.unfinished", "notes/.a.json.123.part", ".failures.jsonl.9.part"):
        (out / name).touch()
    run(Convert(), tmp_path / "in", out, workers=0)
    assert sorted(contents(out)) == ["a.tar", "job.json", "notes/a.json"]


def test_shards_without_an_input_are_unexpected(shard, tmp_path):
    shard("in/a", "a1")
    shard("in/b", "b1")
    run(Convert(), tmp_path / "in", tmp_path / "out", workers=0)
    (tmp_path / "in/b.tar").unlink()
    assert run(Convert(), tmp_path / "in", tmp_path / "out", workers=0).unexpected == ("b.tar",)


def test_a_plan_knows_what_is_done_and_what_waits_and_writes_nothing(shard, tmp_path):
    shard("in/a", "a1", "x-raise")
    shard("in/b", "b1")
    plan = Plan(Odd(), tmp_path / "in", tmp_path / "out")
    assert [unit.name for unit in plan.waiting] == [unit.name for unit in plan.units] == ["a", "b"]
    assert plan.done == ()
    assert not (tmp_path / "out").exists()
    plan.run(workers=0)
    assert (plan.done, plan.waiting) == (plan.units, ())
    again = Plan(Odd(), tmp_path / "in", tmp_path / "out", retry_failed=True)
    assert [unit.name for unit in again.waiting] == ["a"]
    with pytest.raises(InputError, match="-1 workers"):
        plan.run(workers=-1)


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


def test_progress_counts_shards_clips_and_failures(shard, tmp_path):
    shard("in/a", "a1", "x-raise")
    told: list[Progress] = []
    run(Odd(), tmp_path / "in", tmp_path / "out", workers=0, progress=told.append)
    assert told[0] == Progress(0, 1, 0, 0)
    assert replace(told[-1], clips=0) == Progress(1, 1, 0, 1)


def test_labels_that_are_corrected_beside_the_audio_are_read_again(tmp_path):
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
def test_audio_that_is_replaced_behind_a_manifest_is_read_again(tmp_path, name, lines):
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


def test_what_a_manifest_may_not_name_is_not_looked_at(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out.flac").write_bytes(flac())
    (tmp_path / "in/link.flac").symlink_to(tmp_path / "out.flac")
    os.mkfifo(tmp_path / "in/pipe.flac")
    names = ("../out.flac", str(tmp_path / "out.flac"), "link.flac", "pipe.flac", "a\0b.flac", "", 7)
    lines = [json.dumps({"audio": name}) for name in names]
    (tmp_path / "in/clips.jsonl").write_text("\n".join(lines))
    assert run(Odd(), tmp_path / "in/clips.jsonl", tmp_path / "out", workers=0).failures == len(names)
    assert run(Odd(), tmp_path / "in/clips.jsonl", tmp_path / "out", workers=0).done == 0


def test_audio_of_a_manifest_that_changes_while_it_is_read_is_told(tmp_path):
    (tmp_path / "x-grow.flac").write_bytes(flac())
    (tmp_path / "clips.jsonl").write_text('{"audio": "x-grow.flac"}\n')
    with pytest.raises(JobError, match="changed while it was read"):
        run(Odd(marks=tmp_path / "x-grow.flac"), tmp_path / "clips.jsonl", tmp_path / "out", workers=0)


def test_an_input_that_changes_while_it_is_read_is_told_and_done_again(shard, tmp_path):
    path = shard("in/a", "x-grow")
    with pytest.raises(JobError, match="changed while it was read"):
        run(Odd(marks=path), path, tmp_path / "out", workers=0)
    assert not (tmp_path / "out/notes/a.json").exists()


def test_a_scale_holds_for_the_folder_and_not_for_a_unit(tmp_path):
    (tmp_path / "in").mkdir()
    for name, score in (("a", 3), ("b", 1)):
        (tmp_path / f"in/{name}.flac").write_bytes(flac())
        (tmp_path / f"in/{name}.json").write_text(json.dumps({"scores": {"anger": score}}))
    for size in (1, 500):
        out = tmp_path / f"out{size}"
        run(Convert(), tmp_path / "in", out, workers=0, clips_per_shard=size)
        assert [clip.profile.emotions["Anger"] for clip in read(out)] == [0.75, 0.25]


def test_what_is_no_file_or_leads_out_of_the_folder_is_told(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.json").write_text('{"transcript": "secret"}')
    (tmp_path / "in/good.flac").write_bytes(flac())
    (tmp_path / "in/a.flac").write_bytes(flac())
    (tmp_path / "in/a.json").symlink_to(tmp_path / "secret.json")
    (tmp_path / "in/z.flac").symlink_to("/dev/zero")
    errors: list[CorpusError] = []
    assert [clip.id for clip in read(tmp_path / "in", on_bad=errors.append)] == ["good"]
    assert ["leads out of the folder" in str(error) for error in errors] == [True, True]
    os.mkfifo(tmp_path / "in/f.flac")
    assert run(Convert(), tmp_path / "in", tmp_path / "out", workers=0).failures == 3
