"""Read labels of LAION's Got Talent: acted speech with annotations in free text.

Shards are named `<language>_<voice>_<emotion>.tar`, `<words>-<voice>_<number>.tar` or
`<words>-<voice>+<language>+_<number>.tar`.

The `annotation` of a clip has its transcript between `<transcription_start>` and an end mark and, in most
shards, a line for each emotion: `<Elation>1#Slight elation is present.</Elation>`, on a scale of 0–4. The
profile is made from the first of these that a clip has:

1. fields of the JSON that have the name of an emotion and a number from 0 to 4;
2. the numbers in the lines of the annotation;
3. the word in the field `emotion`, or the free text of the annotation;
4. the emotion that the actor was to play, from the name of the shard: the strongest that its words name.

Words are interpreted by `budew.corpora.labels.words`. `profile_from` in the metadata records which was used.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from budew.captions.parse import parse
from budew.corpora.column_names import label_layout, language_tag, voice_gender
from budew.corpora.labels.scores import (
    RowScores,
    canonical,
    declared_scale,
    find_scores,
    intensities,
    profile_of_scores,
)
from budew.corpora.labels.words import LONGEST_TEXT, describe_words, emotions_in, trait_value
from budew.taxonomy import ACCENTS, find_attribute, find_emotion
from budew.taxonomy.rating_scales import scale_named

SCALE = "bud-e"
_START = "<transcription_start>"
_END = re.compile(r"</?transcription[a-z_]{0,16}>")
_LINE = re.compile(r"<([^<>#]{1,100})>\s*([+-]?\d{1,3}(?:\.\d{1,6})?)\s*#")
_TAG = re.compile(r"</?[^<>]{1,100}>")
_VOICE_LAST = re.compile(r"(?P<words>.+)-(?P<voice>[a-z]+)(?:\+(?P<language>[a-zA-Z-]{2,8})\+)?_\d+")
_ACCENTS = re.compile(
    rf"\b({'|'.join(sorted(map(re.escape, ACCENTS), key=len, reverse=True))})\b", re.IGNORECASE
)
_ACCENT = re.compile(r"<accent>\s*(?:[+-]?\d{1,3}\s*#)?\s*([^<>#]{1,60}?)\s*</accent>", re.IGNORECASE)


Labels = tuple[dict[str, Any], dict[str, Any]]
"""JSON of a profile, and its origin, for `profile_from`."""


@dataclass(frozen=True, slots=True)
class ShardName:
    """Parts of the name of a shard, such as `english_alloy_intense_anger_and_rage.tar`.

    Attributes:
        language: BCP 47 tag, "en"; None if the name has none.
        voice: name of the voice, "alloy".
        words: the rest, "intense anger and rage".
    """

    language: str | None
    voice: str
    words: str

    @property
    def accent(self) -> str | None:
        """Accent that the words name; None if they name none."""
        named = _ACCENTS.search(self.words)
        return named and named[1]

    @property
    def emotion(self) -> tuple[str, float] | None:
        """Emotion that the actor was to play, and its intensity; None if the words name no emotion.

        The intensity is that of the first word for the emotion, because the other words only name its kind
        ("fear_terror_and_dread").
        """
        read = parse(self.words)
        levels = (
            mention.level for mention in read.mentions if mention.level and mention.name == read.strongest
        )
        return (read.strongest, next(levels)) if read.strongest else None


def shard_name(stem: str) -> ShardName | None:
    """Parse the name of a shard, given without suffix; None if it is not a shard of this corpus."""
    stem = stem[:LONGEST_TEXT]
    tail = _VOICE_LAST.fullmatch(stem)
    if tail is not None:
        words = tail["words"].replace("_", " ")
        first, _, rest = words.partition(" ")
        spoken = None if rest.startswith("accent") else language_tag(first)
        language = language_tag(tail["language"] or "") or spoken
        known = language or tail["voice"] in label_layout("talent")["voices"]
        return ShardName(language, tail["voice"], rest if spoken else words) if known else None
    first, _, rest = stem.partition("_")
    language = language_tag(first)
    voice, _, words = rest.partition("_")
    return ShardName(language, voice, words.replace("_", " ")) if language and voice else None


def transcript_in(annotation: str) -> str | None:
    """Return the transcript in an annotation: the text from `<transcription_start>` to an end mark.

    End marks are `<transcription_end>`, `</transcription_start>`, `<transcription_stop>` and similar tags.
    Without an end mark, the transcript ends at the next tag; without the start mark, returns None.
    """
    _, start, after = annotation.partition(_START)
    if not start:
        return None
    end = _END.search(after) or _TAG.search(after)
    return " ".join(after[: end.start() if end else len(after)].split())


def describe_talent(row: Mapping[str, Any], place: str) -> dict[str, Any] | None:
    """Convert a row of Got Talent to fields of a clip; None for rows of other corpora.

    Args:
        row: JSON of a clip.
        place: name of its shard or folder, without suffix.

    Raises:
        CorpusError: a score is not on the scale of 0–4, or an emotion has two scores.
    """
    annotation = row.get("annotation")
    text = annotation[:LONGEST_TEXT] if isinstance(annotation, str) else ""
    shard = shard_name(place)
    marked = _START in text or any(find_emotion(line[1]) for line in _LINE.finditer(text))
    if not marked and (not row or shard is None or shard.emotion is None):
        return None
    found = _speech(row, text, shard)
    found |= _labels(row, text, shard, voice_gender(row, found["speaker"]))
    return {key: value for key, value in found.items() if value is not None}


def _speech(row: Mapping[str, Any], text: str, shard: ShardName | None) -> dict[str, Any]:
    """Return the row with the fields transcript, language, speaker and captions of a clip."""
    names = label_layout("talent")
    language = row.get("language")
    tag = language_tag(language) if isinstance(language, str) else None
    caption = row.get(names["caption"])
    captions = [{"text": caption, "made_by": {"by": names["caption"]}}] if isinstance(caption, str) else []
    transcript = transcript_in(text) or row.get("transcript") or row.get(names["heard_words"])
    return {
        **row,
        names["caption"]: None if captions else caption,
        "transcript": transcript if isinstance(transcript, str) else None,
        "language": tag or (shard and shard.language) or language,
        "speaker": row.get("voice") or row.get("speaker") or (shard and shard.voice),
        "captions": captions or row.get("captions"),
    }


def _labels(
    row: Mapping[str, Any], text: str, shard: ShardName | None, gender: Mapping[str, str]
) -> dict[str, Any]:
    """Return `profile` and `profile_from` of a row; used fields with scores are None."""
    scores = find_scores(row)
    lines = {line[1].strip(): float(line[2]) for line in _LINE.finditer(text)}
    requested = shard.emotion if shard else None
    labels = _scored(scores, lines) or _worded(row, text, lines)
    if labels is None and requested:
        labels = {"emotions": dict([requested])}, {"labels": "shard name"}
    profile, profile_from = labels or ({"emotions": None}, {})
    traits: dict[str, Any] = dict(gender)
    for name, value in lines.items():
        attribute = find_attribute(name)
        known = trait_value(attribute, value) if attribute else None
        if attribute and known is not None:
            traits[attribute] = float(known)
    traits |= _accent(row, text, shard)
    if not profile_from and not traits:
        return {}
    if requested:
        profile_from["asked_for"] = requested[0]
    used = dict.fromkeys(name for name in row if scores and name not in scores.rest)
    profile_from = {"form": "talent", **profile_from}
    return {**used, "profile": {**profile, "traits": traits}, "profile_from": profile_from}


def _scored(scores: RowScores | None, lines: Mapping[str, float]) -> Labels | None:
    """Return a profile from the scores in the fields or else the annotation of a row; None without scores."""
    if scores:
        scale = declared_scale(scores.declared or SCALE)
        profile = profile_of_scores(intensities(scores.emotions, scale))
        return profile, {"labels": "fields", "scale": scale.name}
    emotions = {name: value for name, value in lines.items() if find_emotion(name)}
    if not emotions:
        return None
    profile = profile_of_scores(intensities(canonical(emotions), scale_named(SCALE)))
    return profile, {"labels": "annotation", "scale": SCALE}


def _worded(row: Mapping[str, Any], text: str, lines: Mapping[str, float]) -> Labels | None:
    """Return a profile from the words in the fields, or else in an annotation without scores; else None."""
    described = describe_words(row)
    if described:
        return described["profile"], {"labels": "words", "field": described["profile_from"]["field"]}
    before, _, after = text.partition(_START)
    end = _END.search(after)
    outside = f"{before} {after[end.end() :]}" if end else before
    emotions = {} if lines else emotions_in(_TAG.sub(" ", outside))
    return ({"emotions": emotions}, {"labels": "words", "field": "annotation"}) if emotions else None


def _accent(row: Mapping[str, Any], text: str, shard: ShardName | None) -> dict[str, str]:
    tagged = _ACCENT.search(text)
    for accent in (row.get("accent"), tagged and tagged[1], shard and shard.accent):
        if isinstance(accent, str) and accent.casefold() not in label_layout("talent")["no_accent"]:
            known = trait_value("accent", accent.strip().removesuffix(" accent"))
            if known is not None:  # otherwise it is a sentence, which stays in the row
                return {"accent": str(known)}
    return {}
