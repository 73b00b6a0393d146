"""An index finds of each clip what reading the corpus gives, however the corpus is stored."""

import json
import os
from collections import Counter

import numpy as np
import pytest
import soundfile

from budew.corpora import Clip, read
from budew.corpora.clip import Caption
from budew.corpora.shards import write_shard
from budew.errors import CorpusError
from budew.profile import VoiceProfile
from budew.training.clip_index import MAX_OPEN_FILES, ORIGINAL, PROFILE, RENDERED, REWRITTEN, index_corpus

RATE = 16_000


def sound(folder, seconds=0.5, seed=0):
    path = folder / f"{seed}-{seconds}.flac"
    soundfile.write(path, np.random.default_rng(seed).normal(0, 0.1, int(seconds * RATE)), RATE)
    return path.read_bytes()


def clips(folder, name, count):
    made = []
    for number in range(count):
        captions = [Caption("An angry voice.", {"by": "render", "seed": 1})] if number % 2 else []
        captions += [Caption("Somebody fumes.", {"by": "paraphrase"})] if number % 3 else []
        profile = VoiceProfile({"Anger": 0.5} if number % 5 else None, (), {})
        made.append(
            Clip(f"{name}-{number}", sound(folder, 0.2 + number / 10, number), "flac", profile=profile,
                 captions=tuple(captions), metadata={"synthesis": {"cues": {"rate": number}}})
        )  # fmt: skip
    return made


@pytest.fixture(params=["shards", "folder", "compressed"])
def corpus(request, tmp_path):
    made = {name: clips(tmp_path, name, 7) for name in ("a", "b")}
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, these in made.items():
        if request.param == "folder":
            for clip in these:
                (folder / f"{clip.id}.flac").write_bytes(clip.audio)
                (folder / f"{clip.id}.json").write_text(json.dumps(clip.to_dict()))
        else:
            write_shard(folder / f"{name}.tar", these)
            if request.param == "compressed":
                import gzip

                content = (folder / f"{name}.tar").read_bytes()
                (folder / f"{name}.tar.gz").write_bytes(gzip.compress(content))
                (folder / f"{name}.tar").unlink()
    return folder


@pytest.mark.parametrize(
    ("corpus", "workers"), [("shards", 2), ("folder", 0), ("compressed", 0)], indirect=["corpus"]
)
def test_the_index_has_every_clip_as_it_is_read(corpus, workers, tmp_path):
    index = index_corpus(corpus, tmp_path / "index", workers=workers)
    expected = list(read(corpus))
    assert len(index) == len(expected) == 14
    for number, clip in enumerate(expected):
        record = index.record(number)
        assert (record.id, record.profile) == (clip.id, clip.profile)
        assert index.audio(number) == clip.encoded()
        assert record.cues == clip.metadata["synthesis"]["cues"]
        texts = Counter(caption.text for caption in clip.captions)
        assert Counter(text for kind in record.captions.values() for text in kind) == texts
        flags = int(index.rows[number]["flags"])
        kinds = {caption.kind for caption in clip.captions}
        assert bool(flags & RENDERED) == ("render" in kinds)
        assert bool(flags & REWRITTEN) == ("paraphrase" in kinds)
        assert not flags & ORIGINAL
        assert bool(flags & PROFILE) == bool(clip.profile.rated)
        assert index.rows[number]["seconds"] == pytest.approx(0.2 + int(clip.id[2:]) / 10, abs=1e-3)


def test_an_index_is_made_once_and_again_when_a_shard_changes(tmp_path):
    shard, folder = tmp_path / "a.tar", tmp_path / "index"
    write_shard(shard, clips(tmp_path, "a", 3))
    index_corpus(shard, folder)
    made = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    index_corpus(shard, folder)
    assert made == {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    write_shard(shard, clips(tmp_path, "a", 4))
    assert len(index_corpus(shard, folder)) == 4


def test_an_index_may_be_moved(corpus, tmp_path):
    before = index_corpus(corpus, tmp_path / "index")
    (tmp_path / "index").rename(tmp_path / "moved")
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "moved").iterdir()}
    after = index_corpus(corpus, tmp_path / "moved")
    assert made == {path: path.stat().st_mtime_ns for path in (tmp_path / "moved").iterdir()}
    for number in range(len(before)):
        assert after.record(number).id
        assert after.audio(number)


def test_withheld_clips_are_counted_and_left_out(tmp_path):
    adult, child = clips(tmp_path, "a", 2)
    child = Clip(
        child.id, child.audio, "flac", profile=VoiceProfile({"Sexual Lust": 1}, (), {"age": "child"})
    )
    write_shard(tmp_path / "a.tar", [adult, child])
    index = index_corpus(tmp_path / "a.tar", tmp_path / "index")
    assert len(index) == 1
    assert index.left_out == {"withheld": 1}


def test_an_empty_corpus_is_an_error(tmp_path):
    write_shard(tmp_path / "a.tar", [])
    with pytest.raises(CorpusError, match="no clips"):
        index_corpus(tmp_path / "a.tar", tmp_path / "index")


def test_a_clip_whose_text_no_file_can_hold_is_named(tmp_path):
    sound(tmp_path)
    (tmp_path / "0-0.5.json").write_text(json.dumps({"captions": ["Angry \ud800."]}))
    with pytest.raises(CorpusError, match=r"clip '0-0.5': a text has '\\ud800', an unpaired surrogate"):
        index_corpus(tmp_path, tmp_path / "index")


def test_a_shard_truncated_after_indexing_is_an_error(tmp_path):
    shard = tmp_path / "a.tar"
    write_shard(shard, clips(tmp_path, "a", 2))
    index = index_corpus(shard, tmp_path / "index")
    shard.write_bytes(shard.read_bytes()[:600])
    with pytest.raises(CorpusError, match="shorter"):
        index.audio(1)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files are counted in /proc, as on Linux")
def test_few_files_of_a_folder_are_held_open(tmp_path):
    folder, audio = tmp_path / "clips", sound(tmp_path)
    folder.mkdir()
    for number in range(3 * MAX_OPEN_FILES):
        (folder / f"{number:03}.flac").write_bytes(audio)
    index = index_corpus(folder, tmp_path / "index")
    before = len(os.listdir("/proc/self/fd"))
    assert all(index.audio(number) == audio for number in range(3 * MAX_OPEN_FILES))
    assert len(os.listdir("/proc/self/fd")) <= before + MAX_OPEN_FILES
