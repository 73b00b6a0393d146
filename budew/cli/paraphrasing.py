"""Commands that rewrite captions, check them, and report on the result."""

from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from budew.cli import options, paraphrase_prompt, paraphrase_report, server_options
from budew.cli.options import SETTINGS
from budew.cli.printed_errors import PrintedErrors
from budew.cli.running import Running, job_command, run_job, run_paid_job
from budew.terminal import (
    as_json,
    name_of,
    opened,
    output,
    print_table,
    progress_bar,
    refuse_to_replace,
    visible,
)

if TYPE_CHECKING:
    from budew.paraphrase import Backend, Prompts

app = typer.Typer(
    help="Rewrite captions with the same meaning: by an LLM behind a gate, or offline by grammar.",
    **SETTINGS,
)


class Writer(StrEnum):
    """What rewrites captions."""

    grammar = "grammar"
    chat = "chat"
    transformers = "transformers"
    vllm = "vllm"


_MODELS, _LOCAL = (Writer.chat, Writer.transformers, Writer.vllm), "Model in this process"
USED_BY: dict[str, tuple[Writer, ...]] = {
    **dict.fromkeys(("model", "temperature", "ban"), _MODELS),
    **dict.fromkeys(("structured", "server", "base_url"), (Writer.chat,)),
    **dict.fromkeys(("batch_size", "device"), (Writer.transformers,)),
}
"""Options of run that not every backend uses. The styles of --prompt are drawn for all."""
WriterName = Annotated[
    Writer,
    typer.Option(
        "--backend",
        metavar="NAME",
        help="grammar: no language model, offline. chat: any server that speaks the OpenAI protocol. "
        "transformers, vllm: a model in this process.",
    ),
]
PerClip = Annotated[int, typer.Option(min=1, metavar="K", help="Captions for each clip.")]
Seed = Annotated[int, typer.Option(help="Decides, with the id of a clip, styles, examples and wording.")]
Model = Annotated[str | None, typer.Option(metavar="NAME", help="Name on the server; folder or hub id.")]
Structured = Annotated[
    bool, typer.Option("--json/--plain", help="Ask the server for JSON of a schema, or for the bare caption.")
]
Temperature = Annotated[
    float | None, typer.Option(min=0, max=2, metavar="X", help="Default: that of the prompt file.")
]
PromptFile = Annotated[
    Path | None, typer.Option("--prompt", metavar="FILE", help="Default: paraphrase/prompts.yaml.")
]
KeepTemplates = Annotated[bool, typer.Option("--keep-templates", help="Keep templates beside the new ones.")]
Tolerance = Annotated[
    int, typer.Option(min=0, max=3, metavar="N", help="Levels, of five, that an intensity may differ.")
]
Batch = Annotated[int, typer.Option("--batch-size", min=1, rich_help_panel=_LOCAL, help="Clips at a time.")]
Device = Annotated[
    str | None, typer.Option(metavar="NAME", rich_help_panel=_LOCAL, help="cpu, cuda, cuda:1 or mps.")
]
Judged = Annotated[
    Path,
    typer.Argument(
        metavar="FILE.jsonl", help="Lines with caption and profile; - for stdin.", show_default=False
    ),
]
VerdictsFile = Annotated[
    Path | None, typer.Option("--jsonl", metavar="FILE", help="Write every line with its verdict here.")
]
Fewest = Annotated[int, typer.Option("--at-least", min=1, metavar="N", help="Least number of candidates.")]
Top = Annotated[int, typer.Option(min=1, metavar="N", help="Words to print.")]
HarvestFile = Annotated[
    Path | None, typer.Option("--jsonl", metavar="FILE", help="Write all words with examples here.")
]
Paraphrased = Annotated[
    str, typer.Argument(metavar="CORPUS", help="Output of budew paraphrase run.", show_default=False)
]


@app.command(no_args_is_help=True)
@job_command()
def run(
    context: typer.Context,
    source: options.Corpus,
    out: options.CorpusFolder,
    running: Running,
    writer: WriterName = Writer.grammar,
    per_clip: PerClip = 1,
    seed: Seed = 0,
    keep_templates: KeepTemplates = False,
    tolerance: Tolerance = 1,
    prompt: PromptFile = None,
    ban: paraphrase_prompt.BanList = None,
    temperature: Temperature = None,
    model: Model = None,
    server: server_options.ServerFile = None,
    base_url: server_options.BaseUrl = None,
    structured: Structured = True,
    batch_size: Batch = 16,
    device: Device = None,
) -> None:
    """Give each clip captions in other words that a gate compares with its profile.

    Each candidate is parsed and compared with the profile. What fails is asked
    again with the reasons, completed if only something is missing, and else
    replaced by a template, marked as such: every clip gets its captions. Clips
    without a profile are listed in OUT/failures.jsonl. --set also changes attempts,
    candidates, repair, keep_refused, gate.nearest_source and gate.nearest_sibling.

    Example: budew paraphrase run corpus/ out/ --backend chat --model NAME --base-url http://localhost:8000/v1
    """
    from budew.paraphrase import Paraphrase, Rewriting, load_prompts

    _refuse_unused(context, writer)
    prompts = load_prompts(prompt, ban=ban)
    rewriting = running.settings(
        Rewriting,
        per_clip=per_clip,
        seed=seed,
        gate={"tolerance": tolerance},
        keep_templates=keep_templates,
        prompts=prompts,
    )
    if writer is not Writer.chat:
        backend = _in_process(writer, model, prompts, temperature, batch_size, device)
        run_job(Paraphrase(backend, rewriting), source, out, running)
        return
    from budew.paraphrase.chat_backend import ChatBackend

    settings = server_options.server_settings(running, server, base_url, model, concurrency=32)
    account = str(out.resolve())
    chat = ChatBackend(settings, prompts, temperature=temperature, structured=structured, account=account)
    run_paid_job(Paraphrase(chat, rewriting), source, out, running, server=settings, account=account)


def _in_process(
    writer: Writer,
    model: str | None,
    prompts: "Prompts",
    temperature: float | None,
    batch_size: int,
    device: str | None,
) -> "Backend":
    if writer is Writer.grammar:
        from budew.paraphrase.grammar import GrammarBackend

        return GrammarBackend()
    if not model:
        raise typer.BadParameter(f"--backend {writer.value} needs it", param_hint="--model")
    from budew.paraphrase.local import TransformersBackend, VLLMBackend

    sampling: dict[str, Any] = {
        "prompts": prompts,
        "temperature": prompts.temperature if temperature is None else temperature,
        "top_p": prompts.top_p,
    }
    if writer is Writer.vllm:
        return VLLMBackend(model, **sampling)
    return TransformersBackend(model, device=device, batch=batch_size, **sampling)


def _refuse_unused(context: typer.Context, writer: Writer) -> None:
    """Refuse options that only other backends use."""
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        backends = USED_BY.get(option.name or "", tuple(Writer))
        if source is not None and source.name == "COMMANDLINE" and writer not in backends:
            used = " and ".join(f"--backend {name.value}" for name in backends)
            raise typer.BadParameter(
                f"only {used} uses it, not {writer.value}: leave it out",
                param_hint="/".join([*option.opts, *option.secondary_opts]),
            )


for command in (paraphrase_prompt.prompt, paraphrase_report.report):
    app.command(no_args_is_help=True)(command)


@app.command(no_args_is_help=True)
def judge(
    file: Judged,
    tolerance: Tolerance = 1,
    verdicts: VerdictsFile = None,
) -> None:
    """Compare captions with the profiles that they should express.

    Each line has a caption and a profile, as budew writes it, and may have the
    template as source and the spoken words as transcript. Prints each refused caption
    with its reasons, and how many pass; --jsonl writes every line with its verdict.
    Exit status 1 if a line cannot be read.

    Example: budew paraphrase judge captions.jsonl
    """
    from collections import Counter

    from budew.paraphrase import Gate
    from budew.paraphrase.judging import judged_lines

    refuse_to_replace([file], verdicts)
    tell, codes, count, passed = PrintedErrors(), Counter[str](), 0, 0
    with opened(file) as lines, output(verdicts) if verdicts else nullcontext() as written:
        for row in judged_lines(lines, name=name_of(file), gate=Gate(tolerance=tolerance), on_bad=tell):
            count, passed = count + 1, passed + row["accepted"]
            codes.update({reason["code"] for reason in row["reasons"]})
            if written is not None:
                print(as_json(row), file=written)
            if not row["accepted"]:
                why = "; ".join(f"{reason['code']} {reason['what']}".strip() for reason in row["reasons"])
                print(visible(f"{row['caption']}\n  {why}"))
    print(f"{passed:,} of {count:,} pass")
    for code, times in sorted(codes.items(), key=lambda pair: (-pair[1], pair[0])):
        print(f"  {code}: {times:,}")
    raise typer.Exit(tell.status)


@app.command(no_args_is_help=True)
def harvest(
    source: Paraphrased,
    fewest: Fewest = 2,
    top: Top = 30,
    jsonl: HarvestFile = None,
) -> None:
    """List words of a language model that the parser does not know, in candidates that miss an emotion.

    Words that are frequent where one emotion is missed are worth an entry in
    caption_templates/en.yaml. Reads the refused candidates in the metadata, which run
    keeps; chat, other languages and broken text do not count. Exit status 1 if
    something cannot be read.

    Example: budew paraphrase harvest paraphrased/ --at-least 5
    """
    from budew.corpora import read
    from budew.paraphrase.harvest import harvest as harvested

    refuse_to_replace([source], jsonl)
    bad = PrintedErrors()
    with progress_bar("harvest") as bar:
        clips = read(source, on_bad=bad)
        found = harvested(clips, fewest=fewest, progress=lambda done: bar(done, None))
    if jsonl is not None:
        with output(jsonl) as file:
            for row in found:
                print(as_json(row.to_dict()), file=file)
    print_table(_harvest_table(found[:top]))
    raise typer.Exit(bad.status)


def _harvest_table(found: Any) -> Any:
    from rich.table import Table

    table = Table("word", "missed", "as an emotion", "passed", "emotions missed", "for example")
    for row in found:
        emotions = ", ".join(f"{name} {count}" for name, count in row.emotions[:3])
        example = row.examples[0][:80] if row.examples else ""
        table.add_row(row.word, f"{row.missed:,}", f"{row.named:,}", f"{row.passed:,}", emotions, example)
    return table
