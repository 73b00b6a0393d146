"""`budew corpus export`."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

from budew.cli.printed_errors import GroupedErrors
from budew.terminal import progress_bar, visible_name

app = typer.Typer()
ExportFormat = Literal["parquet", "jsonl", "parler", "ljspeech", "lhotse"]


@app.command(no_args_is_help=True)
def export(
    source: Annotated[
        str,
        Argument(
            metavar="SOURCE",
            help="A folder, a shard, a parquet file, a JSON Lines manifest, or a pattern in quotes.",
        ),
    ],
    out: Annotated[
        Path, Argument(metavar="OUT", help="Folder to write; an earlier export in it is replaced.")
    ],
    to: Annotated[
        ExportFormat,
        Option(
            help="parquet (Hugging Face), jsonl (a manifest and audio files), parler (Parler-TTS, with "
            "dataspeech's columns), ljspeech (metadata.csv and wavs), lhotse (manifests). WebDataset shards "
            "are written by budew corpus convert.",
            show_default=False,
        ),
    ],
    clips_per_file: Annotated[
        int | None, Option(metavar="N", min=1, help="parquet, parler: clips in each file; default 1000.")
    ] = None,
    caption: Annotated[
        Literal["newest", "paraphrase", "render", "original", "all"],
        Option(
            help="Which captions: newest takes those accepted by the gate, else rendered ones, else "
            "the original ones."
        ),
    ] = "newest",
    pick: Annotated[
        Literal["all", "first", "random"] | None,
        Option(help="How many of these; default all, for parler the first."),
    ] = None,
    seed: Annotated[int, Option(metavar="S", help="Seed of --pick random.")] = 0,
    sampling_rate: Annotated[
        int | None,
        Option(metavar="HZ", min=4_000, max=192_000, help="ljspeech: rate of the wavs; default 22050."),
    ] = None,
    overwrite: Annotated[
        bool,
        Option(
            "--overwrite",
            help="Write also into a folder that holds other files; those of the same name are replaced.",
        ),
    ] = False,
) -> None:
    """Write a corpus in a format of other tools: Hugging Face, Lhotse, trainers of text to speech.

    OUT is complete or unchanged. A clip that cannot be read, or that the format
    cannot express, is reported on stderr and left out; then the exit status is 1.
    Formats for text to speech need transcripts: budew corpus transcribe.

    Example: budew corpus export 'talent/*.tar' hub/ --to parquet
    """
    from budew.corpora.exports import export

    with GroupedErrors() as tell, progress_bar("exporting") as bar:
        result = export(
            source,
            out,
            to=to,
            clips_per_file=clips_per_file,
            caption=caption,
            pick=pick,
            seed=seed,
            sampling_rate=sampling_rate,
            overwrite=overwrite,
            on_bad=tell,
            progress=bar,
        )
    items = f", {tell.count} items left out" if tell.count else ""
    print(f"{result.clips} clips in {visible_name(out)}{items}")
    if result.left_out:
        print(
            f"captions: {_counts(result.written)}; left out: {_counts(result.left_out)} (--caption, --pick)"
        )
    raise typer.Exit(tell.status)


def _counts(kinds: Counter[str]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items())) or "none"
