"""A Whisper detects the language of a clip, at any sampling rate."""

import json

import numpy as np
import pytest
import soxr

from budew.errors import JobError
from budew.segmentation.language_detector import load_language_detector


@pytest.fixture(scope="module")
def many_languages(make_whisper, tmp_path_factory) -> str:
    """A tiny Whisper to which ordinary tokens of its vocabulary stand for languages."""
    folder = make_whisper(tmp_path_factory.mktemp("languages") / "tiny")
    path = folder / "generation_config.json"
    settings = json.loads(path.read_text())
    settings["lang_to_id"] |= {"<|jw|>": 5, "<|de|>": 40, "<|fr|>": 90, "<|ja|>": 120, "<|ko|>": 200}
    path.write_text(json.dumps(settings))
    return str(folder)


def test_the_detected_language_does_not_depend_on_the_sampling_rate(many_languages):
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
        with pytest.raises(JobError, match=rf"^{folder}\b.+$"):
            load_language_detector(str(folder))
