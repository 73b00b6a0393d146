"""Languages are compared as BCP 47 does, and heard by a Whisper where they are not known."""

import json

import numpy as np
import pytest
import soxr

from budew.errors import CorpusError, FilteredError, JobError
from budew.segmentation import Languages
from budew.segmentation.language import load_listener


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("en", ("en",)),
        ("en-US", ("en",)),
        ("EN_us", ("en",)),
        ("pt-BR", ("de", "pt-br")),
        (None, ()),
        ("xx", ()),
    ],
)
def test_a_range_keeps_what_is_within_it(language, wanted):
    Languages(wanted).check(language)


@pytest.mark.parametrize(("language", "wanted"), [("de", "en"), ("eng", "en"), ("pt", "pt-BR"), (None, "en")])
def test_another_or_unknown_language_is_left_out(language, wanted):
    with pytest.raises(FilteredError, match="left out: its language is"):
        Languages((wanted,)).check(language)


def test_an_unknown_language_waits_for_the_model():
    Languages(("en",), model="some").check(None)
    with pytest.raises(FilteredError):
        Languages(("en",), model="some").check("de")


def test_an_empty_tag_is_refused():
    with pytest.raises(CorpusError, match="empty language"):
        Languages(("en", ""))


@pytest.fixture(scope="module")
def many_languages(make_whisper, tmp_path_factory) -> str:
    """A tiny Whisper to which ordinary tokens of its vocabulary stand for languages."""
    folder = make_whisper(tmp_path_factory.mktemp("languages") / "tiny")
    path = folder / "generation_config.json"
    settings = json.loads(path.read_text())
    settings["lang_to_id"] |= {"<|jw|>": 5, "<|de|>": 40, "<|fr|>": 90, "<|ja|>": 120, "<|ko|>": 200}
    path.write_text(json.dumps(settings))
    return str(folder)


def test_the_language_is_the_model_s_and_the_same_every_time(many_languages):
    sounds = [
        np.sin(np.arange(30_000) * pitch / 2_000).astype(np.float32) for pitch in (40, 90, 300, 900, 3_000)
    ]
    heard = [Languages(model=many_languages).hear(sound, 16_000) for sound in sounds]
    assert set(heard) <= {"en", "jv", "de", "fr", "ja", "ko"}
    assert heard == [Languages(model=many_languages).hear(sound, 16_000) for sound in sounds]
    assert len(set(heard)) > 1
    for sound, tag in zip(sounds, heard, strict=True):
        assert Languages(model=many_languages).hear(soxr.resample(sound, 16_000, 44_100), 44_100) == tag


def test_it_is_what_detect_language_says_of_the_features(many_languages):
    from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

    noise = np.random.default_rng(3).normal(0, 0.3, 20_000).astype(np.float32)
    model = WhisperForConditionalGeneration.from_pretrained(many_languages)
    extractor = WhisperFeatureExtractor.from_pretrained(many_languages)
    features = extractor(noise, sampling_rate=16_000, return_tensors="pt").input_features
    token = int(model.eval().detect_language(features, num_segment_frames=100)[0])
    names = {id: name.strip("<|>") for name, id in model.generation_config.lang_to_id.items()}
    expected = {"jw": "jv"}.get(names[token], names[token])
    assert Languages(model=many_languages).hear(noise, 16_000) == expected


def test_no_model_hears_nothing():
    assert Languages().hear(np.zeros(10, np.float32), 16_000) is None


def test_a_checkpoint_that_cannot_tell_languages_ends_the_job(make_whisper, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder, words in (
        (make_whisper(tmp_path / "english", multilingual=False), "no table of languages"),
        (tmp_path / "empty", "can be loaded"),
        (tmp_path / "missing", "can be loaded"),
    ):
        with pytest.raises(JobError, match=words) as caught:
            load_listener(str(folder))
        assert "\n" not in str(caught.value)
