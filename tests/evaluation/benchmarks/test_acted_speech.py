"""EmoDB and RAVDESS: folders with their file names, synthetic speech, predictions of every kind."""

import json
from collections import Counter
from pathlib import Path

import pytest
import soundfile

from budew import render
from budew.corpora.named.definition import known_corpus
from budew.errors import CorpusError, InputError
from budew.evaluation.benchmarks.acted_speech import acted_clips, score_acted_speech
from budew.evaluation.benchmarks.coarse import load_task
from budew.evaluation.predictors import FilePredictor, ModelPredictor
from budew.inference import Captioner
from budew.inference.options import ModelOptions
from budew.profile import VoiceProfile
from budew.statistics.resampling import Resampling
from budew.synthesis.clip_plan import SAMPLING_RATE, plan_clip
from budew.synthesis.espeak import Espeak
from budew.synthesis.speech_signal import synthesize_clip
from budew.taxonomy import EMOTIONS
from tests.trained import TINY_SYNTHETIC

FEW = Resampling(resamples=20, permutations=20)
NEUTRAL = dict.fromkeys(EMOTIONS, 0.0)
EMODB = {
    "03a01Fa": ("happiness", "03"), "03a01Wa": ("anger", "03"), "08b02Lb": ("boredom", "08"),
    "08b02Ec": ("disgust", "08"), "10a07Ad": ("fear", "10"), "10a07Ta": ("sadness", "10"),
    "16b10Nb": ("neutral", "16"),
}  # fmt: skip
RAVDESS = {
    f"03-01-{code}-{'01' if code == '01' else '02'}-02-01-{actor}": (label, actor)
    for code, label, actor in zip(
        ("01", "02", "03", "04", "05", "06", "07", "08"),
        ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"),
        ("01", "02", "12", "24", "01", "02", "12", "24"),
        strict=True,
    )
}


@pytest.fixture(scope="module")
def emodb(tmp_path_factory) -> Path:
    return folder_of(EMODB, tmp_path_factory.mktemp("emodb"), "wav")


@pytest.fixture(scope="module")
def ravdess(tmp_path_factory) -> Path:
    return folder_of(RAVDESS, tmp_path_factory.mktemp("ravdess"), "flac")


def folder_of(names: dict, folder: Path, suffix: str) -> Path:
    """Synthetic speech under the names of the corpus, in a folder for each speaker."""
    with Espeak() as espeak:
        for number, (name, (_, speaker)) in enumerate(names.items()):
            path = folder / f"Actor_{speaker}" / f"{name}.{suffix}"
            path.parent.mkdir(exist_ok=True)
            soundfile.write(
                path, synthesize_clip(plan_clip(number, seed=1, split="test"), espeak), SAMPLING_RATE
            )
    return folder


def emotion_of(corpus: str, label: str) -> str:
    return next(name for name, group in load_task(corpus).mapping.items() if group == label)


def lines(path: Path, records: list[dict]) -> Path:
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return path


def test_file_names_give_label_speaker_and_intensity(emodb, ravdess):
    for corpus, folder, names in (("emodb", emodb, EMODB), ("ravdess", ravdess, RAVDESS)):
        clips, skipped = acted_clips(corpus, folder)
        assert {clip.id: (clip.metadata["label"], clip.speaker) for clip in clips} == names
        assert skipped == []
    calm = [clip for clip in clips if clip.metadata["label"] in ("neutral", "calm")]
    assert {clip.id: clip.metadata["intensity"] for clip in calm} == {
        "03-01-01-01-02-01-01": "normal",
        "03-01-02-02-02-01-02": "strong",
    }


def test_other_files_and_second_copies_are_listed(ravdess, tmp_path):
    first = next(iter(RAVDESS))
    for name in (
        f"a/{first}.wav",
        f"b/{first}.wav",
        "03-02-03-01-02-01-12.wav",
        "03-01-09-01-02-01-12.wav",
        "x.mp3",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"sound")
    (tmp_path / "notes.txt").write_text("no audio")
    clips, skipped = acted_clips("ravdess", tmp_path)
    assert [clip.audio for clip in clips] == [tmp_path / "a" / f"{first}.wav"]
    assert {Path(file.id).name for file in skipped} == {
        f"{first}.wav", "03-02-03-01-02-01-12.wav", "03-01-09-01-02-01-12.wav", "x.mp3"
    }  # fmt: skip
    with pytest.raises(CorpusError, match="no audio file is named as"):
        acted_clips("emodb", ravdess)
    with pytest.raises(CorpusError):
        acted_clips("emodb", tmp_path / "nowhere")


@pytest.mark.parametrize("corpus", ["emodb", "ravdess"])
@pytest.mark.parametrize("kind", ["scores", "captions", "scale"])
def test_a_perfect_and_a_constant_predictor_get_what_the_rule_implies(corpus, kind, request, tmp_path):
    folder, names = request.getfixturevalue(corpus), {"emodb": EMODB, "ravdess": RAVDESS}[corpus]

    def scored(emotions: list[str]) -> dict:
        made = {
            "scores": lambda name: {"emotions": NEUTRAL | {name: 1.0}},
            "scale": lambda name: {"emotions": NEUTRAL | {name: 10.0}},
            "captions": lambda name: {"caption": render(VoiceProfile({name: 1.0}))},
        }[kind]
        records = [{"id": f"{id}.wav"} | made(name) for id, name in zip(names, emotions, strict=True)]
        scale = "0-10" if kind == "scale" else "intensity"
        predictions = lines(tmp_path / "p.jsonl", records)
        return score_acted_speech(
            corpus, folder, FilePredictor(predictions, scale=scale), settings=FEW
        ).to_dict()

    perfect = scored([emotion_of(corpus, label) for label, _ in names.values()])
    for metric in ("accuracy", "argmax_accuracy", "unweighted_average_recall"):
        assert perfect[metric] == {"value": 100, "low": 100, "high": 100}
    assert perfect["accepted_classes"]["value"] == 1
    constant = scored(["Anger"] * len(names))
    chance = pytest.approx(100 / len(names))
    assert constant["accuracy"]["value"] == constant["unweighted_average_recall"]["value"] == chance
    assert constant["permutation_baseline"]["accuracy"]["value"] == chance
    assert (constant["n"], constant["speakers"], constant["skipped"]) == (len(names), 4, [])
    groups = {"emodb": {}, "ravdess": {"normal": 1, "strong": 7}}[corpus]
    assert {name: row["n"] for name, row in constant["by_intensity"].items()} == groups


@pytest.mark.parametrize(
    ("given", "scale", "unit", "accepted"),
    [
        ({"Anger": 0.25}, "intensity", "0-4", 1),  # e^1 among 36 e^0 exceeds 1.5 × uniform
        ({"Anger": 1.0}, "0-4", "0-4", 1),
        ({"Anger": 0.25}, "0-4", "0-4", 0),  # e^0.25 does not
        ({"Anger": 0.5}, "0-10", "0-10", 1),
        ("A slightly angry voice.", "0-1", "0-4", 1),
    ],
)
def test_the_unit_of_the_softmax_is_that_of_the_scores(emodb, tmp_path, given, scale, unit, accepted):
    made = {"caption": given} if isinstance(given, str) else {"emotions": NEUTRAL | given}
    predictions = lines(tmp_path / "p.jsonl", [{"id": id} | made for id in EMODB])
    result = score_acted_speech("emodb", emodb, FilePredictor(predictions, scale=scale), settings=FEW)
    assert (result.unit, result.overall["accepted_classes"].value) == (unit, accepted)


def test_a_model_is_scored_as_its_captions_are(emodb, tmp_path):
    broken, checkpoint = tmp_path / "emodb", TINY_SYNTHETIC
    for path in emodb.rglob("*.wav"):
        (broken / path.name).parent.mkdir(exist_ok=True)
        (broken / path.name).write_bytes(path.read_bytes())
    (broken / "03a02Wc.wav").write_bytes(b"no audio")
    predictor = ModelPredictor(ModelOptions(checkpoint, device="cpu"))
    by_model = score_acted_speech("emodb", broken, predictor, settings=FEW)
    captioner = Captioner.from_pretrained(checkpoint, device="cpu")
    records = [{"id": path.stem, "caption": captioner(path).caption} for path in sorted(emodb.rglob("*.wav"))]
    by_file = score_acted_speech(
        "emodb", emodb, FilePredictor(lines(tmp_path / "p.jsonl", records)), settings=FEW
    )
    assert [file.id for file in by_model.skipped] == ["03a02Wc"]
    assert by_model.to_dict() | {"model": "", "data": "", "skipped": []} == by_file.to_dict() | {
        "model": "", "data": ""
    }  # fmt: skip


def test_predictions_that_lack_a_clip_are_one_error(emodb, tmp_path):
    records = [{"id": id, "emotions": {"Anger": 1.0}} for id in list(EMODB)[1:]]
    predictions = lines(tmp_path / "p.jsonl", records)
    with pytest.raises(InputError, match="03a01Fa"):
        score_acted_speech("emodb", emodb, FilePredictor(predictions))


def test_the_speakers_of_a_split_are_scored_alone_and_those_for_training_are_counted(emodb, tmp_path):
    predictions = lines(tmp_path / "p.jsonl", [{"id": id, "emotions": NEUTRAL} for id in EMODB])

    def scored(data):
        return score_acted_speech("emodb", data, FilePredictor(predictions), settings=FEW)

    whole, unheard = scored(emodb), scored(f"emodb@test:{emodb}")
    splits = Counter(known_corpus("emodb").split_of(speaker) for _, speaker in EMODB.values())
    assert splits["train"]
    assert splits["test"]
    assert (whole.n, whole.for_training) == (7, splits["train"])
    assert (unheard.n, unheard.for_training) == (splits["test"], 0)
    with pytest.raises(InputError):
        acted_clips("ravdess", f"emodb@test:{emodb}")
