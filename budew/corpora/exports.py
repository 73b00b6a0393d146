"""Corpora in formats of other tools: `export_corpus` for anything that can be read, `write_clips` for clips.

| format | tables | audio |
|---|---|---|
| parquet | `clips-00000.parquet`… for Hugging Face `datasets` | in the table, as it is encoded |
| parler | the same with dataspeech's columns, for Parler-TTS | in the table, as it is encoded |
| jsonl | `clips.jsonl`, a manifest | `audio/`, as it is encoded |
| ljspeech | `metadata.csv` and `clips.jsonl` | `wavs/`, 16-bit mono |
| lhotse | `recordings.jsonl.gz`, `supervisions.jsonl.gz` | `audio/`, as libsndfile can open it |

The output folder is complete or unchanged. `budew.read` reads all formats.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from budew.corpora.clip import CAPTION_KINDS, Caption, Clip, check_not_withheld
from budew.corpora.manifests import named_audio
from budew.corpora.overlap import check_no_overlap
from budew.corpora.reading import ReadOptions
from budew.corpora.sources import counted, matches, read
from budew.corpora.writers.clip_values import converted
from budew.corpora.writers.export_folder import write_folder
from budew.corpora.writers.text_manifests import manifest_format, write_manifests
from budew.errors import CorpusError, InputError, OnBad
from budew.io.addresses import is_address
from budew.randomness import generator

FORMATS = ("parquet", "jsonl", "parler", "ljspeech", "lhotse")
CAPTIONS = ("newest", *CAPTION_KINDS, "all")
PICKS = ("all", "first", "random")


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What an export contains.

    Attributes:
        to: "parquet", "jsonl", "parler", "ljspeech" or "lhotse".
        clips_per_file: for parquet and parler.
        caption: "paraphrase" (accepted by the gate), "render" (of the profile), "model" (of a captioner),
            "original" (of the corpus), "all", or "newest", the first of the first four that a clip has.
        pick: "all" of these captions, the "first", or one at "random", which depends on the seed and the clip
            alone; None is the first for parler and all for the others.
        seed: of "random".
        sampling_rate: Hz, for ljspeech.
        overwrite: write into a folder that holds other files; those of the same name are replaced.

    Raises:
        InputError: an unknown format, caption or pick, or an option that the format does not have.

    Example:
        >>> from budew.corpora import Caption, Clip
        >>> clip = Clip("a", b"", "wav", captions=(Caption("Calm."), Caption("A calm voice.")))
        >>> [caption.text for caption in ExportOptions("parler").captions_of(clip)]
        ['Calm.']
    """

    to: str
    clips_per_file: int | None = None
    caption: str = "newest"
    pick: str | None = None
    seed: int = 0
    sampling_rate: int | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        for name, value, known in (
            ("format", self.to, FORMATS),
            ("caption", self.caption, CAPTIONS),
            ("pick", self.pick or "all", PICKS),
        ):
            if value not in known:
                raise InputError(f"{value!r} is no {name} of an export: use one of {', '.join(known)}")
        for name, number, having in (
            ("clips per file", self.clips_per_file, ("parquet", "parler")),
            ("sampling rate", self.sampling_rate, ("ljspeech",)),
        ):
            if number is not None and (self.to not in having or number < 1):
                raise InputError(f"the format {self.to} does not accept {number} {name}: remove the option")

    def captions_of(self, clip: Clip) -> tuple[Caption, ...]:
        """Return the captions with which a clip is exported."""
        if self.caption == "newest":
            chosen = clip.newest_captions
        else:
            chosen = tuple(one for one in clip.captions if self.caption in ("all", one.kind))
        pick = self.pick or ("first" if self.to == "parler" else "all")
        if pick == "random" and chosen:
            return (generator(self.seed, clip.id, "caption").choice(chosen),)
        return chosen[:1] if pick == "first" else chosen


@dataclass(frozen=True, slots=True)
class ExportReport:
    """Outcome of an export.

    Attributes:
        clips: how many were written.
        written: captions that were written, by what wrote them ("paraphrase", "render", "model", "original").
        left_out: captions of these clips that were not.

    Example:
        >>> from budew.corpora import Caption, Clip
        >>> captions = Caption("Angry.", {"by": "render"}), Caption("An angry man.", {"by": "model"})
        >>> clips = [Clip("a", b"fLaC", "flac", captions=captions)]
        >>> write_clips(clips, "rendered", ExportOptions("jsonl")).left_out
        Counter({'model': 1})
    """

    clips: int
    written: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)


def export_corpus(
    source: str | Path,
    out: str | Path,
    options: ExportOptions,
    *,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> ExportReport:
    """Write a corpus in another format.

    `out` is complete or unchanged, and does not overlap the source. The same clips and options give the same
    bytes.

    Args:
        source: anything that `budew.read` takes.
        out: folder; empty, or of an earlier export, which is replaced.
        options: format, captions and what else is chosen.
        on_bad: called with the error of each item that cannot be read or written, and the export continues;
            without it the error is raised.
        progress: called with the number of clips that were read.

    Raises:
        CorpusError: no corpus, no clip, `out` holds other files or those of the source, is being written by
            another export, or lies where the source is searched.
        OSError: the disk refuses.

    Example:
        >>> from budew.io.resources import data_folder
        >>> export_corpus(data_folder("demo_clips"), "hub", ExportOptions("parquet")).clips
        16
    """
    if not is_address(source):
        files = [Path(entry) for entry in matches(source, ReadOptions(on_bad=lambda error: None))]
        folders = {audio.parent for path in files for audio in named_audio(path)}
        check_no_overlap(source, (*files, *folders), Path(out))
    return write_clips(counted(read(source, on_bad=on_bad), progress), out, options, on_bad=on_bad)


def write_clips(
    clips: Iterable[Clip], out: str | Path, options: ExportOptions, *, on_bad: OnBad | None = None
) -> ExportReport:
    """Write clips in another format.

    Memory holds the ids, some 100 bytes a clip, and for parquet and parler about 100 MB of clips. parler has
    a row for each caption: the second caption of the clip `x` is the row `x#2`. Clips are read once, and
    errors of reading them are raised.

    Args:
        clips: with ids that differ.
        out: folder; empty, or of an earlier export, which is replaced.
        options: format, captions and what else is chosen.
        on_bad: called with the error of each clip that cannot be written, and the export continues; without
            it the error is raised.

    Raises:
        CorpusError: no clip, or `out` holds other files or is being written by another export.
        OSError: the disk refuses.

    Example:
        >>> from budew.corpora import Clip
        >>> write_clips([Clip("a", b"fLaC", "flac")], "manifest", ExportOptions("jsonl")).clips
        1
    """
    report, seen = ExportReport(0), set[str]()

    def prepared(clip: Clip) -> Clip:
        if clip.id in seen:
            raise CorpusError(f"two clips have the id {clip.id!r}: give each its own")
        chosen = replace(clip, captions=options.captions_of(clip))
        check_not_withheld(chosen)
        seen.add(clip.id)
        written = Counter(one.kind for one in chosen.captions)
        report.written.update(written)
        report.left_out.update(Counter(one.kind for one in clip.captions) - written)
        return chosen

    fill: Callable[[Path, Iterable[Clip], OnBad | None], int]
    if options.to in ("parquet", "parler"):
        tables: Any = import_module("budew.corpora.writers.parquet_tables")  # pyarrow takes a while
        limit = options.clips_per_file or tables.CLIPS_PER_FILE
        fill = partial(tables.write_tables, tables.TABLE_FORMATS[options.to], clips_per_file=limit)
    else:
        fill = partial(write_manifests, manifest_format(options.to, options.sampling_rate))
    checked = converted(clips, prepared, on_bad)
    count = write_folder(
        out, lambda folder: fill(folder, checked, on_bad), format=options.to, overwrite=options.overwrite
    )
    return replace(report, clips=count)
