"""Write audio files with text manifests beside them, in the formats JSON Lines, LJSpeech and Lhotse."""

import gzip
import io
import re
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO, cast
from urllib.parse import quote

import soundfile

from budew.audio.samples import decode, encode_audio
from budew.corpora.clip import Clip
from budew.corpora.text_files import LARGEST_JSON, json_line
from budew.corpora.writers.clip_values import (
    converted,
    metadata_value,
    spoken_text,
    text_to_speech_columns,
    with_columns,
)
from budew.errors import AudioError, CorpusError, OnBad

LJSPEECH_RATE = 22_050
"""Default sampling rate, in Hz, of the format ljspeech; that of LJSpeech itself."""
LONGEST_PART = 200
"""Longest part of a path, in characters, without the suffix. File systems allow 255 bytes."""
_MOST_SAMPLES = 2**40
"""Largest believable number of samples of a file; a FLAC that was written to a pipe declares 2**63."""


class StoredAudio(NamedTuple):
    """Encoded audio of a clip as it is written to its file, and the suffix of the file."""

    encoded: bytes
    suffix: str


class ManifestFormat(NamedTuple):
    """A format with audio files, and text files (`tables`) that have a line for each clip.

    Attributes:
        tables: names of the text files; those that end in `.gz` are compressed.
        folder: name of the folder of the audio files.
        encode: returns the audio of a clip as it is stored.
        lines: returns the line of a clip in each table, from the clip, its stored audio and the path of that.
        flat: whether slashes in ids are escaped, for loaders that do not read subfolders.
    """

    tables: tuple[str, ...]
    folder: str
    encode: Callable[[Clip], StoredAudio]
    lines: Callable[[Clip, StoredAudio, str], tuple[str, ...]]
    flat: bool = False


def manifest_format(name: str, sampling_rate: int | None) -> ManifestFormat:
    """Return the format "jsonl", "ljspeech" or "lhotse".

    `sampling_rate` is that of the audio of ljspeech, in Hz; None: `LJSPEECH_RATE`.
    """
    if name == "jsonl":
        return ManifestFormat(
            ("clips.jsonl",),
            "audio",
            _unchanged,
            lambda clip, _, path: (json_line({**with_columns(clip.to_dict()), "audio": path}),),
        )
    if name == "ljspeech":
        encode = partial(_as_wav, sampling_rate=sampling_rate or LJSPEECH_RATE)
        return ManifestFormat(("metadata.csv", "clips.jsonl"), "wavs", encode, _ljspeech_lines, flat=True)
    tables = ("recordings.jsonl.gz", "supervisions.jsonl.gz")
    return ManifestFormat(tables, "audio", _for_libsndfile, _lhotse_lines)


def write_manifests(form: ManifestFormat, folder: Path, clips: Iterable[Clip], on_bad: OnBad | None) -> int:
    """Write the audio files and tables of clips into an empty folder; return the number of clips.

    `on_bad` is called with the error of each clip that cannot be written; without it the error is raised.
    """
    names = FileNames(flat=form.flat)
    (folder / form.folder).mkdir()

    def stored(clip: Clip) -> tuple[str, ...]:
        audio = form.encode(clip)
        path = f"{form.folder}/{names.name(clip.id)}.{audio.suffix}"
        lines = form.lines(clip, audio, path)
        if any(len(line.encode()) > LARGEST_JSON for line in lines):  # encode() refuses unpaired surrogates
            raise CorpusError(f"clip {clip.id!r} has more than {LARGEST_JSON} bytes of text: shorten it")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(audio.encoded)
        return lines

    count = 0
    with ExitStack() as stack:
        files = [_text_file(folder / name, stack) for name in form.tables]
        for lines in converted(clips, stored, on_bad):
            count += 1
            for file, line in zip(files, lines, strict=True):
                file.write(line + "\n")
    return count


def _text_file(path: Path, stack: ExitStack) -> TextIO:
    """Open a file to write text; `.gz` files get no name and time in their header, to have the same bytes."""
    file: BinaryIO = stack.enter_context(path.open("wb"))
    if path.suffix == ".gz":
        packed = gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)
        file = cast(BinaryIO, stack.enter_context(packed))
    return stack.enter_context(io.TextIOWrapper(file, encoding="utf-8", newline="\n"))


def _unchanged(clip: Clip) -> StoredAudio:
    return StoredAudio(clip.encoded(), clip.format)


def _as_wav(clip: Clip, *, sampling_rate: int) -> StoredAudio:
    spoken_text(clip)  # raises the error of a missing transcript before the audio is decoded
    return _encoded(clip, sampling_rate, "WAV")


def _for_libsndfile(clip: Clip) -> StoredAudio:
    """Return the audio unchanged if libsndfile can open it and determine its length, else as 16-bit FLAC."""
    stored = _unchanged(clip)
    try:
        if 0 < soundfile.info(io.BytesIO(stored.encoded)).frames < _MOST_SAMPLES:
            return stored
    except soundfile.LibsndfileError:
        pass
    return _encoded(clip, None, "FLAC")


def _encoded(clip: Clip, sampling_rate: int | None, format: str) -> StoredAudio:
    """Encode a clip; damaged audio is an error, because a voice trained on it would leave words out."""
    decoded = decode(clip.encoded(), sampling_rate=sampling_rate, name=f"clip {clip.id!r}")
    if decoded.damage is not None:
        raise AudioError(decoded.damage)
    return StoredAudio(encode_audio(decoded.samples, decoded.sampling_rate, format), format.lower())


def _ljspeech_lines(clip: Clip, stored: StoredAudio, path: str) -> tuple[str, str]:
    """Return `name|raw text|normalized text`, and a line of clips.jsonl, which has all other fields.

    Raw and normalized text are taken from the metadata, if they are there (`columns.yaml`), otherwise they
    are the transcript. The format has no escapes, so `|`, line breaks and control characters become spaces.
    """
    raw, normalized = (
        _one_field(metadata_value(clip, text_to_speech_columns()[name], str) or "")
        or _one_field(spoken_text(clip))
        for name in ("raw_text", "normalized_text")
    )
    name = path.partition("/")[2].removesuffix(f".{stored.suffix}").replace("%/", "")
    rate = soundfile.info(io.BytesIO(stored.encoded)).samplerate
    described = {**with_columns(clip.to_dict()), "audio": path, "sampling_rate": rate}
    return f"{name}|{raw}|{normalized}", json_line(described)


def _one_field(text: str) -> str:
    """Return a text for a field: normalized (NFC), with single spaces for `|` and control characters."""
    plain = (" " if letter == "|" or unicodedata.category(letter) == "Cc" else letter for letter in text)
    return " ".join(unicodedata.normalize("NFC", "".join(plain)).split())


def _lhotse_lines(clip: Clip, stored: StoredAudio, path: str) -> tuple[str, str]:
    """Return the lines of a recording and of one supervision over its whole length.

    Paths are relative to the manifests. Captions, profile, source, license and metadata are custom fields of
    the supervision.
    """
    info = soundfile.info(io.BytesIO(stored.encoded))
    channels, seconds = list(range(info.channels)), info.frames / info.samplerate
    recording = {
        "id": clip.id,
        "sources": [{"type": "file", "channels": channels, "source": path}],
        "sampling_rate": info.samplerate,
        "num_samples": info.frames,
        "duration": seconds,
        "channel_ids": channels,
    }
    described = with_columns(clip.to_dict())
    names = ("profile", "captions", "source", "license", *text_to_speech_columns()["measures"])
    custom: dict[str, Any] = {name: described[name] for name in names if name in described}
    if "metadata" in described:
        # As text: Lhotse turns an object that looks like a recording into one, whose source may be a command.
        custom["metadata"] = json_line(described["metadata"])
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
    return json_line(recording), json_line(known)


class FileNames:
    """Chooses for each clip of a corpus a file name, without suffix, that is valid on any disk.

    Letters, digits and `-_.~` stay, slashes become folders, and other characters are escaped as in URLs:
    `unquote` returns the id. Three more things are escaped: `Anna` after `anna`, for disks that ignore case;
    a leading dot, which would hide a file; and dots in names of folders, which could be names of files. Parts
    of more than 200 characters are split into folders whose names end in `%`. Memory: all names, some 100
    bytes a clip.

    Args:
        flat: whether slashes are escaped, too.
    """

    def __init__(self, *, flat: bool = False) -> None:
        self._flat = flat
        self._used: set[str] = set()

    def name(self, id: str) -> str:
        """Return a relative path for an id, different from those of other ids even if case is ignored."""
        *folders, last = [id] if self._flat else id.split("/")
        parts = [*(quote(part, safe="").replace(".", "%2E") for part in folders), quote(last, safe="")]
        if _path(parts).lower() in self._used:
            parts = ["".join(f"%{byte:02X}" for byte in part.encode()) for part in (*folders, last)]
        self._used.add(_path(parts).lower())
        return _path(parts)


def _path(parts: list[str]) -> str:
    """Join escaped parts to a path; long parts are split."""
    visible = (re.sub(r"^\.", "%2E", part) for part in parts)
    return "/".join(re.sub(rf"(.{{{LONGEST_PART}}})(?=.)", r"\1%/", part) for part in visible)
