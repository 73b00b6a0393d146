"""Commands of the caption language: parse, render, lint, captions. None of them needs a model."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from budew.cli import options
from budew.cli.options import SETTINGS
from budew.terminal import (
    as_json,
    console_on,
    name_of,
    opened,
    output,
    progress_bar,
    refuse_to_replace,
    say_error,
    visible,
)

if TYPE_CHECKING:
    from budew.captions.lint.caption_file import BadLine
    from budew.captions.salience import Baseline
    from budew.profile import VoiceProfile

LONGEST_TEXT = 10_000_000
"""Bytes of a caption on stdin."""

Text = Annotated[
    str | None, typer.Argument(metavar="TEXT", help="One caption, in quotes; - is stdin.", show_default=False)
]
JsonLines = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help='Many captions instead, as JSON Lines; - is stdin. "emotions" that are there are replaced.',
    ),
]
Into = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="With --jsonl: put emotions, bursts and traits under this name, and touch no other. "
        "A line that has the name already is an error.",
    ),
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Show in the terminal how the caption is parsed, phrase by phrase.")
]
ExplanationFile = Annotated[
    Path | None,
    typer.Option(
        "--html",
        metavar="FILE",
        dir_okay=False,
        help="Write the explanation as a self-contained page; - is stdout.",
    ),
]
AllFrames = Annotated[
    bool, typer.Option("--all-frames", help="Show the profile in every sentence frame, of --style if given.")
]
Count = Annotated[int, typer.Option(min=1, help="How many captions; each takes the next seed.")]
CaptionFile = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A caption a line, or JSON Lines; - is stdin.", show_default=False),
]
MostWords = Annotated[int, typer.Option(metavar="N", min=0, help="Unknown words shown.")]
CoverageFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", dir_okay=False, help="Write all results here as JSON."),
]

app = typer.Typer()
captions_app = typer.Typer(help="Coverage of the lexicon, size of the caption language.", **SETTINGS)


@app.command(no_args_is_help=True)
def parse(
    text: Text = None,
    jsonl: JsonLines = None,
    into: Into = None,
    explain: Explain = False,
    html: ExplanationFile = None,
    output_file: options.Output = None,
) -> None:
    """Parse a caption: emotions (0 to 1), vocal bursts and traits, as JSON. Needs no model.

    With --jsonl: objects with "caption" in, the same objects with "emotions"
    added (or replaced) out, or with --into NAME the whole profile under that
    name. A bad line is reported on stderr, the others are parsed.

    --explain, and --html FILE as a page, show each phrase in its place, what it
    means, and why.

    Example: budew parse "A young woman, deeply sad, sobbing." --explain
    """
    if (text is None) == (jsonl is None):
        raise typer.BadParameter('give either "TEXT" or --jsonl FILE')
    if jsonl is not None:
        if explain or html:
            raise typer.BadParameter("--explain and --html are for one caption")
        raise typer.Exit(_parse_jsonl(jsonl, output_file, into))
    if into is not None:
        raise typer.BadParameter("--into goes with --jsonl")
    from budew.captions import parse as parse_caption

    if text == "-":
        with opened(Path("-")) as lines:
            text = lines.read(LONGEST_TEXT).decode(errors="replace")
    refuse_to_replace([], html, output_file or (Path("-") if explain else None))
    parsed = parse_caption(text or "")
    if html is not None:
        from budew.reports.explanation import explanation_html

        with output(html) as file:
            file.write(explanation_html([parsed]))
    with output(output_file) as file:
        if explain:
            from budew.reports.explanation import print_explanation

            print_explanation(parsed, console_on(file))
        elif html is None or output_file is not None:
            print(as_json(parsed.profile.to_dict(), indent=1), file=file)
    if html is not None and str(html) != "-":
        print(f"page: {html.resolve().as_uri()}")


def _parse_jsonl(path: Path, output_file: Path | None, into: str | None) -> int:
    from budew.corpora.caption_lines import parse_lines

    bad: list[Exception] = []

    def report(error: Exception) -> None:
        bad.append(error)
        say_error(error)

    with opened(path) as lines, output(output_file) as file:
        for record in parse_lines(lines, name=name_of(path), into=into, on_bad=report):
            print(as_json(record), file=file)
    return int(bool(bad))


@app.command(no_args_is_help=True)
def render(
    profile: options.ProfileFile,
    seed: options.WordingSeed = 0,
    count: Count = 1,
    style: options.CaptionStyle = None,
    max_emotions: options.MaxEmotions = None,
    min_level: options.MinLevel = 0.0,
    leave_out: options.LeaveOut = None,
    baseline: options.BaselineFile = None,
    min_z: options.MinZ = None,
    all_frames: AllFrames = False,
) -> None:
    """Render a profile as captions, one a line. Needs no model.

    Example: echo '{"emotions": {"Sadness": 0.75}, "bursts": ["Sobs"]}' | budew render - --count 3
    """
    from budew.captions import render as render_caption

    if all_frames and count > 1:
        raise typer.BadParameter("--all-frames shows each frame once: leave --count out")
    described = read_profile(profile)
    if baseline is not None:
        from budew.captions.salience import salient

        described = salient(described, read_baseline(baseline), min_z=1.0 if min_z is None else min_z)
    elif min_z is not None:
        raise typer.BadParameter("--min-z goes with --baseline")
    if all_frames:
        from budew.reports.explanation import print_all_frames

        print_all_frames(
            described,
            console_on(sys.stdout),
            seed=seed,
            style=style.value if style else None,
            max_emotions=max_emotions,
            min_level=min_level,
            leave_out=leave_out or (),
        )
        return
    for number in range(count):
        caption = render_caption(
            described,
            seed=seed + number,
            style=style.value if style else None,
            max_emotions=max_emotions,
            min_level=min_level,
            leave_out=leave_out or (),
        )
        print(caption)


def read_profile(path: Path) -> "VoiceProfile":
    """Read the profile in a file of JSON; errors name the file."""
    from budew.errors import InputError
    from budew.profile import VoiceProfile
    from budew.strict_json import LARGEST

    with opened(path) as file:
        text = file.read(LARGEST + 1)
    try:
        return VoiceProfile.from_json(text)
    except InputError as error:
        raise InputError(f"{name_of(path)}: {error}") from error


def read_baseline(path: Path) -> "Baseline":
    """Read the baseline in a file of statistics; errors name the file."""
    from budew.captions.salience import Baseline
    from budew.errors import InputError
    from budew.strict_json import LARGEST

    with opened(path) as file:
        text = file.read(LARGEST + 1)
    try:
        return Baseline.from_json(text)
    except InputError as error:
        raise InputError(f"{name_of(path)}: {error}") from error


@captions_app.command(no_args_is_help=True)
def coverage(file: CaptionFile, most: MostWords = 30, json: CoverageFile = None) -> None:
    """Count the emotions that the lexicon finds in captions, and unknown words where an emotion is expected.

    FILE has a caption a line, or JSON Lines with "caption".

    Example: budew captions coverage captions.jsonl --most 50
    """
    from budew.captions.coverage import coverage as read_all
    from budew.captions.lint.corpus import read_captions

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
        found = read_all(texts(lines), progress=lambda done: bar(done, None))
    _write(json, found.to_dict())
    print(
        f"captions: {found.captions:,}, an emotion found in {found.with_emotion:,}; "
        f"{len(found.unknown):,} unknown words where an emotion is expected"
    )
    for row in found.to_dict(most=most)["unknown"]:
        print(f"{row['captions']:>8,}  {row['word']:<24} {visible(row['examples'][0])}")
    raise typer.Exit(1 if bad else 0)


@app.command(no_args_is_help=True)
def lint(file: CaptionFile, json: CoverageFile = None) -> None:
    """Check captions: leaked numbers and field names, repetitions, contradictions, over-used phrases, length.

    FILE has a caption a line, or JSON Lines with "caption" and maybe "profile",
    which is then checked for a gender or an age that it does not support. Exit
    status 1 where something is an error, 0 where there are warnings alone.

    Example: budew lint captions.jsonl --json lint.json
    """
    from budew.captions.lint.corpus import lint_corpus, read_captions

    refuse_to_replace([file], json)
    with opened(file) as lines:
        report = lint_corpus(read_captions(lines, name_of(file)))
    _write(json, report.to_dict())
    print("\n".join(map(visible, report.lines())))
    raise typer.Exit(1 if report.errors else 0)


def _write(path: Path | None, results: dict[str, Any]) -> None:
    """Write results before anything is printed: they must survive a closed pipe."""
    if path is not None:
        with output(path) as file:
            print(as_json(results, indent=1), file=file)


@captions_app.command()
def size() -> None:
    """Print how many frames and phrases the caption language has.

    Example: budew captions size
    """
    from statistics import median

    from budew.captions.coverage import language_size

    language = language_size()
    said, read = language.said.values(), language.read.values()
    print(
        f"{language.frames} sentence frames, {language.sentences:,} sentences without their words\n"
        f"{sum(said):,} phrases for 40 emotions at four levels: "
        f"{min(said)} to {max(said)} each, median {median(said):g}\n"
        f"{language.phrases:,} phrases are read, {sum(read):,} of them as emotions: "
        f"{min(read)} to {max(read)} each, "
        f"median {median(read):g}"
    )
