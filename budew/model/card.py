"""Model cards, and training data and published results of a checkpoint.

`write_card` writes the model card of every folder with weights. Each card has the prohibited uses and the
citations of `model_cards/duties.md`.

`trained_on` is an entry of the generation config, which exports and adapters have too. Published results are
in the file `budew_results.json` beside the weights, the most important one first.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from huggingface_hub import try_to_load_from_cache
from pydantic import Field

from budew.io.cards import CARD, render_card
from budew.io.settings import Settings, validated
from budew.model.build import TrainedOn
from budew.model.checkpoint import default_checkpoint, find_checkpoint, folder_name
from budew.model.file_checks import read_json
from budew.model.trained_clips import TRAINED_CLIPS

RESULTS = "budew_results.json"
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)


class PublishedResult(Settings):
    """One published result of a checkpoint on a corpus: a correlation, or a recall or accuracy as a share."""

    corpus: str = Field(max_length=100, description="name of the corpus")
    language: str = Field(max_length=100, description="BCP 47; several separated by commas")
    speakers: int | None = Field(default=None, ge=1, description="speakers of the scored clips")
    metric: str = Field(max_length=100, description="name of the metric")
    value: float = Field(ge=-1, le=1, description="the metric")
    low: float | None = Field(default=None, ge=-1, le=1, description="lower bound of the 95 % interval")
    high: float | None = Field(default=None, ge=-1, le=1, description="upper bound of the 95 % interval")
    chance: float | None = Field(default=None, ge=-1, le=1, description="the metric with permuted labels")
    source: str = Field(max_length=200, description="command or publication that the result is from")

    @property
    def subject(self) -> str:
        """Text with corpus, language, number of speakers and metric."""
        speakers = "" if self.speakers is None else f", {self.speakers} speakers"
        return f"{self.corpus} ({self.language}{speakers}), {self.metric}"

    def __str__(self) -> str:
        bounds = "" if self.low is None or self.high is None else f" ({self.low:.3f} to {self.high:.3f})"
        chance = "" if self.chance is None else f", chance {self.chance:.3f}"
        return f"{self.subject}: {self.value:.3f}{bounds}{chance}"


class _ResultsFile(Settings):
    results: tuple[PublishedResult, ...] = Field(description="the most important first")


@dataclass(frozen=True, slots=True)
class CheckpointCard:
    """Training data and published results of a checkpoint.

    Attributes:
        name: name of the checkpoint.
        trained_on: "synthetic speech" or "recordings of people"; None if the checkpoint does not state it.
        results: published results, the most important one first.

    Example:
        >>> CheckpointCard("mine", "recordings of people", ()).training
        'mine was trained on recordings of people.'
    """

    name: str
    trained_on: TrainedOn | None
    results: tuple[PublishedResult, ...]

    @property
    def training(self) -> str:
        """One sentence on the training data; "" if unknown."""
        if self.trained_on is None:
            return ""
        if self.trained_on == "recordings of people":
            return f"{self.name} was trained on recordings of people."
        return (
            f"{self.name} was trained on synthetic speech only: its captions of recordings of people are not "
            "reliable."
        )


def read_card(name_or_dir: str | Path | None = None) -> CheckpointCard:
    """Read training data and published results of a checkpoint from its files.

    Args:
        name_or_dir: folder, hub id (read from the local cache only), or None for `default_checkpoint`.

    Raises:
        CheckpointError, SettingsError: a file is not a JSON object, or a field of the results is invalid.

    Example:
        >>> from budew.io.resources import data_folder
        >>> read_card(data_folder("checkpoints") / "budew-base").trained_on
        'recordings of people'
    """
    given = default_checkpoint() if name_or_dir is None else name_or_dir
    folder = Path(given).expanduser()
    name = folder_name(folder) if folder.is_dir() else str(given)
    trained_on = _content(given, "generation_config.json", name).get("trained_on")
    found = _content(given, RESULTS, name)
    results = validated(_ResultsFile, found, name=f"{name}: {RESULTS}").results if found else ()
    return CheckpointCard(name, trained_on if trained_on in get_args(TrainedOn) else None, results)


def write_card(folder: Path, template: str, **values: Any) -> None:
    """Write the model card of a folder with weights, `README.md`, from a template, see `render_card`."""
    (folder / CARD).write_text(render_card(template, **values), encoding="utf-8")


def write_export_card(folder: Path, model: str | Path | None, library: str) -> None:
    """Write the model card of an exported checkpoint, with the card and the training clips of the original.

    Args:
        folder: folder of the export.
        model: folder or hub id of the original; None for the default.
        library: name of the library that the export is for.
    """
    source, name = find_checkpoint(model)
    if (source / TRAINED_CLIPS).is_file():
        shutil.copy(source / TRAINED_CLIPS, folder)
    original = (source / CARD).read_text("utf-8", errors="replace") if (source / CARD).is_file() else ""
    front = _FRONT_MATTER.match(original)
    stated = re.search(r"^license: .*", front[1], re.MULTILINE) if front else None
    write_card(
        folder,
        "exported",
        name=name,
        library=library,
        license=stated[0] if stated else "",
        training=read_card(source).training,
        original=original[front.end() if front else 0 :].strip(),
    )


def _content(given: str | Path, file: str, name: str) -> dict[str, Any]:
    """Return the object in a JSON file of a checkpoint; an empty object if the file is missing."""
    folder = Path(given).expanduser()
    path = folder / file if folder.is_dir() else try_to_load_from_cache(str(given), file)
    if not isinstance(path, str | Path) or not Path(path).is_file():
        return {}
    return read_json(Path(path), name)
