"""Export a corpus to the format of another tool: `export_corpus` for a source, `write_clips` for clips.

| format | tables | audio |
|---|---|---|
| parquet | `data/clips-00000.parquet`… for Hugging Face `datasets` | in the table, encoding unchanged |
| parler | the same with dataspeech's columns, for Parler-TTS | in the table, encoding unchanged |
| jsonl | `clips.jsonl`, a manifest | `audio/`, encoding unchanged |
| ljspeech | `metadata.csv` and `clips.jsonl` | `wavs/`, 16-bit mono |
| lhotse | `recordings.jsonl.gz`, `supervisions.jsonl.gz` | `audio/`, FLAC if libsndfile cannot open it |

If an export fails, the output folder is unchanged. `budew.read` reads all formats. `README.md` is the data
card, see `budew.corpora.data_card`.
A corpus of images is exported to parquet, with a column `image`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from budew.corpora.clip import CAPTION_KINDS, Caption, Clip, check_not_withheld
from budew.corpora.data_card import CardCounts, Step, steps_of, write_data_card
from budew.corpora.manifests import named_audio
from budew.corpora.media import AUDIO, IMAGE, Media
from budew.corpora.overlap import check_no_overlap
from budew.corpora.reading import ReadOptions
from budew.corpora.sources import counted, matches, read
from budew.corpora.writers.clip_values import converted
from budew.corpora.writers.export_folder import write_folder
from budew.corpora.writers.text_manifests import manifest_format, write_manifests
from budew.errors import CorpusError, InputError, OnBad
from budew.io.addresses import is_address
from budew.randomness import generator
from budew.version import __version__

FORMATS = ("parquet", "jsonl", "parler", "ljspeech", "lhotse")
"""Values of `ExportOptions.to`."""
CAPTIONS = ("newest", *CAPTION_KINDS, "all")
"""Values of `ExportOptions.caption`."""
PICKS = ("all", "first", "random")
"""Values of `ExportOptions.pick`."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Options of an export: format, captions and audio.

    Attributes:
        to: format, "parquet", "jsonl", "parler", "ljspeech" or "lhotse".
        clips_per_file: for parquet and parler, number of clips per file; None: 1,000.
        caption: kind of the exported captions: "paraphrase" (accepted by the gate), "render" (rendered from
            the profile), "model" (written by a captioning model), "original" (of the corpus), "all", or
            "newest": the first of these four kinds that a clip has.
        pick: which of these captions are exported: "all", the "first", or one at "random", which depends only
            on the seed and the clip; None: the first for parler, all for other formats.
        seed: random seed for the pick "random".
        sampling_rate: for ljspeech, sampling rate of the audio in Hz; None: 22,050.
        overwrite: write into a folder that has files of other origin; files of the same name are replaced.
        media: `AUDIO`, or `IMAGE` for a corpus of images, which is exported to parquet.

    Raises:
        InputError: the format, caption or pick is unknown, or the format does not have the option.

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
    media: Media = AUDIO

    def __post_init__(self) -> None:
        for name, value, known in (
            ("format", self.to, FORMATS),
            ("caption", self.caption, CAPTIONS),
            ("pick", self.pick or "all", PICKS),
        ):
            if value not in known:
                raise InputError(f"{value!r} is not a {name} of an export: use one of {', '.join(known)}")
        for name, number, having in (
            ("clips per file", self.clips_per_file, ("parquet", "parler")),
            ("sampling rate", self.sampling_rate, ("ljspeech",)),
        ):
            if number is not None and (self.to not in having or number < 1):
                raise InputError(f"the format {self.to} does not accept {number} {name}: remove the option")
        if self.media == IMAGE and self.to != "parquet":
            raise InputError(f"the format {self.to} has no images: use parquet")

    def captions_of(self, clip: Clip) -> tuple[Caption, ...]:
        """Return the captions of a clip that are exported."""
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
    """Numbers of clips and captions of an export.

    Attributes:
        clips: number of exported clips.
        written: number of exported captions, by kind ("paraphrase", "render", "model", "original").
        left_out: number of captions of these clips that were not exported, by kind.
        licenses: number of exported clips by licence; "not stated" for clips without one.

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
    licenses: Counter[str] = field(default_factory=Counter)


def export_corpus(
    source: str | Path,
    out: str | Path,
    options: ExportOptions,
    *,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> ExportReport:
    """Write a corpus in another format.

    If the export fails, `out` is unchanged. The same clips and options give the same bytes.

    Args:
        source: anything that `budew.read` takes.
        out: output folder outside the source. It must be empty, or have an earlier export, which is replaced.
        options: format, captions and audio of the export.
        on_bad: called with the error of each item that cannot be read or written, and the export continues;
            without it the first error is raised.
        progress: called with the number of clips read so far.

    Raises:
        CorpusError: the source does not exist or has no clips; `out` has other files, overlaps the source, or
            another export is writing to it.
        OSError: the disk is full or cannot be written.

    Example:
        >>> from budew.io.resources import data_folder
        >>> export_corpus(data_folder("demo_clips"), "hub", ExportOptions("parquet")).clips
        16
    """
    steps: list[Step] = []
    if not is_address(source):
        files = [
            Path(entry)
            for entry in matches(source, ReadOptions(media=options.media, on_bad=lambda error: None))
        ]
        folders = {audio.parent for path in files for audio in named_audio(path)}
        check_no_overlap(source, (*files, *folders), Path(out))
        steps = [step for file in files for step in steps_of(file)]
    clips = read(source, media=options.media, on_bad=on_bad)
    return write_clips(counted(clips, progress), out, options, steps=steps, on_bad=on_bad)


def write_clips(
    clips: Iterable[Clip],
    out: str | Path,
    options: ExportOptions,
    *,
    steps: Sequence[Step] = (),
    on_bad: OnBad | None = None,
) -> ExportReport:
    """Write clips in another format.

    If the export fails, `out` is unchanged. Memory: the ids, some 100 bytes a clip, and for parquet and
    parler about 100 MB of clips. parler has a row for each caption: the row of the second caption of the clip
    `x` has the id `x#2`.

    Args:
        clips: clips with different ids; read once. Errors from the iterator are raised.
        out: output folder. It must be empty, or have an earlier export, which is replaced.
        options: format, captions and audio of the export.
        steps: jobs that made the clips, for the data card.
        on_bad: called with the error of each clip that cannot be written, and the export continues; without
            it the first error is raised.

    Raises:
        CorpusError: there is no clip to write; `out` has other files, or another export is writing to it.
        OSError: the disk is full or cannot be written.

    Example:
        >>> from budew.corpora import Clip
        >>> write_clips([Clip("a", b"fLaC", "flac")], "manifest", ExportOptions("jsonl")).clips
        1
    """
    report, seen = ExportReport(0), set[str]()
    counts, last = CardCounts(), list[Clip]()  # the last one may still be refused

    def prepared(clip: Clip) -> Clip:
        while last:
            counts.add(last.pop(), options.media)
        if clip.id in seen:
            raise CorpusError(f"two clips have the id {clip.id!r}: change one of the ids")
        chosen = replace(clip, captions=options.captions_of(clip))
        check_not_withheld(chosen)
        seen.add(clip.id)
        written = Counter(one.kind for one in chosen.captions)
        report.written.update(written)
        report.left_out.update(Counter(one.kind for one in clip.captions) - written)
        last.append(chosen)
        return chosen

    def refused(error: CorpusError) -> None:
        last.clear()
        if on_bad is not None:
            on_bad(error)

    fill: Callable[[Path, Iterable[Clip], OnBad | None], int]
    if options.to in ("parquet", "parler"):
        tables: Any = import_module("budew.corpora.writers.parquet_tables")  # pyarrow takes a while
        limit = options.clips_per_file or tables.CLIPS_PER_FILE
        name = "image" if options.media == IMAGE else options.to
        fill = partial(tables.write_tables, tables.TABLE_FORMATS[name], clips_per_file=limit)
    else:
        fill = partial(write_manifests, manifest_format(options.to, options.sampling_rate))
    checked = converted(clips, prepared, on_bad)

    def written_to(folder: Path) -> int:
        count = fill(folder, checked, None if on_bad is None else refused)
        while last:
            counts.add(last.pop(), options.media)
        settings = {name: getattr(options, name) for name in ("caption", "pick", "seed", "sampling_rate")}
        step = {"job": f"export to {options.to}", "settings": settings, "version": __version__}
        write_data_card(folder, counts, [*steps, step], format=options.to, media=options.media)
        return count

    count = write_folder(out, written_to, format=options.to, overwrite=options.overwrite)
    return replace(report, clips=count, licenses=counts["license"])
