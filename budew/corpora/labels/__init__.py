"""Turn labels of published corpora into the profile of a clip.

A row (the JSON of a clip, a line of a manifest, a row of a table) that has a `profile` keeps it. Otherwise
the profile is made from the first layout of labels that the row fits, and `profile_from` in the metadata
records the layout, the scale and the rule. Columns that describe the speaker add traits. Words outside the
taxonomy are listed in the metadata as `not_understood`.
"""

from typing import Any

from budew.corpora.column_names import language_tag, with_usual_names
from budew.corpora.labels.ratings import describe_emonet_voice
from budew.corpora.labels.scores import Scales, describe_emolia, describe_scores
from budew.corpora.labels.talent import describe_talent
from budew.corpora.labels.words import Classes, describe_words, with_speaker
from budew.corpora.media import AUDIO, Media

__all__ = ["Scales", "described"]


def described(
    row: dict[str, Any],
    place: str,
    scales: Scales,
    *,
    classes: Classes | None = None,
    media: Media = AUDIO,
) -> dict[str, Any]:
    """Convert a row of a corpus to the fields of a clip, with a profile and the language as a BCP 47 tag.

    Args:
        row: row with the names and values of the corpus.
        place: name of the shard or folder of the row, without suffix; some corpora have labels in it.
        scales: finds the scale of scores that have none.
        classes: column → names of all its labels, for columns of class labels.
        media: `IMAGE`: the row is returned unchanged.

    Raises:
        CorpusError: the labels have a known layout, but are broken.
    """
    if media != AUDIO:
        return row
    row = with_usual_names(row)
    if row.get("profile") is None:
        labelled = (
            describe_talent(row, place)
            or describe_emolia(row)
            or describe_emonet_voice(row)
            or describe_scores(row, scales)
            or describe_words(row, classes)
        )
        row = with_speaker(labelled or row)
    row = {key: value for key, value in row.items() if value is not None}
    language = row.get("language")
    tag = language_tag(language) if isinstance(language, str) else None
    return row if tag is None else {**row, "language": tag}
