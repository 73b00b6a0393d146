"""A model on recordings of people as a report: all corpora side by side, then each by itself.

With players the page holds the audio of some clips, as small mp3. The licence of the corpus stands beside
them: whoever passes the page on passes on those clips.
"""

from collections.abc import Iterable, Mapping, Sequence

from budew.evaluation.benchmarks.coarse import CoarseResult
from budew.evaluation.benchmarks.people import CorpusResult, PeopleResult, linear_probe
from budew.evaluation.results import EmotionScore, Evaluation
from budew.reports.formatting import written
from budew.reports.page import confusion_map, page_notes, players
from budew.reports.sections import (
    BarRow,
    Bars,
    Card,
    Cell,
    ClipCard,
    ClipCards,
    HeatMap,
    Report,
    Section,
    Table,
)
from budew.statistics.resampling import ConfidenceInterval

_PER_CENT = (0.0, 100.0)
_UAR = "unweighted_average_recall"
_CLASS_METRICS = {_UAR: "UAR, %", "argmax_accuracy": "accuracy, %", "macro_f1": "macro F1, %"}
_INTENSITY_METRICS = {"spearman": "Spearman ρ", "auc": "area under ROC"}
_FEW = 5
"""Speakers below which an interval over them says little."""


def people_report(result: PeopleResult) -> Report:
    """Return cards of the emotional corpora, tables of all, and confusion, emotions and clips of each."""
    corpora = result.corpora
    clips = sum(len(corpus.evaluation.pairs) for corpus in corpora)
    samples = f", and the mean over {result.num_samples}" if result.num_samples else ""
    overview = (
        _recall(result),
        _classes(result),
        _published(corpora),
        _intensities(result),
        _gender(corpora),
        _false_emotions(corpora),
    )
    each = (section for corpus in corpora for section in _corpus_sections(corpus))
    return Report(
        f"{result.model} on recordings of people",
        f"{clips:,} clips of {len(corpora)} corpora; one greedy caption a clip{samples}.",
        [_card(corpus, corpus.classes) for corpus in corpora if corpus.classes],
        [section for section in (*overview, *each) if section is not None],
        _notes(result),
    )


def _card(corpus: CorpusResult, classes: CoarseResult) -> Card:
    """Return the average recall of a corpus, with chance and what a probe gets from speakers of it."""
    own = next((value for name, value in _probes(corpus, _UAR) if "other speakers" in name), None)
    probe = "" if own is None else f"; linear probe {own:.1f}"
    chance = written(classes.baseline[_UAR].value, 1)
    return Card(
        f"{corpus.title}: UAR, %",
        classes.overall[_UAR],
        note=f"permuted labels {chance}{probe}",
        digits=1,
    )


def _probes(corpus: CorpusResult, metric: str) -> list[tuple[str, float]]:
    """Return name and metric of the linear probes on a corpus."""
    return [
        (f"probe, trained on {row['trained_on']}", row[metric])
        for row in linear_probe()["rows"]
        if row["corpus"] == corpus.place.name and metric in row
    ]


def _recall(result: PeopleResult) -> Bars | None:
    rows = []
    for corpus in result.corpora:
        if corpus.classes is None:
            continue
        marks = {"permuted labels": corpus.classes.baseline[_UAR].value, **dict(_probes(corpus, _UAR))}
        if corpus.sampled_classes is not None:
            marks[f"mean of {result.num_samples} captions"] = corpus.sampled_classes.overall[_UAR].value
        label = f"{corpus.title} ({len(corpus.classes.task.classes)} classes)"
        rows.append(BarRow(label, corpus.classes.overall[_UAR], marks))
    note = (
        "Class of the strongest emotion in the caption. Linear probes of the encoder of whisper-base know "
        "the classes of a corpus, which captions do not: they show what can be heard."
    )
    return _plotted("Unweighted average recall, %", rows, note, "captions")


def _classes(result: PeopleResult) -> Table | None:
    rows: list[Sequence[Cell]] = []
    own: list[int] = []
    for corpus in result.corpora:
        found, sampled = corpus.classes, corpus.sampled_classes
        if found is None:
            continue
        own.append(len(rows))
        counts = (found.n, found.speakers, len(found.task.classes))
        rows.append((corpus.title, *counts, *_metrics(found.overall, _CLASS_METRICS)))
        if sampled is not None:
            name = f"{corpus.title}: mean of {result.num_samples} captions"
            rows.append((name, *counts, *_metrics(sampled.overall, _CLASS_METRICS)))
        rows.append((f"{corpus.title}: permuted labels", *counts, *_metrics(found.baseline, _CLASS_METRICS)))
        for probe in (row for row in linear_probe()["rows"] if row["corpus"] == corpus.place.name):
            name = f"{corpus.title}: probe, trained on {probe['trained_on']}"
            rows.append((name, None, None, probe["classes"], probe.get(_UAR), probe.get("accuracy"), None))
    columns = ("corpus", "clips", "speakers", "classes", *_CLASS_METRICS.values())
    note = (
        f"Rows of probes: {linear_probe()['source']}; with clips and speakers of their own, for comparison."
    )
    return Table("Classes", columns, rows, highlighted=own, note=note, digits=1) if rows else None


def _published(corpora: Sequence[CorpusResult]) -> Table | None:
    """Return the published rule beside published results, of the corpora that have any."""
    rows: list[Sequence[Cell]] = []
    own: list[int] = []
    for corpus in corpora:
        found = corpus.classes
        if found is None or not found.task.published:
            continue
        own.append(len(rows))
        metrics = ("accuracy", "accepted_classes")
        rows.append((corpus.title, *_metrics(found.overall, metrics), "this run"))
        rows.append((f"{corpus.title}: permuted labels", *_metrics(found.baseline, metrics), "this run"))
        rows += [
            (f"{corpus.title}: {row['model']}", row["accuracy"], None, row["source"])
            for row in found.task.published
        ]
    note = (
        "A class is accepted where an emotion of it exceeds 1.5 × the uniform share of a softmax; several "
        "may be. Published results are over all speakers."
    )
    columns = ("corpus", "accuracy, %", "accepted classes", "source")
    return Table("Published rule", columns, rows, highlighted=own, note=note) if rows else None


def _intensities(result: PeopleResult) -> Table | None:
    rows: list[Sequence[Cell]] = []
    own: list[int] = []
    for corpus in result.corpora:
        found, sampled = corpus.evaluation, corpus.sampled
        if found.mean["spearman"].value is None:
            continue
        emotions = len(_varied(found))
        own.append(len(rows))
        rows.append((corpus.title, emotions, *_metrics(found.mean, _INTENSITY_METRICS)))
        if sampled is not None:
            name = f"{corpus.title}: mean of {result.num_samples} captions"
            rows.append((name, emotions, *_metrics(sampled.mean, _INTENSITY_METRICS)))
        permuted = _metrics(found.baseline, _INTENSITY_METRICS)
        rows.append((f"{corpus.title}: permuted predictions", emotions, *permuted))
    note = "Means over the emotions that are present in some clips and absent in others."
    columns = ("corpus", "emotions", *_INTENSITY_METRICS.values())
    return Table("Emotions", columns, rows, highlighted=own, note=note) if rows else None


def _gender(corpora: Sequence[CorpusResult]) -> Bars | None:
    found = [(one, row) for one in corpora for row in one.evaluation.traits if row.trait == "gender"]
    rows = [
        BarRow(
            f"{corpus.title} ({row.n:,})",
            row.metrics.get("accuracy"),
            {
                "permuted labels": row.baseline["accuracy"].value if row.baseline else None,
                "captions that mention it": row.coverage.value,
            },
        )
        for corpus, row in found
    ]
    return _plotted("Gender, %", rows, "Over the captions that mention a gender.", "accuracy")


def _false_emotions(corpora: Sequence[CorpusResult]) -> Bars | None:
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
    note = (
        "Of the clips without any emotion (neutral or read): how many captions name one; lower is better. "
        f"Most often: {'; '.join(most_often) or 'none'}."
    )
    return _plotted("False emotions, %", rows, note, "share of the clips")


def _plotted(heading: str, rows: Sequence[BarRow], note: str, measure: str) -> Bars | None:
    """Return bars of per cent; None where there are none."""
    return Bars(heading, rows, axis=_PER_CENT, note=note, measure=measure, digits=1) if rows else None


def _notes(result: PeopleResult) -> list[tuple[str, str]]:
    read = [(corpus.title, _described(corpus)) for corpus in result.corpora]
    few = [one.title for one in result.corpora if one.evaluation.speakers and one.evaluation.speakers < _FEW]
    rough = f" Of few speakers, as in {', '.join(few)}, they are rough." if few else ""
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


def _corpus_sections(corpus: CorpusResult) -> list[Section | None]:
    """Return confusion, emotions, sounds and clips of a corpus; None of what it does not have."""
    return [_confusion(corpus), _by_emotion(corpus), _sounds(corpus), _played(corpus)]


def _confusion(corpus: CorpusResult) -> HeatMap | None:
    found = corpus.classes
    if found is None:
        return None
    heading = f"{corpus.title}: confusion, % of each class"
    note = f"Mapping of emotions to classes: {found.task.source}."
    return confusion_map(heading, found.task.classes, found.confusion.tolist(), refused="refused", note=note)


def _by_emotion(corpus: CorpusResult) -> Bars | None:
    rows = [
        BarRow(row.emotion, row.estimates["spearman"], {"area under ROC": row.estimates["auc"].value})
        for row in _varied(corpus.evaluation)
    ]
    heading = f"{corpus.title}: each emotion"
    return Bars(heading, rows, axis=(0.0, 1.0), measure="Spearman ρ") if rows else None


def _sounds(corpus: CorpusResult) -> Table | None:
    bursts = corpus.evaluation.bursts
    if not corpus.sounds or bursts is None:
        return None
    overall: list[Sequence[Cell]] = [
        (
            f"all, {kind}",
            bursts.n,
            bursts.groups.overall[f"{kind}_recall"],
            bursts.bursts.overall[f"{kind}_recall"],
            None,
            f"permuted: group {written(bursts.groups.baseline[f'{kind}_recall'].value, 1)}",
        )
        for kind in ("micro", "macro")
    ]
    rows: list[Sequence[Cell]] = [
        (
            row.label,
            row.n,
            row.group,
            row.burst,
            row.any_burst,
            ", ".join(f"{name.replace('_', ' ')} {clips:,}" for name, clips in row.named.items()),
        )
        for row in corpus.sounds
    ]
    note = (
        "How many captions name a burst of the group of the sound, the burst itself, any burst. A dash: the "
        "taxonomy has no such burst."
    )
    columns = ("sound", "clips", "group, %", "burst, %", "any burst, %", "groups named most often")
    heading = f"{corpus.title}: sounds"
    return Table(heading, columns, [*overall, *rows], highlighted=(0, 1), note=note, digits=1)


def _played(corpus: CorpusResult) -> ClipCards | None:
    if not corpus.heard:
        return None
    sources = players((clip.id, clip.audio) for clip in corpus.heard)
    clips = [
        ClipCard(
            clip.id,
            source,
            why,
            clip.caption,
            (("label", clip.label), ("taken for", clip.predicted)),
            clip.right,
        )
        for clip, (source, why) in zip(corpus.heard, sources, strict=True)
    ]
    note = (
        f"Chosen by a hash of their names. Licence: {corpus.place.corpus.licence or 'not stated'}. "
        f"Source: {corpus.place.corpus.source}."
    )
    return ClipCards(f"{corpus.title}: listen", clips, note=note)


def _varied(evaluation: Evaluation) -> list[EmotionScore]:
    """Return the emotions that vary, and have a correlation."""
    return [row for row in evaluation.emotions if row.estimates["spearman"].value is not None]


def _metrics(estimates: Mapping[str, ConfidenceInterval], names: Iterable[str]) -> list[ConfidenceInterval]:
    return [estimates[name] for name in names]
