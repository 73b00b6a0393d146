"""Options that several commands take, each defined once, with the help that they show."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

SETTINGS: dict[str, Any] = {
    "no_args_is_help": True,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
"""Of every group of commands."""


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
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", dir_okay=False, help="Write here instead of to stdout."),
]
ProfileFile = Annotated[
    Path,
    typer.Argument(metavar="PROFILE.json", help="As budew parse prints it; - is stdin.", show_default=False),
]
WordingSeed = Annotated[int, typer.Option(help="Decides frame, words and order.")]
CaptionStyle = Annotated[
    Style | None, typer.Option(help="prose, short or tags; left out, any of them.", show_default=False)
]
MaxEmotions = Annotated[
    int | None, typer.Option(metavar="N", min=0, help="At most N emotions, the strongest.")
]
MinLevel = Annotated[
    float, typer.Option(metavar="X", min=0, max=1, help="Only emotions of this level (0 to 1) or more.")
]
LeaveOut = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PART",
        help="Part to leave out: emotions, bursts, or a trait: gender, age, accent, style, timbre, pace, or a"
        " voice attribute such as Warm_vs._Cold. May be repeated.",
    ),
]
BaselineFile = Annotated[
    Path | None,
    typer.Option(
        metavar="STATS.json",
        help="Only emotions that stand out in a corpus: its statistics, by budew corpus stats --json.",
    ),
]
MinZ = Annotated[
    float | None,
    typer.Option(
        metavar="Z",
        help="With --baseline: robust z-score from which an emotion stands out.  [default: 1.0]",
    ),
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
MetricsFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", dir_okay=False, help="Write all metrics here as JSON."),
]
ReportFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", dir_okay=False, help="Write an HTML report here."),
]
