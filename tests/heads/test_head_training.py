"""Heads trained on a corpus are saved with notes, and annotate as published ones do."""

import json
from pathlib import Path

import pytest
import torch

from budew.corpora import Clip, read
from budew.errors import CheckpointError
from budew.heads.encoder_states import TARGETS, encoder_windows, load_encoder
from budew.heads.head_files import COMBINED
from budew.heads.head_training import train_heads
from budew.heads.stack_training import FittingOptions

from .conftest import CLIPS, FullMLP, annotated


def clip_with(corpus: Path, extreme) -> Clip:
    return extreme(read(corpus), key=lambda clip: clip.profile.traits["Arousal"])


def test_trained_heads_annotate_as_published_ones_do(corpus, tmp_path):
    out = tmp_path / "heads"
    options = FittingOptions(validation=0.25, most_epochs=30)
    trained = train_heads(corpus, out, options=options, device="cpu")
    names = {path.name for path in out.iterdir()}
    assert names == {"model_Anger_best.pth", "model_Arousal_best.pth", COMBINED, "heads.json"}
    notes = json.loads((out / "heads.json").read_text())
    assert (notes["encoder"], notes["clips"]) == (None, CLIPS)
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
