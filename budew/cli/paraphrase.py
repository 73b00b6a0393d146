"""Commands that paraphrase captions, and print the prompt."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Option

from budew import paraphrase
from budew.cli import options, paraphrase_reports
from budew.cli.job_options import JobOptions, ServerOptions, run_job, run_paid_job
from budew.cli.option_groups import option_groups
from budew.cli.options import SETTINGS
from budew.cli.terminal import output, parsed_file
from budew.profile import VoiceProfile

app = typer.Typer(
    name="paraphrase",
    help="Paraphrase captions by an LLM or an offline grammar; a gate checks that the meaning is kept.",
    **SETTINGS,
)
app.add_typer(paraphrase_reports.app)

Writer = Literal["grammar", "chat"]
"""Names of the backends."""
PromptFile = Annotated[
    Path | None,
    Option("--prompt", metavar="FILE", help="Prompt file. Default: paraphrase/prompts.yaml of this package."),
]
Structured = Annotated[
    bool, Option("--json/--plain", help="Request answers as JSON with a schema, or as plain text.")
]
CHAT_OPTIONS = ("model", "base_url", "server", "temperature", "structured", "ban")
"""Options of run that the grammar does not use. Both backends use the styles of --prompt."""


@dataclass(frozen=True, slots=True)
class RewritingOptions:
    """How captions are rewritten."""

    writer: Annotated[
        Writer,
        Option(
            "--backend",
            metavar="NAME",
            help="grammar: offline, no language model. chat: any server with an OpenAI-compatible API.",
        ),
    ] = "grammar"
    per_clip: Annotated[int, Option(min=1, metavar="K", help="Captions for each clip.")] = 1
    seed: Annotated[int, Option(help="Random seed for styles, examples and wording.")] = 0
    keep_templates: Annotated[
        bool, Option("--keep-templates", help="Keep template captions next to the new ones.")
    ] = False
    tolerance: options.Tolerance = 1
    prompt: PromptFile = None
    ban: options.BanList = None


@dataclass(frozen=True, slots=True)
class LanguageModelOptions:
    """How the language model of a server writes."""

    temperature: Annotated[
        float | None,
        Option(min=0, max=2, metavar="X", help="Sampling temperature. Default: that of the prompt file."),
    ] = None
    structured: Structured = True


@app.command("run", no_args_is_help=True)
@option_groups()
def run_command(
    context: typer.Context,
    source: options.Corpus,
    out: options.CorpusFolder,
    rewriting: RewritingOptions,
    language_model: LanguageModelOptions,
    job_options: JobOptions,
    server: ServerOptions,
) -> None:
    """Paraphrase the captions of each clip; a gate checks that the meaning is kept.

    The gate parses each candidate and compares it with the profile. A refused
    candidate is requested again with the reasons, repaired if it only omits
    something, or replaced by a fallback template, so every clip gets its captions.
    Clips without a profile are listed in OUT/failures.jsonl. --set also changes
    attempts, candidates, repair, keep_refused, gate.nearest_source and
    gate.nearest_sibling.

    Example: budew paraphrase run corpus/ out/ --backend chat --model NAME --base-url http://localhost:8000/v1
    """
    if rewriting.writer == "grammar":
        _refuse_chat_options(context)
    prompts = paraphrase.load_prompts(rewriting.prompt, ban=rewriting.ban)
    settings = job_options.settings(
        paraphrase.Rewriting,
        per_clip=rewriting.per_clip,
        seed=rewriting.seed,
        gate={"tolerance": rewriting.tolerance},
        keep_templates=rewriting.keep_templates,
        prompts=prompts,
    )
    if rewriting.writer == "chat":
        _run_chat(source, out, settings, language_model, job_options, server)
    else:
        run_job(paraphrase.Paraphrase(paraphrase.GrammarBackend(), settings), source, out, job_options)


def _run_chat(
    source: str,
    out: Path,
    settings: "paraphrase.Rewriting",
    language_model: LanguageModelOptions,
    job_options: JobOptions,
    server_options: ServerOptions,
) -> None:
    server = server_options.settings(job_options, concurrency=32)
    account = str(out.resolve())
    backend = paraphrase.ChatBackend(
        server,
        settings.prompts,
        temperature=language_model.temperature,
        structured=language_model.structured,
        account=account,
    )
    job = paraphrase.Paraphrase(backend, settings)
    run_paid_job(job, source, out, job_options, server=server, account=account)


def _refuse_chat_options(context: typer.Context) -> None:
    """Refuse options that only a language model uses."""
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.name in CHAT_OPTIONS and source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(
                "only --backend chat uses it, not grammar: remove it, or add --backend chat",
                param_hint="/".join([*option.opts, *option.secondary_opts]),
            )


@app.command("prompt", no_args_is_help=True)
def prompt_command(
    profile: options.ProfileFile,
    style: Annotated[
        str | None,
        Option(
            metavar="NAME", help="Style from the prompt file, such as plain. Default: chosen by the seed."
        ),
    ] = None,
    seed: Annotated[int, Option(help="Random seed for the listed words and the examples.")] = 0,
    prompt_file: PromptFile = None,
    ban: options.BanList = None,
    format: Annotated[
        Literal["messages", "text"],
        Option(help="messages: for chat models. text: for models with a single text input."),
    ] = "messages",
    structured: Structured = True,
    output_file: options.Output = None,
) -> None:
    """Print the prompt for paraphrasing a caption of a profile. Sends nothing to a model.

    Each message is printed below its role in brackets. The caption to paraphrase is
    rendered from the profile.

    Example: echo '{"emotions": {"Awe": 0.75}}' | budew paraphrase prompt - --style literary
    """
    prompts = paraphrase.load_prompts(prompt_file, ban=ban)
    target = parsed_file(profile, VoiceProfile.from_json)
    chosen = style or prompts.style_of(seed, "", 0)
    if chosen not in prompts.styles:
        raise typer.BadParameter(f"no style {chosen!r}: there are {', '.join(prompts.styles)}")
    source = paraphrase.source_caption("", 0, target, seed=seed, style=prompts.styles[chosen].source_style)
    request = paraphrase.RewriteRequest("", source, target, seed, style=chosen)
    if format == "text":
        shown = prompts.text(request)
    else:
        messages = prompts.messages(request, structured=structured)
        shown = "\n\n".join(f"[{message['role']}]\n{message['content']}" for message in messages)
    with output(output_file) as file:
        print(shown, file=file)
