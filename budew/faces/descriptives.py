"""Statistics of a corpus of faces: demographic groups, their balance, and the emotions of each group.

Demographics are those that prompts ask for, not a judgement of the images. Similarity is the mean cosine of
the embeddings of all pairs of images in a group, from 1 (all equal) down; less means a more diverse group.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
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
    """Describe a corpus of images: demographics, emotions, and similarity of the images.

    Args:
        corpus: what `budew.read` takes, with images.
        encoder: image encoder with which similarities are computed; None to leave them out.
        embeddings: folder of embeddings, which `embed_corpus` creates or resumes; needed for similarities.
        on_bad: called with the error of each image whose labels cannot be read; without it the first is
            raised.
        progress: called with the number of images read so far.

    Returns:
        `images`: number of images; `counts` and `unknown`: for each of `AXES`, number of images with each
        value, and of images without one; `balance`: for each axis, smallest count divided by the largest;
        `emotions` and `no_emotion`: number of images of each emotion (see `emotion_of`), and of images
        without one; `shares`: for each group of ethnicities, how often each of the seven groups of emotions
        occurs; `variance`: for each group of emotions, the variance of this share between groups of
        ethnicities; `emotion_shares` and `emotion_variance`: for each group of ethnicities, how often each of
        the 40 emotions occurs, and the variance of these shares, which colours the world map of the project;
        `similarity`: only with an encoder and a folder, see `similarity`.

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
    shares = _shares(people, groups(), taxonomy()["groups"])
    of_emotions = _shares(people, {name: name for name in EMOTIONS}, EMOTIONS)
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
        "emotion_shares": of_emotions,
        "emotion_variance": {
            group: round(float(np.var(list(row.values()), ddof=1)), 8) for group, row in of_emotions.items()
        },
    }
    if encoder is not None and embeddings is not None:
        described["similarity"] = similarity(embed_corpus(corpus, encoder, embeddings, on_bad=on_bad))
    return described


def emotion_of(clip: Clip) -> str | None:
    """Return the target emotion of an image, else its highest rated one, else that of its prompt, or None."""
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


def _shares(
    people: list[tuple[Demographics, str | None]], kinds: Mapping[str, str], names: Iterable[str]
) -> dict[str, dict[str, float]]:
    """Return the share of each kind of emotions, by name, among the images of each group of ethnicities."""
    both = Counter((person.group, kinds[emotion]) for person, emotion in people if person.group and emotion)
    found: dict[str, dict[str, float]] = {}
    for ethnicity in taxonomy()["ethnicities"]:
        total = sum(count for (group, _), count in both.items() if group == ethnicity)
        if total:
            found[ethnicity] = {name: both[ethnicity, name] / total for name in names}
    return found


def similarity(embedded: FaceEmbeddings) -> dict[str, dict[str, float]]:
    """Return axis → value → mean cosine of all pairs of images with this value; also for "all" images."""
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
    """Return the mean cosine over all pairs of embeddings, (n, width), n ≥ 2."""
    total, count = np.zeros(states.shape[1]), len(states)
    for part in np.array_split(np.arange(count), count // 4096 + 1):
        rows = states[part].astype(np.float64)
        total += (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)).sum(axis=0)
    return float((total @ total - count) / (count * (count - 1)))
