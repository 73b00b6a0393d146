"""Commands that paraphrase captions, print the prompt, and evaluate paraphrases."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer import Argument, Option

from budew import corpora, paraphrase, reports
from budew.cli import options
from budew.cli.job_options import JobOptions, ServerOptions, run_job, run_paid_job
from budew.cli.options import SETTINGS, option_groups
from budew.cli.terminal import (
    PrintedErrors,
    as_json,
    name_of,
    opened,
    output,
    parsed_file,
    print_table,
    progress_bar,
    refuse_to_replace,
    results,
)
from budew.corpora.text_files import json_object, numbered_lines
from budew.errors import BudewError, CorpusError, InputError
from budew.profile import VoiceProfile
from budew.reports.formatting import visible

app = typer.Typer(
    name="paraphrase",
    help="Paraphrase captions by an LLM or an offline grammar; a gate checks that the meaning is kept.",
    **SETTINGS,
)

Writer = Literal["grammar", "chat"]
"""Names of the backends."""
PromptFile = Annotated[
    Path | None,
    Option("--prompt", metavar="FILE", help="Prompt file. Default: paraphrase/prompts.yaml of this package."),
]
Structured = Annotated[
    bool, Option("--json/--plain", help="Request answers as JSON with a schema, or as plain text.")
]


@dataclass(frozen=True, slots=True)
class RewritingOptions:
    """Options for rewriting captions, with any backend."""

    writer: Annotated[
        Writer,
        Option(
            "--backend",
            metavar="NAME",
            help="grammar: offline, no language model. chat: any server with an OpenAI-compatible API.",
        ),
    ] = "grammar"
    per_clip: Annotated[int, Option(min=1, metavar="K", help="Number of captions for each clip.")] = 1
    seed: Annotated[int, Option(help="Random seed for styles, examples and wording.")] = 0
    keep_templates: Annotated[
        bool,
        Option("--keep-templates", help="Keep the template captions of a clip in addition to the new ones."),
    ] = False
    tolerance: options.Tolerance = 1
    prompt: PromptFile = None
    ban: options.BanList = None


@dataclass(frozen=True, slots=True)
class LanguageModelOptions:
    """Options for the language model of a server."""

    temperature: Annotated[
        float | None,
        Option(min=0, max=2, metavar="X", help="Sampling temperature. Default: that of the prompt file."),
    ] = None
    structured: Structured = True


@app.command("run", no_args_is_help=True)
@option_groups()
def run_command(
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
    something, or replaced by a template caption, so every clip gets its captions.
    Clips without a profile are listed in OUT/failures.jsonl. --set also changes
    attempts, candidates, repair, keep_refused, gate.nearest_source and
    gate.nearest_sibling.

    Example: budew paraphrase run corpus/ out/ --backend chat --model NAME --base-url http://localhost:8000/v1
    """
    asked = (rewriting.ban, language_model, server)
    if rewriting.writer == "grammar" and asked != (None, LanguageModelOptions(), ServerOptions()):
        raise typer.BadParameter(
            "--model, --base-url, --server, --temperature, --plain and --ban are only for --backend chat: "
            "remove them, or add --backend chat"
        )
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


@app.command("prompt", no_args_is_help=True)
def prompt_command(
    profile: options.ProfileFile,
    style: Annotated[
        str | None,
        Option(
            metavar="NAME", help="Style from the prompt file, such as plain. Default: chosen by the seed."
        ),
    ] = None,
    seed: Annotated[int, Option(help="Random seed for the style, the suggested words and the examples.")] = 0,
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


@app.command("report", no_args_is_help=True)
def report_command(
    sources: Annotated[
        list[str],
        Argument(
            metavar="CORPUS",
            help="Clips with paraphrases: folders, shards, Parquet files, manifests, quoted glob patterns.",
        ),
    ],
    html: options.HtmlFile = None,
    json: options.JsonFile = None,
    ban: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            dir_okay=False,
            help="Write overused phrases here (YAML), for budew paraphrase run --ban.",
        ),
    ] = None,
    sample: Annotated[
        int, Option(metavar="N", min=1, help="Number of random clips for diversity and fidelity.")
    ] = 2000,
    seed: Annotated[int, Option(metavar="S", help="Random seed of the sample.")] = 0,
) -> None:
    """Evaluate paraphrases: counts of candidates, diversity compared with templates, fidelity.

    Fidelity is measured before the gate (all judged candidates) and after it (the
    written captions). The exit status is 1 if a clip cannot be read.

    Example: budew paraphrase report paraphrased/ --html report.html --ban overused.yaml
    """
    refuse_to_replace([file for source in sources for file in corpora.files_read(source)], html, json, ban)
    bad = PrintedErrors()
    with progress_bar("reading") as bar:
        found = paraphrase.paraphrase_report(sources, sample=sample, seed=seed, on_bad=bad, progress=bar)
    banned = paraphrase.write_ban(found.overused.phrases, ban) if ban is not None else ()
    report = reports.rewriting_report(found)
    with results(found.to_dict(), json, html, lambda: reports.report_html(report)):
        print_table(reports.report_tables(reports.rewriting_summary(report)))
        if ban is not None:
            print(f"{len(banned)} phrases to ban: {ban}")
    raise typer.Exit(bad.status)


@app.command("judge", no_args_is_help=True)
def judge_command(
    file: Annotated[
        Path, Argument(metavar="FILE.jsonl", help="JSON Lines with caption and profile; - is stdin.")
    ],
    tolerance: options.Tolerance = 1,
    verdicts: Annotated[
        Path | None,
        Option(
            "--jsonl",
            metavar="FILE",
            help="Write every line here, with accepted (true or false) and reasons.",
        ),
    ] = None,
) -> None:
    """Check captions from any origin against their profiles, with the gate of budew paraphrase run.

    Each line has a "caption" and a "profile", and optionally the template as
    "source" and a "transcript". Prints each refused caption with the reasons, and
    the number that pass. The exit status is 1 if a line cannot be read.

    Example: budew paraphrase judge captions.jsonl
    """
    refuse_to_replace([file], verdicts)
    bad, codes, count, passed = PrintedErrors(), Counter[str](), 0, 0
    name, gate = name_of(file), paraphrase.Gate(tolerance=tolerance)
    with opened(file) as lines, output(verdicts) if verdicts else nullcontext() as written:
        for number, line in numbered_lines(lines, name, on_bad=bad):
            where = f"{name}: line {number}"
            try:
                row = _judged(json_object(line, where), where, gate)
            except BudewError as error:
                bad(error)
                continue
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
    raise typer.Exit(bad.status)


def _judged(record: dict[str, Any], where: str, gate: "paraphrase.Gate") -> dict[str, Any]:
    """Return a line with the fields of its `Verdict`; CorpusError or InputError if it is invalid."""
    beside = {key: record.get(key) or "" for key in ("source", "transcript")}
    texts = (record.get("caption"), *beside.values())
    if "profile" not in record or not all(isinstance(text, str) for text in texts):
        needed = "a caption and a profile; source and transcript are texts or left out"
        raise CorpusError(f"{where}: a line needs {needed}: correct it")
    try:
        profile = VoiceProfile.from_dict(record["profile"])
    except InputError as error:
        raise CorpusError(f"{where}: {error}") from error
    verdict = paraphrase.judge(record["caption"], profile, gate, **beside)
    return {**record, "accepted": verdict.accepted, **asdict(verdict)}


@app.command("harvest", no_args_is_help=True)
def harvest_command(
    source: Annotated[str, Argument(metavar="CORPUS", help="Output of budew paraphrase run.")],
    fewest: Annotated[
        int, Option("--at-least", min=1, metavar="N", help="Print words that occur in at least N candidates.")
    ] = 2,
    top: Annotated[int, Option(min=1, metavar="N", help="Number of words to print.")] = 30,
    jsonl: Annotated[Path | None, Option(metavar="FILE", help="Write all words with examples here.")] = None,
) -> None:
    """List words of refused candidates that are not in the lexicon, to extend the lexicon.

    A word that is frequent where one emotion was missed should be added to
    caption_templates/en.yaml. The refused candidates are in the metadata of the
    clips; those that are not an English caption are ignored. The exit status is 1
    if a clip cannot be read.

    Example: budew paraphrase harvest paraphrased/ --at-least 5
    """
    refuse_to_replace([source], jsonl)
    bad = PrintedErrors()
    with progress_bar("harvest") as bar:
        clips = corpora.read(source, on_bad=bad)
        found = paraphrase.find_lexicon_gaps(clips, fewest=fewest, progress=bar)
    if jsonl is not None:
        with output(jsonl) as file:
            for row in found:
                print(as_json(row.to_dict()), file=file)
    print_table(reports.section_table(reports.lexicon_gaps_table(found[:top])))
    raise typer.Exit(bad.status)
