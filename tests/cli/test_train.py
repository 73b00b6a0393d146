"""`budew train`: recipes by name, and a checkpoint at the end."""

import shlex
from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from budew import training
from budew.corpora import Caption, Clip, write_shard
from budew.io.resources import data_folder
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS
from budew.training.estimate import run_size
from budew.training.recipe import load_recipe, shipped_recipes

SMALL = """
data: {speech: {train_clips: 8, validation_clips: 4}, longer: cut}
model:
  method: scratch
  scratch:
    features: {window_seconds: 2, mel_bins: 16, fourier: 512}
    size: {width: 32, encoder_layers: 1, decoder_layers: 1, heads: 2, vocabulary: 400, longest_caption: 48}
optimizer: {max_steps: 2, batch_size: 2, precision: fp32}
evaluation: {every_steps: 2, clips: 2}
"""


def sound(seconds: float) -> bytes:
    file = BytesIO()
    soundfile.write(file, np.random.default_rng(1).normal(0, 0.1, int(8000 * seconds)), 8000, format="WAV")
    return file.getvalue()


KINDS = ("tiny-synthetic", "whisper-small-lora", "whisper-medium-full", "bud-e-stage-2")
SHIPPED = sorted(path.stem for path in data_folder("recipes").glob("*.yaml"))
WITHOUT_CORPUS = [name for name in SHIPPED if not load_recipe(name).data.train]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in KINDS else pytest.mark.long) for name in WITHOUT_CORPUS]
)
def test_a_dry_run_prints_the_recipe_with_what_it_needs(budew, tmp_path, name):
    changes = ("--set", "seed=77", "--set", "data.speech.train_clips=1200")
    outcome = budew("train", name, "--dry-run", "--out", tmp_path / "run", *changes)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith(f"name: {name}\nseed: 77\n")
    if name != "bud-e-stage-2":  # its base is the result of another run
        assert "H100" in outcome.out
    assert not (tmp_path / "run").exists()


def test_a_dry_run_counts_the_clips_that_are_left_out(budew, tmp_path):
    clips = [
        Clip(f"clip{number}", sound(seconds), "wav", duration=seconds, profile=VoiceProfile({"Awe": 1}))
        for number, seconds in enumerate((1.0, 2.0, 3.0, 9.0))
    ]
    write_shard(tmp_path / "a.tar", clips)
    corpora = ("--set", f"data.train={tmp_path / 'a.tar'}", "--set", f"data.validation={tmp_path / 'a.tar'}")
    changes = ("model.window_seconds=8", "optimizer.epochs=2", "optimizer.batch_size=2")
    window = [word for change in changes for word in ("--set", change)]
    outcome = budew("train", "whisper-tiny-lora", "--dry-run", *corpora, *window, "--out", tmp_path / "run")
    assert outcome.status == 0, outcome.err
    assert "train: 1 are left out: longer than 8 s" in outcome.err
    assert "3 clips, 3 steps of 2" in outcome.out
    assert "25% of" in outcome.err
    assert "data.longer" in outcome.err
    frozen = ("--set", "model.method=encoder-frozen", "--set", "data.cache_states=true")
    outcome = budew("train", "whisper-tiny-lora", "--dry-run", *corpora, *window, *frozen)
    assert outcome.status == 0, outcome.err
    assert "for cached states: 0.0 GB" in outcome.out
    assert "1 × this processor" in outcome.out
    nothing = budew("train", "whisper-tiny-lora", "--dry-run")
    assert nothing.status == 1
    assert "data.train" in nothing.err
    gone = budew(
        "train", "tiny-synthetic", "--dry-run", "--set", f"data.train={tmp_path / 'gone'}", *corpora[2:]
    )
    assert gone.status == 1
    assert "gone" in gone.err


PUBLISHED = [name for name in SHIPPED if name.startswith(("whisper-", "bud-e-"))]


@pytest.fixture(scope="module")
def long_clips(tmp_path_factory):
    """Clips of 3 to 30 s, with a caption and a profile."""
    folder = tmp_path_factory.mktemp("long")
    clips = [
        Clip(
            f"clip{seconds}",
            sound(seconds),
            "wav",
            profile=VoiceProfile({"Awe": 1}),
            captions=(Caption("Awe."),),
        )
        for seconds in range(3, 31)
    ]
    write_shard(folder / "a.tar", clips)
    return folder


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_of_a_published_whisper_leaves_out_no_clip_of_3_to_30_s(long_clips, name):
    recipe = load_recipe(
        name, [f"data.train={long_clips}", f"data.validation={long_clips}", "data.workers=0"]
    )
    size = run_size(recipe, long_clips / "run")
    assert size.clips == 28
    assert 0.5 < size.window_share < 0.8  # most batches are as long as their longest clip


def test_clips_that_the_raters_agree_are_without_the_emotion_are_trained_on(budew, tmp_path):

    rows = []
    for number in range(24):  # a third have the emotion; the last four have no exact consensus
        answers = [0 if number % 3 else 2] * 3 if number < 20 else [0, 1, 2]
        name = EMOTIONS[number].replace(" ", "%20")
        label = str([{f"human-{rater}": {name: answer}} for rater, answer in enumerate(answers)])
        rows.append({"audioId": {"bytes": sound(1), "path": f"{number}.wav"}, "label": label})
    table, labels, labelled = tmp_path / "bench.parquet", tmp_path / "exact.jsonl", tmp_path / "labelled"
    pq.write_table(pa.Table.from_pylist(rows), table)
    for command in (
        ("ratings", table, "--consensus", "exact", "--labels", labels),
        ("annotate", "labels", table, labelled, "--labels", labels),
        ("render", labelled, tmp_path / "rendered"),
    ):
        assert budew("corpus", *command).status == 0
    for corpus in (labelled, tmp_path / "rendered"):
        corpora = ("--set", f"data.train={corpus}", "--set", f"data.validation={corpus}")
        outcome = budew("train", "whisper-tiny-lora", "--dry-run", *corpora, "--out", tmp_path / "run")
        assert "\n20 clips, " in outcome.out
        assert "left out" not in outcome.err


def test_recipes_are_listed_and_explained(budew, monkeypatch):
    some = {name: path for name, path in shipped_recipes().items() if name in KINDS}
    monkeypatch.setattr(training, "shipped_recipes", lambda: some)  # estimates of all of them take seconds
    listed = budew("recipes").out
    assert all(name in listed for name in KINDS)
    explained = budew("recipes", "whisper-small-lora", "--set", "model.lora.rank=7").out
    assert "openai/whisper-small" in explained
    assert "rank of the learned difference" in explained


def test_training_ends_with_the_checkpoint_and_a_command_that_works(budew, tmp_path):
    recipe = tmp_path / "small.yaml"
    recipe.write_text(SMALL)
    trained = budew("train", recipe, "--out", tmp_path / "a run")
    assert trained.status == 0, trained.err
    checkpoint, following = trained.out.splitlines()[-2:]
    assert checkpoint == f"checkpoint: {tmp_path / 'a run' / 'checkpoint'}"
    program, *arguments = shlex.split(following.removeprefix("next:"), comments=True)
    assert program == "budew"
    corpus = tmp_path / "a run" / "speech" / "validation"
    assert "Spearman" in budew(*(corpus if word == "CORPUS" else word for word in arguments)).out
