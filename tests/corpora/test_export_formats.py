"""What holds for every format: same bytes, nothing lost in silence, whole or not there."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.cli.corpus_export import ExportFormat
from budew.corpora import Caption, Clip, read
from budew.corpora.exports import FORMATS
from budew.corpora.writers.export_folder import RECORD
from budew.corpora.writers.text_manifests import LONGEST_PART, FileNames
from budew.errors import CorpusError
from tests.corpora import conftest
from tests.corpora.conftest import is_id


@pytest.fixture(params=FORMATS)
def write(request) -> Callable[..., int]:
    return partial(conftest.write, to=request.param)


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != RECORD
    }


def ignore(error: CorpusError) -> None:
    pass


def test_the_command_offers_all_formats():
    assert list(get_args(ExportFormat)) == list(FORMATS)


def test_the_same_clips_give_the_same_bytes(tmp_path, clips, write):
    turned = [replace(clip, metadata=dict(reversed(clip.metadata.items()))) for clip in clips]
    assert write(tmp_path / "one", clips, on_bad=ignore) == write(
        tmp_path / "two", iter(turned), on_bad=ignore
    )
    assert content(tmp_path / "one") == content(tmp_path / "two") != {}


KILLED = """
import os, signal, sys
import budew.audio.samples, budew.corpora.writers.parquet_tables
from budew.captions import parse
from budew.corpora import Caption, Clip, ExportOptions, write_clips

parse("Calm.")  # libraries and the lexicon are loaded here, once, and not in each child
audio = open(sys.argv[1], "rb").read()

def until_killed():
    for number in range(150):
        yield Clip(str(number), audio, "wav", transcript="x", captions=(Caption("Calm."),))
    os.kill(os.getpid(), signal.SIGKILL)

for name in sys.argv[3:]:
    child = os.fork()
    if not child:
        write_clips(until_killed(), sys.argv[2] + "/" + name, ExportOptions(name))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
"""


def test_every_export_reads_back_with_ids_transcripts_captions_and_profiles(tmp_path, clips, write):
    some = [clip for clip in clips if clip.transcript is not None]
    if write.keywords["to"] == "parler":
        some = [replace(clip, captions=clip.captions[:1]) for clip in some if clip.captions]
    assert write(tmp_path / "out", some) == len(some)
    for found, clip in zip(read(tmp_path / "out"), some, strict=True):
        assert (found.id, found.transcript, found.profile) == (clip.id, clip.transcript, clip.profile)
        assert [one.text for one in found.captions] == [one.text for one in clip.captions]
        assert (found.speaker, found.language, found.license) == (clip.speaker, clip.language, clip.license)
        if write.keywords["to"] != "parler":
            assert (found.captions, found.metadata) == (clip.captions, clip.metadata)


def test_a_manifest_gives_the_clips_back_equal_by_the_folder_and_by_its_name(tmp_path, clips):
    conftest.write(tmp_path / "out", clips, to="jsonl")
    for name in ("", "clips.jsonl"):
        found = [replace(clip, audio=clip.audio.read_bytes()) for clip in read(tmp_path / "out" / name)]
        assert found == [*clips[:3], replace(clips[3], audio=clips[3].audio.read_bytes())]
    assert (tmp_path / "out" / "clips.jsonl").read_bytes().count(b"\n") == len(clips)
    audio = tmp_path / "out" / "audio"
    files = {path.relative_to(audio).as_posix() for path in audio.rglob("*") if path.is_file()}
    assert {"anna/01.flac", "100%25%20%C3%A4.b.opus"} <= files


alphabet = st.sampled_from("aAbBkK/.%#? äÄßſİıK水-_~:*") | st.characters(codec="utf-8")
ids = st.text(alphabet, min_size=1, max_size=240).filter(is_id) | st.sampled_from(
    [".hidden", "x/.hidden", "a.flac/b", "a", "A", "a/b", "a%2Fb", "水" * 240]
)


@given(st.lists(ids, unique=True, max_size=12), st.booleans())
def test_names_are_safe_reversible_and_differ_in_any_case(some, flat):
    names = FileNames(flat=flat)
    given_names = [names.name(id) for id in some]
    assert [unquote(name.replace("%/", "")) for name in given_names] == some
    assert len({name.lower() for name in given_names}) == len(some)
    for name in given_names:
        assert name.isascii()
        for part in name.split("/"):
            assert 0 < len(part) <= LONGEST_PART + 1  # for the %
            assert not part.startswith(".")
            assert set(part) <= set("%-_.~") | {letter for letter in part if letter.isalnum()}


@given(st.lists(ids, unique=True, max_size=12))
def test_no_folder_has_the_name_of_a_file(some):
    names = FileNames()
    files = [f"{names.name(id)}.flac".lower() for id in some]
    folders = {"/".join(name.split("/")[:depth]) for name in files for depth in range(1, name.count("/") + 1)}
    assert folders.isdisjoint(files)


def test_each_clip_that_cannot_be_written_is_reported_and_leaves_nothing(tmp_path, clips, write):
    good = [clips[0], replace(clips[0], id="last")]
    bad = [
        replace(clips[0], id="set", metadata={"a": {1, 2}}),
        replace(clips[0], id="nan", metadata={"a": float("nan")}),
        replace(clips[0], id="half", transcript="\ud800"),
        replace(clips[0], id="gone", audio=tmp_path / "missing.wav"),
        replace(clips[0], id="empty", audio=b""),
        replace(clips[0], id="odd", format="exe"),
        clips[0],
    ]
    if write.keywords["to"] == "parler":  # which has no metadata
        del bad[:2]
    errors: list[str] = []
    source = [good[0], *bad, good[1]]
    assert write(tmp_path / "out", source, on_bad=lambda error: errors.append(str(error))) == 2
    assert [clip.id for clip, error in zip(bad, errors, strict=True) if f"{clip.id!r}" in error] == [
        clip.id for clip in bad
    ]
    assert not any("\n" in error for error in errors)
    write(tmp_path / "good", good)
    assert content(tmp_path / "out") == content(tmp_path / "good")


def test_a_failed_export_leaves_the_earlier_one(tmp_path, clips, write):
    def breaking():
        yield clips[0]
        raise ZeroDivisionError

    gone = replace(clips[0], id="gone", audio=tmp_path / "missing.wav")
    attempts = (([*clips[:1], gone], "'gone'"), ([], "no clip to write"), (breaking(), ""))
    for some, fault in attempts[:2]:
        with pytest.raises(CorpusError, match=fault):
            write(tmp_path / "out", some)
        assert not (tmp_path / "out").exists()
    write(tmp_path / "out", clips[:1])
    before = content(tmp_path / "out")
    for some, fault in attempts:
        with pytest.raises((CorpusError, ZeroDivisionError), match=fault or None):
            write(tmp_path / "out", some)
        assert content(tmp_path / "out") == before


def test_a_killed_run_shows_nothing_and_the_next_one_leaves_no_trace_of_it(tmp_path, voice):
    audio = voice("in/a.wav", seconds=0.1)
    subprocess.run([sys.executable, "-c", KILLED, str(audio), str(tmp_path), *FORMATS], check=True)
    clip = Clip("a", audio, "wav", transcript="x", captions=(Caption("Calm."),))
    for name in FORMATS:
        killed, fresh = tmp_path / name, tmp_path / f"{name}-fresh"
        assert all(path.name.startswith(".") for path in killed.iterdir())
        for out in (killed, fresh):
            conftest.write(out, [clip], to=name)
        assert {path.name for path in killed.iterdir()} == {path.name for path in fresh.iterdir()}
        assert content(killed) == content(fresh)


def test_usual_ids_are_their_own_names():
    names, usual = FileNames(), ["EN_B00001_S07949_W000050", "anna/01", "en_0.5_x", "LJ001-0001"]
    assert [names.name(id) for id in usual] == usual
    assert FileNames(flat=True).name("anna/01") == "anna%2F01"
