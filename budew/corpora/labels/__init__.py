"""Published label layouts → the fields of a `Clip`, with a profile.

A row (the JSON of a clip, a line of a manifest, a row of a table) is recognized by its content. A `profile`
in it stays. Otherwise the first layout that it fits gives one, and `profile_from` in the metadata records
the layout, the scale and the rule. Columns that describe the speaker add traits; words outside the taxonomy
are listed in the metadata as `not_understood`.
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
    """Return a row with the field names of a clip, a profile made of its labels, and a BCP 47 language.

    Args:
        row: names and values as the corpus has them.
        place: name of the shard, or of the folder, that the row is from, without suffix.
        scales: finds the scale of scores that come without one.
        classes: the names of all labels of a column, where they are known.
        media: rows of images are returned as they are.

    Raises:
        CorpusError: the labels are of a known layout, but broken.
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
