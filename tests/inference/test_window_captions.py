"""Captions of a recording of several windows: one speaker, each in its own wording, with the same meaning."""

from collections import Counter

import numpy as np
import pytest
import soundfile

from budew.captions import parse
from budew.corpora import Clip
from budew.inference import Captioner
from budew.inference.backends import GeneratedBatch, GeneratedText
from budew.inference.file_captioning import caption_files


@pytest.fixture
def say(monkeypatch, whisper_folder):
    """`say(text_of, **options)`: a captioner whose model writes `text_of(loudness)` for windows of 2 s."""

    def captioner(texts, **options):
        made = Captioner.from_pretrained(whisper_folder, device="cpu", dtype="float32", **options)

        def write(batch, decodings):
            written = [
                GeneratedText(texts[round(float(np.abs(one).max() * 100)) - 1]) for one in batch.windows
            ]
            return [GeneratedBatch(written)] * len(decodings)

        monkeypatch.setattr(made.backend, "write", write)
        return made

    return captioner


def recording(number: int, seconds: float = 2.0) -> np.ndarray:
    """Windows of tones, whose level is the number of the window in percent."""
    time = np.arange(round(seconds * 16_000)) / 16_000
    return np.concatenate([(place + 1) / 100 * np.sin(600 * time) for place in range(number)])


ANGRY = ["A man speaks with moderate anger."] * 20


def test_forty_equal_captions_are_worded_differently_and_mean_the_same(say):
    result = say(ANGRY)(recording(20), sampling_rate=16_000)
    texts = [window.text for window in result.windows]
    assert max(Counter(texts).values()) < 8
    for window in result.windows:
        assert window.model_caption == ANGRY[0]
        assert window.profile == parse(window.text).profile == parse(ANGRY[0]).profile
    records = result.to_dict()["windows"]
    assert [record["model_caption"] for record in records] == ANGRY
    assert result.caption.splitlines()[0] == f"0:00–0:02 {texts[0]}"


def test_the_wording_depends_on_seed_and_recording_but_not_on_batch_or_folder(say, tmp_path):
    for name in ("a/one.wav", "b/one.wav", "b/two.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, recording(20), 16_000, subtype="FLOAT")
    first, same, other = (result.caption for result in caption_files(say(ANGRY), [tmp_path]))
    assert first == same != other
    assert next(caption_files(say(ANGRY, batch_size=3), [tmp_path / "b" / "one.wav"])).caption == first
    assert say(ANGRY, seed=1)(tmp_path / "a" / "one.wav").caption != first


def test_the_words_of_the_model_are_kept_where_asked_for_and_for_single_windows_and_corpora(say, tmp_path):
    long, short = recording(3), recording(1)
    windows = say(ANGRY, wording="model")(long, sampling_rate=16_000).windows
    assert [(window.text, window.model_caption) for window in windows] == [(ANGRY[0], None)] * 3
    captioner = say(ANGRY)
    assert captioner(short, sampling_rate=16_000).caption == ANGRY[0]
    soundfile.write(tmp_path / "a.wav", long, 16_000, subtype="FLOAT")
    (of_clip,) = captioner.caption_clips([Clip("a", tmp_path / "a.wav", "wav")])
    assert [window.text for window in of_clip.windows] == ANGRY[:3]


def test_a_caption_that_says_more_than_its_profile_is_kept(say):
    texts = ["A man, angry about the score.", "A man speaks with moderate anger."]
    kept, varied = say(texts)(recording(2), sampling_rate=16_000).windows
    assert (kept.text, kept.model_caption) == (texts[0], None)
    assert varied.model_caption == texts[1]


def test_gender_and_age_are_those_of_the_whole_recording(say):
    texts = [
        "A woman sounds moderately sad.",
        "A man speaks with moderate sadness.",
        "A woman sounds very sad.",
        "A voice expresses strong fear.",
    ]
    result = say(texts)(recording(4), sampling_rate=16_000)
    assert {window.profile.traits["gender"] for window in result.windows} == {"female"}
    assert {parse(window.text).traits["gender"] for window in result.windows} == {"female"}
    assert result.traits == {"gender": "female"}
    assert [window.model_caption for window in result.windows] == texts


def test_each_speaker_of_a_diarized_recording_has_a_gender_of_their_own(say, tmp_path):
    lines = [f"SPEAKER talk 1 {2 * turn} 2 <NA> <NA> {'ab'[turn % 2]} <NA> <NA>" for turn in range(6)]
    (tmp_path / "talk.rttm").write_text("\n".join(lines))
    soundfile.write(tmp_path / "talk.wav", recording(6), 16_000, subtype="FLOAT")
    genders = ["woman", "man", "man", "man", "woman", "woman"]
    texts = [f"A {gender} sounds very proud." for gender in genders]
    result = say(texts, windows=tmp_path / "talk.rttm")(tmp_path / "talk.wav")
    assert [(window.speaker, window.profile.traits["gender"]) for window in result.windows] == [
        ("a", "female"), ("b", "male"),
    ] * 3  # fmt: skip
