"""`budew corpus export`."""

from collections import Counter

import typer

from budew.cli import export_options
from budew.cli.printed_errors import GroupedErrors
from budew.terminal import progress_bar, visible_name

app = typer.Typer()


@app.command(no_args_is_help=True)
def export(
    source: export_options.ExportSource,
    out: export_options.ExportFolder,
    to: export_options.ExportTo,
    clips_per_file: export_options.ClipsPerFile = None,
    caption: export_options.ExportedCaption = export_options.CaptionChoice.newest,
    pick: export_options.CaptionPick = None,
    seed: export_options.ExportSeed = 0,
    sampling_rate: export_options.WavRate = None,
    overwrite: export_options.Overwrite = False,
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
            to=to.value,
            clips_per_file=clips_per_file,
            caption=caption.value,
            pick=pick and pick.value,
            seed=seed,
            sampling_rate=sampling_rate,
            overwrite=overwrite,
            on_bad=tell,
            progress=lambda done: bar(done, None),
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
