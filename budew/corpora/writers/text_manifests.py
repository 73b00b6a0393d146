"""Lines of the text formats: a manifest in JSON Lines, LJSpeech's `metadata.csv`, and Lhotse's manifests.

Each function takes a clip, its audio as it is stored and the path to that, and returns a line for each table.
"""

import io
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import soundfile

from budew.audio.samples import decode
from budew.corpora.clip import Clip
from budew.errors import AudioError, CorpusError
from budew.resources import packaged_table

T = TypeVar("T", str, float)

LJSPEECH_RATE = 22_050
"""Hz; that of LJSpeech's own files."""
_MOST_SAMPLES = 2**40
"""More is a FLAC that was written to a pipe: it claims 2**63."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Encoded audio of a clip in the form in which it is stored, and the suffix of its file."""

    encoded: bytes
    suffix: str


def as_json(value: Any) -> str:
    """Return strict JSON on one line, the same for equal values.

    Raises:
        ValueError, TypeError, RecursionError: it is not a JSON value, or holds half of a character.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    text.encode()
    return text


def unchanged(clip: Clip) -> Stored:
    """Return the audio as it is encoded; errors are those of `Clip.encoded`."""
    return Stored(clip.encoded(), clip.format)


def as_wav(clip: Clip, *, sampling_rate: int) -> Stored:
    """Return 16-bit mono wav.

    Raises:
        AudioError: it cannot be decoded, or not completely.
    """
    spoken_text(clip)  # refuses a clip before the work of decoding it
    return _encoded(clip, sampling_rate, "WAV")


def for_libsndfile(clip: Clip) -> Stored:
    """Return the audio as it is if libsndfile can open it and knows its length, else 16-bit FLAC."""
    stored = unchanged(clip)
    try:
        if 0 < soundfile.info(io.BytesIO(stored.encoded)).frames < _MOST_SAMPLES:
            return stored
    except soundfile.LibsndfileError:
        pass
    return _encoded(clip, None, "FLAC")


def _encoded(clip: Clip, sampling_rate: int | None, format: str) -> Stored:
    """Encode all samples or none: half a clip with its whole text teaches a voice to leave words out."""
    decoded = decode(clip.encoded(), sampling_rate=sampling_rate, name=f"clip {clip.id!r}")
    if decoded.damage is not None:
        raise AudioError(decoded.damage)
    file = io.BytesIO()  # libsndfile does not say why a disk refuses
    soundfile.write(file, decoded.samples, decoded.sampling_rate, format=format, subtype="PCM_16")
    return Stored(file.getvalue(), format.lower())


def jsonl_lines(clip: Clip, stored: Stored, path: str) -> tuple[str]:
    """Return everything known of the clip (`Clip.to_dict`) with the path of its audio."""
    return (as_json({**clip.to_dict(), "audio": path}),)


def ljspeech_lines(clip: Clip, stored: Stored, path: str) -> tuple[str, str]:
    """Return `name|raw text|normalized text`, and a line of a manifest, which keeps the rest.

    The raw text is that of the metadata, as reading LJSpeech leaves it there, else the transcript; the
    normalized text is that of the metadata under a usual name, else the transcript. The format has no escape:
    `|`, line breaks and control characters become spaces.
    """
    raw, normalized = (
        one_field(value_of(clip, known_columns()[name], str) or "") or one_field(spoken_text(clip))
        for name in ("raw_text", "normalized_text")
    )
    name = path.partition("/")[2].removesuffix(f".{stored.suffix}").replace("%/", "")
    rate = soundfile.info(io.BytesIO(stored.encoded)).samplerate
    described = {**clip.to_dict(), "audio": path, "sampling_rate": rate}
    return f"{name}|{raw}|{normalized}", as_json(described)


def one_field(text: str) -> str:
    """Return a text as a field: no `|`, line break or control character, NFC, single spaces."""
    kept = (" " if letter == "|" or unicodedata.category(letter) == "Cc" else letter for letter in text)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def lhotse_lines(clip: Clip, stored: Stored, path: str) -> tuple[str, str]:
    """Return a recording, and one supervision over its whole length, with paths relative to the manifests.

    Captions, profile, source, license and metadata are custom fields of the supervision.
    """
    about = soundfile.info(io.BytesIO(stored.encoded))
    channels, seconds = list(range(about.channels)), about.frames / about.samplerate
    recording = {
        "id": clip.id,
        "sources": [{"type": "file", "channels": channels, "source": path}],
        "sampling_rate": about.samplerate,
        "num_samples": about.frames,
        "duration": seconds,
        "channel_ids": channels,
    }
    described = clip.to_dict()
    names = ("profile", "captions", "source", "license")
    custom: dict[str, Any] = {str(name): described[name] for name in names if name in described}
    if clip.metadata:
        # As text: of an object that looks like one, Lhotse makes a recording, whose source may be a command.
        custom["metadata"] = as_json(dict(clip.metadata))
    supervision = {
        "id": clip.id,
        "recording_id": clip.id,
        "start": 0.0,
        "duration": seconds,
        "channel": channels if len(channels) > 1 else 0,
        "text": clip.transcript,
        "language": clip.language,
        "speaker": clip.speaker,
        "gender": None if clip.profile is None else clip.profile.traits.get("gender"),
        "custom": custom or None,
    }
    known = {name: value for name, value in supervision.items() if value is not None}
    return as_json(recording), as_json(known)


@cache
def known_columns() -> Mapping[str, Any]:
    """Return where the values of columns for text to speech come from (`columns.yaml`)."""
    columns: dict[str, Any] = packaged_table(__package__, "columns")
    return columns


def spoken_text(clip: Clip) -> str:
    """Return the transcript.

    Raises:
        CorpusError: there is none, or no word in it.
    """
    if clip.transcript is None:
        fault = "has no transcript, which text to speech needs: run budew corpus transcribe first"
        raise CorpusError(f"clip {clip.id!r}: {fault}")
    if not re.search(r"[^\s|\x00-\x1f]", clip.transcript):
        fault = "has a transcript without words: listen for words in it, or leave it out"
        raise CorpusError(f"clip {clip.id!r}: {fault}")
    return clip.transcript


def value_of(clip: Clip, names: Sequence[str], kind: type[T]) -> T | None:
    """Return the first of `names` in the metadata, or in an object in it, that has a value of this kind."""
    places = [clip.metadata]
    places += [inner for _, inner in sorted(clip.metadata.items()) if isinstance(inner, Mapping)]
    for name in names:
        for place in places:
            value = place.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and kind is float:
                value = float(value)
            if isinstance(value, kind):
                return value
    return None
