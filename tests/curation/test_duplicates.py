"""Equal samples are found in any format and equal transcripts in any spelling; an interrupted run resumes."""

import io
import json
import random
from pathlib import Path

import numpy as np
import pytest
import soundfile

from budew.corpora import Clip, write_shard
from budew.curation import fingerprints
from budew.curation.duplicates import Duplicates, find_duplicates
from budew.errors import CorpusError, InputError

RATE = 16_000


def noise(seed: int, seconds: float = 0.3) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, round(RATE * seconds)).clip(-1, 1)


def encoded(samples: np.ndarray, format: str = "FLAC", rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, (32_767 * samples).astype(np.int16), rate, format=format, subtype="PCM_16")
    return file.getvalue()


def corpus(folder: Path, audio: dict[str, bytes]) -> Path:
    write_shard(folder / "a.tar", [Clip(id, content, "wav") for id, content in audio.items()])
    return folder / "a.tar"


def groups(found: Duplicates) -> list[list[str]]:
    return [[id for id, _ in group] for group in found.groups]


@pytest.fixture
def copies() -> dict[str, bytes]:
    """Three recordings, the first in three formats, the second twice."""
    return {
        "b wav": encoded(noise(1), "WAV"),
        "a flac": encoded(noise(1)),
        "c aiff": encoded(noise(1), "AIFF"),
        "d other rate": encoded(noise(1), rate=RATE + 1),
        "e one sample more": encoded(np.append(noise(1), 0.1)),
        "f quieter": encoded(noise(1) / 2),
        "z": encoded(noise(2)),
        "g": encoded(noise(2)),
        "h": encoded(noise(3)),
    }


def test_equal_samples_are_found_whatever_their_format_order_and_workers(copies, tmp_path):
    progress: list[int] = []
    found = find_duplicates(corpus(tmp_path, copies), progress=progress.append)
    assert groups(found) == [["a flac", "b wav", "c aiff"], ["g", "z"]]
    assert (found.clips, progress[-1], found.bad, found.damaged) == (9, 9, 0, 0)
    table = json.loads(json.dumps(found.to_dict()))
    assert (table["by"], table["extra_clips"], table["groups"][1]["keep"]) == ("samples", 3, "g")
    assert table["groups"][1]["clips"] == [{"id": "g", "seconds": 0.3}, {"id": "z", "seconds": 0.3}]
    assert found.extra_hours == pytest.approx(3 * 0.3 / 3600)
    shuffled = dict(random.Random(2).sample(list(copies.items()), len(copies)))
    assert find_duplicates(corpus(tmp_path / "b", shuffled), workers=2).groups == found.groups


def test_transcripts_are_compared_by_their_words(tmp_path):
    texts = {"a": "Hello, you!", "b": " hello  YOU", "c": "hello", "d": None, "e": "…"}
    seconds = {"a": 1.0, "b": 2.0}
    clips = [Clip(id, b"x", "wav", transcript=text, duration=seconds.get(id)) for id, text in texts.items()]
    write_shard(tmp_path / "a.tar", [*clips, Clip("f", b"x", "wav", transcript="Hello you")])
    found = find_duplicates(tmp_path / "a.tar", by="transcript")
    assert groups(found) == [["b", "a", "f"]]  # the longest is kept, an unknown duration is last
    assert (found.clips, found.without_transcript) == (4, 2)
    assert found.to_dict()["groups"][0]["clips"][2] == {"id": "f", "seconds": None}
    assert found.extra_hours == pytest.approx(1 / 3600)


def test_clips_that_cannot_be_decoded_are_reported_and_damaged_ones_counted(tmp_path, voice):
    whole = voice("made/long.mp3", seconds=2).read_bytes()
    audio = {"text": b"no audio at all", "cut": whole[: len(whole) // 2], "whole": whole}
    bad: list[CorpusError] = []
    found = find_duplicates(corpus(tmp_path, audio), on_bad=bad.append)
    assert (found.clips, found.bad, found.damaged) == (2, 1, 1)
    assert "'text'" in str(bad[0])
    with pytest.raises(CorpusError, match="'text'"):
        find_duplicates(corpus(tmp_path, audio))
    (tmp_path / "clips.jsonl").write_text('{"audio": "missing.wav"}\n')
    assert find_duplicates(tmp_path / "clips.jsonl", on_bad=bad.append).bad == 1


def test_an_interrupted_run_resumes_from_the_cache(copies, tmp_path, monkeypatch):
    decoded: list[str] = []
    decode, most = fingerprints.read_fingerprint, [5]

    def counting(audio, name):
        if len(decoded) == most[0]:
            raise KeyboardInterrupt
        decoded.append(name)
        return decode(audio, name)

    source, cache = corpus(tmp_path, copies), tmp_path / "hashes.sqlite"
    undisturbed = find_duplicates(source)
    monkeypatch.setattr(fingerprints, "read_fingerprint", counting)
    with pytest.raises(KeyboardInterrupt):
        find_duplicates(source, cache=cache)
    most[0] = 100
    assert find_duplicates(source, cache=cache) == undisturbed
    find_duplicates(source, cache=cache)
    assert len(decoded) == len(set(decoded)) == len(set(copies.values()))  # equal bytes are decoded once


def test_a_loose_file_that_changed_is_decoded_again(tmp_path):
    folder, cache = tmp_path / "in", tmp_path / "hashes.sqlite"
    folder.mkdir()
    for name, seed in (("a.flac", 1), ("b.flac", 2)):
        (folder / name).write_bytes(encoded(noise(seed)))
    assert groups(find_duplicates(folder, cache=cache)) == []
    (folder / "b.flac").write_bytes(encoded(noise(1)) + b"")
    assert groups(find_duplicates(folder, cache=cache)) == [["a", "b"]]


def test_a_file_that_is_no_cache_is_refused(copies, tmp_path):
    (tmp_path / "cache").write_text("not a database, and long enough to be read as one " * 20)
    with pytest.raises(InputError, match="cache: cannot be used"):
        find_duplicates(corpus(tmp_path, copies), cache=tmp_path / "cache")


def test_samples_are_compared_at_sixteen_bits_and_clipped_at_full_scale(tmp_path):
    steps = np.array([0, 1, -1, 16_384, 32_767, -32_768], np.int16)
    audio = {}
    for id, samples, subtype in (
        ("a", steps, "PCM_16"),
        ("b", steps / 32_768, "FLOAT"),
        ("c", np.array([0.4, 1.4, -1.4, 16_383.6, 40_000, -40_000]) / 32_768, "FLOAT"),
        ("d", np.array([0.6, 1, -1, 16_384, 32_767, -32_768]) / 32_768, "FLOAT"),
        ("e", steps + np.array([0, 0, 0, 0, -1, 0], np.int16), "PCM_16"),
    ):
        file = io.BytesIO()
        soundfile.write(file, samples, RATE, format="WAV", subtype=subtype)
        audio[id] = file.getvalue()
    assert groups(find_duplicates(corpus(tmp_path, audio))) == [["a", "b", "c"]]
