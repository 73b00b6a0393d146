"""Report of a model on recordings of people: all corpora compared, then each separately.

If the page has players, it contains the audio of some clips as small mp3. Since passing the page on means
passing on these clips, the licence of the corpus is shown beside them.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias

from budew.evaluation.benchmarks.coarse import CoarseResult
from budew.evaluation.benchmarks.people import CorpusResult, PeopleResult, linear_probe
from budew.evaluation.results import EmotionScore, Evaluation
from budew.reports.formatting import written
from budew.reports.page import confusion_map, page_notes, players, section_note
from budew.reports.sections import (
    BarRow,
    Bars,
    Card,
    Cell,
    ClipCard,
    ClipCards,
    HeatMap,
    Report,
    Table,
    with_content,
)
from budew.statistics.resampling import ConfidenceInterval

Row: TypeAlias = Sequence[Cell]
_UAR = "unweighted_average_recall"
_CLASS_METRICS = {_UAR: "UAR, %", "argmax_accuracy": "accuracy, %", "macro_f1": "macro F1, %"}
_INTENSITY_METRICS = {"spearman": "Spearman ρ", "auc": "area under ROC"}
_FEW = 5
"""Number of speakers below which an interval over them is called rough."""


def people_report(result: PeopleResult) -> Report:
    """Report results on all corpora: cards and tables, then confusion, emotions and clips of each."""
    corpora = result.corpora
    clips = sum(len(corpus.evaluation.pairs) for corpus in corpora)
    samples = f", and the mean over {result.num_samples}" if result.num_samples else ""
    sampled = f"mean of {result.num_samples} captions"
    by_corpus = ((_confusion(one), _by_emotion(one), _sounds(one), _played(one)) for one in corpora)
    return Report(
        f"{result.model} on recordings of people",
        f"{clips:,} clips of {len(corpora)} corpora; one greedy caption a clip{samples}.",
        [_card(corpus, found) for corpus, found in _with_classes(corpora)],
        with_content(
            _recall(corpora, sampled),
            _classes(corpora, sampled),
            _published(corpora),
            _intensities(corpora, sampled),
            _gender(corpora),
            _false_emotions(corpora),
            *chain.from_iterable(by_corpus),
        ),
        _notes(result),
    )


def _with_classes(corpora: Sequence[CorpusResult]) -> list[tuple[CorpusResult, CoarseResult]]:
    return [(corpus, corpus.classes) for corpus in corpora if corpus.classes is not None]


def _card(corpus: CorpusResult, classes: CoarseResult) -> Card:
    """Return the average recall of a corpus, with chance and what a probe gets from speakers of it."""
    own = next((row[_UAR] for row in _probes(corpus) if "other speakers" in row["trained_on"]), None)
    probe = "" if own is None else f"; linear probe {own:.1f}"
    note = f"permuted labels {written(classes.baseline[_UAR].value, 1)}{probe}"
    return Card(f"{corpus.title}: UAR, %", classes.overall[_UAR], note=note, digits=1)


def _probes(corpus: CorpusResult) -> list[dict[str, Any]]:
    """Return the linear probes on a corpus, each with its name."""
    return [
        row | {"name": f"probe, trained on {row['trained_on']}"}
        for row in linear_probe()["rows"]
        if row["corpus"] == corpus.place.name
    ]


def _recall(corpora: Sequence[CorpusResult], sampled: str) -> Bars:
    rows = []
    for corpus, found in _with_classes(corpora):
        marks = {"permuted labels": found.baseline[_UAR].value}
        marks |= {row["name"]: row[_UAR] for row in _probes(corpus) if _UAR in row}
        if corpus.sampled_classes is not None:
            marks[sampled] = corpus.sampled_classes.overall[_UAR].value
        label = f"{corpus.title} ({len(found.task.classes)} classes)"
        rows.append(BarRow(label, found.overall[_UAR], marks))
    return _bars("Unweighted average recall, %", rows, section_note("people", "recall"), "captions")


def _classes(corpora: Sequence[CorpusResult], sampled: str) -> Table:
    groups: list[list[Row]] = []
    for corpus, found in _with_classes(corpora):
        metrics = {corpus.title: found.overall}
        if corpus.sampled_classes is not None:
            metrics[f"{corpus.title}: {sampled}"] = corpus.sampled_classes.overall
        metrics[f"{corpus.title}: permuted labels"] = found.baseline
        counts = (found.n, found.speakers, len(found.task.classes))
        rows: list[Row] = [(name, *counts, *_values(one, _CLASS_METRICS)) for name, one in metrics.items()]
        for probe in _probes(corpus):
            own = (probe["classes"], probe.get(_UAR), probe.get("accuracy"), None)
            rows.append((f"{corpus.title}: {probe['name']}", None, None, *own))
        groups.append(rows)
    columns = ("corpus", "clips", "speakers", "classes", *_CLASS_METRICS.values())
    note = section_note("people", "classes", source=linear_probe()["source"])
    return _table("Classes", columns, groups, note, digits=1)


def _published(corpora: Sequence[CorpusResult]) -> Table:
    """Return the published rule beside published results, of the corpora that have any."""
    metrics = ("accuracy", "accepted_classes")
    groups: list[list[Row]] = [
        [
            (corpus.title, *_values(found.overall, metrics), "this run"),
            (f"{corpus.title}: permuted labels", *_values(found.baseline, metrics), "this run"),
            *(
                (f"{corpus.title}: {row['model']}", row["accuracy"], None, row["source"])
                for row in found.task.published
                if row["by_class"]
            ),
        ]
        for corpus, found in _with_classes(corpora)
        if found.task.published
    ]
    note = section_note("people", "published")
    return _table("Published rule", ("corpus", "accuracy, %", "accepted classes", "source"), groups, note)


def _intensities(corpora: Sequence[CorpusResult], sampled: str) -> Table:
    groups: list[list[Row]] = []
    for corpus in corpora:
        found = corpus.evaluation
        if found.mean["spearman"].value is None:
            continue
        metrics = {corpus.title: found.mean}
        if corpus.sampled is not None:
            metrics[f"{corpus.title}: {sampled}"] = corpus.sampled.mean
        metrics[f"{corpus.title}: permuted predictions"] = found.baseline
        emotions = len(_varied(found))
        groups.append([(name, emotions, *_values(one, _INTENSITY_METRICS)) for name, one in metrics.items()])
    note = "Means over the emotions that are present in some clips and absent in others."
    return _table("Emotions", ("corpus", "emotions", *_INTENSITY_METRICS.values()), groups, note)


def _table(
    heading: str, columns: Sequence[str], groups: Iterable[Sequence[Row]], note: str, digits: int = 2
) -> Table:
    """Return the rows of all corpora, of which the first of each corpus stands out."""
    rows: list[Row] = []
    own = []
    for group in groups:
        own.append(len(rows))
        rows += group
    return Table(heading, columns, rows, highlighted=own, note=note, digits=digits)


def _bars(heading: str, rows: Sequence[BarRow], note: str, measure: str) -> Bars:
    return Bars(heading, rows, axis=(0.0, 100.0), note=note, measure=measure, digits=1)


def _gender(corpora: Sequence[CorpusResult]) -> Bars:
    rows = [
        BarRow(
            f"{corpus.title} ({row.n:,})",
            row.metrics.get("accuracy"),
            {
                "permuted labels": row.baseline["accuracy"].value if row.baseline else None,
                "captions that mention it": row.coverage.value,
            },
        )
        for corpus in corpora
        for row in corpus.evaluation.traits
        if row.trait == "gender"
    ]
    return _bars("Gender, %", rows, "Over the captions that mention a gender.", "accuracy")


def _false_emotions(corpora: Sequence[CorpusResult]) -> Bars:
    rows = []
    most_often = []
    for corpus in corpora:
        found = corpus.evaluation.false_emotions
        if found is None:
            continue
        rows.append(BarRow(f"{corpus.title} ({found.n:,})", found.share))
        if found.emotions:
            name, share = next(iter(found.emotions.items()))
            most_often.append(f"{corpus.title}: {name} {written(share, 0)} %")
    note = section_note("people", "false_emotions", most_often="; ".join(most_often) or "none")
    return _bars("False emotions, %", rows, note, "share of the clips")


def _notes(result: PeopleResult) -> list[tuple[str, str]]:
    read = [(corpus.title, _described(corpus)) for corpus in result.corpora]
    few = [one.title for one in result.corpora if one.evaluation.speakers and one.evaluation.speakers < _FEW]
    rough = f" With few speakers, as in {', '.join(few)}, they are rough." if few else ""
    return [*read, *page_notes("people", rough=rough)]


def _described(corpus: CorpusResult) -> str:
    known, found = corpus.place.corpus, corpus.evaluation
    speakers = f" of {found.speakers} speakers" if found.speakers else ""
    parts = [
        f"{known.kind}, {', '.join(known.languages) or 'no language'}",
        f"{len(found.pairs):,} clips{speakers}",
        known.licence or "no licence stated",
    ]
    if found.skipped:
        parts.append(f"{len(found.skipped):,} clips left out")
    if corpus.may_be_trained_on:
        parts.append("speakers for training are among them")
    return "; ".join(parts)


def _confusion(corpus: CorpusResult) -> HeatMap | None:
    found = corpus.classes
    if found is None:
        return None
    heading = f"{corpus.title}: confusion, % of each class"
    note = f"Mapping of emotions to classes: {found.task.source}."
    return confusion_map(heading, found.task.classes, found.confusion.tolist(), refused="refused", note=note)


def _by_emotion(corpus: CorpusResult) -> Bars:
    rows = [
        BarRow(row.emotion, row.estimates["spearman"], {"area under ROC": row.estimates["auc"].value})
        for row in _varied(corpus.evaluation)
    ]
    return Bars(f"{corpus.title}: each emotion", rows, axis=(0.0, 1.0), measure="Spearman ρ")


def _sounds(corpus: CorpusResult) -> Table | None:
    bursts = corpus.evaluation.bursts
    if not corpus.sounds or bursts is None:
        return None
    rows: list[Row] = []
    for metric in ("micro_recall", "macro_recall"):
        recalls = (bursts.groups.overall[metric], bursts.bursts.overall[metric])
        permuted = f"permuted: group {written(bursts.groups.baseline[metric].value, 1)}"
        rows.append((f"all, {metric.partition('_')[0]}", bursts.n, *recalls, None, permuted))
    for row in corpus.sounds:
        named = ", ".join(f"{name.replace('_', ' ')} {clips:,}" for name, clips in row.named.items())
        rows.append((row.label, row.n, row.group, row.burst, row.any_burst, named))
    note = section_note("people", "sounds")
    columns = ("sound", "clips", "group, %", "burst, %", "any burst, %", "groups named most often")
    return Table(f"{corpus.title}: sounds", columns, rows, highlighted=(0, 1), note=note, digits=1)


def _played(corpus: CorpusResult) -> ClipCards:
    sources = players((clip.id, clip.audio) for clip in corpus.heard)
    clips = []
    for clip, (source, why) in zip(corpus.heard, sources, strict=True):
        facts = (("label", clip.label), ("taken for", clip.predicted))
        clips.append(ClipCard(clip.id, source, why, clip.caption, facts, clip.right))
    known = corpus.place.corpus
    note = section_note("people", "played", licence=known.licence or "not stated", source=known.source)
    return ClipCards(f"{corpus.title}: listen", clips, note=note)


def _varied(evaluation: Evaluation) -> list[EmotionScore]:
    """Return the emotions that vary, and have a correlation."""
    return [row for row in evaluation.emotions if row.estimates["spearman"].value is not None]


def _values(estimates: Mapping[str, ConfidenceInterval], names: Iterable[str]) -> list[ConfidenceInterval]:
    return [estimates[name] for name in names]
