"""`Clip`: one utterance with its labels, and its JSON form.

A clip has its audio encoded, as bytes or as the path of a file; it is only decoded where samples are needed.
On disk a clip is a pair of files: `<id>.flac|mp3|wav|ogg`, and `<id>.json` with `Clip.to_dict()`.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from budew.audio.formats import LARGEST_AUDIO
from budew.captions.parse import is_withheld_text
from budew.corpora.media import AUDIO, IMAGE
from budew.errors import CorpusError, WithheldError
from budew.profile import VoiceProfile

LONGEST_ID = 240
"""Largest number of characters of an id, because of the limits of tar headers and file names."""
NOT_STATED = "not stated"
"""Name of the licence of clips that state none."""
CAPTION_KINDS = ("paraphrase", "render", "model", "original")
"""Kinds of captions, newest first: rewritten and accepted by the gate, rendered from the profile, written by
a captioning model, or part of the corpus."""


SOURCES, OWN_TRAITS = "sources", "own_traits"
"""Metadata fields of measured clips: part of the profile → its source, such as "labels" or "measure", and the
clip's own traits where others replaced them."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A sentence or two about the voice of a clip, and its origin.

    Attributes:
        text: the caption.
        made_by: origin of the caption: `by` says what wrote it, such as "render"; other keys are settings.

    Example:
        >>> Caption("A calm voice.", {"by": "render", "seed": 7}).kind
        'render'
    """

    text: str
    made_by: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Kind of the caption by its origin, one of `CAPTION_KINDS`; "original" if it is unknown."""
        by = self.made_by.get("by")
        return by if by in CAPTION_KINDS else "original"

    def to_dict(self) -> dict[str, Any]:
        """Return the caption as a dictionary for JSON."""
        return {"text": self.text, "made_by": dict(self.made_by)}


@dataclass(frozen=True, slots=True)
class Clip:
    """One utterance. Unknown fields are None or empty.

    Attributes:
        id: name of the clip, unique in its corpus; may have parts separated by `/`, but is not a path.
        audio: encoded audio as bytes, or the path of an audio file; in a corpus of images, the image.
        format: suffix of the audio format: "flac", "mp3", "wav", "ogg", …
        sampling_rate: sampling rate in Hz.
        duration: duration in seconds.
        language: BCP 47 tag, such as "en" or "pt-BR".
        speaker: name of the voice, unique in its source.
        transcript: the spoken words.
        profile: emotions, bursts and traits of the voice.
        captions: descriptions of the voice.
        source: corpus or recording of origin.
        license: SPDX identifier, if known.
        metadata: all other fields of the corpus, kept when clips are read and written.

    Raises:
        CorpusError: the id is empty, too long, or could lead out of a folder, such as "../a".

    Example:
        >>> Clip("anna/01", Path("01.flac"), "flac", language="de", transcript="Hallo.").to_dict()
        {'id': 'anna/01', 'language': 'de', 'transcript': 'Hallo.'}
    """

    id: str
    audio: bytes | Path = field(repr=False)
    format: str
    sampling_rate: int | None = None
    duration: float | None = None
    language: str | None = None
    speaker: str | None = None
    transcript: str | None = None
    profile: VoiceProfile | None = None
    captions: tuple[Caption, ...] = ()
    source: str | None = None
    license: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_id(self.id)

    @property
    def newest_captions(self) -> tuple[Caption, ...]:
        """Captions of the first kind in `CAPTION_KINDS` that the clip has."""
        kinds = {caption.kind for caption in self.captions}
        newest = next((kind for kind in CAPTION_KINDS if kind in kinds), None)
        return tuple(caption for caption in self.captions if caption.kind == newest)

    @property
    def stated_license(self) -> str:
        """The license, or `NOT_STATED`."""
        return self.license or NOT_STATED

    @property
    def is_withheld(self) -> bool:
        """Whether the profile or a caption combines a minor with sexual content."""
        of_profile = self.profile is not None and self.profile.is_withheld
        return of_profile or any(is_withheld_text(caption.text) for caption in self.captions)

    def encoded(self) -> bytes:
        """Return the encoded audio as bytes; a file is read.

        Raises:
            CorpusError: the format is unknown, the file cannot be read, or the audio is empty or too large.
        """
        if self.format not in (*AUDIO.suffixes, *IMAGE.suffixes):
            known = ", ".join(AUDIO.suffixes)
            raise CorpusError(f"clip {self.id!r}: {self.format!r} is not an audio format: use one of {known}")
        try:
            size = len(self.audio) if isinstance(self.audio, bytes) else self.audio.stat().st_size
            if 0 < size <= LARGEST_AUDIO:
                return self.audio if isinstance(self.audio, bytes) else self.audio.read_bytes()
            fault = f"its audio has {size} bytes, not 1 to {LARGEST_AUDIO}: cut or remove the clip"
        except OSError as error:
            fault = f"{self.audio!s} cannot be read ({error.strerror}): check the path and its permissions"
        raise CorpusError(f"clip {self.id!r}: {fault}")

    def to_dict(self) -> dict[str, Any]:
        """Return all fields except the audio as a dictionary for JSON, without unknown fields."""
        known = {name: getattr(self, name) for name in ("id", *_TEXTS, *_NUMBERS)}
        known["profile"] = None if self.profile is None else self.profile.to_dict()
        known["captions"] = [caption.to_dict() for caption in self.captions] or None
        known["metadata"] = dict(self.metadata) or None
        return {name: value for name, value in known.items() if value is not None}

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], *, audio: bytes | Path, format: str, id: str | None = None
    ) -> "Clip":
        """Make a clip from its JSON form and its audio.

        Args:
            data: fields as `to_dict` returns them. Other names are kept in `metadata`.
            audio: encoded audio as bytes, or the path of an audio file.
            format: suffix of the audio format, such as "flac".
            id: id of the clip if `data` has none.

        Raises:
            CorpusError: a field has the wrong type, or the profile is invalid.
        """
        name = _text(data, "id", "?") or id or ""
        check_id(name)
        rate = _number(data, "sampling_rate", name)
        texts: dict[str, Any] = {key: _text(data, key, name) for key in _TEXTS}
        captions, metadata = data.get("captions", []), data.get("metadata", {})
        if not isinstance(captions, list):
            raise _wrong(name, "captions", captions, "a list")
        if not isinstance(metadata, Mapping):
            raise _wrong(name, "metadata", metadata, "an object")
        others = {key: value for key, value in data.items() if key not in _FIELDS}
        return cls(
            id=name,
            audio=audio,
            format=format,
            sampling_rate=None if rate is None else int(rate),
            duration=_number(data, "duration", name),
            **texts,
            profile=_profile(data.get("profile"), name),
            captions=tuple(_caption(item, name) for item in captions),
            metadata={**others, **metadata},
        )


def annotated(clip: Clip, profile: VoiceProfile, made_by: Mapping[str, Any]) -> Clip:
    """Return a clip with another profile, and its origin; in `SOURCES`, if it exists, for the parts that
    changed.
    """
    metadata = {**clip.metadata, "annotated_by": dict(made_by)}
    if isinstance(sources := metadata.get(SOURCES), Mapping):
        before, after = profile_parts(clip.profile), profile_parts(profile)
        changed = [name for name, value in after.items() if before.get(name) != value]
        metadata[SOURCES] = {**sources, **dict.fromkeys(changed, str(made_by["by"]))}
    return replace(clip, profile=profile, metadata=metadata)


def profile_parts(profile: VoiceProfile | None) -> dict[str, Any]:
    """Return the parts of a profile that have a source: "emotions", "bursts" and each trait, if known."""
    if profile is None:
        return {}
    emotions = {"emotions": (profile.rated, dict(profile.emotions))} if profile.rated else {}
    return {**emotions, **({"bursts": profile.bursts} if profile.bursts else {}), **profile.traits}


def check_id(id: str) -> None:
    """Raise `CorpusError` unless `id` is a valid id: a printable relative name without `..`, not too long."""
    odd = any(unicodedata.category(character) in ("Cc", "Cs") for character in id)
    if len(id) > LONGEST_ID or odd or "\\" in id or {"..", ".", ""} & set(id.split("/")):
        fault = "use 1 to 240 printable characters, no leading /, no '..'"
        raise CorpusError(f"{id[:80]!r} cannot be the id of a clip: {fault}")


def check_not_withheld(clip: Clip) -> None:
    """Raise `WithheldError` if the profile or a caption of a clip combines a minor with sexual content."""
    if clip.is_withheld:
        raise WithheldError(f"clip {clip.id!r}: joins a minor with sexual content: left out of every job")


def without_withheld(
    clips: Iterable[Clip], on_withheld: Callable[[str, WithheldError], None]
) -> Iterator[Clip]:
    """Yield the clips that are not withheld (see `Clip.is_withheld`).

    `on_withheld` is called with the id and the error of each clip that is.
    """
    for clip in clips:
        try:
            check_not_withheld(clip)
        except WithheldError as error:
            on_withheld(clip.id, error)
        else:
            yield clip


_TEXTS = ("language", "speaker", "transcript", "source", "license")
_NUMBERS = ("sampling_rate", "duration")
_FIELDS = frozenset(("id", *_TEXTS, *_NUMBERS, "profile", "captions", "metadata"))


def _wrong(clip: str, name: str, value: object, wanted: str) -> CorpusError:
    return CorpusError(
        f"clip {clip!r}: {name} is {str(value)[:60]!r}, not {wanted}: correct it in the clip's JSON"
    )


def _text(data: Mapping[str, Any], name: str, clip: str) -> str | None:
    value = data.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # speakers and ids are numbers in many corpora
    if value is None or isinstance(value, str):
        return value
    raise _wrong(clip, name, value, "text")


def _number(data: Mapping[str, Any], name: str, clip: str) -> float | None:
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12:
        return float(value)
    raise _wrong(clip, name, value, "a number")


def _profile(value: object, clip: str) -> VoiceProfile | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise _wrong(clip, "profile", value, "an object with emotions, bursts and traits")
    try:
        return VoiceProfile.from_dict(value)
    except (ValueError, TypeError, KeyError) as error:
        raise CorpusError(f"clip {clip!r}: the profile cannot be read: {error}") from error


def _caption(item: object, clip: str) -> Caption:
    if isinstance(item, str):
        return Caption(item)
    if isinstance(item, Mapping) and isinstance(item.get("text"), str):
        made_by = item.get("made_by", {})
        if isinstance(made_by, Mapping):
            return Caption(item["text"], dict(made_by))
    raise _wrong(clip, "a caption", item, "text or an object with text and made_by")
