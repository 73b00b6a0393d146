"""Prompts for synthetic images of faces: a balanced plan of people and emotions, and review of the images.

People have the 14 ethnicities, three genders and seven ages (20 to 80) of EmoNet-Face. Each emotion gets each
of the 294 kinds of people once in every 11,760 prompts. After every 40 prompts (one of each emotion) the
counts of two ethnicities, genders or ages differ by at most 1 for each emotion, and by at most 2 over all. No
image is made here.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from budew.corpora.clip import Clip
from budew.corpora.csv_tables import delimited_rows
from budew.corpora.media import IMAGE
from budew.corpora.sources import read
from budew.faces.face_labels import taxonomy
from budew.io.resources import packaged_table
from budew.randomness import derived_seed
from budew.synthesis.acting.acting_plan import shuffled_level
from budew.taxonomy import EMOTIONS, find_emotion

REVIEW_COLUMNS = ("path", "emotion", "annotator", "value", "remark", "prompt")
"""Columns of a review list; `annotator`, `value` (yes or no) and `remark` are for the reviewer."""


def image_prompt(number: int, *, seed: int) -> dict[str, Any]:
    """Return a prompt for an image of a face; emotions and demographics are balanced over many numbers.

    Args:
        number: number of the prompt, from 0.
        seed: random seed of the plan.

    Returns:
        `id`; `prompt`: the text; `emotion`: canonical name; `demographics`: ethnicity, gender and age in
        years; `seed`: random seed for the image model; `prompt_version`: version of the texts.

    Example:
        >>> image_prompt(0, seed=1)["demographics"]
        {'ethnicity': 'Southeast Asian', 'gender': 'non-binary person', 'age': 70}
    """
    turn, place = divmod(number, len(EMOTIONS))
    texts, known = _texts(), taxonomy()
    ethnicities = [name for names in known["ethnicities"].values() for name in names]

    def level(axis: str, levels: list[Any], step: int) -> Any:
        """Return the level at a step of this emotion, which begins with another level than its neighbours."""
        return levels[(step + shuffled_level(place, size=len(EMOTIONS), seed=seed, axis=axis)) % len(levels)]

    ethnicity, gender = level("ethnicity", ethnicities, turn), level("gender", known["genders"], turn)
    # 14 and 3 have no common divisor: after 42 steps each ethnicity had each gender, and ages are shifted.
    age = level("age", known["ages"], turn + turn // (len(ethnicities) * len(known["genders"])))
    emotion = EMOTIONS[shuffled_level(place, size=len(EMOTIONS), seed=seed, axis="emotion")]
    id = f"face-{seed}-{number:07d}"
    article = "an" if ethnicity[0] in "AEIOUaeiou" else "a"
    text = texts["frames"][derived_seed(id, "frame") % len(texts["frames"])].format(
        person=f"{article} {ethnicity} {gender} of {age} years",
        emotion=emotion.lower().replace("/", " or ").replace("&", "and"),
        signs=texts["signs"][emotion],
    )
    return {
        "id": id,
        "prompt": text,
        "emotion": emotion,
        "demographics": {"ethnicity": ethnicity, "gender": gender, "age": age},
        "seed": derived_seed(id, "image"),
        "prompt_version": texts["version"],
    }


def accepted_images(images: str | Path, review: str | Path) -> Iterator[Clip]:
    """Yield the images that all reviewers accepted, with `emotion` and `prompt` as metadata.

    Args:
        images: corpus of images, whose file names are those of the review list, with any suffix.
        review: CSV with `REVIEW_COLUMNS`; several reviewers add rows for the same `path`. An image is
            accepted if each of its rows has the value yes.

    Raises:
        CorpusError: the list or an image cannot be read.
    """
    rows: dict[str, list[dict[str, str]]] = {}
    for _, row in delimited_rows(Path(review)):
        rows.setdefault(PurePath(row.get("path", "")).stem, []).append(row)
    for clip in read(images, media=IMAGE):
        own = rows.get(PurePath(clip.id).name, [])
        if own and all(row.get("value", "").strip().casefold() == "yes" for row in own):
            labels = {name: own[0][name] for name in ("emotion", "prompt")}
            yield replace(clip, metadata={**clip.metadata, **labels})


@cache
def _texts() -> dict[str, Any]:
    texts = packaged_table(__package__, "image_prompts")
    return {**texts, "signs": {find_emotion(name): signs for name, signs in texts["signs"].items()}}
