"""Embeddings of images by the vision encoder of a SigLIP; those of a corpus are computed once and stored.

A folder of embeddings has `embeddings.f16` (images × width), `images.jsonl` with the hash of each image, and
`encoder.json`. An interrupted run is resumed after the last complete image: the corpus is read again, but no
image is encoded twice. An image that occurs several times, as in a table with one row per rater, is stored
once, with the labels of all its rows.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoImageProcessor, SiglipVisionModel

from budew.corpora.clip import Clip
from budew.corpora.media import IMAGE
from budew.corpora.sources import read
from budew.errors import CheckpointError, CorpusError, OnBad, first_line, report
from budew.faces.face_labels import Demographics, demographics_of, face_answers, mean_ratings
from budew.faces.images import open_image
from budew.io.disk import disk_errors
from budew.model.checkpoint import choose_device, hub_folder, is_on_hub
from budew.model.quiet import quiet_transformers

if TYPE_CHECKING:
    from PIL.Image import Image

PUBLISHED = "google/siglip2-so400m-patch16-384"
"""Encoder of the published heads."""
_ENCODER_FILES = ("*.json", "*.safetensors")
_STATES, _IMAGES, _MADE_BY = "embeddings.f16", "images.jsonl", "encoder.json"


@dataclass(frozen=True, slots=True)
class ImageEncoder:
    """The vision encoder of a SigLIP (`module`), its `processor`, and the `name` of the checkpoint."""

    module: Any
    processor: Any
    name: str

    @property
    def width(self) -> int:
        """Number of values of an embedding."""
        return int(self.module.config.hidden_size)

    def embed(self, images: Sequence["Image"]) -> Tensor:
        """Return the pooled embeddings of RGB images, (images, width), float32, not normalized."""
        pixels = self.processor(images=list(images), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            pooled: Tensor = self.module(pixels.to(self.module.device, self.module.dtype)).pooler_output
        return pooled.float()


def load_image_encoder(name_or_dir: str | Path | None = None, *, device: str | None = None) -> ImageEncoder:
    """Load the vision encoder of a SigLIP or SigLIP2 of fixed resolution, in float16 on a GPU, else float32.

    Args:
        name_or_dir: folder or hub id; None for the encoder of the published heads.
        device: "cpu", "cuda", "cuda:1"...; None for the first GPU, or the CPU without one.

    Raises:
        CheckpointError: the checkpoint cannot be found, it is not a SigLIP, or the device does not exist.
    """
    name, target = str(name_or_dir or PUBLISHED), choose_device(device)
    if is_on_hub(name):
        folder = hub_folder(name, _ENCODER_FILES)
    elif (folder := Path(name).expanduser()).is_dir():
        name = str(folder.resolve())  # absolute, because it is written into heads.json
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
            f"{name} cannot be loaded as a SigLIP image encoder ({first_line(error)[:200]}): choose another"
        ) from error
    if info["missing_keys"]:
        raise CheckpointError(f"{name} has no SigLIP image encoder: choose another checkpoint")
    return ImageEncoder(module.eval().to(target), processor, name)


@dataclass(frozen=True, slots=True)
class Face:
    """An image of a face with its labels.

    Attributes:
        id: id of the first clip with this image.
        sha256: hash of the bytes of the image.
        ratings: emotion or dimension → mean rating over the raters of this image, or what else was chosen.
        demographics: demographics from the prompt or the metadata.
    """

    id: str
    sha256: str
    ratings: dict[str, float]
    demographics: Demographics


@dataclass(frozen=True, slots=True)
class FaceEmbeddings:
    """Embeddings of a corpus: `states`, (images, width), float16, and `faces` in the same order.

    `states` is mapped from the file.
    """

    states: NDArray[np.float16]
    faces: tuple[Face, ...]


def embed_corpus(
    corpus: str | Path,
    encoder: ImageEncoder,
    folder: Path,
    *,
    label: Callable[[Sequence[Mapping[str, float]]], dict[str, float]] = mean_ratings,
    batch_size: int = 32,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> FaceEmbeddings:
    """Compute the embeddings of the images of a corpus and store them in a folder, or resume an earlier run.

    Args:
        corpus: what `budew.read` takes, with images.
        encoder: image encoder that computes the embeddings.
        folder: folder for the embeddings; created if it is missing.
        label: converts the answers of all raters of an image to its ratings.
        batch_size: number of images encoded at once.
        on_bad: called with the error of each image that cannot be read; without it the first is raised.
        progress: called with the number of images encoded so far.

    Raises:
        CheckpointError: the folder has embeddings by another encoder, or of another corpus.
        CorpusError: the corpus cannot be read.
        JobError: the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with disk_errors(folder):
        note = {"encoder": encoder.name, "width": encoder.width, "corpus": str(corpus)}
        _check_origin(folder / _MADE_BY, note)
        rows = {digest: number for number, digest in enumerate(_complete_images(folder, encoder.width))}
        ratings: dict[str, list[dict[str, float]]] = {}
        details: dict[str, tuple[str, Demographics]] = {}

        def new_images() -> Iterator[tuple[str, Clip, "Image"]]:
            for clip in read(corpus, media=IMAGE, on_bad=on_bad):
                try:
                    digest = hashlib.sha256(clip.encoded()).hexdigest()
                    image = None if digest in rows or digest in details else open_image(clip)
                    ratings.setdefault(digest, []).extend(face_answers(clip))
                except CorpusError as error:
                    report(error, on_bad)
                    continue
                details.setdefault(digest, (clip.id, demographics_of(clip)))
                if image is not None:
                    yield digest, clip, image

        images = new_images()
        with (folder / _STATES).open("ab") as states, (folder / _IMAGES).open("a", encoding="utf-8") as lines:
            while batch := list(islice(images, batch_size)):
                embeddings = encoder.embed([image for *_, image in batch]).cpu().numpy().astype("<f2")
                states.write(embeddings.tobytes())
                states.flush()
                for digest, clip, _ in batch:
                    rows[digest] = len(rows)
                    lines.write(json.dumps({"sha256": digest, "id": clip.id}) + "\n")
                lines.flush()
                if progress:
                    progress(len(rows))
    if rows.keys() - details.keys():
        raise CheckpointError(
            f"{folder} has embeddings of images that are not in {corpus}: use another folder"
        )
    faces = tuple(
        Face(details[digest][0], digest, label(ratings[digest]), details[digest][1]) for digest in rows
    )
    shape = (len(rows), encoder.width)
    mapped = np.memmap(folder / _STATES, "<f2", "r", shape=shape) if rows else np.zeros(shape, np.float16)
    return FaceEmbeddings(mapped, faces)


def _check_origin(file: Path, note: dict[str, Any]) -> None:
    if not file.exists():
        file.write_text(json.dumps(note) + "\n", encoding="utf-8")
    elif json.loads(file.read_text(encoding="utf-8")) != note:
        raise CheckpointError(
            f"{file.parent} has embeddings by another encoder, or of another corpus: use another folder"
        )


def _complete_images(folder: Path, width: int) -> list[str]:
    """Return the hashes of the images that are complete in both files, and truncate these after them."""
    states, lines = folder / _STATES, folder / _IMAGES
    states.touch()
    lines.touch()
    whole = [line for line in lines.read_text(encoding="utf-8").splitlines(keepends=True) if line[-1] == "\n"]
    count = min(states.stat().st_size // (2 * width), len(whole))
    with states.open("r+b") as file:
        file.truncate(count * 2 * width)
    lines.write_text("".join(whole[:count]), encoding="utf-8")
    return [json.loads(line)["sha256"] for line in whole[:count]]
