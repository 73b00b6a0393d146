"""The command that shows the prompt of a language model."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from budew.cli import options
from budew.cli.captions import read_profile
from budew.terminal import output

if TYPE_CHECKING:
    from budew.paraphrase.backend import Request
    from budew.paraphrase.prompts import Prompts


class PromptForm(StrEnum):
    """Which kind of model a prompt is for."""

    messages = "messages"
    text = "text"


StyleName = Annotated[
    str | None,
    typer.Option("--style", metavar="NAME", help="A style of the prompt file; default: drawn by the seed."),
]
PromptSeed = Annotated[int, typer.Option(help="Decides the words offered and the examples.")]
PromptFile = Annotated[
    Path | None,
    typer.Option("--prompt", metavar="FILE", help="Default: paraphrase/prompts.yaml."),
]
BanList = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Phrases to avoid, as budew paraphrase report --ban writes them; the first 60 count.",
    ),
]
Form = Annotated[
    PromptForm, typer.Option("--format", help="messages for chat models, text for those that take one text.")
]
Structured = Annotated[
    bool,
    typer.Option("--json/--plain", help="For answers as JSON of a schema, or as the bare caption."),
]


def prompt(
    profile: options.ProfileFile,
    style: StyleName = None,
    seed: PromptSeed = 0,
    prompt_file: PromptFile = None,
    ban: BanList = None,
    format: Form = PromptForm.messages,
    structured: Structured = True,
    output_file: options.Output = None,
) -> None:
    """Show the prompt for rewriting a caption of a profile, without asking a model.

    Each message stands under its role in brackets. The caption to rewrite is
    rendered from the profile.

    Example: echo '{"emotions": {"Awe": 0.75}}' | budew paraphrase prompt - --style literary
    """
    from budew.paraphrase.backend import Request
    from budew.paraphrase.prompts import load_prompts
    from budew.paraphrase.rewriting import source_caption

    prompts, said = load_prompts(prompt_file, ban=ban), read_profile(profile)
    chosen = style or prompts.style_of(seed, "", 0)
    if chosen not in prompts.styles:
        raise typer.BadParameter(f"no style {chosen!r}: there are {', '.join(prompts.styles)}")
    source = source_caption("", 0, said, seed=seed, style=prompts.styles[chosen].source_style)
    request = Request("", source, said, seed, style=chosen)
    with output(output_file) as file:
        print(_shown(prompts, request, form=format, structured=structured), file=file)


def _shown(prompts: "Prompts", request: "Request", *, form: PromptForm, structured: bool) -> str:
    if form is PromptForm.text:
        return prompts.text(request)
    messages = prompts.messages(request, structured=structured)
    return "\n\n".join(f"[{message['role']}]\n{message['content']}" for message in messages)
