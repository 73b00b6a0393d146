"""What the commands that paraphrase take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Writer(StrEnum):
    """What rewrites captions."""

    grammar = "grammar"
    chat = "chat"
    transformers = "transformers"
    vllm = "vllm"


_MODELS = (Writer.chat, Writer.transformers, Writer.vllm)
HEEDED_BY: dict[str, tuple[Writer, ...]] = {
    **dict.fromkeys(("model", "temperature", "ban"), _MODELS),
    **dict.fromkeys(("batch_size", "device"), (Writer.transformers,)),
    **dict.fromkeys(
        ("structured", "server", "base_url"),
        (Writer.chat,),
    ),
}  # fmt: skip
"""Options of run that not every backend heeds. The styles of --prompt are drawn for all."""
_CHAT, _LOCAL, _GATE = "Chat server", "Model in this process", "What may pass"

Backend = Annotated[
    Writer,
    typer.Option(
        help="grammar: no language model, offline. chat: any server that speaks the OpenAI protocol. "
        "transformers, vllm: a model in this process."
    ),
]
PerClip = Annotated[
    int, typer.Option(min=1, metavar="K", help="Captions for each clip, each in another style.")
]
Attempts = Annotated[
    int,
    typer.Option(min=1, help="Requests for a caption: after each but the last it is told what was wrong."),
]
Candidates = Annotated[
    int, typer.Option(min=1, help="Texts wanted of each request; the first that passes stays.")
]
Seed = Annotated[int, typer.Option(help="Decides, with the id of a clip, styles, examples and wording.")]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="The name under which a server knows it; a folder or hub id otherwise."
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", rich_help_panel=_CHAT, help="Of the server: http://localhost:8000/v1"),
]
Structured = Annotated[
    bool,
    typer.Option(
        "--json/--plain", rich_help_panel=_CHAT, help="Ask for JSON of a schema, or for the bare caption."
    ),
]
Temperature = Annotated[
    float | None, typer.Option(min=0, max=2, help="That of the prompt file where left out.")
]
PromptFile = Annotated[
    Path | None,
    typer.Option(
        "--prompt", metavar="FILE", help="Ask this; left out, paraphrase/prompts.yaml of this package."
    ),
]
BanList = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Phrases that the model is told to avoid, as budew paraphrase report --ban writes them; "
        "the first 60 count.",
    ),
]
Tolerance = Annotated[
    int,
    typer.Option(min=0, max=3, rich_help_panel=_GATE, help="Levels, of five, that an intensity may move."),
]
NearestSource = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        rich_help_panel=_GATE,
        help="Most of its wording that a caption may share with its template.",
    ),
]
NearestSibling = Annotated[
    float,
    typer.Option(min=0, max=1, rich_help_panel=_GATE, help="The same with another caption of its clip."),
]
Tries = Annotated[
    int,
    typer.Option(
        min=1, rich_help_panel=_CHAT, help="How often a request is sent before the server is looked at."
    ),
]
Repair = Annotated[
    bool,
    typer.Option(
        "--repair/--no-repair",
        rich_help_panel=_GATE,
        help="Complete a candidate that only leaves something out.",
    ),
]
KeepTemplates = Annotated[
    bool, typer.Option("--keep-templates", help="Leave template captions beside the new ones.")
]
KeepRefused = Annotated[
    bool,
    typer.Option(
        "--keep-refused/--drop-refused",
        help="Keep refused candidates in the metadata, for report and harvest.",
    ),
]
Batch = Annotated[int, typer.Option("--batch-size", min=1, rich_help_panel=_LOCAL, help="Clips at a time.")]
Judged = Annotated[
    Path,
    typer.Argument(
        metavar="FILE.jsonl",
        help="Lines with caption and profile; - for stdin.",
        show_default=False,
    ),
]
VerdictsFile = Annotated[
    Path | None,
    typer.Option("--jsonl", metavar="FILE", help="Write every line with its verdict to this file."),
]
Fewest = Annotated[
    int, typer.Option("--at-least", min=1, metavar="N", help="List words that stand so often.")
]
Top = Annotated[int, typer.Option(min=1, metavar="N", help="List so many.")]
HarvestFile = Annotated[
    Path | None,
    typer.Option("--jsonl", metavar="FILE", help="Write all of them, with examples, to this file."),
]
Paraphrased = Annotated[
    str, typer.Argument(metavar="CORPUS", help="As budew paraphrase run wrote it.", show_default=False)
]
