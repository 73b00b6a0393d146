"""Reports of the corpora that are known by name: all of them compared, and one explained."""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from budew.corpora.named.definition import Meaning, NamedCorpus
from budew.reports.sections import Card, Cell, Report, Table
from budew.taxonomy import EMOTIONS

_AUTHOR = re.compile(r"author\s*=\s*\{+([^,}]+)")
_YEAR = re.compile(r"year\s*=\s*\{(\d{4})\}")
_FROM = "from"
_NOTES = (
    ("Hours, speakers", "As published; a dash where no source gives them, or they grow with each release."),
    ("Emotions", "How many of the 40 the labels stand for: those that are rated in each labelled clip."),
    ("Licence", "As the source states it; a dash where it states none. Read it before you use the corpus."),
)


def corpora_report(corpora: Mapping[str, NamedCorpus]) -> Report:
    """Return the comparison of corpora, by name."""
    languages = {tag.partition("-")[0] for corpus in corpora.values() for tag in corpus.languages}
    cards = [
        Card("corpora", str(len(corpora))),
        Card("languages", str(len(languages)), note="and those of Common Voice"),
        Card("hours", sum(corpus.hours or 0 for corpus in corpora.values()), digits=0, note="where known"),
    ]
    columns = (
        "",
        "language",
        "hours",
        "speakers",
        "emotions",
        "bursts",
        "kind",
        "licence",
        _FROM,
        "citation",
    )
    table = Table(
        "Corpora",
        columns,
        [_row(name, corpus) for name, corpus in corpora.items()],
        note="Read with budew.read('NAME:FOLDER'); explained by budew corpora NAME.",
        digits=1,
    )
    return Report("Corpora known by name", "", cards, [table], _NOTES)


def brief(report: Report) -> Report:
    """Return what a terminal shows of the comparison: all but where the corpora are had."""
    (table,) = (section for section in report.sections if isinstance(section, Table))
    kept = [place for place, name in enumerate(table.columns) if name != _FROM]
    rows = [[row[place] for place in kept] for row in table.rows]
    return report._replace(sections=[replace(table, columns=[table.columns[at] for at in kept], rows=rows)])


def corpus_report(name: str, corpus: NamedCorpus) -> Report:
    """Return what is known of a corpus: labels as emotions, names and tables, licence and citation."""
    cards = [
        Card("hours", corpus.hours, digits=1),
        Card("speakers", None if corpus.speaker_count is None else f"{corpus.speaker_count:,}"),
        Card("emotions", str(len(corpus.rated)), note=f"of {len(EMOTIONS)}"),
        Card("licence", corpus.licence or "none stated"),
    ]
    sections = [_labels(corpus), _names(corpus), *([_tables(corpus)] if corpus.tables else [])]
    notes = (
        ("Read it", f"budew.read('{name}:FOLDER')"),
        ("Recognized", "by its names alone" if corpus.distinctive else "only if it is named"),
        ("Pattern", corpus.pattern),
        ("From", corpus.address or "unknown"),
        ("Source", corpus.source),
        ("Citation", corpus.citation.strip() or "none"),
    )
    return Report(corpus.title, f"{corpus.about} ({_kind(corpus)})", cards, sections, notes)


def short_citation(bibtex: str) -> str:
    """Return the first author and the year of a BibTeX entry, as far as it has them."""
    found = (pattern.search(bibtex) for pattern in (_AUTHOR, _YEAR))
    return " ".join(one[1].strip() for one in found if one) or "–"


def _row(name: str, corpus: NamedCorpus) -> tuple[Cell, ...]:
    bursts = {burst for meaning in corpus.labels.values() for burst in meaning.bursts}
    return (
        name,
        ", ".join(corpus.languages) or "–",
        corpus.hours,
        corpus.speaker_count,
        len(corpus.rated),
        len(bursts),
        corpus.kind,
        corpus.licence or "–",
        urlsplit(corpus.address or "").netloc.removeprefix("www.") or "–",
        short_citation(corpus.citation),
    )


def _kind(corpus: NamedCorpus) -> str:
    return ", ".join([*corpus.languages, corpus.kind])


def _labels(corpus: NamedCorpus) -> Table:
    rows = [(label, _meaning(meaning), meaning.why or "–") for label, meaning in corpus.labels.items()]
    note = "A labelled clip is known not to have the emotions of the other labels."
    return Table("Labels", ("label", "read as", "reason"), rows, note=note if corpus.rated else "")


def _meaning(meaning: Meaning) -> str:
    emotions = meaning.emotions
    said = [] if emotions is None else [*emotions] or ["no emotion"]
    traits = (f"{name}: {value}" for name, value in meaning.traits.items())
    return ", ".join([*said, *meaning.bursts, *traits]) or "nothing"


def _names(corpus: NamedCorpus) -> Table:
    example = corpus.examples[0]
    codes = {part: code for part, code in (corpus.match(example) or {}).items() if part}
    rows = [
        (part, code, corpus.value(part, code), corpus.parts.get(part, "–")) for part, code in codes.items()
    ]
    return Table("File names", ("part", "code", "stands for", "meaning"), rows, note=example)


def _tables(corpus: NamedCorpus) -> Table:
    rows = [
        (
            table.file,
            ", ".join(table.key),
            _given(table.columns, table.ratings is not None),
            _needed(table.required),
        )
        for table in corpus.tables
    ]
    return Table("Tables beside the audio", ("file", "found by", "gives", ""), rows)


def _given(columns: Mapping[str, str], has_ratings: bool) -> str:
    return ", ".join([*columns, *(["ratings"] if has_ratings else [])])


def _needed(required: bool) -> str:
    return "required" if required else "optional"
