"""An index of a corpus: what training needs to know of each clip, and where its audio stands.

A run takes clips in an order of its own, again and again, and goes on in the middle after a stop. So every
shard is read once from beginning to end, and of each clip its id, profile, captions and the place of its
audio are kept: from then on any clip is a look into two files, and the place in the order is all that a run
needs to remember. The index of a shard does not depend on the others, and one that is there is not made
again.

Audio in tables, compressed shards and remote files cannot be looked up: their clips are packed into a plain
shard beside the index first.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from budew.audio.samples import probe_audio
from budew.captions.content_selection import has_content
from budew.corpora import Clip
from budew.corpora.named.named_folder import NamedFolder
from budew.corpora.shards import trace_shard, write_shard
from budew.corpora.sources import Entry, matches, read_one
from budew.errors import CorpusError
from budew.profile import VoiceProfile
from budew.taxonomy import WITHHELD
from budew.version import __version__

ROW = np.dtype(
    [
        ("audio", "<u4"),  # number of the file with the audio
        ("start", "<i8"), ("size", "<i4"),  # of the encoded audio, bytes
        ("line", "<i8"), ("length", "<i4"),  # of its line in the notes, bytes
        ("notes", "<u4"),  # number of the file with the notes
        ("seconds", "<f4"),
        ("flags", "u1"),
    ]
)  # fmt: skip
RATED, REWRITTEN, RENDERED, ORIGINAL, MODELLED = 1, 2, 4, 8, 16
"""What a clip has: a profile that says something, and captions of the kinds of `budew.corpora.clip`."""
KINDS = {"paraphrase": REWRITTEN, "render": RENDERED, "model": MODELLED, "original": ORIGINAL}
LONGEST_SECONDS = 24 * 3600.0
MOST_OPEN = 64
"""Files that a process holds open."""


class Notes(NamedTuple):
    """What is known of a clip: captions by kind, and the cues of synthetic speech, if it is one."""

    id: str
    profile: VoiceProfile | None
    captions: dict[str, tuple[str, ...]]
    cues: dict[str, Any]


@dataclass(frozen=True, eq=False, slots=True)
class ClipIndex:
    """The clips of a corpus by number.

    Attributes:
        rows: (clips,) of `ROW`, mapped.
        files: audio files and files of notes, by the numbers in the rows.
        left_out: clips by the reason why they are not in it.
    """

    rows: npt.NDArray[np.void]
    files: tuple[Path, ...]
    left_out: Counter[str]

    def __len__(self) -> int:
        return len(self.rows)

    def notes(self, number: int) -> Notes:
        """Return what is known of a clip."""
        row = self.rows[number]
        known = json.loads(self._bytes(row["notes"], row["line"], row["length"]))
        profile = None if known["profile"] is None else VoiceProfile.from_dict(known["profile"])
        captions = {kind: tuple(texts) for kind, texts in known["captions"].items()}
        return Notes(known["id"], profile, captions, known["cues"])

    def audio(self, number: int) -> bytes:
        """Return the encoded audio of a clip."""
        row = self.rows[number]
        return self._bytes(row["audio"], row["start"], row["size"])

    def _bytes(self, file: int, start: int, size: int) -> bytes:
        path = self.files[file]
        content = os.pread(_opened(path).number, int(size), int(start))
        if len(content) != size:
            raise CorpusError(f"{path} is shorter than when it was indexed: remove the index, and begin anew")
        return content


class _Opened:
    """A file that is closed when nothing uses it any more, so that a folder may have a million of them."""

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        if hasattr(self, "number"):
            os.close(self.number)


_opened = lru_cache(maxsize=MOST_OPEN)(_Opened)


def index_corpus(
    source: str | Path,
    folder: Path,
    *,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> ClipIndex:
    """Return the index of a corpus, made in `folder` where it is not there yet.

    Args:
        source: anything that `budew.read` takes.
        folder: of the index; one for all corpora will do.
        workers: processes.
        progress: called with the number of clips that are done.

    Raises:
        CorpusError: the corpus cannot be read, or there are no clips in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = matches(source)
    work = partial(_index_entry, folder=folder)
    parts: list[Path] = []
    done = 0
    if workers > 1 and sum(not _facts(entry, folder).exists() for entry in entries) > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
            made = pool.map(work, entries)
            parts, done = _collected(made, done, progress)
    else:
        parts, done = _collected(map(work, entries), done, progress)
    index = _joined(parts)
    if not len(index):
        reasons = "; ".join(f"{reason} ({count:,})" for reason, count in index.left_out.items())
        raise CorpusError(
            f"{source}: there are no clips to train on in it{f': {reasons}' if reasons else ''}"
        )
    return index


def _collected(
    made: Iterator[tuple[Path, int]], done: int, progress: Callable[[int], None] | None
) -> tuple[list[Path], int]:
    parts = []
    for path, clips in made:
        parts.append(path)
        done += clips
        if progress:
            progress(done)
    return parts, done


def _joined(parts: Sequence[Path]) -> ClipIndex:
    rows, files, left_out = list[npt.NDArray[np.void]](), list[Path](), Counter[str]()
    for path in parts:
        facts = json.loads(path.read_text(encoding="utf-8"))
        part = np.load(path.with_suffix(".npy")).astype(ROW, copy=False)
        part["audio"] += len(files)
        part["notes"] = len(files) + len(facts["files"])
        files += [*map(Path, facts["files"]), path.with_suffix(".notes")]
        left_out.update(facts["left_out"])
        rows.append(part)
    joined = np.concatenate(rows) if rows else np.empty(0, ROW)
    return ClipIndex(joined, tuple(files), left_out)


def _index_entry(entry: Entry, *, folder: Path) -> tuple[Path, int]:
    """Index one shard, table, manifest or folder; return the file that is written last, and its clips."""
    facts = _facts(entry, folder)
    if not facts.exists():
        _write_index(entry, facts)
    return facts, len(np.load(facts.with_suffix(".npy"), mmap_mode="r"))


def _facts(entry: Entry, folder: Path) -> Path:
    """Return the file that is written last when an entry is indexed."""
    made_of = json.dumps([_state(entry), dict(WITHHELD), __version__, ROW.descr], default=str)
    return folder / f"{hashlib.sha256(made_of.encode()).hexdigest()[:20]}.json"


def _write_index(entry: Entry, facts: Path) -> None:
    left_out: Counter[str] = Counter()
    files: dict[str, int] = {}
    rows: list[tuple[Any, ...]] = []
    notes = facts.with_suffix(".notes.unfinished")
    with notes.open("wb") as file:
        for clip, path, start, size in _placed(entry, facts):
            if clip.is_withheld:
                left_out["withheld"] += 1
                continue
            line, flags = _noted(clip)
            seconds = clip.duration or probe_audio(clip.audio, max_seconds=LONGEST_SECONDS).seconds
            number = files.setdefault(str(path), len(files))
            rows.append((number, start, size, file.tell(), len(line), 0, seconds, flags))
            file.write(line)
    notes.replace(facts.with_suffix(".notes"))
    with facts.with_suffix(".npy").open("wb") as file:
        np.save(file, np.array(rows, dtype=ROW))
    unfinished = facts.with_suffix(".unfinished")
    unfinished.write_text(json.dumps({"files": list(files), "left_out": left_out}), encoding="utf-8")
    unfinished.replace(facts)


def _placed(entry: Entry, facts: Path) -> Iterator[tuple[Clip, Path, int, int]]:
    """Yield each clip, the file with its audio, and its place in the file."""
    path = Path(entry)
    if not isinstance(entry, Path) or path.suffix.lower() != ".tar":
        clips = read_one(entry)
        first = next(clips, None)
        if first is None:
            return
        if isinstance(first.audio, Path):
            for clip in chain([first], clips):
                sound = cast(Path, clip.audio)  # one source has files, or bytes
                yield clip, sound.absolute(), 0, sound.stat().st_size
            return
        path = facts.with_suffix(".tar")
        write_shard(path, chain([first], clips))
    for clip, start, size in trace_shard(path):
        yield clip, path.absolute(), start, size


def _noted(clip: Clip) -> tuple[bytes, int]:
    """Return the line of a clip, and its flags."""
    captions: dict[str, list[str]] = {}
    for caption in clip.captions:
        captions.setdefault(caption.kind, []).append(caption.text)
    flags = sum(KINDS[kind] for kind in captions)
    if clip.profile is not None and has_content(clip.profile):
        flags |= RATED
    synthesis = clip.metadata.get("synthesis")
    cues = synthesis.get("cues") if isinstance(synthesis, dict) else None
    cues = cues if isinstance(cues, dict) else {}  # notes of anyone
    profile = None if clip.profile is None else clip.profile.to_dict()
    known = {"id": clip.id, "profile": profile, "captions": captions, "cues": cues}
    return json.dumps(known, ensure_ascii=False, separators=(",", ":")).encode() + b"\n", flags


def _state(entry: Entry) -> list[Any]:
    """Return what changes when an entry does: name, size and time of its files."""
    path = Path(entry)
    if not path.exists():
        return [str(entry)]
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    known = [str(entry), entry.corpus.model_dump_json()] if isinstance(entry, NamedFolder) else []
    states = ([str(file.absolute()), file.stat().st_size, file.stat().st_mtime_ns] for file in files)
    return [*known, *states]
