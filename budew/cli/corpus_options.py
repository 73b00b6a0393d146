"""Options of the commands that look at a corpus and divide it."""

from pathlib import Path
from typing import Annotated

import typer

# several commands
ReportFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", dir_okay=False, help="Write the whole result here as JSON."),
]
ScoreScale = Annotated[
    str | None,
    typer.Option(
        "--scale",
        metavar="NAME",
        help="Scale of scores that come without one, such as 0-4; default: detected by the largest.",
    ),
]
# budew corpus ratings
RatingTable = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A .csv, .tsv, .jsonl or .parquet with ratings.", show_default=False),
]
TableScale = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Scale of the numbers, such as 0-7, if the table is of no known kind."),
]
# budew corpus inspect
CorpusPage = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", dir_okay=False, help="Write a page here, with plots and players."),
]
Decoding = Annotated[
    bool,
    typer.Option("--decode/--no-decode", help="Decode every sample instead of reading headers."),
]
Players = Annotated[int, typer.Option(metavar="N", min=0, max=200, help="Clips that the page plays.")]
# budew corpus split
Train = Annotated[float, typer.Option(metavar="SHARE", min=0, max=1, help="Share of the training set.")]
Validation = Annotated[
    float, typer.Option(metavar="SHARE", min=0, max=1, help="Share of the validation set.")
]
Test = Annotated[float, typer.Option(metavar="SHARE", min=0, max=1, help="Share of the test set.")]
SplitSeed = Annotated[int, typer.Option(metavar="S", help="Another seed gives other parts.")]
SplitsFile = Annotated[
    Path, typer.Option("--out", metavar="FILE", dir_okay=False, help="Write speakers by part here, as JSON.")
]
# budew corpus weights
WeightsFile = Annotated[
    Path,
    typer.Option("--out", metavar="FILE", dir_okay=False, help="Write the weights here: .jsonl or .parquet."),
]
SamplingTemperature = Annotated[
    float,
    typer.Option(min=1, help="1: inverse frequency; 2: its square root; infinity: uniform weights."),
]
LargestWeight = Annotated[float, typer.Option("--cap", min=1, help="Largest weight of a clip.")]
WeighedLevel = Annotated[
    float,
    typer.Option(metavar="X", min=0, max=1, help="Count only emotions of this level (0 to 1) or more."),
]
# budew corpus duplicates
CompareTranscripts = Annotated[
    bool, typer.Option("--transcripts", help="Compare the words of transcripts, not decoded samples.")
]
HashCache = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        dir_okay=False,
        help="Keep hashes of decoded audio here: the same command goes on after an interruption.",
    ),
]
