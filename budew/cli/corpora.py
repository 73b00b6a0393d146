"""Commands that make and describe corpora."""

import typer

from budew.cli import options
from budew.cli.settings import SETTINGS
from budew.extras import require
from budew.terminal import as_json, output, print_table, progress_bar, say_error

app = typer.Typer(help="Make and describe corpora: clips of speech with profiles.", **SETTINGS)


@app.command(no_args_is_help=True)
def synthesize(
    out: options.CorpusFolder,
    clips: options.Clips,
    seed: options.CorpusSeed,
    split: options.CorpusSplit = options.Split.train,
    workers: options.Workers = None,
) -> None:
    """Make synthetic emotional speech in four languages, with its profiles, as WebDataset shards.

    About 50 clips a second on each processor. A run that was stopped goes on
    when it is started again. To listen: tar xf data/train/train-00000.tar

    Example: budew corpus synthesize data/train --clips 16000 --seed 1
    """
    require("scipy", extra="train", purpose="budew corpus synthesize")
    from budew.synthesis import synthesize_corpus

    with progress_bar("synthesizing") as bar:
        shards = synthesize_corpus(
            out, clips=clips, seed=seed, split=split.value, workers=workers, progress=bar
        )
    print(f"{clips} clips in {len(shards)} shards in {out}")


@app.command(no_args_is_help=True)
def stats(corpus: options.Corpus, json: options.StatisticsFile = None) -> None:
    """Count what a corpus holds: clips, hours, languages, emotions at their levels, bursts, traits.

    What cannot be read is told on stderr; then the exit status is 1.

    Example: budew corpus stats 'data/train/*.tar' --json stats.json
    """
    from budew.corpora.statistics import corpus_statistics
    from budew.corpora.statistics_table import statistics_tables

    with progress_bar("counting") as bar:
        found = corpus_statistics(corpus, on_bad=say_error, progress=lambda done: bar(done, None))
    print_table(statistics_tables(found))
    if json is not None:
        with output(json) as file:
            print(as_json(found.to_dict(), indent=1), file=file)
        print(f"statistics: {json}")
    raise typer.Exit(1 if found.bad else 0)


@app.command(no_args_is_help=True)
def export(
    source: options.ExportSource,
    out: options.ExportFolder,
    to: options.ExportTo,
    clips_per_file: options.ClipsPerFile = None,
    caption: options.ExportedCaption = None,
    seed: options.ExportSeed = 0,
    sampling_rate: options.WavRate = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Write a corpus in a format that others read: Hugging Face, WebDataset, trainers of text to speech.

    OUT is complete or as it was before. A clip that cannot be read, or that the
    format cannot express (no transcript for a TTS format), is told on stderr and
    left out; then the exit status is 1.

    Example: budew corpus export 'talent/*.tar' hub/ --to parquet
    """
    from budew.corpora.exports import export

    bad = 0

    def tell(error: Exception) -> None:
        nonlocal bad
        bad += 1
        say_error(error)

    with progress_bar("exporting") as bar:
        count = export(
            source,
            out,
            to=to.value,
            clips_per_file=clips_per_file,
            caption=caption and caption.value,
            seed=seed,
            sampling_rate=sampling_rate,
            overwrite=overwrite,
            on_bad=tell,
            progress=lambda done: bar(done, None),
        )
    print(f"{count} clips in {out}" + (f", {bad} items left out" if bad else ""))
    raise typer.Exit(1 if bad else 0)
