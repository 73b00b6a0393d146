"""Options of `budew corpus act`."""

from typing import Annotated

import typer

_PLAN, _SPEECH, _WORDS = "What is acted", "Server", "Whether the words are right"

Emotions = Annotated[
    str | None,
    typer.Option(metavar="A,B", rich_help_panel=_PLAN, help="Emotions, in any spelling. Default: all."),
]
Languages = Annotated[
    str | None, typer.Option(metavar="A,B", rich_help_panel=_PLAN, help="Of en, de, es, fr. Default: all.")
]
Voices = Annotated[
    str | None,
    typer.Option(
        metavar="A,B",
        rich_help_panel=_PLAN,
        help="Voices of the backend. Default: twelve of espeak-ng, or those of OpenAI.",
    ),
]
Challenges = Annotated[
    str | None,
    typer.Option(
        metavar="A,B",
        rich_help_panel=_PLAN,
        help="Acting challenges, such as plain,whisper,hide it. Default: all.",
    ),
]
Format = Annotated[
    str,
    typer.Option("--format", metavar="NAME", rich_help_panel=_SPEECH, help="mp3, opus, aac, flac, wav."),
]
WordsModel = Annotated[
    str | None,
    typer.Option(
        "--check-words",
        metavar="DIR|HUB-ID",
        rich_help_panel=_WORDS,
        help="Transcribe each clip with this Whisper checkpoint, such as openai/whisper-small, and leave out "
        "those with other words.",
    ),
]
MaxWer = Annotated[
    float,
    typer.Option(min=0, metavar="X", help="Highest word error rate that is kept.", rich_help_panel=_WORDS),
]
Price = Annotated[
    float | None,
    typer.Option(
        metavar="X", min=0, help="With --dry-run: price of a million characters.", rich_help_panel=_PLAN
    ),
]
