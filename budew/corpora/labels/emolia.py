"""Emolia: a caption, a transcript, and what 55 regression heads say of each clip.

The scores have `_best` behind their names: 40 emotions and 15 voice attributes, the heads of Empathic
Insight-Voice. Emotions are on the 0–4 of their training data, attributes on scales of their own; heads
overshoot both (an Anger of 5.6 occurs) and are clipped.
"""

from collections.abc import Mapping
from typing import Any

from budew.corpora.labels.forms import form
from budew.corpora.labels.scores import canonical, intensities, number_in, scale_named
from budew.taxonomy import ATTRIBUTES, find_attribute, find_emotion

SCALE = "bud-e"
OVERSHOOT = 1.0
"""Share of a scale by which a head may leave it; beyond that the number is broken."""
FEWEST = 5
"""Scores that a row of Emolia has at least."""
_SUFFIX = "_best"


def describe_emolia(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a row of Emolia as fields of a clip; None where it is not one.

    Raises:
        CorpusError: a score is far off its scale, or an emotion has two.
    """
    caption = row.get(form("emolia")["caption"])
    numbers = {key: number_in(value) for key, value in row.items() if _is_head(key, caption)}
    heads = {key: value for key, value in numbers.items() if value is not None}
    emotions = {key: value for key, value in heads.items() if find_emotion(key)}
    if len(heads) < FEWEST or not emotions:
        return None
    levels = intensities(canonical(emotions), scale_named(SCALE), overshoot=OVERSHOOT)
    traits = _traits({key: value for key, value in heads.items() if key not in emotions})
    written = (
        {"captions": [{"text": caption, "made_by": {"by": "emolia"}}]} if isinstance(caption, str) else {}
    )
    taken = {*heads, form("emolia")["caption"]} if written else {*heads}
    return {
        **{key: value for key, value in row.items() if key not in taken},
        **written,
        "profile": {"emotions": levels, "traits": traits},
        "profile_from": {"form": "emolia", "scale": SCALE},
    }


def _is_head(key: str, caption: object) -> bool:
    """Tell a head by its suffix; beside an Emolia caption its bare name will do."""
    marked = key.endswith(_SUFFIX) or isinstance(caption, str)
    return marked and (find_emotion(key) or find_attribute(key)) is not None


def _traits(heads: Mapping[str, float]) -> dict[str, float]:
    traits = {}
    for key, value in heads.items():
        name = find_attribute(key)
        if name is not None:
            intensities({name: value}, ATTRIBUTES[name].scale, overshoot=OVERSHOOT)  # to tell what is broken
            traits[name] = ATTRIBUTES[name].scale.clipped(value)
    return traits
