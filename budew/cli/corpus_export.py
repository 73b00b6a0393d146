"""`budew corpus export`."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self

import typer
from typer import Argument, Option

from budew import corpora
from budew.cli.options import option_groups
from budew.cli.terminal import PrintedErrors, progress_bar, say_error
from budew.reports.formatting import visible_name

app = typer.Typer()
NAMED = 5
"""Most clips with the same error whose ids are printed."""
_OF_A_CLIP = re.compile(r"clip '(?P<clip>[^']*)' has (?P<lack>.*): (?P<remedy>[^:]*)", re.DOTALL)
ExportFormat = Literal["parquet", "jsonl", "parler", "ljspeech", "lhotse"]


@dataclass(frozen=True, slots=True)
class CaptionChoice:
    """Options for the captions to export."""

    caption: Annotated[
        Literal["newest", "paraphrase", "render", "model", "original", "all"],
        Option(
            metavar="ORIGIN",
            help="Captions to export: paraphrase (accepted by the gate), render (from templates), model (by "
            "budew corpus caption), original, all, or newest: the first of these four that a clip has.",
        ),
    ] = "newest"
    pick: Annotated[
        Literal["all", "first", "random"] | None,
        Option(help="Which of these captions to export from each clip. Default: all; with parler: first."),
    ] = None
    seed: Annotated[int, Option(metavar="S", help="Random seed of --pick random.")] = 0


@app.command("export", no_args_is_help=True)
@option_groups()
def export_corpus_command(
    source: Annotated[
        str,
        Argument(
            metavar="SOURCE",
            help="A folder, a shard, a Parquet file, a manifest, a quoted glob pattern, a URL, or hf://OWNER/NAME.",
        ),
    ],
    out: Annotated[
        Path, Argument(metavar="OUT", help="Folder for the export; an earlier export in it is replaced.")
    ],
    to: Annotated[
        ExportFormat,
        Option(
            metavar="FORMAT",
            help="parquet (Hugging Face), jsonl (a manifest and audio files), parler (Parler-TTS, with "
            "dataspeech's columns), ljspeech (metadata.csv and wavs), lhotse (manifests). WebDataset shards "
            "are written by budew corpus convert.",
            show_default=False,
        ),
    ],
    captions: CaptionChoice,
    clips_per_file: Annotated[
        int | None,
        Option(metavar="N", min=1, help="parquet, parler: number of clips in each file. Default: 1000."),
    ] = None,
    sampling_rate: Annotated[
        int | None,
        Option(metavar="HZ", min=4_000, max=192_000, help="ljspeech: sampling rate in Hz. Default: 22050."),
    ] = None,
    media: Annotated[
        Literal["audio", "image"], Option(help="What the corpus holds; images are exported to parquet.")
    ] = "audio",
    overwrite: Annotated[
        bool,
        Option(
            "--overwrite",
            help="Also write into a folder with other files; files of the same name are replaced.",
        ),
    ] = False,
) -> None:
    """Export a corpus for other tools: Hugging Face datasets, Lhotse, text-to-speech trainers.

    OUT is written completely or not at all. A clip that cannot be read, or that the
    format cannot express, is reported on stderr and left out; then the exit status
    is 1. Text-to-speech formats need transcripts: budew corpus transcribe.

    Example: budew corpus export 'talent/*.tar' hub/ --to parquet
    """
    with GroupedErrors() as bad, progress_bar("exporting") as bar:
        kind = corpora.IMAGE if media == "image" else corpora.AUDIO
        chosen = (captions.caption, captions.pick, captions.seed)
        options = corpora.ExportOptions(to, clips_per_file, *chosen, sampling_rate, overwrite, kind)
        result = corpora.export_corpus(source, out, options, on_bad=bad, progress=bar)
    items = f", {bad.count} items left out" if bad.count else ""
    print(f"{result.clips} clips in {visible_name(out)}{items}")
    if result.left_out:
        print(
            f"captions: {_counts(result.written)}; left out: {_counts(result.left_out)} (--caption, --pick)"
        )
    if len(result.licenses) > 1:
        say_error(f"warning: different licences ({_counts(result.licenses)}), see {out / 'README.md'}")
    raise typer.Exit(bad.status)


def _counts(kinds: Counter[str]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items())) or "none"


@dataclass(slots=True)
class GroupedErrors(PrintedErrors):
    """Context manager that at its end prints errors that many clips share ("has no transcript") as one line.

    Other errors are printed at once.
    """

    same: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __call__(self, error: Exception) -> None:
        """Print an error; errors of clips are counted, to be printed at the end of the context."""
        found = _OF_A_CLIP.fullmatch(str(error))
        if found is None:
            PrintedErrors.__call__(self, error)
            return
        self.count += 1
        kind = found["lack"], found["remedy"]
        self.counts[kind] += 1
        if self.counts[kind] <= NAMED:
            self.same.setdefault(kind, []).append(found["clip"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for (lack, remedy), count in self.counts.items():
            named = ", ".join(self.same[lack, remedy]) + (", …" if count > NAMED else "")
            say_error(f"{count:,} clip{'s have' if count > 1 else ' has'} {lack} ({named}): {remedy}")
