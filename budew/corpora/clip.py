"""`Clip`: one utterance with its labels, and its JSON form.

A clip carries its audio encoded (bytes or a path); samples exist only while something needs them, so an
iterator of a million clips holds one. On disk a clip is a pair, `<id>.flac|mp3|wav|ogg` and `<id>.json`;
the second is `Clip.to_dict()`.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from budew.audio.formats import LARGEST_AUDIO
from budew.captions.parse import is_withheld_text
from budew.corpora.media import AUDIO, IMAGE
from budew.errors import CorpusError, WithheldError
from budew.profile import VoiceProfile

LONGEST_ID = 240
"""Most characters of an id: a tar header, or a file name with a suffix, holds no more."""
CAPTION_KINDS = ("paraphrase", "render", "model", "original")
"""Newest first: rewritten and accepted by the gate, rendered from the profile, or of the corpus itself."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A sentence or two about the voice of a clip, and what wrote it.

    Example:
        >>> Caption("A calm voice.", {"by": "render", "seed": 7}).kind
        'render'
    """

    text: str
    made_by: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """One of `CAPTION_KINDS`, by what wrote it."""
        by = self.made_by.get("by")
        return by if by in CAPTION_KINDS else "original"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"text": self.text, "made_by": dict(self.made_by)}


@dataclass(frozen=True, slots=True)
class Clip:
    """One utterance. Unknown fields are None or empty.

    Attributes:
        id: unique in its corpus; a relative name with `/` between parts, not a path to open.
        audio: the encoded bytes, or the path of a file; in a corpus of images, the image.
        format: suffix of the encoding: "flac", "mp3", "wav", "ogg"…
        sampling_rate: Hz.
        duration: seconds.
        language: BCP 47 tag, such as "en" or "pt-BR".
        speaker: name of the voice, unique in its source.
        transcript: the spoken words.
        profile: emotions, bursts and traits of the voice.
        captions: descriptions of the voice.
        source: corpus or recording of origin.
        license: SPDX identifier, if known.
        metadata: all other fields, preserved by reading and writing.

    Raises:
        CorpusError: the id is empty, too long, or could be taken for a path outside of a folder.

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
        """The captions of the newest kind that the clip has; see `CAPTION_KINDS`."""
        kinds = {caption.kind for caption in self.captions}
        newest = next((kind for kind in CAPTION_KINDS if kind in kinds), None)
        return tuple(caption for caption in self.captions if caption.kind == newest)

    @property
    def is_withheld(self) -> bool:
        """Whether the profile or a caption joins a minor with sexual content."""
        of_profile = self.profile is not None and self.profile.is_withheld
        return of_profile or any(is_withheld_text(caption.text) for caption in self.captions)

    def encoded(self) -> bytes:
        """Return the encoded audio, as it can be stored.

        Raises:
            CorpusError: its format is unknown, its file cannot be read, or it is empty or too large.
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
        """Return everything but the audio as JSON values, without unknown fields."""
        known = {name: getattr(self, name) for name in ("id", *_TEXTS, *_NUMBERS)}
        known["profile"] = None if self.profile is None else self.profile.to_dict()
        known["captions"] = [caption.to_dict() for caption in self.captions] or None
        known["metadata"] = dict(self.metadata) or None
        return {name: value for name, value in known.items() if value is not None}

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], *, audio: bytes | Path, format: str, id: str | None = None
    ) -> "Clip":
        """Make a clip of its JSON form and its audio.

        Args:
            data: as `to_dict` gives it. Names that are not fields of a clip are kept in `metadata`.
            audio: the encoded bytes, or the path of a file.
            format: suffix of the encoding.
            id: used when `data` has none.

        Raises:
            CorpusError: a field has the wrong type, or the profile is not one.
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


def check_id(id: str) -> None:
    """Raise `CorpusError` unless `id` can name a clip: relative, printable, no `..`, not too long."""
    odd = any(unicodedata.category(character) in ("Cc", "Cs") for character in id)
    if len(id) > LONGEST_ID or odd or "\\" in id or {"..", ".", ""} & set(id.split("/")):
        fault = "use 1 to 240 printable characters, no leading /, no '..'"
        raise CorpusError(f"{id[:80]!r} cannot be the id of a clip: {fault}")


def check_not_withheld(clip: Clip) -> None:
    """Raise `WithheldError` if the profile or a caption of a clip joins a minor with sexual content."""
    if clip.is_withheld:
        raise WithheldError(f"clip {clip.id!r}: joins a minor with sexual content: left out of every job")


def without_withheld(
    clips: Iterable[Clip], on_withheld: Callable[[str, WithheldError], None]
) -> Iterator[Clip]:
    """Yield the clips that are not withheld; call `on_withheld` with the id and the error of the others."""
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
