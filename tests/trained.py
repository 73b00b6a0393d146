"""The trained checkpoint of the tests, small and fast: `BUDEW_MODEL` makes it their default (conftest.py)."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TINY_SYNTHETIC = Path(__file__).parent / "data/checkpoints/tiny-synthetic"
RESULT = {
    "corpus": "A corpus",
    "language": "en",
    "speakers": 3,
    "metric": "accuracy",
    "value": 0.5,
    "low": 0.25,
    "high": 0.75,
    "chance": 0.125,
    "source": "a paper",
}


def with_card(checkpoint: Path, folder: Path, trained_on: str) -> Path:
    """Copy a checkpoint into a folder, with a card of what it was trained on and one result."""
    shutil.copytree(checkpoint, folder)
    settings = folder / "generation_config.json"
    changed = json.loads(settings.read_text()) | {"trained_on": trained_on}
    settings.write_text(json.dumps(changed))
    (folder / "budew_results.json").write_text(json.dumps({"results": [RESULT]}))
    return folder


def write_captions(
    checkpoint: Any, encoded: Any, *, num_beams: int | None = None, prompt: str = "", **inputs: Any
) -> Sequence[str]:
    """Return what a checkpoint generates for windows of `encode`, as it is."""
    from budew.model.generate import generate, generation_settings, texts_of

    settings = generation_settings(checkpoint, num_beams=num_beams, prompt=prompt)
    tokens = generate(checkpoint, settings, encoder_outputs=encoded.outputs(), prompt=prompt, **inputs)
    return texts_of(checkpoint, tokens)
