"""Captions are made once for each clip and model, a killed run resumes, and what is kept is what was said."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from budew.corpora import Clip
from budew.errors import CheckpointError, InputError
from budew.evaluation import read_predictions
from budew.evaluation.caption_cache import CaptionCache
from budew.evaluation.pairs import Skipped
from budew.evaluation.prediction_files import Prediction
from budew.inference import Captioner, ModelOptions

AUDIO = Path("corpus")


@pytest.fixture
def without_model(monkeypatch: pytest.MonkeyPatch):
    """Fail where a model is loaded."""

    def loaded(*arguments: object, **options: object) -> None:
        raise AssertionError("the model was loaded")

    return lambda: monkeypatch.setattr("budew.inference.loading.load_backend", loaded)


@pytest.fixture
def several(clips: list[Clip], vowel) -> list[Clip]:
    """Clips of one window, of several, and one that cannot be decoded."""
    long = replace(clips[0], id="long", audio=vowel(150, seconds=5.0))
    return [*clips[:3], long, replace(clips[0], id="broken", audio=b"nothing")]


def keep(folder: Path, model: Path, **options) -> CaptionCache:
    return CaptionCache(folder, ModelOptions(model, device="cpu"), batch_size=2, **options)


def predict(cache: CaptionCache, clips: list[Clip], *progress):
    """Return predictions, and the ids of clips without one."""
    skipped: list[Skipped] = []
    return cache.predict("own", AUDIO, clips, skipped, *progress), [clip.id for clip in skipped]


def test_what_is_kept_is_the_greedy_caption_and_its_profile(several, whisper_folder, tmp_path, without_model):
    done: list[int] = []
    made = predict(keep(tmp_path, whisper_folder), several, done.append)
    results = Captioner.from_pretrained(whisper_folder, device="cpu", num_beams=1).caption_clips(several[:-1])
    expected = {
        clip.id: Prediction(result.profile, result.caption)
        for clip, result in zip(several, results, strict=False)
    }
    assert made == (expected, ["broken"])
    assert done == [1, 2, 3, 4, 5]
    without_model()
    assert predict(keep(tmp_path, whisper_folder), several) == made
    predicted = read_predictions(keep(tmp_path, whisper_folder).path("own", AUDIO))
    assert predicted["clip0"].profile.emotions == expected["clip0"].profile.emotions
    assert predicted["broken"].profile.rated == ()


def test_a_killed_run_captions_only_what_is_missing(several, whisper_folder, tmp_path, without_model):
    kept = keep(tmp_path, whisper_folder)
    whole = predict(kept, several)
    path = kept.path("own", AUDIO)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:20])
    done: list[int] = []
    assert predict(keep(tmp_path, whisper_folder), several, done.append) == whole
    assert done == [1, 2, 3]
    assert sorted(path.read_bytes().splitlines(keepends=True)) == sorted(lines)


def test_models_samples_and_folders_have_files_of_their_own(several, whisper_folder, make_whisper, tmp_path):
    other = make_whisper(tmp_path / "other", seconds=3)
    some, sampled = keep(tmp_path, whisper_folder), keep(tmp_path, whisper_folder, num_samples=3)
    paths = {cache.path("own", AUDIO) for cache in (some, sampled, keep(tmp_path, other))}
    assert len(paths | {some.path("own", Path("other"))}) == 4
    means, _ = predict(sampled, several[:2])
    captioner = Captioner.from_pretrained(whisper_folder, device="cpu", num_beams=1, num_samples=3)
    greedy, _ = predict(some, several[:2])
    for clip, result in zip(several[:2], captioner.caption_clips(several[:2]), strict=True):
        assert means[clip.id].means == result.expected
        assert means[clip.id].profile == greedy[clip.id].profile
    with pytest.raises(CheckpointError):
        CaptionCache(tmp_path, ModelOptions(tmp_path / "nowhere"))


def test_captions_are_parsed_when_they_are_read(several, whisper_folder, tmp_path, without_model):
    kept = keep(tmp_path, whisper_folder)
    predict(kept, several[:1])
    path = kept.path("own", AUDIO)
    record = json.loads(path.read_text(encoding="utf-8"))
    record["windows"][0]["text"] = "A very angry voice."
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")
    without_model()
    assert dict(predict(kept, several[:1])[0]["clip0"].profile.emotions) == {"Anger": 0.75}


@pytest.mark.parametrize("line", ["{}", "[1]", '{"id": "clip0", "caption": "x"}', "not JSON"])
def test_a_damaged_line_is_named(several, whisper_folder, tmp_path, line):
    kept = keep(tmp_path, whisper_folder)
    kept.path("own", AUDIO).write_text(line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1 is damaged"):
        predict(kept, several)
