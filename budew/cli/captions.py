"""Commands of the caption language: parse, render, lint, captions. None of them needs a model."""

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Annotated, BinaryIO

import typer
from typer import Argument, Option

from budew import corpora, reports
from budew.captions import parse, render
from budew.captions.coverage import language_size, measure_coverage
from budew.captions.lint.corpus import BadLine, LintReport, lint_corpus, read_captions
from budew.captions.salience import salient
from budew.cli import options
from budew.cli.options import SETTINGS, option_groups
from budew.cli.rendering_options import RenderingOptions
from budew.cli.terminal import (
    PrintedErrors,
    as_json,
    console_on,
    name_of,
    opened,
    output,
    parsed_file,
    progress_bar,
    refuse_to_replace,
    results,
    say_error,
)
from budew.profile import VoiceProfile
from budew.reports.formatting import visible

LONGEST_TEXT = 10_000_000
"""Most bytes of a caption on stdin."""
LONGEST_NAME = 255
"""Most characters of a text that may be a file name."""

CaptionFile = Annotated[
    Path, Argument(metavar="FILE", help="One caption per line, or JSON Lines; - is stdin.")
]

app = typer.Typer()
captions_app = typer.Typer(
    help="Measure the coverage of the lexicon, and the size of the caption language.", **SETTINGS
)
app.add_typer(captions_app, name="captions")


@app.command("parse", no_args_is_help=True)
def parse_command(
    text: Annotated[str | None, Argument(metavar="TEXT", help="One caption, in quotes; - is stdin.")] = None,
    jsonl: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help='Parse many captions: JSON Lines with "caption"; - is stdin. "emotions" is added to each '
            "line, or replaced.",
        ),
    ] = None,
    into: Annotated[
        str | None,
        Option(
            metavar="NAME",
            help="With --jsonl: add the whole profile (emotions, bursts, traits) under this key, and keep "
            "all other keys. A line that already has the key is an error.",
        ),
    ] = None,
    explain: Annotated[
        bool, Option("--explain", help="Print how the caption is parsed, phrase by phrase.")
    ] = False,
    html: options.HtmlFile = None,
    output_file: options.Output = None,
) -> None:
    """Parse a caption: emotions (0 to 1), vocal bursts and traits, as JSON. Needs no model.

    With --jsonl, reads objects with a "caption" and writes the same objects with
    "emotions" added or replaced, or with --into NAME the whole profile under that
    key. An invalid line is reported on stderr, the others are parsed.

    --explain (in the terminal) and --html FILE (as a page) show each phrase, its
    meaning, and the rule that applied.

    Example: budew parse "A young woman, deeply sad, sobbing." --explain
    """
    if (text is None) == (jsonl is None):
        raise typer.BadParameter('give either "TEXT" or --jsonl FILE')
    if jsonl is not None:
        if explain or html:
            raise typer.BadParameter("--explain and --html are for one caption")
        raise typer.Exit(_parse_jsonl(jsonl, output_file, into))
    if into is not None:
        raise typer.BadParameter("--into requires --jsonl")
    if text == "-":
        with opened(Path("-")) as lines:
            text = lines.read(LONGEST_TEXT).decode(errors="replace")
    elif text and len(text) <= LONGEST_NAME and Path(text).is_file():
        say_error(
            f"{visible(text)} is a file, but its name was parsed as a caption: use --jsonl for its captions"
        )
    refuse_to_replace([], html, output_file or (Path("-") if explain else None))
    parsed = parse(text or "")
    if html is not None:
        with output(html) as file:
            file.write(reports.explanation_html([parsed]))
    with output(output_file) as file:
        if explain:
            reports.print_explanation(parsed, console_on(file))
        elif html is None or output_file is not None:
            print(as_json(parsed.profile.to_dict(), indent=1), file=file)
    if html is not None and str(html) != "-":
        print(f"page: {html.resolve().as_uri()}")


def _parse_jsonl(path: Path, output_file: Path | None, into: str | None) -> int:
    bad = PrintedErrors()
    with opened(path) as lines, output(output_file) as file:
        for record in corpora.parse_lines(lines, name=name_of(path), into=into, on_bad=bad):
            print(as_json(record), file=file)
    return bad.status


@app.command("render", no_args_is_help=True)
@option_groups()
def render_command(
    profile: options.ProfileFile,
    rendering: RenderingOptions,
    count: Annotated[int, Option(min=1, help="Number of captions, with consecutive seeds.")] = 1,
    all_frames: Annotated[
        bool,
        Option("--all-frames", help="Render the profile in every sentence frame, or in those of --style."),
    ] = False,
) -> None:
    """Render a profile as captions, one per line. Needs no model.

    Example: echo '{"emotions": {"Sadness": 0.75}, "bursts": ["Sobs"]}' | budew render - --count 3
    """
    if all_frames and count > 1:
        raise typer.BadParameter("--all-frames shows each frame once: remove --count")
    described = parsed_file(profile, VoiceProfile.from_json)
    selection = rendering.selection()
    baseline, min_z = rendering.salience()
    if baseline is not None:
        described = salient(described, baseline, min_z=min_z)
    if all_frames:
        reports.print_all_frames(
            described, console_on(sys.stdout), seed=rendering.seed, style=rendering.style, selection=selection
        )
        return
    for number in range(count):
        print(render(described, seed=rendering.seed + number, style=rendering.style, selection=selection))


@captions_app.command("coverage", no_args_is_help=True)
def coverage_command(
    file: CaptionFile,
    most: Annotated[int, Option(metavar="N", min=0, help="Number of unknown words to print.")] = 30,
    json: options.JsonFile = None,
) -> None:
    """Count the emotions that the lexicon finds in captions, and unknown words where an emotion is expected.

    FILE has one caption per line, or JSON Lines with "caption".

    Example: budew captions coverage captions.jsonl --most 50
    """
    refuse_to_replace([file], json)
    bad: list[BadLine] = []

    def texts(lines: BinaryIO) -> Iterator[str]:
        for row in read_captions(lines, name_of(file)):
            if isinstance(row, tuple):
                yield row[1]
            else:
                bad.append(row)
                say_error(f"{row.id}: {row.why}")

    with opened(file) as lines, progress_bar("reading") as bar:
        found = measure_coverage(texts(lines), progress=bar)
    with results(found.to_dict(), json):
        print(
            f"captions: {found.captions:,}, an emotion found in {found.with_emotion:,}; "
            f"{len(found.unknown):,} unknown words where an emotion is expected"
        )
        for row in found.to_dict(most=most)["unknown"]:
            print(f"{row['captions']:>8,}  {row['word']:<24} {visible(row['examples'][0])}")
    raise typer.Exit(1 if bad else 0)


@app.command("lint", no_args_is_help=True)
def lint_command(file: CaptionFile, json: options.JsonFile = None) -> None:
    """Check captions: leaked numbers and field names, repetitions, contradictions, overused phrases, length.

    FILE has one caption per line, or JSON Lines with "caption" and optionally
    "profile"; a gender, age or accent that the profile does not support is then an
    error. The exit status is 1 for errors, 0 for warnings only.

    Example: budew lint captions.jsonl --json lint.json
    """
    refuse_to_replace([file], json)
    with opened(file) as lines:
        report = lint_corpus(read_captions(lines, name_of(file)))
    with results(report.to_dict(), json):
        print("\n".join(map(visible, _lint_lines(report))))
    raise typer.Exit(1 if report.errors else 0)


def _lint_lines(report: LintReport) -> Iterator[str]:
    """Yield the lines of a lint report: totals, each code with examples below, overused phrases."""
    doubles = report.counts.get("duplicate", 0)
    yield (
        f"captions: {report.captions:,}, {report.mean_words:.1f} words on average; "
        f"{doubles:,} ({report.duplicate_share:.1%}) repeat an earlier one"
    )
    yield f"errors: {report.errors:,}, warnings: {report.warnings:,}"
    for code, count in report.counts.items():
        yield f"{report.severity[code]:<8} {code:<24} {count:>10,}"
        for example in report.examples.get(code, ()):
            yield f"    {example.id}: " + " | ".join(filter(None, (example.what, example.text)))
        more = count - len(report.examples.get(code, (None,) * count))
        if more:
            yield f"    and {more:,} more like these"
    for title, found in (("openings", report.openings), ("phrases", report.phrases)):
        if found:
            yield f"overused {title}"
        for overused in found:
            share = overused.captions / report.captions
            yield f"    {share:>6.1%} {overused.captions:>10,}  {overused.phrase}"


@captions_app.command("size")
def size_command() -> None:
    """Print how many frames and phrases the caption language has.

    Example: budew captions size
    """
    language = language_size()
    rendered, parsed = language.rendered.values(), language.parsed.values()
    print(
        f"{language.frames} sentence frames, {language.sentences:,} sentence patterns\n"
        f"{sum(rendered):,} phrases for 40 emotions at four levels: "
        f"{min(rendered)} to {max(rendered)} each, median {median(rendered):g}\n"
        f"{language.phrases:,} phrases are parsed, {sum(parsed):,} of them as emotions: "
        f"{min(parsed)} to {max(parsed)} each, median {median(parsed):g}"
    )
