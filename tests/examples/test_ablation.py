"""The ablation compares arms that differ in their target alone, resumes, and pairs what it compares."""

import json
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import WhisperTokenizer

from budew.captions.render import load_templates
from budew.corpora import Clip, read
from budew.model.build import Features, Size, build_tokenizer, build_whisper
from budew.paraphrase.gate import judge
from budew.paraphrase.grammar_backend import REWORDING, shipped_rewrites
from budew.profile import VoiceProfile
from budew.training import dataset
from budew.training.run_folder import differences
from budew.training.targets import scalars
from tests.evaluation.benchmarks.known_folders import folder_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "ablation.py"


@pytest.fixture(scope="module")
def example() -> Iterator[SimpleNamespace]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLE.parent)
        yield SimpleNamespace(**runpy.run_path(str(EXAMPLE)))


def test_arms_differ_in_the_target_alone_and_none_has_the_new_frames(
    example: SimpleNamespace, tmp_path: Path
) -> None:
    one, *others = (example.recipe_of(tmp_path, arm, 1, example.Size()) for arm in example.ARMS)
    for other in others:
        assert {line.partition(".")[0] for line in differences(one, other) if "name:" not in line} == {
            "target"
        }
    people = example.Size(people=example.People("voices", "base"))
    of_people = [example.recipe_of(tmp_path, arm, 1, people) for arm in example.ARMS]
    assert [recipe.target for recipe in of_people] == [recipe.target for recipe in (one, *others)]
    assert len({recipe.model_copy(update={"name": "", "target": one.target}) for recipe in of_people}) == 1
    frames = {frame for recipe in (one, *others) for frame in recipe.target.frames}
    assert frames.isdisjoint(example.NEW_FRAMES)
    assert load_templates(REWORDING).frames.keys().isdisjoint(example.NEW_FRAMES)


def test_groups_hold_each_clip_once_and_few_mix_genders(example: SimpleNamespace) -> None:
    genders = ["female", "male"] * 40
    clips = [
        Clip(f"{n}", b"", "wav", profile=VoiceProfile({"Fear": 1}, traits={"gender": gender}))
        for n, gender in enumerate(genders)
    ]
    groups = list(example.groups(clips, {clip.id: 2.0 for clip in clips}))
    assert sorted(clip.id for group in groups for clip in group) == sorted(clip.id for clip in clips)
    assert sum(len({clip.profile.traits["gender"] for clip in group}) > 1 for group in groups) <= 1


def test_captions_are_matched_by_what_the_audio_says_of_them_alone(example: SimpleNamespace) -> None:
    texts = ["a calm voice", "an angry man, shouting at length", "she weeps"]
    features = Features(window_seconds=1, mel_bins=8)
    size = Size(width=16, encoder_layers=1, decoder_layers=1, heads=2, longest_caption=48)
    tokenizer = build_tokenizer(texts, vocabulary=300)
    model = build_whisper(size, features, tokenizer, seed=1)
    processor = SimpleNamespace(tokenizer=tokenizer)
    checkpoint = SimpleNamespace(model=model.eval(), processor=processor)
    states = torch.zeros(3, features.frames // 2, 16)
    encoded: Any = example.EncoderStates(texts, states)
    assert example.matches(checkpoint, encoded, texts) == [0.5, 0.5, 0.5]
    encoded = example.EncoderStates(
        texts, torch.randn(states.shape, generator=torch.Generator().manual_seed(1))
    )
    shares = example.matches(checkpoint, encoded, texts)
    assert shares != [0.5, 0.5, 0.5]
    turned = example.EncoderStates(texts, encoded.states.roll(1, 0))
    assert example.matches(checkpoint, turned, [texts[2], *texts[:2]]) == pytest.approx(
        [shares[2], *shares[:2]]
    )


def test_differences_are_paired(example: SimpleNamespace) -> None:
    sampled = np.random.default_rng(1).normal(0.5, 0.1, (3, 200))
    one = example.Resampled([0.5, 0.6, 0.4], sampled)
    better = example.Resampled([0.6, 0.7, 0.5], sampled + 0.1)
    assert better.estimate(one) == pytest.approx({"value": 0.1, "low": 0.1, "high": 0.1})
    alone = better.estimate()
    assert alone["high"] - alone["low"] > 0.1


@pytest.mark.long
def test_the_ablation_runs_and_resumes(
    example: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "VOCABULARY_TARGETS", (40, 40))
    results = example.main([str(tmp_path), "--quick", "--seeds", "1"])
    assert json.loads((tmp_path / "ablation.json").read_text(encoding="utf-8")) == results
    assert list(results["arms"]) == list(example.ARMS)
    assert len(list((tmp_path / "cache" / "features").glob("*.f16"))) == 2, "spectrograms of all arms"
    assert results["arms"]["scalars"]["measures"]["self_bleu"] is None
    page = (tmp_path / "ablation.html").read_text(encoding="utf-8")
    assert page.count("<polyline") == 2 * len(example.ARMS)
    files = sorted((tmp_path / "runs").glob("*/written.json"))
    made = [file.stat().st_mtime_ns for file in files]
    assert example.main([str(tmp_path), "--quick", "--seeds", "1"]) == results
    assert [file.stat().st_mtime_ns for file in files] == made


SPEAKERS = {
    "train": ("03", "000001", "40000"),
    "validation": ("09", "000301"),
    "test": ("10", "000329", "367"),
}
"""One of each corpus and split."""
GENDERS = "40000 | F | train-other-500\n367 | F | test-other\n"


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short sounds in the naming schemes of the three corpora."""
    folder, every = tmp_path_factory.mktemp("voices"), list(SPEAKERS.values())
    folder_of([f"{one}a01{label}a" for one, *_ in every for label in "WWTN"], folder / "emodb")
    categories = ("03-1", "03-2", "18-1", "21-1", "24-1")
    folder_of([f"{one}-{label}" for _, one, *_ in every for label in categories], folder / "emogator")
    read = [one for _, _, *readers in every for one in readers]
    folder_of([f"{one}-1-{n:04}" for one in read for n in range(2)], folder / "librispeech")
    (folder / "librispeech" / "SPEAKERS.TXT").write_text(GENDERS)
    return folder


def test_sampled_clips_are_balanced_labelled_and_of_one_split(example: SimpleNamespace, voices: Path) -> None:
    people = example.People(str(voices), "", {"train": {"emodb": 3, "emogator": 4, "librispeech": 1}})
    clips = list(people.sampled("train", seed=1))
    assert [example.corpus_of(clip) for clip in clips] == ["emodb"] * 3 + ["emogator"] * 4 + ["librispeech"]
    labels = [clip.metadata["label"] for clip in clips]
    assert sorted(labels[:3]) == ["anger", "neutral", "sadness"]
    assert sorted(labels[3:7]) == ["Anger", "Anger", "Neutral", "Sadness"]  # nothing is known of Realization
    assert {clip.speaker for clip in clips} == set(SPEAKERS["train"])
    assert {name for clip in clips for name in clip.profile.traits} == {"gender"}
    assert clips == list(people.sampled("train", seed=1))


def test_paraphrases_of_people_are_by_a_language_model_where_it_wrote_of_the_same(
    example: SimpleNamespace, voices: Path, tmp_path: Path
) -> None:
    numbers = {"train": {"emodb": 3, "emogator": 3}}
    size = example.Size(people=example.People(str(voices), "", numbers))
    clips = list(read(example.captioned_clips(tmp_path, "train", size)))
    rewrites = {one.id: one for one in shipped_rewrites()}
    by_model = 0
    for clip in clips:
        texts = [caption.text for caption in clip.captions]
        assert len(set(texts)) == size.paraphrases
        assert all(judge(text, clip.profile).accepted for text in texts)
        for caption in clip.captions:
            if "rewrite" in caption.made_by:
                rewrite, by_model = rewrites[caption.made_by["rewrite"]], by_model + 1
                assert rewrite.accepted
                assert rewrite.caption == caption.text
                assert rewrite.profile.emotions.keys() == clip.profile.emotions.keys()
    origins = example.origins(clips, size)["paraphrases"]
    assert (origins["all"], origins["by a language model"]) == (6 * len(clips), by_model)
    assert by_model > 3 * len(clips)


def test_class_rates_are_those_of_the_strongest_emotion(example: SimpleNamespace, voices: Path) -> None:
    people = example.People(str(voices), "", {"test": {"emodb": 4, "emogator": 4}})
    clips = list(people.sampled("test", seed=1))
    texts = {clip.id: {"greedy": "A man is angry."} for clip in clips}
    run = {"kind": "template", "texts": texts}

    def rate(corpus: str) -> float:
        size = example.Size(resamples=20)
        return float(example.Resampled.of_classes([run], clips, corpus, "greedy", size).values[0])

    assert rate("emodb") == pytest.approx(100 / 3)  # two of four clips, one of three classes
    assert rate("emogator") == 50
    for clip in clips:
        label = str(clip.metadata["label"]).lower()
        texts[clip.id]["greedy"] = {"anger": "angry", "sadness": "sad"}.get(label, "neutral")
        texts[clip.id]["greedy"] = f"A man is {texts[clip.id]['greedy']}."
    assert rate("emodb") == rate("emogator") == 100


def test_numbers_called_unrated_count_as_absent(example: SimpleNamespace) -> None:
    text = " ".join(["2.5", *["-"] * 39])
    run = {"kind": "scalars", "texts": {"a": {"greedy": text, "sampled": [text, "none"]}}}
    greedy, sampled = (example.predicted(run, "a", score) for score in ("greedy", "sampled, plain mean"))
    assert greedy.fully_rated
    assert list(greedy.emotions.values()) == [0.5]
    assert sampled.fully_rated
    assert list(sampled.emotions.values()) == [0.25]


def test_each_text_of_any_arm_has_the_tokens_of_the_base(
    example: SimpleNamespace, voices: Path, whisper_folder: Path, tmp_path: Path
) -> None:
    size = example.Size(people=example.People(str(voices), "", {"train": {"emodb": 2}}))
    clips = list(read(example.captioned_clips(tmp_path, "train", size)))
    example.save_tokenizer(tmp_path / "run", clips, str(whisper_folder))
    base, made = (WhisperTokenizer.from_pretrained(at) for at in (whisper_folder, tmp_path / "run/tokenizer"))
    assert len(made) < len(base)
    for text in (scalars(clips[0].profile), *example.paraphrases(clips[0])):
        assert made.tokenize(text) == base.tokenize(text)


@pytest.mark.long
def test_the_ablation_with_people_runs_and_shares_its_states(
    example: SimpleNamespace, voices: Path, make_whisper: Callable[..., Path], tmp_path: Path
) -> None:
    base = make_whisper(tmp_path / "base", layers=3, text_positions=300)
    out = tmp_path / "out"
    given = [str(out), "--people", str(voices), "--base", str(base), "--quick", "--seeds", "1"]
    results = example.main(given)
    assert json.loads((out / "ablation.json").read_text(encoding="utf-8")) == results
    assert len(list((out / "cache" / "states").glob("*.f16"))) == 1, "states of all arms"
    assert all(name in arm["scores"] for arm in results["arms"].values() for name in example.CLASSES)
    assert "Classes by the strongest emotion" in (out / "ablation.html").read_text(encoding="utf-8")
    assert example.main(given) == results
