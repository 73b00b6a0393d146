"""Statistics of a corpus of faces: demographic groups, their balance, and the emotions of each group.

Demographics are those that prompts ask for, not a judgement of the images. Diversity is the mean cosine of
the embeddings of all pairs of images in a group, from the sum of the normalized embeddings: 1 is one image.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from budew.captions.parse import parse
from budew.corpora.clip import Clip
from budew.corpora.media import IMAGE
from budew.corpora.sources import counted, read
from budew.curation.rating_tables import field_of
from budew.errors import CorpusError, OnBad, report
from budew.faces.embeddings import FaceEmbeddings, ImageEncoder, embed_corpus
from budew.faces.face_labels import Demographics, demographics_of, face_ratings, groups, taxonomy
from budew.taxonomy import EMOTIONS, find_emotion

AXES = ("group", "ethnicity", "gender", "age")


def describe_faces(
    corpus: str | Path,
    encoder: ImageEncoder | None = None,
    embeddings: Path | None = None,
    *,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Describe a corpus of images.

    Args:
        corpus: what `budew.read` takes, with images.
        encoder: of the images, for their similarity; None without it.
        embeddings: folder of embeddings that `embed_corpus` made or continues.
        on_bad: called with the error of each image whose labels cannot be read.
        progress: called with the number of images read.

    Returns:
        `images`; `counts`, of each value of each axis; `balance`, the smallest count over the largest;
        `emotions`, target or strongest by canonical name; `shares` of the seven groups of emotions by group
        of ethnicities, and their `variance` over these; `similarity`, mean cosine by axis and value.

    Raises:
        CorpusError: the corpus cannot be read.
    """
    people: list[tuple[Demographics, str | None]] = []
    for clip in counted(read(corpus, media=IMAGE, on_bad=on_bad), progress):
        try:
            people.append((demographics_of(clip), emotion_of(clip)))
        except CorpusError as error:
            report(error, on_bad)
    values = {axis: Counter(getattr(person, axis) for person, _ in people) for axis in AXES}
    counts = {axis: {str(key): found[key] for key in _ordered(found)} for axis, found in values.items()}
    emotions = Counter(emotion for _, emotion in people)
    shares = _shares(people)
    described: dict[str, Any] = {
        "images": len(people),
        "counts": counts,
        "unknown": {axis: found[None] for axis, found in values.items()},
        "balance": {axis: _balance(found.values()) for axis, found in counts.items()},
        "emotions": {name: emotions[name] for name in EMOTIONS},
        "no_emotion": emotions[None],
        "shares": shares,
        "variance": {
            name: round(float(np.var([row[name] for row in shares.values()])), 8) if shares else None
            for name in taxonomy()["groups"]
        },
    }
    if encoder is not None and embeddings is not None:
        described["similarity"] = similarity(embed_corpus(corpus, encoder, embeddings, on_bad=on_bad))
    return described


def emotion_of(clip: Clip) -> str | None:
    """Return the emotion that an image was made for, else its strongest label; None without either."""
    target = find_emotion(str(field_of(clip.metadata, "emotion") or ""))
    if target:
        return target
    ratings = {name: value for name, value in face_ratings(clip).items() if name in EMOTIONS}
    if any(ratings.values()):
        return max(ratings, key=lambda name: (ratings[name], -EMOTIONS.index(name)))
    prompt = clip.metadata.get("prompt") or clip.metadata.get("Prompt")
    return parse(prompt).strongest if isinstance(prompt, str) else None


def _ordered(found: Iterable[Any]) -> list[Any]:
    return sorted((key for key in found if key is not None), key=lambda key: (isinstance(key, str), key))


def _balance(counts: Iterable[int]) -> float | None:
    known = [count for count in counts if count]
    return round(min(known) / max(known), 4) if known else None


def _shares(people: list[tuple[Demographics, str | None]]) -> dict[str, dict[str, float]]:
    """Return the share of each group of emotions among the images of each group of ethnicities."""
    both = Counter(
        (person.group, groups()[emotion]) for person, emotion in people if person.group and emotion
    )
    found: dict[str, dict[str, float]] = {}
    for ethnicity in taxonomy()["ethnicities"]:
        total = sum(count for (group, _), count in both.items() if group == ethnicity)
        if total:
            found[ethnicity] = {name: both[ethnicity, name] / total for name in taxonomy()["groups"]}
    return found


def similarity(embedded: FaceEmbeddings) -> dict[str, dict[str, float]]:
    """Return the mean cosine of all pairs of images with the same value on an axis, and of "all" images."""
    found: dict[str, dict[str, float]] = {"all": {}}
    if len(embedded.faces) > 1:
        found["all"]["all"] = mean_cosine(embedded.states)
    for axis in AXES:
        values = [getattr(face.demographics, axis) for face in embedded.faces]
        rows = {
            key: [place for place, value in enumerate(values) if value == key]
            for key in _ordered(set(values))
        }
        found[axis] = {
            str(key): mean_cosine(embedded.states[own]) for key, own in rows.items() if len(own) > 1
        }
    return found


def mean_cosine(states: Any) -> float:
    """Return the mean cosine of all pairs of at least two embeddings, (n, width)."""
    total, count = np.zeros(states.shape[1]), len(states)
    for part in np.array_split(np.arange(count), count // 4096 + 1):
        rows = states[part].astype(np.float64)
        total += (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)).sum(axis=0)
    return float((total @ total - count) / (count * (count - 1)))
