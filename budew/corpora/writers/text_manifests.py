"""Formats with audio in files and lines in text tables beside them: JSON Lines, LJSpeech, Lhotse."""

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

from budew.audio.samples import decode
from budew.corpora.clip import Clip
from budew.corpora.text_files import LARGEST_JSON, json_line
from budew.corpora.writers.clip_values import (
    converted,
    metadata_value,
    spoken_text,
    text_to_speech_columns,
)
from budew.errors import AudioError, CorpusError, OnBad

LJSPEECH_RATE = 22_050
"""Hz; that of LJSpeech's own files."""
LONGEST_PART = 200
"""Characters of one part of a path; a suffix follows. File systems allow 255 bytes."""
_MOST_SAMPLES = 2**40
"""Most samples of a file; a FLAC that was written to a pipe claims 2**63."""


class StoredAudio(NamedTuple):
    """Encoded audio of a clip in the form in which it is stored, and the suffix of its file."""

    encoded: bytes
    suffix: str


class ManifestFormat(NamedTuple):
    """A format with audio in files, and lines in text files (`tables`) beside them.

    Attributes:
        tables: names of the text files; `.gz` is compressed.
        folder: of the audio files.
        encode: returns the audio of a clip as it is stored.
        lines: returns the line of a clip in each table, given its audio as it is stored and the path to it.
        flat: whether slashes of an id are escaped, for loaders that do not look into folders.
    """

    tables: tuple[str, ...]
    folder: str
    encode: Callable[[Clip], StoredAudio]
    lines: Callable[[Clip, StoredAudio, str], tuple[str, ...]]
    flat: bool = False


def manifest_format(name: str, sampling_rate: int | None) -> ManifestFormat:
    """Return the format "jsonl", "ljspeech" (whose audio gets a sampling rate in Hz) or "lhotse"."""
    if name == "jsonl":
        return ManifestFormat(
            ("clips.jsonl",),
            "audio",
            _unchanged,
            lambda clip, _, path: (json_line({**clip.to_dict(), "audio": path}),),
        )
    if name == "ljspeech":
        encode = partial(_as_wav, sampling_rate=sampling_rate or LJSPEECH_RATE)
        return ManifestFormat(("metadata.csv", "clips.jsonl"), "wavs", encode, _ljspeech_lines, flat=True)
    tables = ("recordings.jsonl.gz", "supervisions.jsonl.gz")
    return ManifestFormat(tables, "audio", _for_libsndfile, _lhotse_lines)


def write_manifests(form: ManifestFormat, folder: Path, clips: Iterable[Clip], on_bad: OnBad | None) -> int:
    """Write audio files and tables into an empty folder; return the number of clips."""
    names = FileNames(flat=form.flat)
    (folder / form.folder).mkdir()

    def stored(clip: Clip) -> tuple[str, ...]:
        audio = form.encode(clip)
        path = f"{form.folder}/{names.name(clip.id)}.{audio.suffix}"
        lines = form.lines(clip, audio, path)
        if any(len(line.encode()) > LARGEST_JSON for line in lines):  # refuses unpaired surrogates, too
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
    """Open a file for text; one with the suffix `.gz` without the name and time that differ between runs."""
    file: BinaryIO = stack.enter_context(path.open("wb"))
    if path.suffix == ".gz":
        packed = gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)
        file = cast(BinaryIO, stack.enter_context(packed))
    return stack.enter_context(io.TextIOWrapper(file, encoding="utf-8", newline="\n"))


def _unchanged(clip: Clip) -> StoredAudio:
    return StoredAudio(clip.encoded(), clip.format)


def _as_wav(clip: Clip, *, sampling_rate: int) -> StoredAudio:
    spoken_text(clip)  # refuses a clip before the work of decoding it
    return _encoded(clip, sampling_rate, "WAV")


def _for_libsndfile(clip: Clip) -> StoredAudio:
    """Return the audio as it is if libsndfile can open it and knows its length, else 16-bit FLAC."""
    stored = _unchanged(clip)
    try:
        if 0 < soundfile.info(io.BytesIO(stored.encoded)).frames < _MOST_SAMPLES:
            return stored
    except soundfile.LibsndfileError:
        pass
    return _encoded(clip, None, "FLAC")


def _encoded(clip: Clip, sampling_rate: int | None, format: str) -> StoredAudio:
    """Encode all samples or none: half a clip with its whole text teaches a voice to leave words out."""
    decoded = decode(clip.encoded(), sampling_rate=sampling_rate, name=f"clip {clip.id!r}")
    if decoded.damage is not None:
        raise AudioError(decoded.damage)
    file = io.BytesIO()  # libsndfile does not say why a disk refuses
    soundfile.write(file, decoded.samples, decoded.sampling_rate, format=format, subtype="PCM_16")
    return StoredAudio(file.getvalue(), format.lower())


def _ljspeech_lines(clip: Clip, stored: StoredAudio, path: str) -> tuple[str, str]:
    """Return `name|raw text|normalized text`, and a line of a manifest, which keeps the rest.

    The raw text is that of the metadata, as reading LJSpeech leaves it there, else the transcript; the
    normalized text is that of the metadata under a usual name, else the transcript. The format has no escape:
    `|`, line breaks and control characters become spaces.
    """
    raw, normalized = (
        _one_field(metadata_value(clip, text_to_speech_columns()[name], str) or "")
        or _one_field(spoken_text(clip))
        for name in ("raw_text", "normalized_text")
    )
    name = path.partition("/")[2].removesuffix(f".{stored.suffix}").replace("%/", "")
    rate = soundfile.info(io.BytesIO(stored.encoded)).samplerate
    described = {**clip.to_dict(), "audio": path, "sampling_rate": rate}
    return f"{name}|{raw}|{normalized}", json_line(described)


def _one_field(text: str) -> str:
    """Return a text as a field: no `|`, line break or control character, NFC, single spaces."""
    plain = (" " if letter == "|" or unicodedata.category(letter) == "Cc" else letter for letter in text)
    return " ".join(unicodedata.normalize("NFC", "".join(plain)).split())


def _lhotse_lines(clip: Clip, stored: StoredAudio, path: str) -> tuple[str, str]:
    """Return a recording, and one supervision over its whole length, with paths relative to the manifests.

    Captions, profile, source, license and metadata are custom fields of the supervision.
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
    described = clip.to_dict()
    names = ("profile", "captions", "source", "license")
    custom: dict[str, Any] = {name: described[name] for name in names if name in described}
    if clip.metadata:
        # As text: of an object that looks like one, Lhotse makes a recording, whose source may be a command.
        custom["metadata"] = json_line(dict(clip.metadata))
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
    """Gives each clip of a corpus a file name, without suffix, that is safe on any disk.

    Letters, digits and `-_.~` stay, slashes make folders, the rest is escaped as in an address: `unquote`
    returns the id. Also escaped: `Anna` after `anna`, for disks that know no case; a leading dot, which
    hides a file; a dot in a folder, as a file may have that name. Parts of more than 200 characters are cut
    into folders that end in `%`. Holds all names, some 100 bytes a clip.

    Args:
        flat: escape slashes, too.
    """

    def __init__(self, *, flat: bool = False) -> None:
        self._flat = flat
        self._used: set[str] = set()

    def name(self, id: str) -> str:
        """Return a relative path that no other id has got, in any case."""
        *folders, last = [id] if self._flat else id.split("/")
        parts = [*(quote(part, safe="").replace(".", "%2E") for part in folders), quote(last, safe="")]
        if _path(parts).lower() in self._used:
            parts = ["".join(f"%{byte:02X}" for byte in part.encode()) for part in (*folders, last)]
        self._used.add(_path(parts).lower())
        return _path(parts)


def _path(parts: list[str]) -> str:
    """Join escaped parts, cut where they are long."""
    visible = (re.sub(r"^\.", "%2E", part) for part in parts)
    return "/".join(re.sub(rf"(.{{{LONGEST_PART}}})(?=.)", r"\1%/", part) for part in visible)
