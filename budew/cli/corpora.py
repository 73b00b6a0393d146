"""Commands that look at a corpus, count it, split it and weigh it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from budew.cli import corpus_options, options
from budew.cli.options import SETTINGS
from budew.cli.printed_errors import PrintedErrors
from budew.terminal import as_json, output, print_table, progress_bar, refuse_to_replace, say_error

app = typer.Typer(help="Make and describe corpora: clips of speech with profiles.", **SETTINGS)


def _write_json(path: Path | None, table: Mapping[str, Any]) -> None:
    """Write a result as JSON and print where, if a file is given."""
    if path is not None:
        with output(path) as file:
            print(as_json(table, indent=1), file=file)
        print(f"JSON: {path}")


@app.command(no_args_is_help=True)
def stats(
    corpus: options.AnyCorpus,
    json: corpus_options.ReportFile = None,
    scale: corpus_options.ScoreScale = None,
) -> None:
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
        found = corpus_statistics(
            corpus, scale=scale, on_bad=say_error, progress=lambda done: bar(done, None)
        )
    _write_json(json, found.to_dict())
    print_table(statistics_tables(found))
    raise typer.Exit(1 if found.bad else 0)


@app.command(no_args_is_help=True)
def ratings(
    table: corpus_options.RatingTable,
    scale: corpus_options.TableScale = None,
    json: corpus_options.ReportFile = None,
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
    _write_json(json, {"table": str(table), "bad_rows": bad.count, **found.to_dict()})
    print_table(rating_table(found, title=str(table)))
    raise typer.Exit(bad.status)


@app.command(name="inspect", no_args_is_help=True)
def inspect_(
    corpus: options.AnyCorpus,
    html: corpus_options.CorpusPage = None,
    json: corpus_options.ReportFile = None,
    decode: corpus_options.Decoding = False,
    players: corpus_options.Players = 24,
    scale: corpus_options.ScoreScale = None,
) -> None:
    """Show what a corpus is, what it holds and what in it is broken, as a table, JSON and a page.

    --decode also finds audio that is damaged part way or silent. If an item is
    broken, the exit status is 1. The page plays the strongest clips of the
    emotions and needs nothing but a browser.

    Example: budew corpus inspect shards/ --decode --html corpus.html
    """
    from budew.corpora.sources import files_read
    from budew.curation.inspection import inspect_corpus
    from budew.reports.corpus_tables import inspection_tables

    refuse_to_replace(files_read(corpus), json, html)
    with progress_bar("inspecting") as bar:
        found = inspect_corpus(
            corpus, scale=scale, decode=decode, examples=players, progress=lambda done: bar(done, None)
        )
    _write_json(json, found.to_dict())
    print_table(inspection_tables(found))
    if html is not None:
        from budew.reports.corpus_page import write_corpus_page

        print(f"page: {write_corpus_page(found, html).resolve().as_uri()}")
    raise typer.Exit(1 if found.statistics.bad else 0)


@app.command(no_args_is_help=True)
def split(
    corpus: options.Corpus,
    out: corpus_options.SplitsFile,
    train: corpus_options.Train = 0.9,
    validation: corpus_options.Validation = 0.05,
    test: corpus_options.Test = 0.05,
    seed: corpus_options.SplitSeed = 0,
    scale: corpus_options.ScoreScale = None,
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
        splits, report = split_corpus(
            corpus, shares, seed=seed, scale=scale, on_bad=bad, progress=lambda done: bar(done, None)
        )
    write_splits(out, splits, report.to_dict())
    print_table(split_table(report))
    print(f"splits: {out}")
    raise typer.Exit(bad.status)


@app.command(no_args_is_help=True)
def weights(
    corpus: options.Corpus,
    out: corpus_options.WeightsFile,
    temperature: corpus_options.SamplingTemperature = 2.0,
    cap: corpus_options.LargestWeight = 10.0,
    min_level: corpus_options.WeighedLevel = 0.5,
    json: corpus_options.ReportFile = None,
    scale: corpus_options.ScoreScale = None,
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
            progress=lambda done: bar(done, None),
        )
    report = WeightReport(balance)
    with progress_bar("weighing") as bar:
        write_weights(out, weigh(corpus, report, scale=scale, progress=lambda done: bar(done, None)))
    _write_json(json, report.to_dict())
    print_table(weights_table(report))
    print(f"weights: {out}")
    raise typer.Exit(bad.status)


@app.command(no_args_is_help=True)
def duplicates(
    corpus: options.AnyCorpus,
    json: corpus_options.ReportFile = None,
    transcripts: corpus_options.CompareTranscripts = False,
    cache: corpus_options.HashCache = None,
    workers: options.Workers = None,
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
            progress=lambda done: bar(done, None),
        )
    _write_json(json, found.to_dict())
    print_table(duplicates_table(found))
    raise typer.Exit(1 if found.bad else 0)
