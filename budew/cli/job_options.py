"""What convert, render, segment, transcribe and select take."""

from pathlib import Path
from typing import Annotated

import typer

LongestClip = Annotated[
    float, typer.Option(metavar="SECONDS", min=0.1, help="Longer recordings fail: cut them first.")
]
PerClip = Annotated[int, typer.Option(min=1, help="Captions for each clip.")]
KeepDamaged = Annotated[
    bool, typer.Option("--keep-damaged", help="Take clips that break off, as far as they can be decoded.")
]
# budew corpus segment; the defaults are those of SegmentSettings
MinSeconds = Annotated[
    float | None,
    typer.Option("--min", metavar="SECONDS", help="Leave shorter clips out.", show_default="1"),
]
MaxSeconds = Annotated[
    float | None,
    typer.Option(
        "--max", metavar="SECONDS", help="Divide what is longer, at a pause if possible.", show_default="30"
    ),
]
Pad = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS", help="Keep before and after speech, up to half of the pause.", show_default="0.1"
    ),
]
MaxPause = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Go on across pauses of at most this.", show_default="0.5"),
]
KeptLanguages = Annotated[
    list[str] | None,
    typer.Option("--language", metavar="TAG", help="Keep this language, such as en. May be repeated."),
]
LanguageModel = Annotated[
    str | None,
    typer.Option(
        metavar="DIR|HUB-ID", help="Multilingual Whisper that detects the language where it is not given."
    ),
]
KeptMetadata = Annotated[
    list[str] | None,
    typer.Option("--keep", metavar="NAME", help="Metadata that the clips keep. May be repeated."),
]
# budew corpus transcribe
WordsModel = Annotated[
    str,
    typer.Option("--model", metavar="DIR|HUB-ID", help="Whisper checkpoint: a folder, or a name on the hub."),
]
SpokenLanguage = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="TAG",
        help="Of clips that do not say theirs, such as en; left out, the checkpoint detects it.",
    ),
]
Again = Annotated[
    bool, typer.Option("--again", help="Transcribe also clips that have a transcript, and replace it.")
]
WindowsAtOnce = Annotated[
    int, typer.Option("--batch-size", min=1, help="Windows transcribed at once; more are faster.")
]
# budew corpus select
SplitsArgument = Annotated[
    Path,
    typer.Option("--splits", metavar="FILE", dir_okay=False, help="As budew corpus split writes it."),
]
PartName = Annotated[str, typer.Option("--part", metavar="NAME", help="Part that is kept, such as train.")]
