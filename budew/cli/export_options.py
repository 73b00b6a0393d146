"""What `budew corpus export` takes."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


# budew corpus export
class ExportFormat(StrEnum):
    """Formats that a corpus is exported to."""

    parquet = "parquet"
    jsonl = "jsonl"
    webdataset = "webdataset"
    parler = "parler"
    ljspeech = "ljspeech"
    lhotse = "lhotse"


class CaptionChoice(StrEnum):
    """Which captions of a clip are exported."""

    first = "first"
    all = "all"
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
        help="parquet (Hugging Face), jsonl (a manifest and audio files), webdataset (tar shards), parler "
        "(Parler-TTS, with dataspeech's columns), ljspeech (metadata.csv and wavs), lhotse (manifests).",
        show_default=False,
    ),
]
ClipsPerFile = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="parquet, webdataset, parler: clips in each file; left out, 1000."),
]
ExportedCaption = Annotated[
    CaptionChoice | None,
    typer.Option(
        "--caption",
        help="Which captions of a clip: first, all, or one at random. Left out, all; for parler, first.",
    ),
]
ExportSeed = Annotated[int, typer.Option("--seed", metavar="S", help="Decides which are drawn at random.")]
WavRate = Annotated[
    int | None,
    typer.Option(
        "--sampling-rate",
        metavar="HZ",
        min=4_000,
        max=192_000,
        help="ljspeech: rate of the wavs; left out, 22050.",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Write into a folder that holds other files: those of the same name are replaced, others stay.",
    ),
]
