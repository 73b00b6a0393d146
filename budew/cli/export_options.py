"""Options of `budew corpus export`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class ExportFormat(StrEnum):
    """Formats that a corpus is exported to."""

    parquet = "parquet"
    jsonl = "jsonl"
    parler = "parler"
    ljspeech = "ljspeech"
    lhotse = "lhotse"


class CaptionChoice(StrEnum):
    """Which captions of a clip are exported, by what wrote them."""

    newest = "newest"
    paraphrase = "paraphrase"
    render = "render"
    original = "original"
    all = "all"


class Pick(StrEnum):
    """How many of these captions are exported."""

    all = "all"
    first = "first"
    random = "random"


ExportSource = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A folder, a shard, a parquet file, a JSON Lines manifest, or a pattern in quotes.",
        show_default=False,
    ),
]
ExportFolder = Annotated[
    Path,
    typer.Argument(
        metavar="OUT", help="Folder to write; an earlier export in it is replaced.", show_default=False
    ),
]
ExportTo = Annotated[
    ExportFormat,
    typer.Option(
        "--to",
        help="parquet (Hugging Face), jsonl (a manifest and audio files), parler (Parler-TTS, with "
        "dataspeech's columns), ljspeech (metadata.csv and wavs), lhotse (manifests). WebDataset shards are "
        "written by budew corpus convert.",
        show_default=False,
    ),
]
ClipsPerFile = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="parquet, parler: clips in each file; default 1000."),
]
ExportedCaption = Annotated[
    CaptionChoice,
    typer.Option(
        "--caption",
        help="Which captions: newest takes those accepted by the gate, else rendered ones, else the original "
        "ones.",
    ),
]
CaptionPick = Annotated[
    Pick | None,
    typer.Option("--pick", help="How many of these; default all, for parler the first.", show_default=False),
]
ExportSeed = Annotated[int, typer.Option("--seed", metavar="S", help="Seed of --pick random.")]
WavRate = Annotated[
    int | None,
    typer.Option(
        "--sampling-rate",
        metavar="HZ",
        min=4_000,
        max=192_000,
        help="ljspeech: rate of the wavs; default 22050.",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Write into a folder that holds other files: those of the same name are replaced, others stay.",
    ),
]
