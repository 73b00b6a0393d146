"""Emolia: a caption, a transcript, and scores of the 55 heads of Empathic Insight-Voice for each clip.

Its scores have `_best` behind their names: 40 emotions and 15 voice attributes. The same heads are known
elsewhere by the attributes beside the emotions (`Warm_vs._Cold`), and in an object such as `scores`. Emotions
are on the 0–4 of the heads' training data, attributes on scales of their own; heads overshoot both (up to
5.6 for Anger) and are clipped.
"""

from collections.abc import Mapping
from typing import Any

from budew.corpora.known_names import form
from budew.corpora.labels.scores import canonical, holders, intensities, number_in, scale_named, without
from budew.taxonomy import ATTRIBUTES, find_attribute, find_emotion

SCALE = "bud-e"
OVERSHOOT = 1.0
"""Share of a scale by which a head may leave it; beyond that the number is broken."""
FEWEST = 5
"""Scores that a row of heads has at least."""
FEWEST_ATTRIBUTES = 3
"""Attributes that distinguish heads from other scores, where nothing else does."""
_SUFFIX = "_best"


def describe_emolia(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a row of Emolia, or of its heads, as fields of a clip; None where it is not one.

    Raises:
        CorpusError: a score is far off its scale, or an emotion has two.
    """
    name = form("emolia")["caption"]
    caption = row.get(name) if isinstance(row.get(name), str) else None
    for holder, held in holders(row):
        if heads := _heads(held, of_emolia=caption is not None):
            rest = without(row, holder, heads)
            if caption is not None:
                rest |= {name: None, "captions": [{"text": caption, "made_by": {"by": "emolia"}}]}
            return {**rest, **_profile(heads)}
    return None


def _heads(row: Mapping[str, Any], *, of_emolia: bool) -> dict[str, float]:
    """Return the heads in a row under their own names; nothing where they are no heads."""
    numbers = {str(key): number_in(value) for key, value in row.items()}
    named = {key: value for key, value in numbers.items() if value is not None}
    emotions = [key for key in named if find_emotion(key)]
    attributes = [key for key in named if find_attribute(key)]
    if not of_emolia and len([key for key in attributes if "vs" in key]) < FEWEST_ATTRIBUTES:
        emotions = [key for key in emotions if key.endswith(_SUFFIX)]
        attributes = [key for key in attributes if key.endswith(_SUFFIX)]
    if not emotions or len(emotions) + len(attributes) < FEWEST:
        return {}
    return {key: named[key] for key in (*emotions, *attributes)}


def _profile(heads: Mapping[str, float]) -> dict[str, Any]:
    emotions = canonical({key: value for key, value in heads.items() if find_emotion(key)})
    traits = {}
    for key, value in heads.items():
        attribute = find_attribute(key)
        if attribute is not None:
            scale = ATTRIBUTES[attribute].scale
            intensities({attribute: value}, scale, overshoot=OVERSHOOT)  # raises where it is broken
            traits[attribute] = scale.clipped(value)
    levels = intensities(emotions, scale_named(SCALE), overshoot=OVERSHOOT)
    return {
        "profile": {"emotions": levels, "traits": traits},
        "profile_from": {"form": "emolia", "scale": SCALE},
    }
