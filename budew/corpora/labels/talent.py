"""LAION's Got Talent: acted speech in shards `<language>_<voice>_<emotion>.tar`, described in free text.

Other shards of it are named `<words>-<voice>_<number>.tar` or `<words>-<voice>+<language>+_<number>.tar`.

The `annotation` of a clip holds its transcript between `<transcription_start>` and an end mark, and, in most
shards, a line for each emotion: `<Elation>1#Slight elation is present.</Elation>`, on a scale of 0–4. The
profile is made of the first of these that a clip has:

1. fields of the JSON that are named as an emotion and hold a number, 0–4;
2. the numbers of those lines;
3. an `emotion` in words, or what the annotation says in free text;
4. the emotion that the name of the shard asks for: the strongest that its words name, as they are the
   keywords of one emotion.

Words count as in `budew.corpora.labels.words`. `profile_from` in the metadata says which it was.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from budew.captions.parse import parse
from budew.corpora.column_names import label_layout, language_tag
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
from budew.taxonomy.scales import scale_named

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


@dataclass(frozen=True, slots=True)
class ShardName:
    """What `english_alloy_intense_anger_and_rage.tar` says: language as a BCP 47 tag, voice, the rest."""

    language: str | None
    voice: str
    words: str

    @property
    def accent(self) -> str | None:
        """The accent that the words name."""
        named = _ACCENTS.search(self.words)
        return named and named[1]

    @property
    def emotion(self) -> tuple[str, float] | None:
        """The emotion that the actor was to play, with its intensity: that of the first word for it, as the
        other words name the kind of emotion ("fear_terror_and_dread").
        """
        read = parse(self.words)
        levels = (
            mention.level for mention in read.mentions if mention.level and mention.name == read.strongest
        )
        return (read.strongest, next(levels)) if read.strongest else None


def shard_name(stem: str) -> ShardName | None:
    """Parse the name of a shard, without its suffix; None where it is not one of this corpus."""
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
    """Return what stands between `<transcription_start>` and its end mark; None without a start.

    End marks are `<transcription_end>`, `</transcription_start>`, `<transcription_stop>` and their like;
    where it is missing, the transcript ends at the next tag.
    """
    _, start, after = annotation.partition(_START)
    if not start:
        return None
    end = _END.search(after) or _TAG.search(after)
    return " ".join(after[: end.start() if end else len(after)].split())


def describe_talent(row: Mapping[str, Any], place: str) -> dict[str, Any] | None:
    """Return a row of Got Talent as fields of a clip; None where it is not one.

    Args:
        row: the JSON of a clip.
        place: name of its shard or folder, without suffix.

    Raises:
        CorpusError: a score is not on the scale of 0–4, or an emotion has two.
    """
    annotation = row.get("annotation")
    text = annotation[:LONGEST_TEXT] if isinstance(annotation, str) else ""
    named = shard_name(place)
    marked = _START in text or any(find_emotion(line[1]) for line in _LINE.finditer(text))
    if not marked and (not row or named is None or named.emotion is None):
        return None
    found = _spoken(row, text, named) | _labels(row, text, named)
    return {key: value for key, value in found.items() if value is not None}


def _spoken(row: Mapping[str, Any], text: str, named: ShardName | None) -> dict[str, Any]:
    """Return the row with what is said, by whom and in which language, and its long caption."""
    names = label_layout("talent")
    language, caption = row.get("language"), row.get(names["caption"])
    tag = language_tag(language) if isinstance(language, str) else None
    voice = row.get("voice") or row.get("speaker") or (named and named.voice)
    said = transcript_in(text) or row.get("transcript") or row.get(names["heard_words"])
    described = [{"text": caption, "made_by": {"by": names["caption"]}}] if isinstance(caption, str) else []
    return {
        **row,
        names["caption"]: None if described else caption,
        "transcript": said if isinstance(said, str) else None,
        "language": tag or (named and named.language) or language,
        "speaker": voice,
        "captions": described or row.get("captions"),
    }


def _labels(row: Mapping[str, Any], text: str, named: ShardName | None) -> dict[str, Any]:
    scores, lines = find_scores(row), {line[1].strip(): float(line[2]) for line in _LINE.finditer(text)}
    emotions, how = _emotions(row, text, named, scores, lines)
    traits = _attributes(lines) | _accent(row, text, named)
    if not how and not traits:
        return {}
    if named and named.emotion:
        how["asked_for"] = named.emotion[0]
    taken = dict.fromkeys(name for name in row if scores and name not in scores.rest)
    profile = {**emotions, "traits": traits}
    return {**taken, "profile": profile, "profile_from": {"form": "talent", **how}}


def _emotions(
    row: Mapping[str, Any],
    text: str,
    named: ShardName | None,
    scores: RowScores | None,
    lines: dict[str, float],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the emotions of a profile, and where they are from; None and nothing where nothing says them."""
    if scores:
        scale = declared_scale(scores.declared or SCALE)
        found = profile_of_scores(intensities(scores.emotions, scale))
        return found, {"labels": "fields", "scale": scale.name}
    if lined := {name: value for name, value in lines.items() if find_emotion(name)}:
        found = profile_of_scores(intensities(canonical(lined), scale_named(SCALE)))
        return found, {"labels": "annotation", "scale": SCALE}
    if said := describe_words(row):
        return said["profile"], {"labels": "words", "field": said["profile_from"]["field"]}
    free = {} if lines else emotions_in(_TAG.sub(" ", _without_transcript(text)))
    if free:
        return {"emotions": free}, {"labels": "words", "field": "annotation"}
    asked = named.emotion if named else None
    return ({"emotions": dict([asked])}, {"labels": "shard name"}) if asked else ({"emotions": None}, {})


def _without_transcript(text: str) -> str:
    before, _, after = text.partition(_START)
    end = _END.search(after)
    return f"{before} {after[end.end() :]}" if end else before


def _attributes(lines: Mapping[str, float]) -> dict[str, float]:
    """Return the voice attributes among the lines, as far as their numbers are on the attribute's scale."""
    named = ((find_attribute(name), value) for name, value in lines.items())
    traits = ((name, trait_value(name, value)) for name, value in named if name)
    return {name: float(value) for name, value in traits if value is not None}


def _accent(row: Mapping[str, Any], text: str, named: ShardName | None) -> dict[str, str]:
    tagged = _ACCENT.search(text)
    for said in (row.get("accent"), tagged and tagged[1], named and named.accent):
        if isinstance(said, str) and said.casefold() not in label_layout("talent")["no_accent"]:
            accent = trait_value("accent", said.strip().removesuffix(" accent"))
            if accent is not None:  # or it is a sentence, and stays in the row, which is kept
                return {"accent": str(accent)}
    return {}
