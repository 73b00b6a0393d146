"""What corpora say of a clip, each in its own way, as the fields of a `Clip`.

A row (the JSON of a clip, a line of a manifest, a row of a table) is known by what is in it. One that has a
`profile` is taken as it is. Else the first form that it fits makes one, and `profile_from` in the metadata
says which form, scale and rule that was. What columns say of the speaker comes to it, and `not_understood`
in the metadata lists words that are none of ours.
"""

from collections.abc import Callable, Mapping
from typing import Any

from budew.corpora.fields import with_usual_names
from budew.corpora.labels.emolia import describe_emolia
from budew.corpora.labels.emonet_voice import describe_emonet_voice
from budew.corpora.labels.scores import Scales, describe_scores
from budew.corpora.labels.speaker import with_speaker
from budew.corpora.labels.talent import describe_talent
from budew.corpora.labels.words import describe_words
from budew.corpora.languages import language_tag
from budew.errors import CorpusError

Describe = Callable[[dict[str, Any], str, Scales], dict[str, Any]]
"""Row, name of the shard or folder it is from, scales → fields of a clip and whatever else the row holds."""

__all__ = ["Describe", "Scales", "described", "only"]


def described(row: dict[str, Any], place: str, scales: Scales) -> dict[str, Any]:
    """Return a row in the names of a clip, with the profile that its labels make and a BCP 47 language.

    Args:
        row: names and values as the corpus has them.
        place: name of the shard, or of the folder, that the row is from, without suffix.
        scales: finds the scale of scores that come without one.

    Raises:
        CorpusError: the labels are of a known form, but broken.
    """
    row = with_usual_names(row)
    if row.get("profile") is None:
        row = with_speaker(_labelled(row, place, scales) or row)
    return _with_tag({key: value for key, value in row.items() if value is not None})


def only(form: Describe, corpus: str) -> Describe:
    """Return a `Describe` for one form alone: a row that is not of it is an error that names the corpus.

    Args:
        form: gives a row without a profile where the row is not of its form.
        corpus: what the error calls it.
    """

    def describe(row: dict[str, Any], place: str, scales: Scales) -> dict[str, Any]:
        found = form(with_usual_names(row), place, scales)
        if found.get("profile") is None:
            raise CorpusError(f"its labels are not those of {corpus}: read it as any other corpus")
        return _with_tag({key: value for key, value in found.items() if value is not None})

    return describe


def _with_tag(row: dict[str, Any]) -> dict[str, Any]:
    language = row.get("language")
    tag = language_tag(language) if isinstance(language, str) else None
    return {**row, "language": tag} if tag is not None and tag != language else row


def _labelled(row: Mapping[str, Any], place: str, scales: Scales) -> dict[str, Any] | None:
    return (
        describe_talent(row, place)
        or describe_emolia(row)
        or describe_emonet_voice(row)
        or describe_scores(row, scales)
        or describe_words(row)
    )
