"""Heads trained on a corpus are saved with notes, and annotate as published ones do."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from budew.corpora import Clip, read, write_shard
from budew.errors import CheckpointError, InputError
from budew.heads.encoder_states import TARGETS, encode_corpus, encoder_windows, load_encoder
from budew.heads.fitting import fit_heads
from budew.heads.head_files import COMBINED, load_heads
from budew.heads.head_training import HeadCorpora, train_heads
from budew.heads.stack_training import FittingOptions
from budew.profile import VoiceProfile
from tests.trained import check_duties

from .conftest import CLIPS, FullMLP, annotated


def clip_with(corpus: Path, extreme) -> Clip:
    return extreme(read(corpus), key=lambda clip: clip.profile.traits["Arousal"])


def test_trained_heads_annotate_as_published_ones_do(corpus, tmp_path):
    out = tmp_path / "heads"
    options = FittingOptions(validation=0.25, most_epochs=30)
    trained = train_heads(corpus, out, options=options, device="cpu")
    names = {path.name for path in out.iterdir()}
    assert names == {"model_Anger_best.pth", "model_Arousal_best.pth", COMBINED, "heads.json", "README.md"}
    check_duties(out)
    notes = json.loads((out / "heads.json").read_text())
    assert (notes["encoder"], notes["stages"]["weak"]["clips"]) == (None, CLIPS)
    assert len(trained.rare) == len(TARGETS) - 2
    loud, quiet = (clip_with(corpus, extreme) for extreme in (max, min))
    made, combined = (annotated(place, loud, quiet) for place in (out, out / COMBINED))
    assert [clip.metadata["heads"] for clip in made] == [clip.metadata["heads"] for clip in combined]
    assert made[0].profile.traits["Arousal"] > made[1].profile.traits["Arousal"] + 0.3
    with pytest.raises(CheckpointError, match="exists already"):
        train_heads(corpus, out)


def test_flattened_heads_score_as_the_published_architecture_does_with_their_files(corpus, tmp_path):
    out, progress = tmp_path / "new" / "heads", []
    options = FittingOptions((8, 8, 6, 4), validation=0.25, most_epochs=4, layout="flattened", loss="squared")
    trained = train_heads(
        corpus, out, options=options, device="cpu", progress=lambda *done: progress.append(done)
    )
    assert progress[-3:] == [(CLIPS, "clips encoded"), (1, "heads trained"), (2, "heads trained")]
    assert {path.name for path in out.parent.iterdir()} == {"heads"}
    notes = json.loads((out / "heads.json").read_text())
    assert (notes["fitting"]["layout"], notes["fitting"]["loss"]) == ("flattened", "squared")
    assert "memory" not in notes["fitting"]
    encoder, clip = load_encoder(device="cpu"), clip_with(corpus, max)
    states = encoder.states([next(encoder_windows(clip, encoder)).samples])
    (scored,), (combined,) = (annotated(place, clip) for place in (out, out / COMBINED))
    assert combined.metadata["heads"] == scored.metadata["heads"]
    assert trained.heads
    for head in trained.heads:
        plain = FullMLP(encoder.positions * encoder.width)
        plain.load_state_dict(torch.load(out / f"model_{head.name}_best.pth", weights_only=True))
        with torch.inference_mode():
            score = float(plain.eval()(states))
        assert scored.metadata["heads"][head.name] == pytest.approx(score, abs=1e-3)


TINY = FittingOptions((8, 6), validation=0.25, most_epochs=40, rate=0.05)


@pytest.fixture(scope="module")
def rated(corpus, tmp_path_factory) -> Path:
    """Clips with a licence whose arousal alone is rated, the other way round than by the weak labels."""
    shard = tmp_path_factory.mktemp("rated") / "rated.tar"
    arousal = (
        VoiceProfile(None, (), {"Arousal": 4 - clip.profile.traits["Arousal"]}) for clip in read(corpus)
    )
    clips = zip(read(corpus), arousal, strict=True)
    write_shard(shard, [replace(clip, profile=profile, license="CC0-1.0") for clip, profile in clips])
    return shard


@pytest.fixture(scope="module")
def first(corpus, whisper_folder, tmp_path_factory) -> Path:
    """Heads on a tiny encoder, trained on the weak labels alone."""
    out = tmp_path_factory.mktemp("first") / "heads"
    train_heads(corpus, out, encoder=whisper_folder, options=TINY, device="cpu")
    return out


def weights_of(folder: Path) -> dict[str, list[bytes]]:
    return {
        head.name: [part.numpy().tobytes() for layer in head.layers for part in layer]
        for head in load_heads(folder)
    }


def test_two_stages_give_the_heads_of_one_stage_that_starts_from_those_of_another(
    corpus, rated, first, whisper_folder, tmp_path
):
    both, later, alone = (tmp_path / name for name in ("both", "later", "alone"))
    for out, corpora in (
        (alone, rated),
        (both, HeadCorpora({str(corpus): 1}, {str(rated): 1})),
        (later, HeadCorpora({str(rated): 1}, start=first)),
    ):
        train_heads(corpora, out, encoder=whisper_folder, options=TINY, device="cpu")
    weak, twice, again, once = map(weights_of, (first, both, later, alone))
    assert twice == again
    assert twice["Anger"] == weak["Anger"]  # the experts were not asked for it
    assert twice["Arousal"] not in (weak["Arousal"], once["Arousal"])
    stages = json.loads((both / "heads.json").read_text())["stages"]
    assert (set(stages["weak"]["quality"]), set(stages["expert"]["quality"])) == (
        {"Anger", "Arousal"},
        {"Arousal"},
    )
    card = (both / "README.md").read_text()
    assert (
        f"expert labels: {CLIPS} clips of {rated} (weight 1); licences of the clips: CC0-1.0 {CLIPS}" in card
    )
    assert all(
        part in card for part in ("| Arousal | expert | ", "Article 5(1)(f)", "Research on expressions")
    )


def test_heads_of_another_shape_or_encoder_are_not_trained_further(rated, first, whisper_folder, tmp_path):
    corpora, wide = HeadCorpora({str(rated): 1}, start=first), replace(TINY, widths=(9,))
    for encoder, fault in (
        (whisper_folder, r"layers of \(8, 6\), not pooled with \(9,\)"),
        (None, "trained on"),
    ):
        with pytest.raises(CheckpointError, match=fault):
            train_heads(corpora, tmp_path / "out", encoder=encoder, options=wide, device="cpu")
    with pytest.raises(InputError, match="a/: its weight is 0: give a number above 0"):
        HeadCorpora({"a/": 0})


def test_a_corpus_counts_by_its_weight_and_not_by_its_clips(corpus, rated, whisper_folder, tmp_path):
    encoder = load_encoder(whisper_folder, device="cpu")
    write_shard(tmp_path / "some.tar", list(read(rated))[:8])
    data = encode_corpus({str(corpus): 3.0, str(tmp_path / "some.tar"): 1.0}, encoder, tmp_path / "states")
    weights = data.weights
    assert weights.mean() == pytest.approx(1)
    assert weights[:CLIPS].sum() == pytest.approx(3 * weights[CLIPS:].sum())
    scores = []
    for shares in ((1.0, 1e-3), (1e-3, 1.0)):  # the same clips twice, with opposite labels
        data = encode_corpus(
            dict(zip(map(str, (corpus, rated)), shares, strict=True)), encoder, tmp_path / f"{shares[0]}"
        )
        ((head, _),) = (one for one in fit_heads(data, TINY) if one[0].name == "Arousal")
        weak = data.targets[:CLIPS, TARGETS.index("Arousal")]
        scores.append(np.corrcoef(head(torch.tensor(data.states[:CLIPS])), weak)[0, 1])
    assert scores[0] > 0.3 > -0.3 > scores[1]
