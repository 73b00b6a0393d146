"""Parquet gives every clip back, to us and to `datasets`, and holds little while it is written."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budew.corpora import Caption, Clip, read
from budew.corpora.writers.parquet_tables import BYTES
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, EMOTIONS
from tests.corpora.conftest import is_id, write

texts = st.text(st.characters(codec="utf-8"), max_size=20)
unknown = st.none() | texts
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
profiles = st.builds(
    VoiceProfile,
    st.dictionaries(st.sampled_from(EMOTIONS), st.floats(0, 1), max_size=4),
    st.lists(st.sampled_from(BURSTS), max_size=2),
    st.fixed_dictionaries({}, optional={"gender": st.just("male"), "Valence": st.floats(-3, 3)}),
)
made_by = st.dictionaries(texts, texts | st.integers(), max_size=3)
captions = st.lists(st.builds(Caption, texts, made_by), max_size=3).map(tuple)
audio = st.sampled_from(
    [(b"fLaC1", "flac"), (b"OggS", "ogg"), (b"OggS2", "opus"), (b"ID3", "mp3"), (b"\0", "wav"), (b"x", "aif")]
)
clip_lists = st.lists(
    st.builds(
        lambda sound, **fields: Clip(audio=sound[0], format=sound[1], **fields),
        audio,
        id=st.text(st.characters(codec="utf-8"), min_size=1, max_size=9).filter(is_id),
        sampling_rate=st.none() | st.integers(0, 10**12 - 1),
        duration=st.none() | st.floats(0, 1e11),
        language=st.sampled_from((None, "en", "pt-BR", "zh-Hant", "de-AT")),
        speaker=unknown,
        transcript=unknown,
        profile=st.none() | profiles,
        captions=captions,
        source=unknown,
        license=unknown,
        metadata=st.dictionaries(texts, json_values, max_size=3),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda clip: clip.id,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(clip_lists, st.integers(1, 3))
def test_any_clips_come_back_equal_in_their_order(some, clips_per_file):
    with tempfile.TemporaryDirectory() as folder:
        assert write(folder, some, clips_per_file=clips_per_file, to="parquet") == len(some)
        assert list(read(folder)) == some


def test_datasets_opens_it_with_audio(tmp_path, clips, load_dataset):
    write(tmp_path / "out", clips, clips_per_file=3, to="parquet")
    loaded = load_dataset("parquet", data_files=f"{tmp_path}/out/data/*.parquet")
    import datasets

    assert loaded.features["audio"] == datasets.Audio()
    rows = list(loaded.cast_column("audio", datasets.Audio(decode=False)))
    assert [row["id"] for row in rows] == [clip.id for clip in clips]
    assert rows[1]["audio"] == {"bytes": clips[1].audio, "path": "Anna/01.mp3"}
    assert [caption["text"] for caption in rows[0]["captions"]] == ["A woman, amused.", "Amused."]
    assert (rows[0]["language"], rows[0]["duration"]) == ("de", 0.3)
    by_folder = load_dataset(str(tmp_path / "out"))
    assert by_folder["id"] == loaded["id"]


def row_groups(folder: Path) -> list[int]:
    about = pyarrow.parquet.ParquetFile(next(folder.glob("data/*.parquet"))).metadata
    return [about.row_group(number).num_rows for number in range(about.num_row_groups)]


@pytest.fixture
def rows(tmp_path, load_dataset):
    def load(clips: list[Clip]) -> list[dict]:
        from datasets import Audio

        write(tmp_path / "out", clips, to="parler")
        loaded = load_dataset("parquet", data_files=f"{tmp_path}/out/data/*.parquet")
        return list(loaded.cast_column("audio", Audio(decode=False)))

    return load


def test_row_groups_are_bounded_by_rows_and_by_bytes(tmp_path):
    for count, audio, sizes in ((250, b"RIFF", [100, 100, 50]), (3, bytes(BYTES // 2), [2, 1])):
        write(tmp_path / "out", (Clip(str(n), audio, "wav") for n in range(count)), to="parquet")
        assert row_groups(tmp_path / "out") == sizes


def test_a_clip_becomes_a_row_a_caption(clips, rows):
    found = rows(clips[:2])
    names = ("id", "text_description", "text", "speaker_id", "gender", "snr")
    text = clips[0].transcript
    assert [tuple(row[name] for name in names) for row in found] == [
        ("anna/01", "A woman, amused.", text, "anna", "female", 21.5),
        ("anna/01#2", "Amused.", text, "anna", "female", 21.5),
        ("Anna/01", "Afraid.", clips[1].transcript, None, None, None),
    ]
    assert [row["audio"]["bytes"] for row in found] == [clips[0].audio] * 2 + [clips[1].audio]
    assert found[2]["noise"] == "slightly noisy"


def test_words_come_from_the_metadata_or_else_from_the_profile(clips, rows):
    traits = {
        "gender": "male",
        "accent": "Scottish",
        "pace": "very slow",
        "Monotone_vs._Expressive": 0,
        "High-Pitched_vs._Low-Pitched": 4,
        "Background_Noise": 3,
    }
    measured = {"utterance_pitch_mean": 120, "c50": 50.0}
    known = {"pitch": "moderate pitch", "speaking_rate": 4.2, "measured": measured}
    heard = replace(clips[0], profile=VoiceProfile({}, (), traits), captions=(Caption("x"),))
    neither = replace(heard, id="neither", profile=VoiceProfile({}, (), {"gender": "androgynous"}))
    first, second, third = rows([heard, replace(heard, id="said", metadata=known), neither])
    words = ("gender", "accent", "pitch", "speech_monotony", "speaking_rate", "noise", "reverberation")
    assert [first[name] for name in words] == [
        "male", "Scottish", "very low-pitch", "very monotone", "very slowly", "very noisy", None
    ]  # fmt: skip
    assert (second["pitch"], second["speaking_rate"]) == ("moderate pitch", "very slowly")
    assert (second["utterance_pitch_mean"], second["c50"], second["si-sdr"]) == (120.0, 50.0, None)
    assert third["gender"] is None


def test_clips_without_text_or_description_are_reported(tmp_path, clips):
    errors: list[str] = []
    bad = [
        replace(clips[0], id="mute", transcript=" \n"),
        replace(clips[0], id="plain", captions=()),
        replace(clips[0], id="bare", captions=(), transcript=None),
    ]
    write(tmp_path / "out", [*bad, clips[0]], on_bad=lambda error: errors.append(str(error)), to="parler")
    assert [error.split("'")[1] for error in errors] == ["mute", "plain", "bare"]
    assert pyarrow.parquet.read_table(tmp_path / "out/data").num_rows == len(clips[0].captions)
