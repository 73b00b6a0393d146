"""Empathic Insight-Face: scores of an image by heads on its embedding, 0–7 for emotions.

The encoder runs once for all heads, and heads of the same shape are one batched product: 40 large heads take
0.1 % of the encoder's operations. As published, `mean_subtracted` of a head is its score minus its mean over
neutral faces (a JSON file beside the heads), and `softmax` is the softmax of `mean_subtracted` over the
emotions.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from budew.corpora.clip import Clip
from budew.corpora.text_files import read_json_object
from budew.errors import CheckpointError, CorpusError, JobError, OnBad, first_line, report
from budew.faces.embeddings import ImageEncoder, load_image_encoder
from budew.faces.face_labels import canonical_name, face_names, scale_of
from budew.faces.images import open_image
from budew.heads.head_files import head_notes, load_heads
from budew.heads.networks import Head, HeadStack
from budew.model.checkpoint import hub_folder, is_on_hub
from budew.taxonomy import EMOTIONS
from budew.taxonomy.rating_scales import to_intensity

if TYPE_CHECKING:
    from PIL.Image import Image

_HEAD_FILES = ("*.pth", "*.safetensors", "*.json")
DIGITS = 6


@dataclass(frozen=True, slots=True)
class FaceScores:
    """Scores of one image in the published forms; each mapping is by name of the head, see `face_names`.

    Attributes:
        id: id of the image.
        raw: outputs of the heads: emotions on about 0–7, dimensions on the scale of each.
        mean_subtracted: `raw` minus the means over neutral faces; equal to `raw` if no means are known.
        softmax: softmax of `mean_subtracted` over the emotions; without dimensions.
    """

    id: str
    raw: Mapping[str, float]
    mean_subtracted: Mapping[str, float]
    softmax: Mapping[str, float]

    @classmethod
    def of_raw(cls, id: str, raw: Mapping[str, float], neutral: Mapping[str, float]) -> "FaceScores":
        """Compute the other forms of the scores from the outputs of the heads, `raw`.

        `neutral` has the mean score of each head over neutral faces; 0 for heads that are missing in it.

        Example:
            >>> scores = FaceScores.of_raw("a.png", {"Awe": 3.0, "Fear": 1.0}, {"Awe": 2.0})
            >>> scores.mean_subtracted, scores.softmax
            ({'Awe': 1.0, 'Fear': 1.0}, {'Awe': 0.5, 'Fear': 0.5})
        """
        less = {name: value - neutral.get(name, 0.0) for name, value in raw.items()}
        emotions = [name for name in less if name in EMOTIONS]
        shares = torch.tensor([less[name] for name in emotions], dtype=torch.float64).softmax(0).tolist()
        return cls(id, dict(raw), less, dict(zip(emotions, shares, strict=True)))

    @property
    def intensities(self) -> dict[str, float]:
        """Raw scores of emotions, clipped to their scale and converted to intensities in [0, 1]."""
        return {
            name: round(to_intensity(scale_of(name).clipped(value), scale_of(name)), DIGITS)
            for name, value in self.raw.items()
            if name in EMOTIONS
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as a line of the published files, to which each head adds its `intensity`."""
        intensities = self.intensities
        results = {
            head_name(name): {
                "raw": round(value, DIGITS),
                "mean_subtracted": round(self.mean_subtracted[name], DIGITS),
                "softmax": round(self.softmax[name], 10) if name in self.softmax else None,
                "intensity": intensities.get(name),
            }
            for name, value in self.raw.items()
        }
        return {"image_path": self.id, "results": results}


def head_name(name: str) -> str:
    """Return the name that published files have for the head of an emotion or dimension.

    Example:
        >>> head_name("Astonishment/Surprise")
        'model_astonishment_surprise_best'
    """
    written = face_names().get(name, name).lower().replace(" ", "_").replace("/", "_")
    return f"model_{written}_best"


class FaceScorer:
    """Scores the emotions of faces in images, with an image encoder and regression heads."""

    def __init__(
        self, encoder: ImageEncoder, heads: Sequence[Head], neutral: Mapping[str, float] | None = None
    ) -> None:
        """Stack the heads on the device of the encoder.

        Args:
            encoder: image encoder; heads need as many inputs as it has outputs.
            heads: heads with names of `face_names`.
            neutral: mean score of each head over neutral faces; None if unknown.

        Raises:
            CheckpointError: a head has another number of inputs.
        """
        self.encoder, self.neutral = encoder, dict(neutral or {})
        by_shape: dict[tuple[Any, ...], list[Head]] = {}
        for head in heads:
            if head.inputs != encoder.width:
                raise CheckpointError(
                    f"{head.name}: takes {head.inputs:,} numbers, {encoder.name} gives {encoder.width:,}: "
                    "specify the encoder that the heads were trained on"
                )
            by_shape.setdefault(tuple(weight.shape for weight, _ in head.layers), []).append(head)
        self._names = tuple(head.name for group in by_shape.values() for head in group)
        device = encoder.module.device
        self._stacks = [HeadStack.of_heads(group).to(device).eval() for group in by_shape.values()]

    @classmethod
    def from_pretrained(
        cls, model: str | Path, *, encoder: str | Path | None = None, device: str | None = None
    ) -> "FaceScorer":
        """Load heads and their encoder.

        Args:
            model: folder with `model_<name>_best.pth`, or a hub id such as laion/Empathic-Insight-Face-Large.
            encoder: SigLIP, a folder or a hub id; None for the one in `heads.json`, else that of the
                published heads.
            device: "cpu", "cuda", "cuda:1"...; None for the first GPU, or the CPU without one.

        Raises:
            CheckpointError: heads or encoder cannot be loaded, or the encoder has another width.
        """
        folder = hub_folder(str(model), _HEAD_FILES) if is_on_hub(model) else Path(model).expanduser()
        heads = load_face_heads(folder)
        noted = (head_notes(folder) or {}).get("encoder")
        return cls(load_image_encoder(encoder or noted, device=device), heads, neutral_means(folder, heads))

    def scores_of_embeddings(self, embeddings: Tensor) -> dict[str, Tensor]:
        """Return name of the head → scores (images,) for embeddings (images, width)."""
        with torch.inference_mode():
            scores = torch.cat([stack(embeddings) for stack in self._stacks])
        return dict(zip(self._names, scores, strict=True))

    def score(self, ids: Sequence[str], images: Sequence["Image"]) -> list[FaceScores]:
        """Return the scores of a batch of RGB images with these ids."""
        found = self.scores_of_embeddings(self.encoder.embed(images))
        columns = {name: scores.double().tolist() for name, scores in found.items()}
        return [
            FaceScores.of_raw(id, {name: column[row] for name, column in columns.items()}, self.neutral)
            for row, id in enumerate(ids)
        ]

    def score_clips(
        self, clips: Iterable[Clip], *, batch_size: int = 32, on_bad: OnBad | None = None
    ) -> Iterator[tuple[Clip, FaceScores]]:
        """Score images in order; yield each clip with its scores.

        Args:
            clips: clips with images.
            batch_size: number of images in a batch.
            on_bad: called with the error of each image that cannot be read; without it the first is raised.

        Raises:
            JobError: the encoder failed, for example for lack of memory.
        """

        def images() -> Iterator[tuple[Clip, "Image"]]:
            for clip in clips:
                try:
                    yield clip, open_image(clip)
                except CorpusError as error:
                    report(error, on_bad)

        opened = images()
        while batch := list(islice(opened, batch_size)):
            try:
                scores = self.score([clip.id for clip, _ in batch], [image for _, image in batch])
            except (RuntimeError, MemoryError) as error:
                raise JobError(
                    f"{len(batch)} images cannot be scored on {self.encoder.module.device} "
                    f"({first_line(error)[:200]}): use a smaller --batch-size, or another --device"
                ) from error
            yield from zip((clip for clip, _ in batch), scores, strict=True)


def load_face_heads(folder: Path) -> list[Head]:
    """Load the heads in a folder whose names are in `face_names`; other heads are ignored.

    Raises:
        CheckpointError: there are no heads, a file is not a head, or no head is for an emotion.
    """
    known = {name.casefold(): name for name in face_names()}
    heads = []
    for head in load_heads(folder):
        name = known.get(head.name.casefold().replace("_", " "))
        if name:
            heads.append(Head(name, head.network))
    if not any(head.name in EMOTIONS for head in heads):
        raise CheckpointError(f"{folder} has no head of an emotion: download the heads again")
    return heads


def neutral_means(folder: Path, heads: Sequence[Head]) -> dict[str, float] | None:
    """Read the mean scores over neutral faces from `*neutral*.json` beside the heads; None without a file.

    The file has a number for each head, or an object with `mean`.

    Raises:
        CheckpointError: there are several files, or the file cannot be read or lacks a head.
    """
    files = sorted(folder.glob("*neutral*.json"))
    if not files:
        return None
    if len(files) > 1:
        raise CheckpointError(
            f"{folder} has several files of neutral means, such as {files[1].name}: keep one"
        )
    means: dict[str, float] = {}
    try:
        for key, value in read_json_object(files[0]).items():
            name = canonical_name(key.removeprefix("model_").removesuffix("_best"))
            means[name] = float(value["mean"] if isinstance(value, Mapping) else value)
    except (CorpusError, KeyError, TypeError, ValueError) as error:
        fault = f"the file contains no means ({first_line(error)}): download it again"
        raise CheckpointError(f"{files[0]}: {fault}") from error
    if missing := [head.name for head in heads if head.name not in means]:
        raise CheckpointError(f"{files[0]}: has no mean of {', '.join(missing[:3])}: download it again")
    return means


def write_neutral_means(folder: Path, means: Mapping[str, float]) -> None:
    """Write mean scores over neutral faces into `neutral_means.json`, beside the heads in `folder`."""
    text = json.dumps({head_name(name): {"mean": value} for name, value in means.items()}, indent=1)
    (folder / "neutral_means.json").write_text(text + "\n", encoding="utf-8")
