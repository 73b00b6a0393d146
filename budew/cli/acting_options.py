"""What `budew corpus act` takes."""

from typing import Annotated

import typer

_SPEECH = "Who speaks"
_WORDS = "Whether the words are right"
_RUN = "How it runs"

# budew corpus act
Comma = str | None


def _levels(of: str, *, metavar: str = "A,B") -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        metavar=metavar, help=f"{of} Left out, all of them.", rich_help_panel="What is acted"
    )
    return option


ActEmotions = Annotated[Comma, _levels("Emotions, in any spelling.")]
ActIntensities = Annotated[Comma, _levels("Of slight, moderate, strong, extreme.")]
ActLanguages = Annotated[Comma, _levels("Of en, de, es, fr.")]
ActAccents = Annotated[Comma, _levels("Accents; a language with none of them is spoken in all its own.")]
ActVoices = Annotated[
    Comma,
    typer.Option(
        metavar="A,B",
        help="Voices that the backend knows. Left out, twelve of espeak-ng, or those of OpenAI.",
        rich_help_panel="What is acted",
    ),
]
ActChallenges = Annotated[Comma, _levels("Acting challenges, such as plain,whisper,hide it.")]
ActTexts = Annotated[Comma, _levels("Lines that are fitting the emotion, or neutral.")]
ActBackend = Annotated[
    str,
    typer.Option(
        metavar="espeak|URL",
        help="The synthesizer of this package, or a server that speaks the OpenAI speech protocol, such as "
        "https://api.openai.com/v1. Its key is taken from OPENAI_API_KEY.",
        rich_help_panel=_SPEECH,
    ),
]
ActModel = Annotated[
    str | None, typer.Option(metavar="NAME", help="Model of the server.", rich_help_panel=_SPEECH)
]
ActFormat = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="mp3, opus, aac, flac or wav, as the server can.", rich_help_panel=_SPEECH
    ),
]
ActConcurrency = Annotated[
    int, typer.Option(min=1, help="Requests under way at a time.", rich_help_panel=_SPEECH)
]
ActTimeout = Annotated[
    float, typer.Option(min=0.1, metavar="SECONDS", help="Longest wait for a clip.", rich_help_panel=_SPEECH)
]
ActAttempts = Annotated[
    int, typer.Option(min=1, help="How often a clip is tried before it is listed.", rich_help_panel=_SPEECH)
]
ActCheckWords = Annotated[
    bool,
    typer.Option(
        "--check-words", help="Transcribe each clip and drop those with other words.", rich_help_panel=_WORDS
    ),
]
ActWordsModel = Annotated[
    str,
    typer.Option(metavar="DIR|HUB-ID", help="Whisper checkpoint that transcribes.", rich_help_panel=_WORDS),
]
ActMaxWer = Annotated[
    float,
    typer.Option(min=0, metavar="X", help="Highest word error rate that is kept.", rich_help_panel=_WORDS),
]
ActPrice = Annotated[
    float | None,
    typer.Option(
        metavar="X", min=0, help="With --dry-run: price of a million characters.", rich_help_panel=_RUN
    ),
]
