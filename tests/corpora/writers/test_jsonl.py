"""A manifest and the files beside it are the clips again."""

from dataclasses import replace

import pytest

from budew.corpora import read
from budew.corpora.writers import write_jsonl


@pytest.mark.parametrize("name", ["", "clips.jsonl"])
def test_clips_come_back_equal_by_the_folder_and_by_the_manifest(tmp_path, clips, name):
    assert write_jsonl(tmp_path / "out", clips) == len(clips)
    found = [replace(clip, audio=clip.audio.read_bytes()) for clip in read(tmp_path / "out" / name)]
    assert found == [*clips[:3], replace(clips[3], audio=clips[3].audio.read_bytes())]


def test_the_audio_lies_under_the_ids(tmp_path, clips):
    write_jsonl(tmp_path / "out", [clips[0], clips[2]])
    audio = tmp_path / "out" / "audio"
    files = sorted(path.relative_to(audio).as_posix() for path in audio.rglob("*") if path.is_file())
    assert files == ["100%25%20%C3%A4.b.opus", "anna/01.flac"]


def test_lines_are_one_a_clip_whatever_the_texts_hold(tmp_path, clips):
    write_jsonl(tmp_path / "out", clips)
    assert (tmp_path / "out" / "clips.jsonl").read_bytes().count(b"\n") == len(clips)
