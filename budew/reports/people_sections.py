"""Sections of one known corpus: confusion of classes, each emotion, sounds, and clips to listen to.

With players the page holds the audio of some clips, as small mp3. The licence of the corpus stands beside
them: whoever passes the page on passes on those clips.
"""

from collections.abc import Iterable, Mapping, Sequence

from budew.evaluation.benchmarks.people import CorpusResult
from budew.evaluation.results import EmotionScore, Evaluation
from budew.reports.page import players
from budew.reports.sections import BarRow, Bars, Cell, HeatMap, PlayedClip, PlayedClips, Section, Table
from budew.reports.tables import written
from budew.statistics.resampling import ConfidenceInterval

PER_CENT = (0.0, 100.0)


def corpus_sections(corpus: CorpusResult) -> list[Section | None]:
    """Return confusion, emotions, sounds and clips of a corpus; None of what it does not have."""
    return [_confusion(corpus), _by_emotion(corpus), _sounds(corpus), _played(corpus)]


def _confusion(corpus: CorpusResult) -> HeatMap | None:
    found = corpus.classes
    if found is None:
        return None
    shares = [
        [100 * clips / sum(row) if sum(row) else None for clips in row] for row in found.confusion.tolist()
    ]
    names = found.task.classes
    return HeatMap(
        f"{corpus.title}: confusion, % of each class",
        names,
        (*names, "refused"),
        shares,
        high=100.0,
        note=f"Mapping of emotions to classes: {found.task.source}.",
        axes=("label", "caption"),
        digits=0,
    )


def _by_emotion(corpus: CorpusResult) -> Bars | None:
    rows = [
        bar(row.emotion, row.estimates["spearman"], {"area under ROC": row.estimates["auc"].value})
        for row in varied(corpus.evaluation)
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
            bursts.groups.overall[f"{kind}_recall"].to_dict(),
            bursts.bursts.overall[f"{kind}_recall"].to_dict(),
            None,
            f"permuted: group {written(bursts.groups.baseline[f'{kind}_recall'].value, 1)}",
        )
        for kind in ("micro", "macro")
    ]
    rows: list[Sequence[Cell]] = [
        (
            row.label,
            row.n,
            _dict(row.group),
            _dict(row.burst),
            row.any_burst.to_dict(),
            ", ".join(f"{name.replace('_', ' ')} {clips:,}" for name, clips in row.named),
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


def _played(corpus: CorpusResult) -> PlayedClips | None:
    if not corpus.heard:
        return None
    sources = players((clip.id, clip.audio) for clip in corpus.heard)
    clips = [
        PlayedClip(
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
    return PlayedClips(f"{corpus.title}: listen", clips, note=note)


def varied(evaluation: Evaluation) -> list[EmotionScore]:
    """Return the emotions that vary, and have a correlation."""
    return [row for row in evaluation.emotions if row.estimates["spearman"].value is not None]


def dicts(estimates: Mapping[str, ConfidenceInterval], names: Iterable[str]) -> list[dict[str, float | None]]:
    """Return some metrics as plain data, for cells."""
    return [estimates[name].to_dict() for name in names]


def bar(
    label: str, estimate: ConfidenceInterval | None, marks: Mapping[str, float | None] | None = None
) -> BarRow:
    """Return a bar of a metric; an empty one where it is undefined."""
    found = estimate or ConfidenceInterval(None, None, None)
    return BarRow(label, found.value, found.low, found.high, marks or {})


def _dict(estimate: ConfidenceInterval | None) -> dict[str, float | None] | None:
    return None if estimate is None else estimate.to_dict()
