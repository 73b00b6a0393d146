"""An inspection counts every clip once and lists broken items."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from budew.corpora import Clip, write_shard
from budew.curation.inspection import RANDOM_EXAMPLES, ExampleClips, Remark, files_by_kind, inspect_corpus
from budew.errors import CorpusError
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS

KINDS = {
    "audio": ("a.flac", "in/b.MP3"),
    "WebDataset shards": ("a.tar",),
    "parquet": ("a.parquet",),
    "JSON Lines": ("a.jsonl",),
    "JSON": ("a.json",),
    "other": ("a.xyz", "a"),
}


def test_files_are_counted_by_kind_the_largest_first(tmp_path):
    (tmp_path / "in").mkdir()
    for size, names in enumerate(reversed(KINDS.values()), start=1):
        for name in names:
            (tmp_path / name).write_bytes(b"x" * 10**size)
    wanted = [
        (kind, len(names), len(names) * 10 ** (6 - at)) for at, (kind, names) in enumerate(KINDS.items())
    ]
    assert [(kind, *counts) for kind, counts in files_by_kind(f"{tmp_path}/*").items()] == wanted
    assert files_by_kind(f"{tmp_path}/*.tar") == {"WebDataset shards": (1, 100_000)}
    assert files_by_kind(tmp_path / "missing") == {}


@pytest.fixture
def folder(voice, tmp_path) -> Path:
    """A mono flac of 0.5 s, a stereo mp3 of 1 s and a wav of 2 s, each with a profile."""
    sounds = {"one.flac": {"seconds": 0.5}, "two.mp3": {"seconds": 1, "rate": 44_100, "channels": 2}}
    for name, sound in (sounds | {"three.wav": {"seconds": 2}}).items():
        label = voice(f"corpus/{name}", **sound).with_suffix(".json")
        label.write_text(json.dumps({"profile": VoiceProfile({"Fear": 0.75}).to_dict()}))
    return tmp_path / "corpus"


@pytest.mark.parametrize("decode", [False, True])
def test_the_clips_of_a_corpus_are_counted(folder, decode):
    found = inspect_corpus(folder, decode=decode)
    table = json.loads(json.dumps(found.to_dict()))
    assert table["formats"] == {"flac": 1, "mp3": 1, "wav": 1}
    assert table["sampling_rates"] == {"16000": 2, "44100": 1}
    assert table["channels"] == {"1": 2, "2": 1}
    assert (table["broken_items"], table["broken"], table["remarks"]) == (0, [], {})
    assert (table["decoded"], table["statistics"]["clips"]) == (decode, 3)
    durations = table["statistics"]["durations"]
    assert (durations["shortest"], durations["longest"]) == (0.5, 2)
    assert {clip.id for clip in found.examples} == {"one", "two", "three"}


def test_labels_are_counted_by_form_and_read_on_the_scale_that_is_given(voice, tmp_path):
    for name, row in {"a": {"Anger": 2}, "b": {"emotion": "angry"}, "c": {"profile": {}}, "d": {}}.items():
        voice(f"c/{name}.flac", seconds=0.3).with_suffix(".json").write_text(json.dumps(row))
    found = inspect_corpus(tmp_path / "c", scale="0-4")
    assert dict(found.labels.most_common()) == {"scores": 1, "words": 1, "profile": 1}
    assert found.statistics.levels["Anger"] == {"moderate": 2}


def test_broken_items_are_listed_with_their_reasons(folder, tmp_path):
    (folder / "text.mp3").write_text("no audio at all")
    (folder / "empty.wav").touch()
    (folder / "label.flac").write_bytes((folder / "one.flac").read_bytes())
    (folder / "label.json").write_text('{"profile": {"emotions": {"Hapiness": 1}}}')
    found = inspect_corpus(folder)
    assert (found.statistics.clips, found.statistics.bad) == (3, 3)
    for part in ("text", "is empty", "Hapiness"):
        assert any(part in reason for reason in found.broken)
    assert all(": " in reason for reason in found.broken)
    with pytest.raises(CorpusError, match="missing: "):
        inspect_corpus(tmp_path / "missing")


def test_decoding_finds_what_headers_hide(tmp_path, voice):
    cut = voice("c/cut.mp3", seconds=4)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    folder = tmp_path / "c"
    soundfile.write(folder / "silence.wav", np.zeros(16_000), 16_000)
    soundfile.write(folder / "nan.wav", np.full(16_000, np.nan, np.float32), 16_000, subtype="FLOAT")
    by_header, decoded = inspect_corpus(folder), inspect_corpus(folder, decode=True)
    assert (by_header.statistics.bad, by_header.statistics.clips, by_header.remarks) == (0, 3, {})
    assert decoded.statistics.bad == 2
    assert any("'cut'" in reason for reason in decoded.broken)
    assert any("'nan'" in reason and "NaN" in reason for reason in decoded.broken)
    assert decoded.remarks["silent"].first == ["silence"]
    assert decoded.statistics.clips == 2  # the damaged one is used as far as it goes
    assert decoded.statistics.durations.longest == pytest.approx(2, abs=0.2)


def test_declared_durations_and_sampling_rates_are_compared_with_the_audio(voice, tmp_path):
    audio = voice("a.wav", seconds=2).read_bytes()
    clip = Clip("a", audio, "wav", duration=2.1, sampling_rate=16_000)
    write_shard(
        tmp_path / "a.tar",
        [clip, replace(clip, id="b", duration=3.0), replace(clip, id="c", sampling_rate=8)],
    )
    found = inspect_corpus(tmp_path / "a.tar")
    assert {name: (remark.clips, remark.first) for name, remark in found.remarks.items()} == {
        "the declared duration is not that of the audio": (1, ["b"]),
        "the declared sampling rate is not that of the audio": (1, ["c"]),
    }
    assert found.statistics.durations.longest == 2
    assert found.statistics.bad == 0


def examples(clips: list[Clip], most: int = 100) -> list[str]:
    chosen = ExampleClips()
    for clip in clips:
        chosen.add(clip)
    return [clip.id for clip in chosen.best(most)]


def test_the_strongest_clip_of_each_emotion_is_shown_whatever_the_order():
    rng = np.random.default_rng(3)
    profiles = [VoiceProfile({EMOTIONS[n % 20]: float(rng.choice([0.5, 0.75]))}) for n in range(200)]
    clips = [Clip(str(number), b"x", "wav", profile=profile) for number, profile in enumerate(profiles)]
    strongest = VoiceProfile({EMOTIONS[0]: 1})
    clips.append(Clip("large", bytes(2_000_001), "wav", profile=strongest))
    clips.append(Clip("loud", b"x", "wav", profile=strongest))
    chosen = examples(clips)
    assert chosen[0] == "loud"
    assert len(chosen) == 20
    assert "large" not in chosen
    assert examples(clips[::-1]) == chosen
    assert examples(clips, 5) == chosen[:5]


@pytest.mark.parametrize(
    ("duration", "peak", "remark"),
    [
        (1.25, 1.0, None),
        (1.26, 1.0, "the declared duration is not that of the audio"),
        (0.74, 1.0, "the declared duration is not that of the audio"),
        (1.0, 1.1e-4, None),
        (1.0, 0.9e-4, "silent"),
    ],
)
def test_limits_of_remarks_are_exact(tmp_path, duration, peak, remark):
    soundfile.write(tmp_path / "a.wav", np.full(16_000, peak), 16_000, subtype="FLOAT")
    (tmp_path / "a.json").write_text(json.dumps({"duration": duration}))
    assert list(inspect_corpus(tmp_path, decode=True).remarks) == ([remark] if remark else [])


def test_all_remarks_and_broken_items_are_counted_and_the_first_listed(tmp_path):
    remark = Remark()
    for number in range(7):
        remark.add(str(number))
    assert (remark.clips, remark.first) == (7, ["0", "1", "2", "3", "4"])
    (tmp_path / "a.jsonl").write_text('{"audio": "missing.wav"}\n' * 1_003)
    found = inspect_corpus(tmp_path / "a.jsonl")
    assert (found.statistics.bad, len(found.broken)) == (1_003, 1_000)


def test_random_examples_fill_up_to_twelve():
    clips = [Clip(f"{n}", b"x" * 2_000_000, "wav") for n in range(20)]
    clips += [Clip(f"e{n}", b"x", "wav", profile=VoiceProfile({EMOTIONS[n]: 1})) for n in range(10)]
    assert len(examples(clips)) == RANDOM_EXAMPLES == 12
    assert set(examples(clips[::-1])) == set(examples(clips))
    assert {f"e{n}" for n in range(10)} < set(examples(clips))


def test_clips_that_join_a_minor_with_sexual_content_are_counted_and_not_shown(folder):
    (folder / "one.json").write_text(
        json.dumps({"profile": {"emotions": {"Sexual Lust": 1}, "traits": {"age": "child"}}})
    )
    found = inspect_corpus(folder)
    assert found.remarks == {"joins a minor with sexual content: left out of every job": Remark(1, ["one"])}
    assert found.statistics.clips == 3
    assert {clip.id for clip in found.examples} == {"two", "three"}
