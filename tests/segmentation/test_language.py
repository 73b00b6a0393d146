"""Languages are compared as BCP 47 does, and heard by a Whisper where they are not known."""

import json

import numpy as np
import pytest

from budew.corpora.errors import CorpusError
from budew.jobs import JobError
from budew.segmentation import FilteredError, Languages
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
def two_languages(make_whisper, tmp_path_factory) -> str:
    """A tiny Whisper to which an ordinary token of its vocabulary stands for Javanese."""
    folder = make_whisper(tmp_path_factory.mktemp("languages") / "tiny")
    path = folder / "generation_config.json"
    settings = json.loads(path.read_text())
    settings["lang_to_id"]["<|jw|>"] = 5
    path.write_text(json.dumps(settings))
    return str(folder)


def test_the_language_is_the_model_s_and_the_same_every_time(two_languages):
    listener = load_listener(two_languages)
    assert set(listener.tags.values()) == {"en", "jv"}
    heard = set()
    for seed in range(6):
        noise = np.random.default_rng(seed).normal(0, 0.3, 30_000).astype(np.float32)
        found = Languages(model=two_languages).hear(noise, 22_050)
        assert found == Languages(model=two_languages).hear(noise, 22_050)
        heard.add(found)
    assert heard <= {"en", "jv"}


def test_it_is_what_detect_language_says_of_the_features(two_languages):
    from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

    noise = np.random.default_rng(3).normal(0, 0.3, 20_000).astype(np.float32)
    model = WhisperForConditionalGeneration.from_pretrained(two_languages)
    extractor = WhisperFeatureExtractor.from_pretrained(two_languages)
    features = extractor(noise, sampling_rate=16_000, return_tensors="pt").input_features
    token = int(model.eval().detect_language(features, num_segment_frames=100)[0])
    assert Languages(model=two_languages).hear(noise, 16_000) == load_listener(two_languages).tags[token]


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
