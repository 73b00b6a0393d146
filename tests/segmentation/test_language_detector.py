"""Languages are compared as BCP 47 does, and detected by a Whisper where they are not known."""

import json

import numpy as np
import pytest
import soxr

from budew.errors import FilteredError, JobError
from budew.segmentation.language_detector import load_language_detector
from budew.segmentation.segment import check_language


@pytest.mark.parametrize(
    ("language", "wanted"),
    [("en", "en"), ("en-US", "en"), ("EN_us", "en"), ("pt-BR", "de pt-br"), (None, ""), ("xx", "")],
)
def test_a_range_keeps_what_is_within_it(language, wanted):
    check_language(language, wanted.split())


@pytest.mark.parametrize(("language", "wanted"), [("de", "en"), ("eng", "en"), ("pt", "pt-BR"), (None, "en")])
def test_another_or_unknown_language_is_left_out(language, wanted):
    with pytest.raises(FilteredError):
        check_language(language, (wanted,))


@pytest.fixture(scope="module")
def many_languages(make_whisper, tmp_path_factory) -> str:
    """A tiny Whisper to which ordinary tokens of its vocabulary stand for languages."""
    folder = make_whisper(tmp_path_factory.mktemp("languages") / "tiny")
    path = folder / "generation_config.json"
    settings = json.loads(path.read_text())
    settings["lang_to_id"] |= {"<|jw|>": 5, "<|de|>": 40, "<|fr|>": 90, "<|ja|>": 120, "<|ko|>": 200}
    path.write_text(json.dumps(settings))
    return str(folder)


def test_the_language_is_what_the_model_detects_at_every_rate(many_languages):
    from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

    detector = load_language_detector(many_languages)
    model = WhisperForConditionalGeneration.from_pretrained(many_languages).eval()
    extractor = WhisperFeatureExtractor.from_pretrained(many_languages)
    names = {id: token.strip("<|>") for token, id in model.generation_config.lang_to_id.items()}
    found = []
    for pitch in (40, 90, 300, 900, 3_000):
        sound = np.sin(np.arange(30_000) * pitch / 2_000).astype(np.float32)
        features = extractor(sound, sampling_rate=16_000, return_tensors="pt").input_features
        code = names[int(model.detect_language(features, num_segment_frames=100)[0])]
        found.append(detector.detect(sound, 16_000))
        assert found[-1] == {"jw": "jv"}.get(code, code)
        assert detector.detect(soxr.resample(sound, 16_000, 44_100), 44_100) == found[-1]
    assert len(set(found)) > 1
    assert set(found) <= {"en", "jv", "de", "fr", "ja", "ko"}


def test_a_checkpoint_that_cannot_detect_languages_ends_the_job(make_whisper, tmp_path):
    for folder in (make_whisper(tmp_path / "english", multilingual=False), tmp_path / "missing"):
        with pytest.raises(JobError, match=rf"^{folder}: .+$"):
            load_language_detector(str(folder))
