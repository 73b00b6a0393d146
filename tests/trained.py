"""The trained checkpoint of the tests, small and fast: `BUDEW_MODEL` makes it their default (conftest.py)."""

import json
import shutil
from pathlib import Path

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
