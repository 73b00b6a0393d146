"""The short examples run on the bundled clips: caption a folder, build a corpus, fine-tune, score."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from budew import read
from budew.corpora import Clip, write_shard
from budew.io.resources import data_folder
from budew.model import load_checkpoint
from budew.paraphrase import judge
from tests.trained import TINY_SYNTHETIC

EXAMPLES = Path(__file__).parents[2] / "examples"
DEMO_CLIPS = data_folder("demo_clips") / "clips.tar"
FEW_STEPS = (
    f"model.base={TINY_SYNTHETIC}",
    "optimizer.max_steps=2",
    "optimizer.batch_size=2",
    "evaluation.every_steps=2",
    "evaluation.clips=2",
    "data.workers=0",
)


def example(name: str) -> Callable[..., Any]:
    """Return the function `main` of an example."""
    return runpy.run_path(str(EXAMPLES / name))["main"]


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return list(read(DEMO_CLIPS))


@pytest.fixture
def recordings(tmp_path: Path, clips: list[Clip]) -> Path:
    """A folder with two bare recordings."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name, clip in zip(("a", "b"), clips, strict=False):
        (folder / f"{name}.{clip.format}").write_bytes(clip.audio)
    return folder


def test_each_recording_of_a_folder_gets_a_caption_and_all_scores(recordings: Path, tmp_path: Path) -> None:
    assert example("caption_folder.py")(recordings, tmp_path / "captions.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "captions.jsonl").read_text().splitlines()]
    assert [Path(line["source"]).stem for line in lines] == ["a", "b"]
    assert all(line["caption"] and len(line["scores"]) == 40 for line in lines)


def test_a_folder_with_a_damaged_recording_is_reported(recordings: Path, tmp_path: Path) -> None:
    (recordings / "c.wav").write_bytes(b"no audio")
    assert not example("caption_folder.py")(recordings, tmp_path / "captions.jsonl")


def test_captions_of_a_built_corpus_mean_the_profiles_of_its_clips(tmp_path: Path, clips: list[Clip]) -> None:
    example("build_corpus.py")(DEMO_CLIPS, tmp_path, workers=0)
    built = list(read(tmp_path / "parquet"))
    assert [clip.id for clip in built] == [clip.id for clip in clips]
    for clip in built:
        assert clip.captions
        assert all(judge(caption.text, clip.profile).accepted for caption in clip.captions)


def test_a_fine_tuned_checkpoint_captions_a_recording(
    recordings: Path, tmp_path: Path, clips: list[Clip]
) -> None:
    recording = next(recordings.iterdir())
    training, validation = tmp_path / "training.tar", tmp_path / "validation.tar"
    write_shard(training, clips[:12])
    write_shard(validation, clips[12:])
    assert example("fine_tune.py")(training, validation, tmp_path / "run", recording, *FEW_STEPS)
    assert load_checkpoint(tmp_path / "run" / "checkpoint").name
    assert (tmp_path / "run" / "adapter" / "adapter_config.json").exists()


def test_a_model_and_a_file_of_predictions_are_scored_alike(tmp_path: Path, clips: list[Clip]) -> None:
    predictions = tmp_path / "labels.jsonl"
    lines = [json.dumps({"id": clip.id, "scores": dict(clip.profile.emotions)}) for clip in clips]
    predictions.write_text("\n".join(lines))
    model, labels = example("score.py")(DEMO_CLIPS, TINY_SYNTHETIC, predictions)
    assert [pair.id for pair in model.pairs] == [pair.id for pair in labels.pairs]
    assert labels.mean["mae"].value == 0 < model.mean["mae"].value
