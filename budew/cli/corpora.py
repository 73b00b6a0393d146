"""Commands that look at a corpus, count it, split it and weigh it."""

import os
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from budew.cli import options
from budew.cli.options import SETTINGS, results
from budew.cli.printed_errors import PrintedErrors
from budew.terminal import print_table, progress_bar, refuse_to_replace, say_error

app = typer.Typer(help="Make and describe corpora: clips of speech with profiles.", **SETTINGS)


@app.command(no_args_is_help=True)
def stats(corpus: options.AnyCorpus, json: options.JsonFile = None, scale: options.ScoreScale = None) -> None:
    """Count what a corpus holds: clips, hours, languages, emotions at their levels, bursts, traits.

    Clips without a duration are measured by the header of their audio. Items that
    cannot be read are reported on stderr; then the exit status is 1.

    Example: budew corpus stats 'data/train/*.tar' --json stats.json
    """
    from budew.corpora.sources import files_read
    from budew.curation.statistics import corpus_statistics
    from budew.reports.corpus_tables import statistics_tables

    refuse_to_replace(files_read(corpus), json)
    with progress_bar("counting") as bar:
        found = corpus_statistics(corpus, scale=scale, on_bad=say_error, progress=bar)
    with results(found.to_dict(), json):
        print_table(statistics_tables(found))
    raise typer.Exit(1 if found.bad else 0)


@app.command(no_args_is_help=True)
def ratings(
    table: Annotated[Path, Argument(metavar="FILE", help="A .csv, .tsv, .jsonl or .parquet with ratings.")],
    scale: Annotated[
        str | None,
        Option(metavar="NAME", help="Scale of the numbers, such as 0-7, if the table is of no known kind."),
    ] = None,
    json: options.JsonFile = None,
) -> None:
    """Count human ratings of clips or images: ratings, items, raters, and their agreement.

    EmoNet-Voice Bench, EmoNet-Face HQ and Binary and the votes of Emolia are known by their columns.
    Rows that cannot be read are reported on stderr; then the exit status is 1.

    Example: budew corpus ratings binary.csv --json counts.json
    """
    from budew.curation.rating_files import read_ratings
    from budew.curation.rating_statistics import rating_statistics
    from budew.reports.corpus_tables import rating_table

    refuse_to_replace([table], json)
    bad = PrintedErrors()
    found = rating_statistics(read_ratings(table, scale=scale, on_bad=bad))
    with results({"table": str(table), "bad_rows": bad.count, **found.to_dict()}, json):
        print_table(rating_table(found, title=str(table)))
    raise typer.Exit(bad.status)


@app.command(name="inspect", no_args_is_help=True)
def inspect_(
    corpus: options.AnyCorpus,
    html: options.HtmlFile = None,
    json: options.JsonFile = None,
    decode: Annotated[
        bool, Option("--decode/--no-decode", help="Decode every sample instead of reading headers.")
    ] = False,
    players: Annotated[int, Option(metavar="N", min=0, max=200, help="Clips that the page plays.")] = 24,
    scale: options.ScoreScale = None,
) -> None:
    """Show what a corpus is, what it holds and what in it is broken, as a table, JSON and a page.

    --decode also finds audio that is damaged part way or silent. If an item is
    broken, the exit status is 1. The page plays the strongest clips of the
    emotions and needs nothing but a browser.

    Example: budew corpus inspect shards/ --decode --html corpus.html
    """
    from budew.corpora.sources import files_read
    from budew.curation.inspection import inspect_corpus
    from budew.reports.corpus_page import corpus_html
    from budew.reports.corpus_tables import inspection_tables

    refuse_to_replace(files_read(corpus), json, html)
    with progress_bar("inspecting") as bar:
        found = inspect_corpus(corpus, scale=scale, decode=decode, examples=players, progress=bar)
    with results(found.to_dict(), json, html, lambda: corpus_html(found)):
        print_table(inspection_tables(found))
    raise typer.Exit(1 if found.statistics.bad else 0)


@app.command(no_args_is_help=True)
def split(
    corpus: options.Corpus,
    out: Annotated[
        Path, Option(metavar="FILE", dir_okay=False, help="Write speakers by part here, as JSON.")
    ],
    train: Annotated[float, Option(metavar="SHARE", min=0, max=1, help="Share of the training set.")] = 0.9,
    validation: Annotated[
        float, Option(metavar="SHARE", min=0, max=1, help="Share of the validation set.")
    ] = 0.05,
    test: Annotated[float, Option(metavar="SHARE", min=0, max=1, help="Share of the test set.")] = 0.05,
    seed: Annotated[int, Option(metavar="S", help="Another seed gives other parts.")] = 0,
    scale: options.ScoreScale = None,
) -> None:
    """Split a corpus for training and testing: no speaker in two parts, and in each the same emotions.

    Clips without a speaker that were cut from one recording stay together. A
    part with share 0 is left out. The deviation of each part from its share is
    shown, and is in the file. Items that cannot be read are reported; then the
    exit status is 1. budew corpus select writes a part as shards.

    Example: budew corpus split shards/ --out splits.json --seed 7
    """
    from budew.corpora.sources import files_read
    from budew.curation.split_corpus import split_corpus
    from budew.curation.splits import write_splits
    from budew.reports.corpus_tables import split_table

    refuse_to_replace(files_read(corpus), out)
    asked = {"train": train, "validation": validation, "test": test}
    shares = {name: share for name, share in asked.items() if share}
    bad = PrintedErrors()
    with progress_bar("splitting") as bar:
        splits, report = split_corpus(corpus, shares, seed=seed, scale=scale, on_bad=bad, progress=bar)
    write_splits(out, splits, report.to_dict())
    print_table(split_table(report))
    print(f"splits: {out}")
    raise typer.Exit(bad.status)


@app.command(no_args_is_help=True)
def weights(
    corpus: options.Corpus,
    out: Annotated[
        Path, Option(metavar="FILE", dir_okay=False, help="Write the weights here: .jsonl or .parquet.")
    ],
    temperature: Annotated[
        float, Option(min=1, help="1: inverse frequency; 2: its square root; infinity: uniform weights.")
    ] = 2.0,
    cap: Annotated[float, Option(min=1, help="Largest weight of a clip.")] = 10.0,
    min_level: Annotated[
        float, Option(metavar="X", min=0, max=1, help="Count only emotions of this level (0 to 1) or more.")
    ] = 0.5,
    json: options.JsonFile = None,
    scale: options.ScoreScale = None,
) -> None:
    """Write sampling weights, from 1 to the cap, with which training draws rare emotions more often.

    Shown are the emotions before and after, and the effective sample size. Items
    that cannot be read are reported; then the exit status is 1.

    Example: budew corpus weights train/ --out weights.jsonl --temperature 2
    """
    from budew.corpora.sources import files_read
    from budew.curation.weights import WeightReport, check_weight_file, corpus_balance, weigh, write_weights
    from budew.reports.corpus_tables import weights_table

    check_weight_file(out)
    refuse_to_replace(files_read(corpus), out, json)
    bad = PrintedErrors()
    with progress_bar("counting") as bar:
        balance = corpus_balance(
            corpus,
            temperature=temperature,
            cap=cap,
            min_level=min_level,
            scale=scale,
            on_bad=bad,
            progress=bar,
        )
    report = WeightReport(balance)
    with progress_bar("weighing") as bar:
        write_weights(out, weigh(corpus, report, scale=scale, progress=bar))
    with results(report.to_dict(), json):
        print_table(weights_table(report))
        print(f"weights: {out}")
    raise typer.Exit(bad.status)


@app.command(no_args_is_help=True)
def duplicates(
    corpus: options.AnyCorpus,
    json: options.JsonFile = None,
    transcripts: Annotated[
        bool, Option("--transcripts", help="Compare the words of transcripts, not decoded samples.")
    ] = False,
    cache: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            dir_okay=False,
            help="Keep hashes of decoded audio here: the same command goes on after an interruption.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        Option(metavar="N", min=0, help="Processes; left out, one a processor, and 0 works in this process."),
    ] = None,
) -> None:
    """Find clips that are there more than once: with equal samples, whatever the format, or transcripts.

    Nothing is deleted: the JSON lists the clip of each group to keep. Decoding
    takes 1/400 of real time on each processor. Items that cannot be decoded are
    reported; then the exit status is 1.

    Example: budew corpus duplicates 'shards/*.tar' --json duplicates.json --cache hashes.sqlite
    """
    from budew.corpora.sources import files_read
    from budew.curation.duplicates import find_duplicates
    from budew.reports.corpus_tables import duplicates_table

    refuse_to_replace(files_read(corpus), json, cache)
    with progress_bar("comparing") as bar:
        found = find_duplicates(
            corpus,
            by="transcript" if transcripts else "samples",
            cache=cache,
            workers=os.cpu_count() or 1 if workers is None else workers,
            on_bad=say_error,
            progress=bar,
        )
    with results(found.to_dict(), json):
        print_table(duplicates_table(found))
    raise typer.Exit(1 if found.bad else 0)
