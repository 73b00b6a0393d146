"""Index of a corpus: file and position of the audio and of the annotation of each clip.

Training reads clips in random order and many times. So every shard is read once from beginning to end, and
id, profile, captions and position of the audio of each clip are stored; then any clip can be loaded with two
reads. The index of a shard is made once and does not depend on the other shards.

Audio in tables, compressed shards and remote files cannot be read at a position: such clips are first copied
to a plain shard beside the index.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from budew.audio.samples import probe_audio
from budew.captions.content_selection import denied_emotions, has_content
from budew.corpora import Clip
from budew.corpora.named.named_folder import NamedFolder
from budew.corpora.shards import trace_shard, write_shard
from budew.corpora.sources import Entry, matches, read_one
from budew.curation.fingerprints import NO_CODES, SKETCH, read_fingerprint, sketch_of
from budew.curation.overlap import key_of, name_keys
from budew.errors import AudioError, CorpusError
from budew.io.files import replaced_file, whole_file
from budew.profile import VoiceProfile
from budew.taxonomy import WITHHELD
from budew.version import __version__

ROW = np.dtype(
    [
        ("audio", "<u4"),  # number of the file with the audio
        ("start", "<i8"), ("size", "<i4"),  # position and size of the encoded audio, bytes
        ("line", "<i8"), ("length", "<i4"),  # position and size of the annotation, bytes
        ("notes", "<u4"),  # number of the file with the annotation
        ("seconds", "<f4"),
        ("flags", "u1"),
        ("names", "<u8", 2), ("content", "<u8"),  # hashes of names and encoded audio (`curation.overlap`)
    ]
)  # fmt: skip
ROW_WITH_SOUND = np.dtype([*ROW.descr, ("codes", "<u4", (SKETCH, 2))])
MOST_BYTES = 10 * 2**30
"""Sound is only fingerprinted in corpora of local files up to this size: decoding them takes core-hours."""
PROFILE, REWRITTEN, RENDERED, ORIGINAL, MODELLED = 1, 2, 4, 8, 16
"""Flags of a clip: it has a profile with content; it has captions of a kind."""
LABELLED, DENYING = 32, 64
"""Flags of a clip: it has a profile; of its emotions, captions can only deny some ("no anger")."""
KINDS = {"paraphrase": REWRITTEN, "render": RENDERED, "model": MODELLED, "original": ORIGINAL}
"""Kind of caption (see `budew.corpora.clip`) → flag."""
LONGEST_SECONDS = 24 * 3600.0
"""Longest recording in seconds; a longer one is an error."""
MAX_OPEN_FILES = 64
"""Number of files that a process keeps open."""


class ClipRecord(NamedTuple):
    """Annotation of a clip.

    Attributes:
        id: id of the clip.
        profile: profile of the clip, None if it has none.
        captions: kind of caption → captions.
        cues: vocal cue of synthetic speech → how far it was moved; empty for recordings.
    """

    id: str
    profile: VoiceProfile | None
    captions: dict[str, tuple[str, ...]]
    cues: dict[str, Any]


@dataclass(frozen=True, eq=False, slots=True)
class ClipIndex:
    """Index of the clips of a corpus, which loads the audio and annotation of a clip by its number.

    Attributes:
        rows: structured array (clips,) of type `ROW` or `ROW_WITH_SOUND`.
        files: audio and annotation files; rows have their indices.
        left_out: reason → number of clips that are not in the index.
    """

    rows: npt.NDArray[np.void]
    files: tuple[Path, ...]
    left_out: Counter[str]

    def __len__(self) -> int:
        return len(self.rows)

    def record(self, number: int) -> ClipRecord:
        """Return the annotation of clip `number`."""
        row = self.rows[number]
        known = json.loads(self._bytes(row["notes"], row["line"], row["length"]))
        profile = None if known["profile"] is None else VoiceProfile.from_dict(known["profile"])
        captions = {kind: tuple(texts) for kind, texts in known["captions"].items()}
        return ClipRecord(known["id"], profile, captions, known["cues"])

    def audio(self, number: int) -> bytes:
        """Return the encoded audio of clip `number`."""
        row = self.rows[number]
        return self._bytes(row["audio"], row["start"], row["size"])

    def _bytes(self, file: int, start: int, size: int) -> bytes:
        path = self.files[file]
        content = os.pread(_open_file(path).number, int(size), int(start))
        if len(content) != size:
            raise CorpusError(
                f"{path} has become shorter since it was indexed: remove the index folder "
                f"{self.files[-1].parent}, and run the command again"
            )
        return content


class _OpenFile:
    """An open file that is closed when it is no longer used, since a corpus may have a million files."""

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        if hasattr(self, "number"):
            os.close(self.number)


_open_file = lru_cache(maxsize=MAX_OPEN_FILES)(_OpenFile)


def index_corpus(
    source: str | Path,
    folder: Path,
    *,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> ClipIndex:
    """Return the index of a corpus. Missing parts of the index are made and stored in `folder`.

    Args:
        source: anything that `budew.read` takes.
        folder: folder of the index; several corpora may share it.
        workers: number of processes that index shards.
        progress: called with the number of clips indexed so far.

    Raises:
        CorpusError: the corpus cannot be read or has no clips.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = matches(source)
    sizes = [state[1] for entry in entries for state in _state(entry) if isinstance(state, list)]
    kind = ROW_WITH_SOUND if 0 < sum(sizes) <= MOST_BYTES else ROW
    missing = sum(not _facts_file(entry, folder, kind).exists() for entry in entries)
    pool = None
    if workers > 1 and missing > 1:
        pool = ProcessPoolExecutor(workers, mp_context=get_context("forkserver"))
    rows, files, left_out = [np.empty(0, kind)], list[Path](), Counter[str]()
    with pool or nullcontext():
        for path in (pool.map if pool else map)(partial(_index_entry, folder=folder, kind=kind), entries):
            facts = json.loads(path.read_text(encoding="utf-8"))
            part = np.load(path.with_suffix(".npy")).astype(kind, copy=False)
            part["audio"] += len(files)
            part["notes"] = len(files) + len(facts["files"])
            audio = [folder / file for file in facts["files"]]  # an absolute path replaces `folder`
            files += [*audio, path.with_suffix(".notes")]
            left_out.update(facts["left_out"])
            rows.append(part)
            if progress:
                progress(sum(map(len, rows)))
    joined = np.concatenate(rows)
    if not len(joined):
        reasons = "; ".join(f"{reason} ({count:,})" for reason, count in left_out.items())
        raise CorpusError(f"{source} has no clips to train on{f': {reasons}' if reasons else ''}")
    return ClipIndex(joined, tuple(files), left_out)


def _index_entry(entry: Entry, *, folder: Path, kind: np.dtype[np.void]) -> Path:
    """Index one shard, table, manifest or folder, unless it is indexed; return its `.json` file."""
    facts = _facts_file(entry, folder, kind)
    if not facts.exists():
        _write_index(entry, facts, kind)
    return facts


def _facts_file(entry: Entry, folder: Path, kind: np.dtype[np.void]) -> Path:
    """Return the `.json` file of an entry's index, written last; the name has a hash of the entry's state."""
    made_of = json.dumps(
        [_state(entry), dict(WITHHELD), __version__, kind.descr, LABELLED, DENYING], default=str
    )
    return folder / f"{hashlib.sha256(made_of.encode()).hexdigest()[:20]}.json"


def _write_index(entry: Entry, facts: Path, kind: np.dtype[np.void]) -> None:
    left_out: Counter[str] = Counter()
    files: dict[str, int] = {}
    rows: list[tuple[Any, ...]] = []
    with replaced_file(facts.with_suffix(".notes")) as part, part.open("wb") as file:
        for clip, path, start, size in _located(entry, facts):
            if clip.is_withheld:
                left_out["withheld"] += 1
                continue
            line, flags = _annotation(clip)
            seconds = clip.duration or probe_audio(clip.audio, max_seconds=LONGEST_SECONDS).seconds
            name = path.name if path == facts.with_suffix(".tar") else str(path.absolute())
            number = files.setdefault(name, len(files))
            keys: tuple[Any, ...] = (name_keys(clip), key_of(clip.encoded()))
            if kind == ROW_WITH_SOUND:
                made = read_fingerprint(clip.audio, clip.id)
                keys += (sketch_of(NO_CODES if isinstance(made, AudioError) else made.codes),)
            rows.append((number, start, size, file.tell(), len(line), 0, seconds, flags, *keys))
            file.write(line)
    with facts.with_suffix(".npy").open("wb") as file:
        np.save(file, np.array(rows, dtype=kind))
    with whole_file(facts) as text:
        json.dump({"files": list(files), "left_out": left_out}, text)


def _located(entry: Entry, facts: Path) -> Iterator[tuple[Clip, Path, int, int]]:
    """Yield each clip, the file with its audio, and position and size of the audio in the file, in bytes."""
    path = Path(entry)
    if not isinstance(entry, Path) or path.suffix.lower() != ".tar":
        clips = read_one(entry)
        first = next(clips, None)
        if first is None:
            return
        if isinstance(first.audio, Path):
            for clip in chain([first], clips):
                sound = cast(Path, clip.audio)  # if one clip of a source is a file, all are
                yield clip, sound, 0, sound.stat().st_size
            return
        path = facts.with_suffix(".tar")
        write_shard(path, chain([first], clips))
    for clip, start, size in trace_shard(path):
        yield clip, path, start, size


def _annotation(clip: Clip) -> tuple[bytes, int]:
    """Return the annotation of a clip as a line of JSON, and its flags."""
    captions: dict[str, list[str]] = {}
    for caption in clip.captions:
        captions.setdefault(caption.kind, []).append(caption.text)
    flags = sum(KINDS[kind] for kind in captions)
    if clip.profile is not None:
        flags |= LABELLED
        flags |= PROFILE if has_content(clip.profile) else 0
        flags |= DENYING if denied_emotions(clip.profile) and "original" not in captions else 0
    synthesis = clip.metadata.get("synthesis")
    cues = synthesis.get("cues") if isinstance(synthesis, dict) else None
    profile = None if clip.profile is None else clip.profile.to_dict()
    known: dict[str, Any] = {"id": clip.id, "profile": profile, "captions": captions}
    known["cues"] = cues if isinstance(cues, dict) else {}  # metadata of corpora may have any type
    line = json.dumps(known, ensure_ascii=False, separators=(",", ":"))
    try:
        return line.encode() + b"\n", flags
    except UnicodeEncodeError as error:
        fault = f"a text has {error.object[error.start]!a}, an unpaired surrogate: correct it"
        raise CorpusError(f"clip {clip.id!r}: {fault}") from error


def _state(entry: Entry) -> list[Any]:
    """Return name, size and modification time of the files of an entry, to find out whether it changed."""
    path = Path(entry)
    if not path.exists():
        return [str(entry)]
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    known = [str(entry), entry.corpus.model_dump_json()] if isinstance(entry, NamedFolder) else []
    states = ([str(file.absolute()), file.stat().st_size, file.stat().st_mtime_ns] for file in files)
    return [*known, *states]
