"""Train heads on embeddings of faces: first on many weak labels, then on a few labels by experts.

As published, the stages are EmoNet-Face Big (labels by a model, 0–7), then Binary (experts: present or
absent), with the layers of the large heads. Details that the paper does not give are our choice: present is 7
and absent 0, averaged over raters; the second stage trains the heads of the first one further, at a tenth of
the learning rate, and other heads from random weights. Validation images determine when a head stops; score
the result on HQ with `budew benchmark emonet-face-hq`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from budew.errors import CorpusError, OnBad
from budew.faces.embeddings import FaceEmbeddings, ImageEncoder, embed_corpus
from budew.faces.face_labels import agreed_ratings, face_names, mean_ratings
from budew.faces.scoring import FaceScorer, head_name, write_neutral_means
from budew.heads.encoder_states import LabeledStates
from budew.heads.fitting import FEWEST, FEWEST_TO_CHECK, Quality, fit_heads
from budew.heads.head_files import check_unused, save_combined, save_head, write_notes
from budew.heads.networks import Head
from budew.heads.stack_training import FittingOptions
from budew.io.disk import disk_errors
from budew.io.files import whole_folder
from budew.taxonomy import EMOTIONS
from budew.version import __version__

LARGE, SMALL = (1024, 512, 256), (128, 32)
"""Widths of Empathic Insight-Face-Large and -Small."""
NAMES = tuple(face_names())
NEUTRAL = 1.0
"""Highest rating (of 7) that any emotion of a neutral face may have; all emotions must be rated."""
FEWEST_NEUTRAL = 20


@dataclass(frozen=True, slots=True)
class FaceFittingOptions(FittingOptions):
    """Settings of the training of face heads, see `FittingOptions`, with the labels of the second stage.

    `expert_labels`: "mean" of the ratings by experts, or "agreed", see `face_labels.agreed_ratings`.
    """

    expert_labels: Literal["mean", "agreed"] = "mean"


@dataclass(frozen=True, slots=True)
class TrainedFaceHeads:
    """Trained heads, and the results of their training.

    Attributes:
        heads: heads that were kept, in the order of `face_names`.
        quality: stage ("weak", "expert") → name of the head → quality on validation images.
        images: stage → number of images.
        neutral: number of images of neutral faces.
    """

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
    options: FittingOptions | None = None,
    batch_size: int = 32,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> TrainedFaceHeads:
    """Train heads on images of faces, and save them in the published layout.

    Args:
        out: new folder for `model_<name>_best.pth`, `heads.safetensors`, `heads.json`, a model card, and, if
            the images have enough neutral faces, `neutral_means.json`.
        encoder: image encoder that computes the embeddings.
        weak: corpus of images with many labels by a model, see `budew.faces.face_labels`.
        expert: corpus of images with labels by experts; give `weak`, `expert` or both.
        cache: folder for the embeddings, which are kept; default: the path of `out` followed by
            `-embeddings`.
        options: settings of the first stage, with widths such as `LARGE` or `SMALL`; default: large heads.
        batch_size: number of images encoded at once.
        on_bad: called with the error of each image that cannot be read; without it the first is raised.
        progress: called with the number of images encoded so far.

    Raises:
        CheckpointError: `out` is not empty, or `cache` has embeddings by another encoder or of another
            corpus.
        CorpusError: a corpus cannot be read, or no head can be trained.
        JobError: the disk is full.
    """
    check_unused(out)
    options = options or FittingOptions(widths=LARGE, batch=256)
    agreed = isinstance(options, FaceFittingOptions) and options.expert_labels == "agreed"
    heads: list[Head] = []
    quality: dict[str, dict[str, Quality]] = {}
    embeddings: dict[str, FaceEmbeddings] = {}
    for stage, corpus in (("weak", weak), ("expert", expert)):
        if corpus is None:
            continue
        label = agreed_ratings if agreed and stage == "expert" else mean_ratings
        folder = (cache or out.with_name(f"{out.name}-embeddings")) / stage
        embeddings[stage] = embed_corpus(
            corpus, encoder, folder, label=label, batch_size=batch_size, on_bad=on_bad, progress=progress
        )
        fitted = list(fit_heads(labeled_states(embeddings[stage]), options, start=heads))
        quality[stage] = {head.name: found for head, found in fitted}
        better = {head.name: head for head, found in fitted if found.r2 > 0}
        kept = {head.name: head for head in heads} | better
        heads = [kept[name] for name in NAMES if name in kept]
    if not heads:
        raise CorpusError(
            f"{weak or expert}: no head can be trained: a head needs {FEWEST} images that show its emotion "
            f"and {FEWEST_TO_CHECK} for validation, which it must predict better than the mean of the "
            "ratings in training does: label more images"
        )
    means, neutral = neutral_scores(FaceScorer(encoder, heads), list(embeddings.values()))
    images = {stage: len(found.faces) for stage, found in embeddings.items()}
    with disk_errors(out), whole_folder(out) as made:
        for head in heads:
            save_head(head, made, f"{head_name(head.name)}.pth", "face")
        save_combined(heads, made, "face")
        if means:
            write_neutral_means(made, means)
        notes = {
            "made_by": f"budew {__version__}",
            "encoder": encoder.name,
            "fitting": options.to_dict(),
            "images": images,
            "neutral_images": neutral,
            "heads": quality,
        }
        lines = [f"{stage} labels: {count:,} images" for stage, count in images.items()]
        write_notes(made, notes, quality, [*lines, f"neutral faces among them: {neutral:,}"], "face")
    return TrainedFaceHeads(tuple(heads), quality, images, neutral)


def labeled_states(embeddings: FaceEmbeddings) -> LabeledStates:
    """Convert embeddings and labels for `fit_heads`; each image counts as a speaker."""
    rows = [[face.ratings.get(name, np.nan) for name in NAMES] for face in embeddings.faces]
    targets = np.array(rows, np.float32).reshape(-1, len(NAMES))
    images = tuple(face.sha256 for face in embeddings.faces)
    return LabeledStates(embeddings.states, targets, images, names=NAMES)


def neutral_scores(scorer: FaceScorer, corpora: Sequence[FaceEmbeddings]) -> tuple[dict[str, float], int]:
    """Return the mean score of each head over neutral faces ({} if they are too few), and their number."""
    rows = [
        embeddings.states[number]
        for embeddings in corpora
        for number, face in enumerate(embeddings.faces)
        if {*EMOTIONS} <= {*face.ratings} and max(face.ratings[name] for name in EMOTIONS) <= NEUTRAL
    ]
    if len(rows) < FEWEST_NEUTRAL:
        return {}, len(rows)
    device = scorer.encoder.module.device
    scores = scorer.scores_of_embeddings(torch.from_numpy(np.stack(rows).astype(np.float32)).to(device))
    return {name: float(column.mean()) for name, column in scores.items()}, len(rows)
