"""Find scores of emotions in a row, and convert them from their scale to intensities.

Fields are recognized by the names of emotions in any spelling, or by other words for emotions in the caption
lexicon (`joy`). The scale is the one given by the caller, else the one stated in the row, else the smallest
of 0–1, 0–4, 0–5, 0–7 and 0–10 that contains every score of the shard or manifest (one clip is not enough: a
faint clip on 0–4 looks like 0–1). If a score is an answer in words ("mildly present"), the scores of the row
are on 0–2, that of EmoNet-Voice. The scale and how it was found are kept in the metadata of each clip, as
`profile_from`. Voice attributes beside the scores stay in the metadata, because their scales are unknown.

Emolia has the scores of the 55 heads of Empathic Insight-Voice for each clip: 40 emotions and 15 voice
attributes, with `_best` after their names. In other corpora, the same heads are recognized by the attributes
beside the emotions (`Warm_vs._Cold`), also in an object such as `scores`. Emotions are on 0–4, as in the
training data of the heads, and attributes on their own scales; values outside of the scales (up to 5.6 for
Anger) are clipped.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from budew.corpora.column_names import answer_in, label_layout, number_in
from budew.corpora.labels.words import named_emotion
from budew.errors import CorpusError, InputError
from budew.taxonomy import ATTRIBUTES, find_attribute, find_emotion
from budew.taxonomy.rating_scales import Scale, scale_named

OVERSHOOT = 0.1
"""A score may be outside its scale by this share of the length of the scale, and is then clipped."""
ANSWERS_SCALE = "emonet-voice"
"""Scale of rows with answers in words, 0–2."""
HEADS_SCALE = "bud-e"
"""Scale of the emotions of Empathic Insight-Voice."""
HEADS_OVERSHOOT = 1.0
"""Share of the scale by which scores of Empathic Insight-Voice may be outside it; they are clipped, too."""
FEWEST_HEADS = 5
"""A row has scores of Empathic Insight-Voice if it has at least this many."""
FEWEST_ATTRIBUTES = 3
"""Without `_best` after their names, the row must also have at least this many of its attributes."""
_HEAD = "_best"


@dataclass(frozen=True, slots=True)
class RowScores:
    """Scores of emotions that were found in a row.

    Attributes:
        emotions: canonical name of the emotion → score on the scale of the row.
        declared: name of the scale, if the row states it.
        rest: the row without the scores.
        words: field that is named by another word → its emotion, such as `joy` → Elation.
        in_words: whether a score is an answer in words; `declared` is then `ANSWERS_SCALE`.
    """

    emotions: Mapping[str, float]
    declared: str | None
    rest: dict[str, Any]
    words: Mapping[str, str] = field(default_factory=dict)
    in_words: bool = False


def find_scores(row: Mapping[str, Any]) -> RowScores | None:
    """Return the scores of emotions in a row, at its top level or in an object in it; None if it has none.

    Raises:
        CorpusError: two fields name the same emotion.
    """
    declared = scale_in(row)
    for holder, held in holders(row):
        named = {str(key): value for key, value in held.items() if named_emotion(str(key))}
        shares = {key: answer_in(value) for key, value in named.items()}
        numbers = {key: number_in(value) for key, value in named.items()}
        numbers |= {key: 2 * share for key, share in shares.items() if share is not None}
        scores = {key: value for key, value in numbers.items() if value is not None}
        canonical_names = {find_emotion(key) for key in scores}
        words = {
            key: str(named_emotion(key))
            for key in scores
            if not find_emotion(key) and named_emotion(key) not in canonical_names
        }
        scores = {key: value for key, value in scores.items() if key in words or find_emotion(key)}
        is_one_word = holder is None and len(scores) == len(words) == 1  # `interest` may be that of a bank
        if scores and not is_one_word:
            in_words = any(shares[key] is not None for key in scores)
            scale = ANSWERS_SCALE if in_words else declared
            return RowScores(canonical(scores), scale, without(row, holder, scores), words, in_words)
    return None


def holders(row: Mapping[str, Any]) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    """Yield where scores may be: None and the row itself, then name and value of fields with an object."""
    yield None, row
    fields = ((name, row.get(name)) for name in label_layout("scores")["under"])
    yield from ((name, held) for name, held in fields if isinstance(held, Mapping))


def without(row: Mapping[str, Any], holder: str | None, taken: Collection[str]) -> dict[str, Any]:
    """Return a row without the fields `taken`; if `holder` is given, without these fields of that object."""
    if holder is None:
        return {key: value for key, value in row.items() if key not in taken}
    rest = without(row[holder], None, taken)
    return without(row, None, (holder,)) | ({holder: rest} if rest else {})


def canonical(spelled: Mapping[str, float]) -> dict[str, float]:
    """Replace the names of scores by the canonical names of their emotions.

    If several words stand for an emotion (`joy`, `excitement`), the highest score is used.

    Raises:
        CorpusError: two fields name the same emotion.
    """
    scores: dict[str, float] = {}
    for key, value in spelled.items():
        own = find_emotion(key)
        name = own or named_emotion(key) or key
        if own in scores:
            raise CorpusError(f"{key!r} gives a second score for {name!r}: keep one")
        scores[name] = max(value, scores.get(name, value))
    return scores


def scale_in(row: Mapping[str, Any]) -> str | None:
    """Return the name of the scale that a row states, in `scale` or a similar field; None without one."""
    texts = (row.get(name) for name in label_layout("scores")["declared"])
    return next((text[:40] for text in texts if isinstance(text, str) and text.strip()), None)


def declared_scale(name: str) -> Scale:
    """Return the scale that a row states, by its name; `CorpusError` if there is no such scale."""
    try:
        return scale_named(name)
    except InputError as error:
        raise CorpusError(str(error)) from error


def intensities(
    scores: Mapping[str, float], scale: Scale, *, overshoot: float = OVERSHOOT
) -> dict[str, float]:
    """Convert scores to intensities in [0, 1].

    Args:
        scores: canonical name → score.
        scale: scale of the scores.
        overshoot: share of the length of the scale by which scores may be outside of it; they are clipped.

    Raises:
        CorpusError: a score is further outside the scale.
    """
    length = scale.high - scale.low
    for name, value in scores.items():
        if not scale.low - overshoot * length <= value <= scale.high + overshoot * length:
            raise CorpusError(
                f"{name} is {value:g}, which is not on the scale {scale.name} "
                f"({scale.low:g} to {scale.high:g}): correct it, or name the scale of the scores"
            )
    return {name: (scale.clipped(value) - scale.low) / length for name, value in scores.items()}


def profile_of_scores(levels: Mapping[str, float]) -> dict[str, Any]:
    """Return the JSON of a profile with these intensities, in which only these emotions are rated."""
    return {"emotions": dict(levels), "rated": list(levels)}


@dataclass(slots=True)
class Scales:
    """Finds the scale of the scores in one shard, manifest or folder.

    Attributes:
        given: name of the scale, if the caller gives it.
        rows: returns all rows, from which the scale is detected by the highest score; None: not possible.
    """

    given: str | None = None
    rows: Callable[[], Iterable[Mapping[str, Any]]] | None = None
    _largest: tuple[float, int] | None = field(default=None, init=False)

    def of(self, scores: RowScores) -> tuple[Scale, dict[str, Any]]:
        """Return the scale of the scores of a row, and how it was found, for the metadata of the clip.

        Raises:
            InputError: the given scale does not exist.
            CorpusError: the declared scale does not exist, or none can be determined.
        """
        if self.given is not None and not scores.in_words:
            scale, by = scale_named(self.given), "given"
        elif scores.declared is not None:
            scale, by = declared_scale(scores.declared), "declared"
        else:
            return self._detected()
        return scale, {"scale": scale.name, "scale_by": by}

    def _detected(self) -> tuple[Scale, dict[str, Any]]:
        if self.rows is None:
            raise CorpusError("the scale of the scores is not declared: pass it, as in scale='0-4'")
        if self._largest is None:
            self._largest = _largest_of(self.rows())
        largest, clips = self._largest
        for name in label_layout("scores")["detected"]:
            scale = scale_named(name)
            if largest <= scale.high:
                found = {"scale": scale.name, "scale_by": "detected", "largest": largest, "clips": clips}
                return scale, found
        raise CorpusError(f"the scores go up to {largest:g}: give their scale, as in scale='0-100'")


def describe_scores(row: Mapping[str, Any], scales: Scales) -> dict[str, Any] | None:
    """Replace the scores in a row by a profile; None if the row has no scores."""
    scores = find_scores(row)
    if scores is None:
        return None
    scale, found = scales.of(scores)
    profile = profile_of_scores(intensities(scores.emotions, scale))
    read_as = {"read_as": dict(scores.words)} if scores.words else {}
    return {**scores.rest, "profile": profile, "profile_from": {"form": "scores", **found, **read_as}}


def describe_emolia(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Convert a row of Emolia, or with the same scores, to fields of a clip; None for other rows.

    Raises:
        CorpusError: a score is far outside its scale, or an emotion has two scores.
    """
    name = label_layout("emolia")["caption"]
    caption = row.get(name) if isinstance(row.get(name), str) else None
    for holder, held in holders(row):
        if heads := _heads(held, of_emolia=caption is not None):
            rest = without(row, holder, heads)
            if caption is not None:
                rest |= {name: None, "captions": [{"text": caption, "made_by": {"by": "emolia"}}]}
            return {**rest, **_profile_of_heads(heads)}
    return None


def _heads(row: Mapping[str, Any], *, of_emolia: bool) -> dict[str, float]:
    """Return the scores of Empathic Insight-Voice in a row, with unchanged names; {} for other rows."""
    numbers = {str(key): number_in(value) for key, value in row.items()}
    named = {key: value for key, value in numbers.items() if value is not None}
    emotions = [key for key in named if find_emotion(key)]
    attributes = [key for key in named if find_attribute(key)]
    if not of_emolia and len([key for key in attributes if "vs" in key]) < FEWEST_ATTRIBUTES:
        emotions = [key for key in emotions if key.endswith(_HEAD)]
        attributes = [key for key in attributes if key.endswith(_HEAD)]
    if not emotions or len(emotions) + len(attributes) < FEWEST_HEADS:
        return {}
    return {key: named[key] for key in (*emotions, *attributes)}


def _profile_of_heads(heads: Mapping[str, float]) -> dict[str, Any]:
    emotions = canonical({key: value for key, value in heads.items() if find_emotion(key)})
    traits = {}
    for key, value in heads.items():
        attribute = find_attribute(key)
        if attribute is not None:
            scale = ATTRIBUTES[attribute].scale
            intensities({attribute: value}, scale, overshoot=HEADS_OVERSHOOT)  # raises the error
            traits[attribute] = scale.clipped(value)
    levels = intensities(emotions, scale_named(HEADS_SCALE), overshoot=HEADS_OVERSHOOT)
    return {
        "profile": {**profile_of_scores(levels), "traits": traits},
        "profile_from": {"form": "emolia", "scale": HEADS_SCALE},
    }


def _largest_of(rows: Iterable[Mapping[str, Any]]) -> tuple[float, int]:
    largest, clips = 0.0, 0
    for row in rows:
        try:
            found = find_scores(row)
        except CorpusError:  # reported when the row is read
            continue
        if found is not None and not found.in_words:
            largest, clips = max(largest, *found.emotions.values()), clips + 1
    return largest, clips
