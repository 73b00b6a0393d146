"""Rows for Parler-TTS: a text, a description and audio, with dataspeech's columns where they are known."""

from dataclasses import replace

import pytest

from budew.corpora import Caption, Clip, read
from budew.corpora.writers import write_parler
from budew.errors import CorpusError
from budew.profile import VoiceProfile


@pytest.fixture
def rows(tmp_path, load_dataset):
    def write(clips: list[Clip]) -> list[dict]:
        from datasets import Audio

        write_parler(tmp_path / "out", clips)
        loaded = load_dataset("parquet", data_files=f"{tmp_path}/out/*.parquet")
        return list(loaded.cast_column("audio", Audio(decode=False)))

    return write


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
        write_parler(tmp_path / "out", [*bad, clips[0]], on_bad=lambda error: errors.append(str(error))) == 1
    )
    assert [
        "'mute': has a transcript without words" in errors[0],
        "'plain': has no caption" in errors[1],
        "'bare': has no transcript and no caption" in errors[2],
    ] == [True, True, True]
    with pytest.raises(CorpusError, match="'mute'"):
        write_parler(tmp_path / "out", bad)


def test_it_reads_back_as_clips_with_text_speaker_and_caption(tmp_path, clips):
    write_parler(tmp_path / "out", clips[:1])
    found = list(read(tmp_path / "out"))
    assert [(clip.transcript, clip.speaker, clip.captions) for clip in found] == [
        (clips[0].transcript, "anna", (Caption(caption.text),)) for caption in clips[0].captions
    ]
