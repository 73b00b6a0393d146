"""Two models are compared by their captions and logits; a model equals itself."""

import json
from itertools import islice

from budew.corpora import Clip, read
from budew.evaluation.parity import compare_captions
from budew.inference.loading import load_backend
from budew.inference.options import ModelOptions
from budew.io.resources import data_folder
from budew.model.checkpoint import load_checkpoint


def test_a_model_equals_itself_and_clips_without_labels_have_no_correlation():
    clips = islice(read(data_folder("demo_clips") / "clips.tar"), 2)
    bare = [Clip(clip.id, clip.audio, clip.format) for clip in clips]
    options = ModelOptions(device="cpu", dtype="float32")
    found = compare_captions(load_checkpoint(device="cpu", dtype="float32"), load_backend(options), bare)
    assert (found.spearman, found.same, found.logits) == (None, 1, 0)
    assert json.dumps(found.to_dict(), allow_nan=False)
