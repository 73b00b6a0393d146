"""What each command takes: arguments and options, with the words that `--help` shows for them.

Apart from the commands, so that those read as what they do. What several commands take is here once.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How captions are printed."""

    text = "text"
    json = "json"
    jsonl = "jsonl"


class Split(StrEnum):
    """Parts of a synthetic corpus; no voice is in two of them."""

    train = "train"
    validation = "validation"
    test = "test"


class Style(StrEnum):
    """How captions are worded."""

    prose = "prose"
    short = "short"
    tags = "tags"


Model = Annotated[
    str | None,
    typer.Option(
        metavar="DIR|HUB-ID",
        help="Checkpoint: a folder, or a name on the Hugging Face hub; left out, the one in this package.",
    ),
]
Device = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="cpu, cuda, cuda:1 or mps; left out, the fastest that is there."),
]
BatchSize = Annotated[
    int,
    typer.Option(
        min=1, help="Windows captioned at once. Fewer take less memory; the captions stay the same."
    ),
]
Samples = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=0,
        max=256,
        help="Captions sampled for each window besides the one shown; the scores are then their mean. "
        "16 are plenty.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Do not print notes about the checkpoint.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", dir_okay=False, help="Write here instead of to stdout."),
]
# budew caption
Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH",
        help="Audio files, folders of them at any depth, shards, manifests, or other corpora.",
        show_default=False,
    ),
]
CaptionFormat = Annotated[
    Format, typer.Option(help="text to read, json for one array, jsonl for one object a line.")
]
Scores = Annotated[bool, typer.Option("--scores", help="Add the emotions as numbers from 0 to 1.")]
NumBeams = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Beam width; left out, that of the checkpoint."),
]
# budew parse
Text = Annotated[
    str | None, typer.Argument(metavar="TEXT", help="One caption, in quotes; - is stdin.", show_default=False)
]
JsonLines = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help='Many captions instead, as JSON Lines; - is stdin. "emotions" that are there are replaced.',
    ),
]
Into = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="With --jsonl: put emotions, bursts and traits under this name, and touch no other. "
        "A line that has the name already is an error.",
    ),
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Show in the terminal how the caption is read, phrase by phrase.")
]
ExplanationFile = Annotated[
    Path | None,
    typer.Option(
        "--html",
        metavar="FILE",
        dir_okay=False,
        help="Write how it is read as a page that loads nothing; - is stdout.",
    ),
]
# budew render
ProfileFile = Annotated[
    Path,
    typer.Argument(metavar="PROFILE.json", help="As budew parse prints it; - is stdin.", show_default=False),
]
WordingSeed = Annotated[int, typer.Option(help="Another seed gives other words.")]
CaptionStyle = Annotated[
    Style | None, typer.Option(help="prose, short or tags; left out, any of them.", show_default=False)
]
MaxEmotions = Annotated[
    int | None, typer.Option(metavar="N", min=0, help="Say only the strongest so many emotions.")
]
MinLevel = Annotated[
    float, typer.Option(metavar="X", min=0, max=1, help="Say only emotions of this level (0 to 1) or more.")
]
LeaveOut = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PART",
        help="What not to say: emotions, bursts, or a trait: gender, age, accent, style, timbre, pace, or a"
        " voice attribute such as Warm_vs._Cold. May be repeated.",
    ),
]
BaselineFile = Annotated[
    Path | None,
    typer.Option(
        metavar="STATS.json",
        help="Say the emotions that stand out in a corpus: its statistics, by budew corpus stats --json.",
    ),
]
MinZ = Annotated[
    float | None,
    typer.Option(
        metavar="Z",
        help="With --baseline: spreads above the median from which an emotion stands out.  [default: 1.0]",
    ),
]
AllFrames = Annotated[
    bool, typer.Option("--all-frames", help="Show the profile in every sentence frame, of --style if given.")
]
Count = Annotated[int, typer.Option(min=1, help="How many captions; each takes the next seed.")]
# budew captions coverage, budew lint
CaptionFile = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A caption a line, or JSON Lines; - is stdin.", show_default=False),
]
MostWords = Annotated[int, typer.Option(metavar="N", min=0, help="Show so many unknown words.")]
CoverageFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", dir_okay=False, help="Write all figures here as JSON."),
]
# budew corpus synthesize
CorpusFolder = Annotated[
    Path,
    typer.Argument(metavar="OUT", help="Folder for the shards; made if need be.", show_default=False),
]
Clips = Annotated[int, typer.Option(metavar="N", min=1, help="How many clips.", show_default=False)]
CorpusSeed = Annotated[int, typer.Option(metavar="S", help="Decides the corpus, to the byte.")]
CorpusSplit = Annotated[Split, typer.Option(help="Whose voices: no voice is in two of the three.")]
Workers = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=0, help="Processes; left out, one a processor, and 0 works in this process."
    ),
]
# budew train
RecipeName = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE",
        help="A YAML file, or the name of a recipe that ships: tiny-synthetic, train-demo.",
        show_default=False,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check the recipe and print what it would do.")]
Resume = Annotated[bool, typer.Option(help="Continue a run that was stopped, or train again from the start.")]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="Change a field: optimizer.max_steps=200. May be repeated."
    ),
]
RunFolder = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of the run; left out, runs/NAME.")
]
# what reads a corpus
_ANYWHERE = (
    "a folder, a shard, a parquet file, a manifest, a pattern in quotes, an address, or hf://OWNER/NAME."
)
AnyCorpus = Annotated[
    str, typer.Argument(metavar="CORPUS", help=f"Clips or recordings: {_ANYWHERE}", show_default=False)
]
Corpus = Annotated[
    str, typer.Argument(metavar="CORPUS", help=f"Clips with profiles: {_ANYWHERE}", show_default=False)
]
# budew evaluate
Predictions = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help='Evaluate these instead of a model: JSON Lines with "id" and "caption" or "emotions".',
    ),
]
RatingScale = Annotated[
    str, typer.Option(metavar="NAME", help="Rating scale of the numbers in --predictions.")
]
MetricsFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", dir_okay=False, help="Write all metrics here as JSON."),
]
ReportFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", dir_okay=False, help="Write an HTML report here."),
]
# budew demo
DemoFolder = Annotated[Path, typer.Option(metavar="DIR", help="Folder for the report, metrics and captions.")]
