"""What the commands that look at a corpus and balance it take."""

from pathlib import Path
from typing import Annotated

import typer

# budew corpus stats
StatisticsFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", dir_okay=False, help="Write the statistics here as well."),
]
# budew corpus ratings
RatingTable = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A .csv, .tsv, .jsonl or .parquet with ratings.", show_default=False),
]
TableScale = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Scale of the numbers in it, such as 0-7, if it is of no known kind."),
]
RatingCountsFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", dir_okay=False, help="Write all counts here as well."),
]
# what reads a corpus with scores
ScoreScale = Annotated[
    str | None,
    typer.Option(
        "--scale",
        metavar="NAME",
        help="Scale of scores that come without one, such as 0-4; left out, it is told by the largest.",
    ),
]
# budew corpus inspect
InspectionFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", dir_okay=False, help="Write all that was found here as JSON."),
]
CorpusPage = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", dir_okay=False, help="Write a page here, with plots and players."),
]
Decoding = Annotated[
    bool,
    typer.Option(
        "--decode/--no-decode",
        help="Decode every sample: finds what is damaged part way or silent. Else headers are read.",
    ),
]
Players = Annotated[int, typer.Option(metavar="N", min=0, max=200, help="Clips that the page plays.")]
# budew corpus split
Train = Annotated[float, typer.Option(metavar="SHARE", min=0, max=1, help="Of the clips, for training.")]
Validation = Annotated[
    float, typer.Option(metavar="SHARE", min=0, max=1, help="Of the clips, to watch the training.")
]
Test = Annotated[float, typer.Option(metavar="SHARE", min=0, max=1, help="Of the clips, to be judged by.")]
SplitSeed = Annotated[int, typer.Option(metavar="S", help="Another seed gives other parts.")]
SplitsFile = Annotated[
    Path, typer.Option("--out", metavar="FILE", dir_okay=False, help="Write who is in which part here.")
]
# budew corpus weights
WeightsFile = Annotated[
    Path,
    typer.Option("--out", metavar="FILE", dir_okay=False, help="Write the weights here: .jsonl or .parquet."),
]
WeightReportFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", dir_okay=False, help="Write what the weights do here."),
]
SamplingTemperature = Annotated[
    float,
    typer.Option(min=1, help="1 balances most, 2 takes the square root, larger leaves the corpus as it is."),
]
LargestWeight = Annotated[float, typer.Option("--cap", min=1, help="No clip weighs more than so many.")]
WeighedLevel = Annotated[
    float,
    typer.Option(metavar="X", min=0, max=1, help="Count only emotions of this level (0 to 1) or more."),
]
# budew corpus duplicates
DuplicatesFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", dir_okay=False, help="Write all groups here as JSON."),
]
MostErrors = Annotated[
    float,
    typer.Option(
        "--errors",
        metavar="SHARE",
        min=0,
        max=0.4,
        help="Bits of the fingerprints of two near copies that may differ; other recordings begin at 0.4.",
    ),
]
