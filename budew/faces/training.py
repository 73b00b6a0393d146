"""Train heads on embeddings of faces: first on many weak labels, then on the few of experts.

As published: EmoNet-Face Big (labels by a model, 0–7), then Binary (experts: present or absent), with the
layers of the large heads. Our reading of what the paper leaves open: present is 7 and absent 0, averaged over
raters; the second stage goes on from the heads of the first, at a tenth of the rate, and trains others from
the start. Validation images decide when a head stops; score the result on HQ with `budew benchmark
emonet-face-hq`.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jinja2 import Environment, StrictUndefined

from budew.annotation.encoder_states import Encoded
from budew.annotation.head_files import NOTES, Head, check_unused, put, save_heads
from budew.annotation.head_stack import Fitting
from budew.annotation.train_heads import FEWEST, FEWEST_TO_CHECK, MEMORY, Quality, fit_heads
from budew.errors import CorpusError, OnBad
from budew.faces.embeddings import Embedded, embed_corpus
from budew.faces.labels import face_names
from budew.faces.scoring import FaceScorer, ImageEncoder, head_name, write_neutral_means
from budew.io.disk import disk_errors, temporary_folder
from budew.io.resources import data_folder
from budew.taxonomy import EMOTIONS
from budew.version import __version__

LARGE, SMALL = (1024, 512, 256), (128, 32)
"""Widths of Empathic Insight-Face-Large and -Small."""
NAMES = tuple(face_names())
NEUTRAL = 1.0
"""Of 7: a face of which all emotions are rated, and none higher, is neutral."""
FEWEST_NEUTRAL = 20


@dataclass(frozen=True, slots=True)
class TrainedHeads:
    """Heads, and how well each predicts validation images, by stage ("weak", "expert")."""

    heads: tuple[Head, ...]
    quality: dict[str, dict[str, Quality]]
    images: dict[str, int]
    neutral: int


def train_face_heads(
    out: Path,
    encoder: ImageEncoder,
    *,
    weak: str | Path | None = None,
    expert: str | Path | None = None,
    cache: Path | None = None,
    fitting: Fitting | None = None,
    batch_size: int = 32,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> TrainedHeads:
    """Train heads and save them in the published layout in the new folder `out`.

    Args:
        out: gets `model_<name>_best.pth`, `heads.safetensors`, `heads.json`, and `neutral_means.json` where
            there are neutral faces among the images.
        encoder: of the images.
        weak, expert: corpora of images with labels, see `budew.faces.labels`; at least one.
        cache: folder for the embeddings, which are kept; `out` with `-embeddings` by default.
        fitting: of the first stage; widths are `LARGE` or `SMALL`.
        batch_size, on_bad, progress: as of `embed_corpus`.

    Raises:
        CheckpointError: `out` is in use, or the cache is another's.
        CorpusError: a corpus cannot be read, or no head can be trained.
        JobError: the disk is full.
    """
    check_unused(out)
    how = fitting or Fitting(widths=LARGE, batch=256)
    heads: list[Head] = []
    quality: dict[str, dict[str, Quality]] = {}
    images: dict[str, Embedded] = {}
    for stage, corpus in (("weak", weak), ("expert", expert)):
        if corpus is None:
            continue
        place = (cache or out.with_name(f"{out.name}-embeddings")) / stage
        images[stage] = found = embed_corpus(
            corpus, encoder, place, batch_size=batch_size, on_bad=on_bad, progress=progress
        )
        fitted = list(_fitted(encoded(found), how, heads))
        quality[stage] = {head.name: score for head, score in fitted}
        better = {head.name: head for head, score in fitted if score.r2 > 0}
        kept = {head.name: head for head in heads} | better
        heads = [kept[name] for name in NAMES if name in kept]
    if not heads:
        raise CorpusError(
            f"{weak or expert}: no head can be trained: it takes {FEWEST} images with an emotion and "
            f"{FEWEST_TO_CHECK} to validate it, that are predicted better than by the mean: label more images"
        )
    scorer = FaceScorer(encoder, heads)
    means, neutral = neutral_scores(scorer, list(images.values()))
    out.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(out.parent) as scratch, disk_errors(out):
        made = scratch / "heads"
        made.mkdir()
        save_heads(heads, made, names=lambda name: f"{head_name(name)}.pth", of_faces=True)
        if means:
            write_neutral_means(made, means)
        notes = {
            "made_by": f"budew {__version__}",
            "encoder": encoder.name,
            "fitting": asdict(how),
            "images": {stage: len(found.faces) for stage, found in images.items()},
            "neutral_images": neutral,
            "heads": {
                stage: {name: asdict(one) for name, one in row.items()} for stage, row in quality.items()
            },
        }
        (made / NOTES).write_text(json.dumps(notes, indent=1) + "\n", encoding="utf-8")
        (made / "README.md").write_text(_card(notes), encoding="utf-8")
        put(made, out)
    return TrainedHeads(
        tuple(heads), quality, {stage: len(found.faces) for stage, found in images.items()}, neutral
    )


def _fitted(images: Encoded, how: Fitting, heads: Sequence[Head]) -> Iterator[tuple[Head, Quality]]:
    """Train heads on, at a tenth of the rate, and all others from the start."""
    if heads:
        yield from fit_heads(images, replace(how, rate=how.rate / 10), memory=MEMORY, start=heads)
    targets = images.targets.copy()
    targets[:, [NAMES.index(head.name) for head in heads]] = np.nan
    yield from fit_heads(replace(images, targets=targets), how, memory=MEMORY)


def _card(notes: dict[str, Any]) -> str:
    """Return the model card."""
    template = (data_folder("model_cards") / "face-heads.md.jinja").read_text(encoding="utf-8")
    rows = [
        (name, stage, one["clips"], one["r2"], one["error"])
        for stage, heads in notes["heads"].items()
        for name, one in heads.items()
        if one["r2"] > 0
    ]
    markdown = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)  # noqa: S701  # no HTML
    return markdown.from_string(template).render(
        encoder=notes["encoder"],
        heads={name for name, *_ in rows},
        images=notes["images"],
        neutral=notes["neutral_images"],
        rows=rows,
    )


def encoded(found: Embedded) -> Encoded:
    """Return embeddings and labels as `fit_heads` takes them."""
    targets = np.full((len(found.faces), len(NAMES)), np.nan, np.float32)
    for row, face in zip(targets, found.faces, strict=True):
        for name, value in face.targets.items():
            row[NAMES.index(name)] = value
    return Encoded(found.states, targets, tuple(face.sha256 for face in found.faces), names=NAMES)


def neutral_scores(scorer: FaceScorer, images: Sequence[Embedded]) -> tuple[dict[str, float], int]:
    """Return the mean score of each head over neutral faces, and how many these are; {} of fewer than 20."""
    rows = [
        found.states[number]
        for found in images
        for number, face in enumerate(found.faces)
        if {*EMOTIONS} <= {*face.targets} and max(face.targets[name] for name in EMOTIONS) <= NEUTRAL
    ]
    if len(rows) < FEWEST_NEUTRAL:
        return {}, len(rows)
    device = scorer.encoder.module.device
    scores = scorer.heads_of(torch.from_numpy(np.stack(rows).astype(np.float32)).to(device))
    return {name: float(column.mean()) for name, column in scores.items()}, len(rows)
