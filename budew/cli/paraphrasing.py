"""Commands that say captions in other words, and show what became of it."""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import typer

from budew.cli import options, paraphrase_prompt, paraphrase_report, paraphrasing_options, server_options
from budew.cli.paraphrasing_options import Writer
from budew.cli.running import Running, job_command, run_job, run_paid_job
from budew.cli.settings import SETTINGS
from budew.cli.told import Told
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
    help="Say captions in other words that mean the same, by an LLM behind a gate or offline by grammar.",
    **SETTINGS,
)


@app.command(no_args_is_help=True)
@job_command()
def run(
    context: typer.Context,
    source: options.Corpus,
    out: options.CorpusFolder,
    running: Running,
    backend: paraphrasing_options.Backend = Writer.grammar,
    per_clip: paraphrasing_options.PerClip = 1,
    attempts: paraphrasing_options.Attempts = 3,
    candidates: paraphrasing_options.Candidates = 2,
    seed: paraphrasing_options.Seed = 0,
    model: paraphrasing_options.Model = None,
    temperature: paraphrasing_options.Temperature = None,
    prompt: paraphrasing_options.PromptFile = None,
    ban: paraphrasing_options.BanList = None,
    keep_templates: paraphrasing_options.KeepTemplates = False,
    keep_refused: paraphrasing_options.KeepRefused = True,
    tolerance: paraphrasing_options.Tolerance = 1,
    nearest_source: paraphrasing_options.NearestSource = 0.8,
    nearest_sibling: paraphrasing_options.NearestSibling = 0.8,
    repair: paraphrasing_options.Repair = True,
    server: server_options.ServerFile = None,
    base_url: server_options.BaseUrl = None,
    structured: paraphrasing_options.Structured = True,
    batch_size: paraphrasing_options.Batch = 16,
    device: options.Device = None,
) -> None:
    """Give each clip captions in other words, held to its profile by a gate.

    Each candidate is parsed and compared with the profile. What fails is asked
    again with the reasons, completed where only something is missing, and else
    replaced by a fresh template, marked so: no clip goes without a caption. Clips
    without a profile are listed in OUT/failures.jsonl.

    Example: budew paraphrase run corpus/ out/ --backend chat --model NAME --base-url http://localhost:8000/v1
    """
    from budew.paraphrase import Gate, Paraphrase, Rewriting, load_prompts

    _without_effect(context, backend)
    account, settings = str(out.resolve()), None
    prompts = load_prompts(prompt, ban=ban)
    if backend is Writer.chat:
        from budew.paraphrase.chat_backend import ChatBackend

        settings = server_options.server_settings(running, server, base_url, model, concurrency=32)
        writer: Backend = ChatBackend(
            settings, prompts, temperature=temperature, structured=structured, account=account
        )
    else:
        writer = _in_process(backend, model, prompts, temperature, batch_size, device)
    gate = Gate(tolerance=tolerance, nearest_source=nearest_source, nearest_sibling=nearest_sibling)
    rewriting = Rewriting(per_clip, attempts, candidates, seed, gate, prompts, repair)
    job = Paraphrase(writer, rewriting, keep_templates=keep_templates, keep_refused=keep_refused)
    if settings is None:
        run_job(job, source, out, running)
    else:
        run_paid_job(job, source, out, running, server=settings, account=account)


def _in_process(
    backend: Writer,
    model: str | None,
    prompts: "Prompts",
    temperature: float | None,
    batch_size: int,
    device: Any,
) -> "Backend":
    if backend is Writer.grammar:
        from budew.paraphrase.grammar import GrammarBackend

        return GrammarBackend()
    name = _needed(model, "--model", backend)
    drawn = prompts.temperature if temperature is None else temperature
    if backend is Writer.vllm:
        from budew.paraphrase.local import VLLMBackend

        return VLLMBackend(name, prompts=prompts, temperature=drawn, top_p=prompts.top_p)
    from budew.paraphrase.local import TransformersBackend

    return TransformersBackend(
        name, device=device, batch=batch_size, temperature=drawn, top_p=prompts.top_p, prompts=prompts
    )


def _needed(given: str | None, option: str, backend: Writer) -> str:
    if not given:
        raise typer.BadParameter(f"--backend {backend.value} needs it", param_hint=option)
    return given


def _without_effect(context: typer.Context, backend: Writer) -> None:
    """Refuse options that only other backends heed: who gives one takes it for heeded."""
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        backends = paraphrasing_options.HEEDED_BY.get(option.name or "", tuple(Writer))
        if source is not None and source.name == "COMMANDLINE" and backend not in backends:
            heeded = " and ".join(f"--backend {name.value}" for name in backends)
            raise typer.BadParameter(
                f"only {heeded} heeds it, not {backend.value}: leave it out",
                param_hint="/".join([*option.opts, *option.secondary_opts]),
            )


for command in (paraphrase_prompt.prompt, paraphrase_report.report):
    app.command(no_args_is_help=True)(command)


@app.command(no_args_is_help=True)
def judge(
    file: paraphrasing_options.Judged,
    tolerance: paraphrasing_options.Tolerance = 1,
    verdicts: paraphrasing_options.VerdictsFile = None,
) -> None:
    """Hold captions from anywhere to the profiles that they should express.

    Each line has a caption and a profile, as budew writes it, and may have the
    template as source and what is spoken as transcript. Prints each that is refused
    with its reasons, and how many pass; --jsonl writes every line with its verdict
    as well. Exit status 1 where a line cannot be read.

    Example: budew paraphrase judge captions.jsonl
    """
    from collections import Counter

    from budew.paraphrase import Gate
    from budew.paraphrase.judging import judged_lines

    refuse_to_replace([file], verdicts)
    tell, codes, count, passed = Told(), Counter[str](), 0, 0
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
    source: paraphrasing_options.Paraphrased,
    fewest: paraphrasing_options.Fewest = 2,
    top: paraphrasing_options.Top = 30,
    jsonl: paraphrasing_options.HarvestFile = None,
) -> None:
    """List words of the language model that the parser cannot read, and where an emotion was missed.

    Those that stand again and again where one emotion was missed are worth an
    entry in caption_templates/en.yaml. Needs the refused candidates of a language
    model in the metadata, which run keeps; those that were chat, no English or
    broken do not count. What cannot be read is told on stderr; then the exit status is 1.

    Example: budew paraphrase harvest paraphrased/ --at-least 5
    """
    from budew.corpora import read
    from budew.paraphrase.harvest import Harvest

    refuse_to_replace([source], jsonl)
    counts, bad = Harvest(), Told()
    with progress_bar("harvest") as bar:
        for done, clip in enumerate(read(source, on_bad=bad), 1):
            counts.add(clip)
            bar(done, None)
    found = counts.ranked(fewest=fewest)
    if jsonl is not None:
        with output(jsonl) as file:
            for row in found:
                print(as_json(row.to_dict()), file=file)
    print_table(_harvest_table(found[:top]))
    if counts.beyond:
        print(f"{counts.beyond:,} words were not counted: there are too many different ones")
    raise typer.Exit(bad.status)


def _harvest_table(found: Any) -> Any:
    from rich.table import Table

    table = Table("word", "missed", "as an emotion", "passed", "emotions missed", "for example")
    for row in found:
        emotions = ", ".join(f"{name} {count}" for name, count in row.emotions[:3])
        example = row.examples[0][:80] if row.examples else ""
        table.add_row(row.word, f"{row.missed:,}", f"{row.named:,}", f"{row.passed:,}", emotions, example)
    return table
