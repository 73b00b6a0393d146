"""The comparison of known corpora, and the explanation of one."""

import re

import pytest

from budew.corpora.named.definition import known_corpora
from budew.reports.named_corpora_page import (
    corpora_report,
    corpus_report,
    named_corpora_summary,
    short_citation,
)
from budew.reports.section_layout import report_html
from budew.taxonomy import EMOTIONS


def test_the_comparison_has_a_row_for_each_corpus_with_what_its_definition_says():
    of_hub, table = named_corpora_summary(known_corpora()).sections
    rows = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert [row[0] for row in of_hub.rows] + list(rows) == list(known_corpora())
    assert {key: value for key, value in rows["emodb"].items() if key} == {
        "language": "de", "hours": 0.41, "speakers": 10, "emotions": 6, "bursts": 0, "kind": "acted",
        "licence": "CC0-1.0", "citation": "Burkhardt 2005",
    }  # fmt: skip
    assert rows["baved"]["licence"] == "–"
    assert all(len(hub.split("/")) == 2 and fields and licence for _, hub, _, fields, licence in of_hub.rows)
    assert {row[0]: row[2] for row in of_hub.rows}["emonet-voice-bench"] == 36.26
    _, first, sources = corpora_report(known_corpora()).sections
    assert [row[0] for row in first.rows] == [row[0] for row in sources.rows if row[0] in rows] == list(rows)
    assert all(address.startswith("http") and source for _, address, source in sources.rows)
    assert all(re.search(r"\d{4}$|^Hansen$", row["citation"]) for row in rows.values())


@pytest.mark.parametrize("name", known_corpora())
def test_a_corpus_is_explained_with_every_label_and_every_part_of_its_example(name):
    corpus = known_corpora()[name]
    report = corpus_report(name, corpus)
    sections = {section.heading: section for section in report.sections}
    labels = sections["Labels"].rows if corpus.labels else ()
    assert [row[0] for row in labels] == list(corpus.labels)
    names = "/".join(corpus.examples)
    if corpus.pattern is None:
        assert [row[0] for row in sections["Fields"].rows] == list(corpus.parts)
        return
    assert all(code in names for _, code, *_ in sections["File names"].rows)
    assert all(meaning != "–" for *_, meaning in sections["File names"].rows)
    assert ("Tables beside the audio" in sections) == bool(corpus.tables)
    for label, read_as, *_ in labels:
        assert (
            corpus.labels[label].why
            or any(name in read_as for name in (*EMOTIONS, "no emotion"))
            or "nothing" not in read_as
        )


@pytest.mark.parametrize(
    ("bibtex", "short"),
    [
        ("@misc{a, author = {Busso, Carlos and Bulut, Murtaza}, year = {2008}}", "Busso 2008"),
        ("@misc{a, author = {{Deeply Inc.}}, year = {2021}}", "Deeply Inc. 2021"),
        ("@misc{a, title = {x}}", "–"),
    ],
)
def test_a_citation_is_first_author_and_year(bibtex, short):
    assert short_citation(bibtex) == short


def test_addresses_on_the_page_can_be_copied():
    corpora = known_corpora()
    page = report_html(corpora_report(corpora))
    addresses = [corpus.address for corpus in corpora.values() if corpus.address]
    assert addresses
    assert all(address.replace("&", "&amp;") in page for address in addresses)
