"""Embeddings of a corpus of faces with their labels, computed once: float16 in a file that is mapped.

A folder has `embeddings.f16` (images × width), `images.jsonl` with what is known of each image, and
`encoder.json`. Interrupted work continues behind the last complete image: the corpus is read again, but no
image is encoded twice. An image that comes again, as in a table with a row for each rater, is one row; its
labels are joined.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from budew.corpora.clip import Clip
from budew.corpora.media import IMAGE
from budew.corpora.sources import read
from budew.errors import CheckpointError, CorpusError, OnBad, report
from budew.faces.images import open_image
from budew.faces.labels import Demographics, demographics_of, mean_ratings, targets_of
from budew.faces.scoring import ImageEncoder
from budew.io.disk import disk_errors

if TYPE_CHECKING:
    from PIL.Image import Image

STATES, IMAGES, MADE_BY = "embeddings.f16", "images.jsonl", "encoder.json"


@dataclass(frozen=True, slots=True)
class Face:
    """What is known of an image.

    Attributes:
        id: of its first row.
        sha256: of its bytes.
        targets: mean rating by name over its rows, see `targets_of`.
        demographics: that its prompt asks for.
    """

    id: str
    sha256: str
    targets: dict[str, float]
    demographics: Demographics


@dataclass(frozen=True, slots=True)
class Embedded:
    """A corpus, embedded: `states` (images, width), float16, mapped; and the images, in the same order."""

    states: NDArray[np.float16]
    faces: tuple[Face, ...]
    encoder: str


def embed_corpus(
    corpus: str | Path,
    encoder: ImageEncoder,
    folder: Path,
    *,
    batch_size: int = 32,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> Embedded:
    """Embed the images of a corpus into a folder, or continue with it.

    Args:
        corpus: what `budew.read` takes, with images.
        folder: made if it is not there.
        batch_size: images encoded at once.
        on_bad: called with the error of each image that cannot be read; without it the first is raised.
        progress: called with the number of images that are done.

    Raises:
        CheckpointError: the folder has embeddings by another encoder, or of another corpus.
        CorpusError: the corpus cannot be read.
        JobError: the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note = {"encoder": encoder.name, "width": encoder.width, "corpus": str(corpus)}
    with disk_errors(folder):
        _claim(folder / MADE_BY, note)
        known = _complete(folder, encoder.width)
        rows = {digest: number for number, digest in enumerate(known)}
        answers: dict[str, list[dict[str, float]]] = {}
        details: dict[str, tuple[str, Demographics]] = {}

        def fresh() -> Iterator[tuple[str, Clip, "Image"]]:
            for clip in read(corpus, media=IMAGE, on_bad=on_bad):
                try:
                    digest = hashlib.sha256(clip.encoded()).hexdigest()
                    image = None if digest in rows or digest in details else open_image(clip)
                    answers.setdefault(digest, []).append(targets_of(clip))
                except CorpusError as error:
                    report(error, on_bad)
                    continue
                details.setdefault(digest, (clip.id, demographics_of(clip)))
                if image is not None:
                    yield digest, clip, image

        images = fresh()
        with (folder / STATES).open("ab") as states, (folder / IMAGES).open("a", encoding="utf-8") as lines:
            while batch := list(islice(images, batch_size)):
                made = encoder.embed([image for *_, image in batch]).cpu().numpy().astype("<f2")
                states.write(made.tobytes())
                states.flush()
                for digest, clip, _ in batch:
                    rows[digest] = len(rows)
                    lines.write(json.dumps({"sha256": digest, "id": clip.id}) + "\n")
                lines.flush()
                if progress:
                    progress(len(rows))
    if rows.keys() - details.keys():
        raise CheckpointError(
            f"{folder}: has embeddings of images that are not in {corpus}: use another folder"
        )
    faces = tuple(
        Face(details[digest][0], digest, mean_ratings(answers[digest]), details[digest][1]) for digest in rows
    )
    shape = (len(rows), encoder.width)
    mapped = np.memmap(folder / STATES, "<f2", "r", shape=shape) if rows else np.zeros(shape, np.float16)
    return Embedded(mapped, faces, encoder.name)


def _claim(file: Path, note: dict[str, Any]) -> None:
    if not file.exists():
        file.write_text(json.dumps(note) + "\n", encoding="utf-8")
    elif json.loads(file.read_text(encoding="utf-8")) != note:
        raise CheckpointError(
            f"{file.parent}: has embeddings by another encoder, or of another corpus: use another folder"
        )


def _complete(folder: Path, width: int) -> list[str]:
    """Return the hashes of the images that are complete in both files, which are cut behind them."""
    states, lines = folder / STATES, folder / IMAGES
    states.touch()
    lines.touch()
    whole = [line for line in lines.read_text(encoding="utf-8").splitlines(keepends=True) if line[-1] == "\n"]
    count = min(states.stat().st_size // (2 * width), len(whole))
    with states.open("r+b") as file:
        file.truncate(count * 2 * width)
    lines.write_text("".join(whole[:count]), encoding="utf-8")
    return [row["sha256"] for row in map(json.loads, whole[:count])]
