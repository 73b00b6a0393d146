"""EmoNet-Voice Bench: experts rate one emotion a clip as not, mildly or intensely present (0, 1, 2).

The profile is the mean of the ratings as an intensity; each rating stays in the metadata. Rows that ask for
Authenticity or Arousal give that voice attribute, over the length of its own scale.
"""

from collections.abc import Mapping
from typing import Any

from budew.corpora.labels.answers import answers_in, looks_like_answers
from budew.corpora.labels.scores import intensities, scale_named
from budew.corpora.ratings import Rating, profile_of
from budew.errors import CorpusError

SCALE = "emonet-voice"
COLUMN = "label"


def describe_emonet_voice(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a row of EmoNet-Voice Bench as fields of a clip; None where it is not one.

    Raises:
        CorpusError: the label is not a list of ratings from 0 to 2, or asks for an unknown emotion.
    """
    if not looks_like_answers(row.get(COLUMN)):
        return None
    scale = scale_named(SCALE)
    try:
        ratings = [
            Rating("", rater, name, intensities({name: value}, scale, overshoot=0.0)[name])
            for rater, name, value in answers_in(row[COLUMN])
        ]
    except CorpusError as error:
        raise CorpusError(f"its label cannot be read: {error}") from error
    said = [{"rater": one.rater, "emotion": one.emotion, "value": one.value} for one in ratings]
    raters = len({rating.rater for rating in ratings})
    return {
        **{key: value for key, value in row.items() if key != COLUMN},
        "profile": profile_of(ratings).to_dict(),
        "ratings": said,
        "asked_for": list(dict.fromkeys(rating.emotion for rating in ratings)),
        "profile_from": {"form": "emonet-voice", "scale": SCALE, "raters": raters},
    }
