"""Parquet gives every clip back, to us and to `datasets`, and holds little while it is written."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budew.corpora import Caption, Clip, read
from budew.corpora.clip import CorpusError, check_id
from budew.corpora.writers import write
from budew.corpora.writers.tables import BYTES
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, EMOTIONS


def is_id(text: str) -> bool:
    try:
        check_id(text)
    except CorpusError:
        return False
    return True


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


def test_audio_in_a_file_is_copied_into_the_table(tmp_path, clips):
    write(tmp_path / "out", [clips[3]], to="parquet")
    assert next(read(tmp_path / "out")).audio == clips[3].audio.read_bytes()


def test_datasets_opens_it_with_audio(tmp_path, clips, load_dataset):
    write(tmp_path / "out", clips, clips_per_file=3, to="parquet")
    loaded = load_dataset("parquet", data_files=f"{tmp_path}/out/*.parquet")
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
    about = pyarrow.parquet.ParquetFile(next(folder.glob("*.parquet"))).metadata
    return [about.row_group(number).num_rows for number in range(about.num_row_groups)]


def test_row_groups_are_bounded_by_rows_and_by_bytes(tmp_path):
    write(tmp_path / "out", (Clip(str(number), b"RIFF", "wav") for number in range(250)), to="parquet")
    assert row_groups(tmp_path / "out") == [100, 100, 50]
    write(
        tmp_path / "out", (Clip(str(number), bytes(BYTES // 2), "wav") for number in range(3)), to="parquet"
    )
    assert row_groups(tmp_path / "out") == [2, 1]


@pytest.fixture
def rows(tmp_path, load_dataset):
    def load(clips: list[Clip]) -> list[dict]:
        from datasets import Audio

        write(tmp_path / "out", clips, to="parler")
        loaded = load_dataset("parquet", data_files=f"{tmp_path}/out/*.parquet")
        return list(loaded.cast_column("audio", Audio(decode=False)))

    return load


def test_a_clip_becomes_a_row_a_caption(clips, rows):
    found = rows(clips[:2])
    assert [(row["id"], row["text_description"]) for row in found] == [
        ("anna/01", "A woman, amused."),
        ("anna/01#2", "Amused."),
        ("Anna/01", "Afraid."),
    ]
    assert [row["text"] for row in found] == [clips[0].transcript] * 2 + [clips[1].transcript]
    assert [row["audio"]["bytes"] for row in found] == [clips[0].audio] * 2 + [clips[1].audio]
    assert (found[0]["speaker_id"], found[0]["gender"], found[0]["snr"]) == ("anna", "female", 21.5)
    assert (found[2]["speaker_id"], found[2]["gender"], found[2]["snr"]) == (None, None, None)
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
    heard = replace(clips[0], profile=VoiceProfile({}, (), traits), captions=(Caption("x"),))
    said = replace(
        heard,
        id="said",
        metadata={
            "pitch": "moderate pitch",
            "speaking_rate": 4.2,
            "measured": {"utterance_pitch_mean": 120, "c50": 50.0},
        },
    )
    first, second = rows([heard, said])
    words = ("gender", "accent", "pitch", "speech_monotony", "speaking_rate", "noise", "reverberation")
    assert [first[name] for name in words] == [
        "male", "Scottish", "very low-pitch", "very monotone", "very slowly", "very noisy", None
    ]  # fmt: skip
    assert (second["pitch"], second["speaking_rate"]) == ("moderate pitch", "very slowly")
    assert (second["utterance_pitch_mean"], second["c50"], second["si-sdr"]) == (120.0, 50.0, None)


def test_a_voice_that_dataspeech_has_no_word_for_gets_none(clips, rows):
    neither = replace(clips[0], profile=VoiceProfile({}, (), {"gender": "androgynous"}))
    assert rows([neither])[0]["gender"] is None


def test_clips_without_text_or_description_are_told(tmp_path, clips):
    errors: list[str] = []
    bad = [
        replace(clips[0], id="mute", transcript=" \n"),
        replace(clips[0], id="plain", captions=()),
        replace(clips[0], id="bare", captions=(), transcript=None),
    ]
    assert (
        write(tmp_path / "out", [*bad, clips[0]], on_bad=lambda error: errors.append(str(error)), to="parler")
        == 1
    )
    assert [
        "'mute': has a transcript without words" in errors[0],
        "'plain': has no caption" in errors[1],
        "'bare': has no transcript" in errors[2],
    ] == [True, True, True]
    with pytest.raises(CorpusError, match="'mute'"):
        write(tmp_path / "out", bad, to="parler")
