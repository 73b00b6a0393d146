"""What holds for every format: same bytes, nothing lost in silence, whole or not there."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from budew.cli.export_options import ExportFormat
from budew.corpora import Caption, Clip, writers
from budew.corpora.writers import FORMATS
from budew.corpora.writers.whole_folder import RECORD
from budew.errors import CorpusError


@pytest.fixture(params=FORMATS)
def write(request) -> Callable[..., int]:
    writer: Callable[..., int] = getattr(writers, f"write_{request.param}")
    return writer


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != RECORD
    }


def ignore(error: CorpusError) -> None:
    pass


def test_the_command_offers_all_formats():
    assert [format.value for format in ExportFormat] == list(FORMATS)


def test_the_same_clips_give_the_same_bytes(tmp_path, clips, write):
    turned = [replace(clip, metadata=dict(reversed(clip.metadata.items()))) for clip in clips]
    assert write(tmp_path / "one", clips, on_bad=ignore) == write(
        tmp_path / "two", iter(turned), on_bad=ignore
    )
    assert content(tmp_path / "one") == content(tmp_path / "two") != {}


WITHOUT_TORCH = [name for name in FORMATS if name != "webdataset"]  # which takes seconds to import

EVERYWHERE = """
import sys
from budew.corpora import Caption, Clip, writers

audio = open(sys.argv[1], "rb").read()
caption = Caption("y", {"by": "x", "a": 1})
clips = [
    Clip(str(i), audio, "wav", transcript="x", captions=(caption,), metadata={"b": {"c": 1, "a": 2}, "a": i})
    for i in range(3)
]
for name in sys.argv[3:]:
    getattr(writers, "write_" + name)(sys.argv[2] + "/" + name, clips)
"""


def test_another_process_with_another_hash_seed_writes_the_same_bytes(tmp_path, voice, monkeypatch):
    arguments = [str(voice("in/a.wav", seconds=0.1)), str(tmp_path / "there"), *WITHOUT_TORCH]
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    subprocess.run([sys.executable, "-c", EVERYWHERE, *arguments], check=True, env=environment)
    monkeypatch.setattr(sys, "argv", ["", arguments[0], str(tmp_path / "here"), *WITHOUT_TORCH])
    exec(EVERYWHERE, {})
    assert content(tmp_path / "there") == content(tmp_path / "here")
    assert len({name.partition("/")[0] for name in content(tmp_path / "here")}) == len(WITHOUT_TORCH)


def test_each_clip_that_cannot_be_written_is_told_and_the_others_are_written(tmp_path, clips, write):
    good = clips[0]
    bad = [
        replace(good, id="set", metadata={"a": {1, 2}}),
        replace(good, id="nan", metadata={"a": float("nan")}),
        replace(good, id="half", transcript="\ud800"),
        replace(good, id="gone", audio=tmp_path / "missing.wav"),
        replace(good, id="empty", audio=b""),
        replace(good, id="odd", format="exe"),
        good,
    ]
    errors: list[CorpusError] = []
    count = write(tmp_path / "out", [good, *bad, replace(good, id="last")], on_bad=errors.append)
    told = [clip.id for error in errors for clip in bad if f"{clip.id!r}" in str(error)]
    without_metadata = write.__name__ in ("write_parler", "write_ljspeech")
    assert told == [clip.id for clip in (bad[2:] if without_metadata else bad)]
    assert count == 2 + len(bad) - len(told)
    assert all("\n" not in str(error) for error in errors)


def test_what_was_refused_leaves_no_file(tmp_path, clips, write):
    good, other = clips[0], replace(clips[0], id="x", transcript="\ud800")
    write(tmp_path / "one", [good], on_bad=ignore)
    write(tmp_path / "two", [good, other, replace(other, audio=b"x" * 100)], on_bad=ignore)
    assert content(tmp_path / "one").keys() == content(tmp_path / "two").keys()


def test_without_a_handler_the_first_bad_clip_is_raised_and_nothing_is_written(tmp_path, clips, write):
    with pytest.raises(CorpusError, match="'gone'"):
        write(tmp_path / "out", [clips[0], replace(clips[0], id="gone", audio=tmp_path / "missing.wav")])
    assert not (tmp_path / "out").exists()


def test_no_clip_is_an_error(tmp_path, write):
    with pytest.raises(CorpusError, match="there is no clip to write"):
        write(tmp_path / "out", [])
    assert not (tmp_path / "out").exists()


def test_an_error_on_the_way_leaves_the_earlier_export_as_it_was(tmp_path, clips, write):
    write(tmp_path / "out", clips[:1])
    before = content(tmp_path / "out")
    with pytest.raises(ZeroDivisionError):
        write(tmp_path / "out", (clips[0] if i < 1 else 1 / 0 for i in range(2)))
    assert content(tmp_path / "out") == before


KILLED = """
import os, signal, sys
from budew.corpora import Caption, Clip, writers

audio = open(sys.argv[1], "rb").read()

def until_killed():
    for number in range(150):
        yield Clip(str(number), audio, "wav", transcript="x", captions=(Caption("Calm."),))
    os.kill(os.getpid(), signal.SIGKILL)

for name in sys.argv[3:]:
    child = os.fork()
    if not child:
        getattr(writers, "write_" + name)(sys.argv[2] + "/" + name, until_killed())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
"""


def test_a_killed_run_shows_nothing_and_the_next_one_leaves_no_trace_of_it(tmp_path, voice):
    audio = voice("in/a.wav", seconds=0.1)
    command = [sys.executable, "-c", KILLED, str(audio), str(tmp_path), *WITHOUT_TORCH]
    subprocess.run(command, check=True)
    clip = Clip("a", audio, "wav", transcript="x", captions=(Caption("Calm."),))
    for name in WITHOUT_TORCH:
        killed, fresh = tmp_path / name, tmp_path / f"{name}-fresh"
        assert [path.name for path in killed.iterdir() if not path.name.startswith(".")] == []
        for out in (killed, fresh):
            getattr(writers, f"write_{name}")(out, [clip])
        assert {path.name for path in killed.iterdir()} == {path.name for path in fresh.iterdir()}
        assert content(killed) == content(fresh)


def test_ids_that_are_one_file_name_where_case_does_not_count_keep_their_audio_apart(tmp_path, clips, write):
    ids = ["a", "A", "a.b", "a/b", "a%2Fb", "A/b", "CON", "con", ".a", "ä", "Ä", "a" * 230, "a" * 229 + "A"]
    assert write(tmp_path / "out", [replace(clips[0], id=id) for id in ids]) == len(ids)
    files = [name for name in content(tmp_path / "out") if name.startswith(("audio/", "wavs/"))]
    assert len({name.lower() for name in files}) == len(files)
    assert len(files) in (0, len(ids))
