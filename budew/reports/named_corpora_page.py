"""Reports of the corpora that are known by name: a comparison of all, and a description of one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from budew.corpora.named.definition import Meaning, NamedCorpus
from budew.reports.page import page_notes
from budew.reports.sections import Card, Cell, Report, Table, with_content
from budew.taxonomy import EMOTIONS

_AUTHOR = re.compile(r"author\s*=\s*\{+([^,}]+)")
_YEAR = re.compile(r"year\s*=\s*\{(\d{4})\}")
_COMPARED = ("language", "hours", "speakers", "emotions", "bursts", "kind", "licence")


def corpora_report(corpora: Mapping[str, NamedCorpus]) -> Report:
    """Report a comparison of the known corpora, with their sources."""
    languages = {tag.partition("-")[0] for corpus in corpora.values() for tag in corpus.languages}
    hours = sum(corpus.hours or 0 for corpus in corpora.values() if not corpus.hub)
    cards = [
        Card("corpora", len(corpora)),
        Card("languages", len(languages), note="and those of Common Voice"),
        Card("hours", hours, digits=0, note="where known; sets on the hub overlap and are not in the sum"),
    ]
    sources = [(name, corpus.address or "–", corpus.source) for name, corpus in corpora.items()]
    sections = [
        _hub_sets(corpora),
        _comparison(corpora, _COMPARED),
        Table("Sources", ("", "from", "source"), sources),
    ]
    return Report("Corpora known by name", "", cards, sections, page_notes("known_corpora"))


def named_corpora_summary(corpora: Mapping[str, NamedCorpus]) -> Report:
    """Report the comparison for a terminal: with short citations, without addresses."""
    sections = [_hub_sets(corpora), _comparison(corpora, (*_COMPARED, "citation"))]
    return replace(corpora_report(corpora), sections=sections)


def corpus_report(name: str, corpus: NamedCorpus) -> Report:
    """Report a known corpus: labels as emotions, file names and tables, licence and citation."""
    cards = [
        Card("hours", corpus.hours, digits=1),
        Card("speakers", corpus.speaker_count),
        Card("emotions", len(corpus.rated), note=f"of {len(EMOTIONS)}"),
        Card("licence", corpus.licence or "none stated"),
    ]
    fields = Table("Fields", ("field", "meaning"), [] if corpus.pattern else [*corpus.parts.items()])
    sections = with_content(_labels(corpus), fields, _names(corpus), _tables(corpus))
    notes = page_notes(
        "known_corpus",
        name=name,
        corpus=corpus,
        read=" or ".join(_reading(name, corpus)),
        recognized="by its names alone" if corpus.distinctive and corpus.pattern else "only if it is named",
        pattern=corpus.pattern or "none: the labels are in the rows",
        address=corpus.hub or corpus.address or "unknown",
        command=f" (budew corpora get {name} OUT)" if corpus.downloads else "",
        citation=corpus.citation.strip() or "none",
    )
    kind = ", ".join([*corpus.languages, corpus.kind])
    return Report(corpus.title, f"{corpus.about} ({kind})", cards, sections, notes)


def short_citation(bibtex: str) -> str:
    """Return the first author and the year of a BibTeX entry, if it has them."""
    found = (pattern.search(bibtex) for pattern in (_AUTHOR, _YEAR))
    return " ".join(one[1].strip() for one in found if one) or "–"


def _comparison(corpora: Mapping[str, NamedCorpus], columns: Sequence[str]) -> Table:
    local = {name: corpus for name, corpus in corpora.items() if not corpus.hub}
    rows = [(name, *map(_cells(corpus).__getitem__, columns)) for name, corpus in local.items()]
    note = "Read with budew.read('NAME:FOLDER'); explained by budew corpora NAME."
    return Table("Corpora", ("", *columns), rows, note=note, digits=1)


def _hub_sets(corpora: Mapping[str, NamedCorpus]) -> Table:
    def row(name: str, corpus: NamedCorpus, hub: str) -> Sequence[Cell]:
        id = "/".join(hub.removeprefix("hf://").removeprefix("datasets/").split("/")[:2])
        return name, id, corpus.hours, ", ".join(corpus.parts), corpus.licence or "not confirmed"

    rows = [row(name, corpus, corpus.hub) for name, corpus in corpora.items() if corpus.hub]
    note = (
        "Read with budew.read('NAME'), or a copy with budew.read('NAME:FOLDER'); images: budew corpora NAME."
    )
    return Table("Sets on the hub", ("", "hub", "hours", "fields", "licence"), rows, note=note, digits=1)


def _reading(name: str, corpus: NamedCorpus) -> list[str]:
    """Return the commands for a corpus, or else the lines of Python that read it."""
    sources = (name, f"{name}:FOLDER") if corpus.hub else (f"{name}:FOLDER",)
    return [*corpus.uses] or [f"budew.read('{source}')" for source in sources]


def _cells(corpus: NamedCorpus) -> dict[str, Cell]:
    bursts = {burst for meaning in corpus.labels.values() for burst in meaning.bursts}
    return {
        "language": ", ".join(corpus.languages) or "–",
        "hours": corpus.hours,
        "speakers": corpus.speaker_count,
        "emotions": len(corpus.rated),
        "bursts": len(bursts),
        "kind": corpus.kind,
        "licence": corpus.licence or "–",
        "citation": short_citation(corpus.citation),
    }


def _labels(corpus: NamedCorpus) -> Table:
    has_reasons = any(meaning.why for meaning in corpus.labels.values())
    columns = ("label", "read as", "reason") if has_reasons else ("label", "read as")
    rows = [
        (label, _meaning(meaning), meaning.why or "–")[: len(columns)]
        for label, meaning in corpus.labels.items()
    ]
    note = "A labelled clip is known not to have the emotions of the other labels."
    return Table("Labels", columns, rows, note=note if corpus.rated else "")


def _meaning(meaning: Meaning) -> str:
    emotions = meaning.emotions
    named = [] if emotions is None else [*emotions] or ["no emotion"]
    traits = (f"{name}: {value}" for name, value in meaning.traits.items())
    return ", ".join([*named, *meaning.bursts, *traits]) or "nothing"


def _names(corpus: NamedCorpus) -> Table:
    example = next(iter(corpus.examples), "")
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
            ", ".join([*table.columns, *(["ratings"] if table.ratings is not None else [])]),
            "required" if table.required else "optional",
        )
        for table in corpus.tables
    ]
    return Table("Tables beside the audio", ("file", "found by", "gives", ""), rows)
