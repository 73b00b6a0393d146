"""Empathic Insight-Face: image → embedding (SigLIP2) → a score from each head, 0–7 for an emotion.

One pass of the encoder serves all heads, and heads of one shape are one batched product: 40 of the large size
take 0.1 % of the encoder's operations. As published, a head's `mean_subtracted` is its score less its mean
over neutral faces (a JSON file beside the heads), and `softmax` is over the emotions of these.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from budew.annotation.head_files import Head, load_heads, notes_on
from budew.annotation.head_stack import HeadStack
from budew.corpora.clip import Clip
from budew.corpora.text_files import read_json_object
from budew.errors import CheckpointError, CorpusError, JobError, OnBad, first_line, report
from budew.faces.images import open_image
from budew.faces.labels import face_names, named, scale_of
from budew.model.checkpoint import choose_device, download, is_on_hub
from budew.model.quiet import quiet_transformers
from budew.taxonomy import EMOTIONS
from budew.taxonomy.scales import to_intensity

if TYPE_CHECKING:
    from PIL.Image import Image

PUBLISHED = "google/siglip2-so400m-patch16-384"
"""The encoder under the published heads."""
DOWNLOADED = ("*.pth", "*.safetensors", "*.json")
"""Of a repository of heads."""
ENCODER_FILES = ("*.json", "*.safetensors")
"""Of a repository of an image encoder."""
DIGITS = 6


@dataclass(frozen=True, slots=True)
class ImageEncoder:
    """The vision half of a SigLIP, and its processor; `width` numbers are an embedding."""

    module: Any
    processor: Any
    name: str

    @property
    def width(self) -> int:
        """Return the size of an embedding."""
        return int(self.module.config.hidden_size)

    def embed(self, images: Sequence["Image"]) -> Tensor:
        """Return the pooled embeddings of RGB images, (images, width), float32, not normalized."""
        pixels = self.processor(images=list(images), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            pooled: Tensor = self.module(pixels.to(self.module.device, self.module.dtype)).pooler_output
        return pooled.float()


def load_image_encoder(name_or_dir: str | Path | None = None, *, device: str | None = None) -> ImageEncoder:
    """Load the vision half of a SigLIP or SigLIP2 of fixed resolution.

    Args:
        name_or_dir: folder or hub id; None for that of the published heads.
        device: as of `load_checkpoint`; in float16 on cuda, else float32.

    Raises:
        CheckpointError: there is none, it is another model, or no such device.
    """
    from transformers import AutoImageProcessor, SiglipVisionModel

    name, target = str(name_or_dir or PUBLISHED), choose_device(device)
    if is_on_hub(name):
        folder = download(name, ENCODER_FILES)
    elif (folder := Path(name).expanduser()).is_dir():
        name = str(folder.resolve())  # heads note it, and are used from elsewhere
    else:
        raise CheckpointError(f"{name}: no such folder, and not a hub id of the form owner/name")
    dtype = torch.float16 if target.type == "cuda" else torch.float32
    try:
        with quiet_transformers():
            processor = AutoImageProcessor.from_pretrained(folder)
            module, info = SiglipVisionModel.from_pretrained(
                folder, dtype=dtype, use_safetensors=True, output_loading_info=True
            )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise CheckpointError(
            f"{name}: cannot be loaded as a SigLIP image encoder ({first_line(error)[:200]}): choose another"
        ) from error
    if info["missing_keys"]:
        raise CheckpointError(f"{name}: has no SigLIP image encoder: choose another")
    return ImageEncoder(module.eval().to(target), processor, name)


@dataclass(frozen=True, slots=True)
class FaceScores:
    """Scores of one image by name of the head (`face_names`), as published.

    Attributes:
        id: of the image.
        raw: as the head gives them: emotions on about 0–7, dimensions on their own scales.
        mean_subtracted: less the mean over neutral faces; the same where there is none beside the heads.
        softmax: of emotions, over all of them; dimensions have none.
    """

    id: str
    raw: Mapping[str, float]
    mean_subtracted: Mapping[str, float]
    softmax: Mapping[str, float]

    @property
    def intensities(self) -> dict[str, float]:
        """Return the raw scores of emotions as intensities in [0, 1]; what leaves the scale is clipped."""
        scored = {name: value for name, value in self.raw.items() if name in EMOTIONS}
        return {
            name: round(to_intensity(scale_of(name).clipped(value), scale_of(name)), DIGITS)
            for name, value in scored.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Return a line of the published form; `intensity` is ours."""
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
    """Return what the published files call the head of an emotion or dimension: `model_elation_best`."""
    written = face_names().get(name, name).lower().replace(" ", "_").replace("/", "_")
    return f"model_{written}_best"


class FaceScorer:
    """Heads on an image encoder, ready to score."""

    def __init__(
        self, encoder: ImageEncoder, heads: Sequence[Head], neutral: Mapping[str, float] | None = None
    ) -> None:
        """Stack the heads.

        Args:
            encoder: with as many outputs as the heads have inputs.
            heads: by `face_names`.
            neutral: mean score of each over neutral faces; None for none.

        Raises:
            CheckpointError: a head takes another number of inputs.
        """
        self.encoder, self.neutral = encoder, dict(neutral or {})
        shapes: dict[tuple[Any, ...], list[Head]] = {}
        for head in heads:
            if head.inputs != encoder.width:
                raise CheckpointError(
                    f"{head.name}: takes {head.inputs:,} numbers, {encoder.name} gives {encoder.width:,}: "
                    "specify the encoder that the heads were trained on"
                )
            shapes.setdefault(tuple(weight.shape for weight, _ in head.layers), []).append(head)
        self._names = tuple(head.name for some in shapes.values() for head in some)
        device = encoder.module.device
        self._stacks = [HeadStack.of(some).to(device).eval() for some in shapes.values()]

    @classmethod
    def from_pretrained(
        cls, model: str | Path, *, encoder: str | Path | None = None, device: str | None = None
    ) -> "FaceScorer":
        """Load heads, and the encoder that is noted beside them, else that of the published ones.

        Args:
            model: folder with `model_<name>_best.pth`, or a hub id such as laion/Empathic-Insight-Face-Large.
            encoder, device: as of `load_image_encoder`.

        Raises:
            CheckpointError: heads or encoder cannot be loaded, or do not fit each other.
        """
        folder = heads_folder(model)
        heads = load_face_heads(folder)
        noted = (notes_on(folder) or {}).get("encoder")
        return cls(load_image_encoder(encoder or noted, device=device), heads, neutral_means(folder, heads))

    def heads_of(self, embeddings: Tensor) -> dict[str, Tensor]:
        """Return the scores (images,) of each head, of embeddings (images, width)."""
        with torch.inference_mode():
            scores = torch.cat([stack(embeddings) for stack in self._stacks])
        return dict(zip(self._names, scores, strict=True))

    def score(self, ids: Sequence[str], images: Sequence["Image"]) -> list[FaceScores]:
        """Return the scores of a batch of RGB images."""
        found = self.heads_of(self.encoder.embed(images))
        columns = {name: scores.double().tolist() for name, scores in found.items()}
        return [
            published_scores(id, {name: column[row] for name, column in columns.items()}, self.neutral)
            for row, id in enumerate(ids)
        ]

    def score_clips(
        self, clips: Iterable[Clip], *, batch_size: int = 32, on_bad: OnBad | None = None
    ) -> Iterator[tuple[Clip, FaceScores]]:
        """Score images in their order; those that cannot be read are reported.

        Raises:
            JobError: the encoder failed, for lack of memory for example.
        """
        images = opened(clips, on_bad)
        while batch := list(islice(images, batch_size)):
            try:
                scores = self.score([clip.id for clip, _ in batch], [image for _, image in batch])
            except (RuntimeError, MemoryError) as error:
                raise JobError(
                    f"{len(batch)} images cannot be scored on {self.encoder.module.device} "
                    f"({first_line(error)[:200]}): use a smaller --batch-size, or another --device"
                ) from error
            yield from zip((clip for clip, _ in batch), scores, strict=True)


def published_scores(id: str, raw: Mapping[str, float], neutral: Mapping[str, float]) -> FaceScores:
    """Return the scores of an image with what is computed of them."""
    less = {name: value - neutral.get(name, 0.0) for name, value in raw.items()}
    emotions = [name for name in less if name in EMOTIONS]
    shares = torch.tensor([less[name] for name in emotions], dtype=torch.float64).softmax(0).tolist()
    return FaceScores(id, dict(raw), less, dict(zip(emotions, shares, strict=True)))


def opened(clips: Iterable[Clip], on_bad: OnBad | None) -> Iterator[tuple[Clip, "Image"]]:
    """Yield each image with its clip; report those that cannot be read."""
    for clip in clips:
        try:
            yield clip, open_image(clip)
        except CorpusError as error:
            report(error, on_bad)


def heads_folder(model: str | Path) -> Path:
    """Return the folder of heads, downloaded from the hub if need be.

    Raises:
        CheckpointError: there is none.
    """
    return download(str(model), DOWNLOADED) if is_on_hub(model) else Path(model).expanduser()


def load_face_heads(folder: Path) -> list[Head]:
    """Return the heads in a folder by `face_names`, others left out.

    Raises:
        CheckpointError: as of `load_heads`, or none is of an emotion.
    """
    known = {name.casefold(): name for name in face_names()}
    named_heads = ((known.get(head.name.casefold().replace("_", " ")), head) for head in load_heads(folder))
    heads = [Head(name, head.layers) for name, head in named_heads if name]
    if not any(head.name in EMOTIONS for head in heads):
        raise CheckpointError(f"{folder}: no head of an emotion is in it: download the heads again")
    return heads


def neutral_means(folder: Path, heads: Sequence[Head]) -> dict[str, float] | None:
    """Return the mean scores over neutral faces from `*neutral*.json` beside the heads; None without one.

    It has a number for each head, or an object with `mean`.

    Raises:
        CheckpointError: there are several, it cannot be read, or lacks a head.
    """
    files = sorted(folder.glob("*neutral*.json")) if folder.is_dir() else []
    if len(files) > 1:
        raise CheckpointError(f"{folder}: several files of neutral means, such as {files[1].name}: keep one")
    for file in files:
        try:
            means = {named_head(key): _mean(value) for key, value in read_json_object(file).items()}
        except (CorpusError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{file}: holds no means ({first_line(error)}): download it again"
            ) from error
        if missing := [head.name for head in heads if head.name not in means]:
            raise CheckpointError(f"{file}: has no mean of {', '.join(missing[:3])}: download it again")
        return means
    return None


def named_head(key: str) -> str:
    """Return what a head scores, by its published name or any spelling; CorpusError for something else."""
    return named(key.removeprefix("model_").removesuffix("_best"))


def _mean(value: Any) -> float:
    return float(value["mean"] if isinstance(value, Mapping) else value)


def write_neutral_means(folder: Path, means: Mapping[str, float]) -> None:
    """Write mean scores over neutral faces beside heads."""
    text = json.dumps({head_name(name): {"mean": value} for name, value in means.items()}, indent=1)
    (folder / "neutral_means.json").write_text(text + "\n", encoding="utf-8")
