"""The trained checkpoint of the tests, small and fast: `BUDEW_MODEL` makes it their default (conftest.py)."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard

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


PROHIBITED = (
    *("workplace", "education", "surveillance of public spaces, in real time or afterwards"),
    *("law enforcement", "borders, migration and asylum", "credit, insurance, housing or hiring"),
    *("manipulation", "deception", "unlawful discrimination"),
)


def check_duties(folder: Path) -> None:
    """Require the model card of a folder with weights: prohibited uses, responsibility, citations."""
    card = ModelCard.load(folder / "README.md")
    published, _, ours = card.text.partition("This project also rules out:")
    published = published[published.index("## Prohibited uses") :]
    assert [use for use in PROHIBITED if use not in published] == []
    stated = ("who did not agree", "Article 5(1)(f)", "BUD-E as a learning assistant", "is responsible for")
    cited = ("2506.09827", "2505.20033", "2212.04356", "@software{budew")
    assert [part for part in (*stated, *cited) if part not in ours] == []
    assert card.text.count("## Prohibited uses") == 1


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
