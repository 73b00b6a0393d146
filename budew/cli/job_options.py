"""What convert, render, segment, transcribe and select take."""

from pathlib import Path
from typing import Annotated

import typer

LongestClip = Annotated[
    float, typer.Option(metavar="SECONDS", min=0.1, help="Longer recordings are told: cut them first.")
]
PerClip = Annotated[int, typer.Option(min=1, help="Captions for each clip.")]
KeepDamaged = Annotated[
    bool, typer.Option("--keep-damaged", help="Take clips that break off, as far as they can be decoded.")
]
# budew corpus segment
EntryThreshold = Annotated[
    float, typer.Option(metavar="P", help="Probability from which it is speech; it ends 0.15 under this.")
]
MinSeconds = Annotated[
    float, typer.Option("--min", metavar="SECONDS", min=0, help="Leave shorter clips out.")
]
MaxSeconds = Annotated[
    float,
    typer.Option("--max", metavar="SECONDS", help="Divide what is longer, at a pause where there is one."),
]
Pad = Annotated[
    float,
    typer.Option(metavar="SECONDS", min=0, help="Keep before and after speech, up to half of the pause."),
]
MaxPause = Annotated[
    float, typer.Option(metavar="SECONDS", min=0, help="Go on across pauses of at most this.")
]
MinSpeech = Annotated[
    float, typer.Option(metavar="SECONDS", min=0, help="Take what has less speech in it for noise.")
]
KeptLanguages = Annotated[
    list[str] | None,
    typer.Option("--language", metavar="TAG", help="Keep this language, such as en. May be repeated."),
]
LanguageModel = Annotated[
    str | None,
    typer.Option(
        metavar="DIR|HUB-ID",
        help="Multilingual Whisper that hears the language of each clip where nobody wrote it down.",
    ),
]
MaxClipped = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Leave out clips with more than this share of samples at full scale."),
]
LeastLevel = Annotated[
    float | None, typer.Option("--min-dbfs", metavar="DB", help="Leave out clips of less level than this.")
]
MinRatio = Annotated[
    float | None, typer.Option("--min-snr", metavar="DB", help="Leave out clips that are noisier than this.")
]
Bits = Annotated[int, typer.Option(help="Bits of a sample in the clips: 16 or 24.")]
KeptMetadata = Annotated[
    list[str] | None,
    typer.Option(
        "--keep", metavar="NAME", help="Metadata of a recording that its clips keep. May be repeated."
    ),
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
