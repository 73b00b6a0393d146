"""Commands that inspect a corpus, count its contents, split it and compute sampling weights."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

from budew import corpora, curation, reports
from budew.cli import corpus_annotate, corpus_export, corpus_jobs, corpus_synthesis, options
from budew.cli.options import SETTINGS
from budew.cli.terminal import PrintedErrors, print_table, progress_bar, refuse_to_replace, results, say_error
from budew.errors import CorpusError
from budew.io.addresses import without_secrets
from budew.reports.formatting import visible_name

app = typer.Typer(
    name="corpus",
    help="Make, annotate, inspect and export corpora: clips of speech with profiles.",
    **SETTINGS,
)

for commands in (corpus_synthesis, corpus_jobs, corpus_export):
    app.add_typer(commands.app)
app.add_typer(corpus_annotate.app, name="annotate")
app.add_typer(corpus_annotate.beside)

FEW = 20
"""A part with fewer clips than this is reported as too small for metrics."""
Share = Annotated[float, Option(metavar="SHARE", min=0, max=1, help="Share of this part; 0 leaves it out.")]


@contextmanager
def _clips(
    corpus: str, what: str, scale: str | None, on_bad: Callable[[CorpusError], None]
) -> "Iterator[Iterator[corpora.Clip]]":
    """Read a corpus with a progress bar."""
    with progress_bar(what) as bar:
        yield corpora.counted(corpora.read(corpus, scale=scale, on_bad=on_bad), bar)


@app.command("stats", no_args_is_help=True)
def stats_command(
    corpus: options.AnyCorpus, json: options.JsonFile = None, scale: options.ScoreScale = None
) -> None:
    """Count the contents of a corpus: clips, hours, licences, languages, emotions, bursts, traits.

    Missing durations are read from the audio headers. Items that
    cannot be read are reported on stderr; then the exit status is 1.

    Example: budew corpus stats 'data/train/*.tar' --json stats.json
    """
    refuse_to_replace(corpora.files_read(corpus), json)
    bad = PrintedErrors()
    with _clips(corpus, "counting", scale, bad) as clips:
        found = curation.corpus_statistics(without_secrets(corpus), clips)
    found.bad = bad.count
    with results(found.to_dict(), json):
        print_table(reports.report_tables(reports.statistics_report(found)))
    raise typer.Exit(bad.status)


@app.command("ratings", no_args_is_help=True)
def ratings_command(
    tables: Annotated[
        list[Path],
        Argument(metavar="FILE...", help="A .csv, .tsv, .jsonl or .parquet with ratings, or several."),
    ],
    scale: Annotated[
        str | None,
        Option(
            metavar="NAME", help="Rating scale, such as 0-7, if the format of the table is not recognized."
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        Option(
            metavar="LABELS.jsonl",
            dir_okay=False,
            help="Write the profile of each item with consensus here, for corpus annotate labels --labels.",
        ),
    ] = None,
    consensus: Annotated[
        Literal["presence", "exact", "majority"],
        Option(
            help="When raters agree. presence: all say that the emotion is present, or absent (the label is "
            "their mean rating); exact: all give the same rating; majority: the most frequent rating.",
        ),
    ] = "exact",
    min_raters: Annotated[
        int, Option(min=1, metavar="N", help="Fewest raters of a consensus: 3 as announced for EmoNet-Voice.")
    ] = 1,
    json: options.JsonFile = None,
) -> None:
    """Count human ratings of clips or images, and measure agreement and consensus of the raters.

    EmoNet-Voice Bench, EmoNet-Face HQ and Binary and the votes of Emolia are recognized by their columns.
    Rows that cannot be read are reported on stderr; then the exit status is 1. In the file of --labels,
    emotions without consensus are unrated.

    Example: budew corpus ratings train-*.parquet --labels consensus.jsonl --consensus exact
    """
    refuse_to_replace(tables, labels, json)
    bad = PrintedErrors()
    read = [one for table in tables for one in curation.read_ratings(table, scale=scale, on_bad=bad)]
    found, answers = curation.rating_statistics(read), curation.answers_of(read, min_raters=min_raters)
    agreed = curation.consensus_statistics(answers)
    names = [str(table) for table in tables]
    summary = {"tables": names, "bad_rows": bad.count, **found.to_dict(), "consensus": agreed.to_dict()}
    if labels:
        profiles = curation.consensus_profiles(answers, consensus)
        fewest = {"min_raters": min_raters} if min_raters > 1 else {}
        made_by = {"form": "consensus", "consensus": consensus, **fewest}
        curation.write_labels(labels, profiles, made_by=made_by)
    with results(summary, json):
        print_table(reports.report_tables(reports.rating_report(", ".join(names), found, agreed)))
        if labels:
            print(f"labels of {len(profiles):,} of {found.all.items:,} items: {visible_name(labels)}")
            if all(len(profile.emotions) == len(profile.rated) for profile in profiles.values()):
                say_error(
                    "no label says that an emotion is absent: use --consensus majority, for which one rater "
                    "is enough"
                )
    raise typer.Exit(bad.status)


@app.command("inspect", no_args_is_help=True)
def inspect_command(
    corpus: options.AnyCorpus,
    html: options.HtmlFile = None,
    json: options.JsonFile = None,
    decode: Annotated[
        bool, Option("--decode/--no-decode", help="Decode all audio, instead of reading headers only.")
    ] = False,
    players: Annotated[
        int, Option(metavar="N", min=0, max=200, help="Number of clips with a player on the page.")
    ] = 24,
    scale: options.ScoreScale = None,
) -> None:
    """Summarize a corpus: formats, hours, languages, speakers, labels, and broken items.

    --decode also finds truncated, damaged and silent audio. If an item is
    broken, the exit status is 1. The page is self-contained and
    has players for the clips with the strongest labels of each emotion.

    Example: budew corpus inspect shards/ --decode --html corpus.html
    """
    refuse_to_replace(corpora.files_read(corpus), json, html)
    with progress_bar("inspecting") as bar:
        found = curation.inspect_corpus(corpus, scale=scale, decode=decode, examples=players, progress=bar)
    with results(found.to_dict(), json, html, lambda: reports.report_html(reports.inspection_report(found))):
        print_table(reports.report_tables(reports.inspection_summary(found)))
    raise typer.Exit(1 if found.statistics.bad else 0)


@app.command("split", no_args_is_help=True)
def split_command(
    corpus: options.Corpus,
    out: Annotated[
        Path, Option(metavar="FILE", dir_okay=False, help="Write the splits here: a JSON file for --splits.")
    ],
    train: Share = 0.9,
    validation: Share = 0.05,
    test: Share = 0.05,
    seed: Annotated[int, Option(metavar="S", help="Random seed of the split.")] = 0,
    scale: options.ScoreScale = None,
) -> None:
    """Split a corpus into speaker-disjoint parts for training and testing, stratified by emotion.

    Clips without a speaker that were cut from the same recording are in the same
    part. The file and the printed report say how much the frequency of each emotion
    in a part differs from that in the whole corpus.
    Items that cannot be read are reported; then the exit status is 1. Next:
    budew corpus select.

    Example: budew corpus split shards/ --out splits.json --seed 7
    """
    refuse_to_replace(corpora.files_read(corpus), out)
    asked = {"train": train, "validation": validation, "test": test}
    shares = {name: share for name, share in asked.items() if share}
    bad = PrintedErrors()
    with _clips(corpus, "splitting", scale, bad) as clips:
        splits, report = curation.split_corpus(clips, shares, seed=seed)
    curation.write_splits(out, splits, report.to_dict())
    print_table(reports.report_tables(reports.split_report(report)))
    if any(part.counts["clips"] < FEW for part in report.parts):
        say_error(
            f"a part has fewer than {FEW} clips, too few for metrics: see --train, --validation and --test"
        )
    print(f"splits: {out}")
    raise typer.Exit(bad.status)


@app.command("weights", no_args_is_help=True)
def weights_command(
    corpus: options.Corpus,
    out: Annotated[
        Path, Option(metavar="FILE", dir_okay=False, help="Write the weights here: .jsonl or .parquet.")
    ],
    temperature: Annotated[
        float,
        Option(
            min=1,
            help="How much the weights are flattened. 1: inverse frequency; 2: its square root; infinity: "
            "equal weights.",
        ),
    ] = 2.0,
    cap: Annotated[float, Option(min=1, help="Largest weight of a clip.")] = 10.0,
    min_level: Annotated[
        float,
        Option(metavar="X", min=0, max=1, help="Count only emotions of at least this intensity (0 to 1)."),
    ] = 0.5,
    json: options.JsonFile = None,
    scale: options.ScoreScale = None,
) -> None:
    """Write sampling weights, from 1 to the cap, so that training draws rare emotions more often.

    Prints emotion frequencies before and after, and the effective sample size. Items
    that cannot be read are reported; then the exit status is 1.

    Example: budew corpus weights train/ --out weights.jsonl --temperature 2
    """
    curation.check_weight_file(out)
    refuse_to_replace(corpora.files_read(corpus), out, json)
    bad = PrintedErrors()
    with _clips(corpus, "counting", scale, bad) as clips:
        balance = curation.corpus_balance(clips, temperature=temperature, cap=cap, min_level=min_level)
    report = curation.WeightReport(balance)
    with _clips(corpus, "weighing", scale, lambda error: None) as clips:  # reported in the first pass
        curation.write_weights(out, curation.weigh(clips, report))
    with results(report.to_dict(), json):
        print_table(reports.report_tables(reports.weights_report(report)))
        print(f"weights: {out}")
    raise typer.Exit(bad.status)


FingerprintCache = Annotated[
    Path | None,
    Option(
        metavar="FILE",
        dir_okay=False,
        help="SQLite file for fingerprints of audio, so that an interrupted command can be resumed.",
    ),
]
Workers = Annotated[
    int | None,
    Option(metavar="N", min=0, help="Worker processes. Default: one per CPU core; 0: this process."),
]


@app.command("duplicates", no_args_is_help=True)
def duplicates_command(
    corpus: options.AnyCorpus,
    json: options.JsonFile = None,
    transcripts: Annotated[
        bool, Option("--transcripts", help="Compare the words of transcripts instead of the audio.")
    ] = False,
    cache: FingerprintCache = None,
    workers: Workers = None,
) -> None:
    """Find duplicate clips: equal audio after decoding, in any format, or equal transcripts.

    Nothing is deleted: the JSON lists which clip of each group of duplicates to
    keep. Decoding takes 1/300 of the duration on each CPU core. Items that cannot
    be decoded are reported; then the exit status is 1.

    Example: budew corpus duplicates 'shards/*.tar' --json duplicates.json --cache hashes.sqlite
    """
    refuse_to_replace(corpora.files_read(corpus), json, cache)
    with progress_bar("comparing") as bar:
        found = curation.find_duplicates(
            corpus,
            by="transcript" if transcripts else "samples",
            cache=cache,
            workers=os.cpu_count() or 1 if workers is None else workers,
            on_bad=say_error,
            progress=bar,
        )
    with results(found.to_dict(), json):
        print_table(reports.report_tables(reports.duplicates_report(found)))
    raise typer.Exit(1 if found.bad else 0)


@app.command("overlap", no_args_is_help=True)
def overlap_command(
    train: Annotated[str, Argument(metavar="TRAIN", help="Training data: whatever budew.read accepts.")],
    test: Annotated[str, Argument(metavar="TEST", help="Test set, which is held in memory.")],
    json: options.JsonFile = None,
    cache: FingerprintCache = None,
    workers: Workers = None,
) -> None:
    """Find the clips of TEST that occur in TRAIN, for which metrics would be too good.

    Clips are the same if they have the same samples, the same sound (re-encoded, cut,
    softer or noisy) or the same name of the file, without folder and suffix. The same
    sentence by another voice, or said again, is another clip. To leave them out of
    TRAIN: budew corpus select TRAIN OUT --without TEST. Items that cannot be decoded are
    reported; then the exit status is 1. With one corpus twice, finds copies within it.

    Example: budew corpus overlap 'talent/*.tar' bench/ --json overlap.json --cache prints.sqlite
    """
    refuse_to_replace([*corpora.files_read(train), *corpora.files_read(test)], json, cache)
    with progress_bar("comparing") as bar:
        found = curation.find_overlap(
            train,
            test,
            cache=cache,
            workers=os.cpu_count() or 1 if workers is None else workers,
            on_bad=say_error,
            progress=bar,
        )
    with results(found.to_dict(), json):
        print_table(reports.report_tables(reports.overlap_report(found)))
    raise typer.Exit(1 if found.bad else 0)
