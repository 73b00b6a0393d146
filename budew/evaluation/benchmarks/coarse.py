"""Classification into few classes of other corpora by the 40 emotions: the rule of the EmoNet papers.

The rule: softmax over the mapped emotions; a class is accepted when any of its emotions exceeds 1.5 × the
uniform share; a clip is right when its true class is among the accepted ones. Classes of many emotions are
accepted more often, and several may be, so the accuracy alone says little: predictions that are right for 30
% of the clips by their strongest emotion reached 78 %. Reported beside it are the argmax accuracy, the
unweighted average recall, the mean number of accepted classes and the permutation baseline of the same rule.

Conventions:

- An unmapped emotion is ignored in the softmax, in the uniform share and in the argmax.
- An emotion without a score (NaN) in one clip is ignored for this clip; the threshold stays the same, as in
  the published script. A clip without any score is a refusal: no class is accepted, and it counts as wrong.
- If the strongest emotions of a clip tie, the clip is split evenly between their classes. Ties are common,
  since captions have only five levels.
- If no mapped emotion is present (each score is exactly 0), the argmax chooses the class that means no
  emotion, if the corpus has one: a caption that names no emotion calls the voice neutral, and splitting the
  clip between all classes would score this as a guess. The published rule is not changed.
- The softmax depends on the unit of the scores, which is therefore part of the result.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from budew.corpora.clip import Clip
from budew.corpora.named.definition import known_corpora
from budew.errors import InputError
from budew.evaluation.class_metrics import Decisions, permuted_classes, score_classes
from budew.evaluation.pairs import Skipped
from budew.io.resources import packaged_table
from budew.model.trained_clips import TrainingOverlap
from budew.profile import VoiceProfile, intensity_matrix
from budew.statistics.arrays import FloatArray, IntArray
from budew.statistics.resampling import ConfidenceInterval, Resampling, plain_data
from budew.taxonomy import EMOTIONS, emotion
from budew.taxonomy.rating_scales import SCALES, Scale

THRESHOLD = 1.5
"""Factor of the uniform share that an emotion must exceed for its class to be accepted."""
HEADS = SCALES["bud-e"]
"""Scale of the published heads, 0–4, to which captions are converted for the softmax."""
DEFAULTS = Resampling(permutations=1000)


@dataclass(frozen=True, slots=True)
class CoarseTask:
    """A corpus with few classes: which emotions belong to each class, and published results.

    Attributes:
        name, title: name for commands, such as "emodb", and for reports, such as "EmoDB".
        members: class → its emotions; the classes are in the order of reports.
        without_emotion: the class that means no emotion; None if the corpus has no such class.
        source, note: source of the mapping, and a note on it.
        published: published results, with `model`, `accuracy` and `by_class` (per cent; empty for supervised
            models), `source` and `date`.
    """

    name: str
    title: str
    members: Mapping[str, tuple[str, ...]]
    without_emotion: str | None
    source: str
    note: str = ""
    published: tuple[Mapping[str, Any], ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, in the order of reports."""
        return tuple(self.members)

    @property
    def mapping(self) -> Mapping[str, str]:
        """Emotion → its class, or its classes joined by commas, in the order of `EMOTIONS`."""
        classes = {
            name: [label for label, members in self.members.items() if name in members] for name in EMOTIONS
        }
        return {name: ", ".join(labels) for name, labels in classes.items() if labels}

    def scores(self, vectors: FloatArray) -> FloatArray:
        """Return the columns of the mapped emotions from scores of 40 emotions, (n, 40)."""
        return vectors[:, [EMOTIONS.index(name) for name in self.mapping]]


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A clip or picture with its true class and its predicted scores.

    Attributes:
        id: id, distinct from all others.
        label: true class.
        scores: predicted scores (40,) in the order of `EMOTIONS`; 0 if the emotion is absent, NaN if it has
            no score.
        speaker: name of the speaker, None if unknown. Clips of a speaker are resampled together.
        intensity: intensity of the acting, such as "strong"; None if unknown.
    """

    id: str
    label: str
    scores: FloatArray
    speaker: str | None = None
    intensity: str | None = None


@dataclass(frozen=True, slots=True)
class CoarseResult:
    """Metrics of one model on one corpus.

    Attributes:
        task: classes of the corpus, and the emotions of each class.
        model, data: names of the model and of the data.
        n: number of clips.
        speakers: number of speakers, if intervals resample speakers; None if they resample clips.
        incomplete: number of clips with scores for only some of the mapped emotions.
        for_training: number of clips whose speakers belong to the training split (`NamedCorpus.splits`).
        overall: `class_metrics.METRICS` with intervals; refused clips count as wrong.
        baseline: the same metrics with permuted labels: mean and 95 % range over the permutations.
        by_class: class → `n`, number of its clips; `accuracy`; `recall` (of the argmax); `accepted`, per cent
            of all clips for which the class is accepted.
        by_intensity: intensity of the acting → `n` and the metrics of `overall`; empty if the corpus has no
            intensities.
        confusion: (classes, classes + 1), number of clips by true class (row) and class of the strongest
            emotion (column); the last column is for refused clips.
        accepted_counts: number of clips with 0, 1, 2, … accepted classes.
        skipped: files that were left out.
        unit: scale of the scores in the softmax, such as "0-4".
        settings: settings of the intervals and the baseline.
        trained_on: count of the clips that the model was trained on; None for pictures.
    """

    task: CoarseTask
    model: str
    data: str
    n: int
    speakers: int | None
    incomplete: int
    for_training: int
    overall: Mapping[str, ConfidenceInterval]
    baseline: Mapping[str, ConfidenceInterval]
    by_class: Mapping[str, Mapping[str, Any]]
    by_intensity: Mapping[str, Mapping[str, Any]]
    confusion: FloatArray
    accepted_counts: tuple[int, ...]
    skipped: tuple[Skipped, ...]
    unit: str
    settings: Resampling
    trained_on: TrainingOverlap | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, ready for JSON; undefined metrics are None."""
        task = self.task
        return {
            "benchmark": task.name,
            "title": task.title,
            "model": self.model,
            "data": self.data,
            "n": self.n,
            "speakers": self.speakers,
            "incomplete": self.incomplete,
            "for_training": self.for_training,
            **plain_data(self.overall),
            "permutation_baseline": plain_data(self.baseline),
            "by_class": plain_data(self.by_class),
            "by_intensity": plain_data(self.by_intensity),
            "confusion": {"classes": list(task.classes), "clips": self.confusion.tolist()},
            "accepted_counts": list(self.accepted_counts),
            "skipped": plain_data(self.skipped),
            "unit": self.unit,
            "threshold": THRESHOLD / len(task.mapping),
            "unmapped": [name for name in EMOTIONS if name not in task.mapping],
            "mapping": {
                "source": task.source,
                "note": task.note,
                "classes": dict(task.mapping),
                "without_emotion": task.without_emotion,
            },
            "published": [dict(row) for row in task.published],
            "settings": plain_data(self.settings),
            "trained_on": self.trained_on and self.trained_on.to_dict(),
        }


def labelled_clip(clip: Clip, predicted: VoiceProfile, unit: Scale = HEADS) -> LabelledClip:
    """Combine a clip and its predicted profile into a labelled clip.

    Args:
        clip: clip with a `label` in its metadata.
        predicted: its predicted profile.
        unit: scale that the intensities are converted to, so that 0 stays "absent".
    """
    label = str(clip.metadata.get("label", "")).casefold()
    scores = intensity_matrix([predicted])[0] * (unit.high - unit.low)  # 0 stays 0: absent
    return LabelledClip(clip.id, label, scores, clip.speaker, clip.metadata.get("intensity"))


def load_task(name: str) -> CoarseTask:
    """Load "emodb", "ravdess", "ferd" or "affectnet" from the YAML tables beside this module."""
    table = packaged_table(__package__, "coarse_mappings")[name]
    return CoarseTask(
        name=name,
        title=table["title"],
        members={label: tuple(map(emotion, members)) for label, members in table["classes"].items()},
        without_emotion=table["without_emotion"],
        source=table["source"],
        note=table.get("note", ""),
        published=tuple(packaged_table(__package__, name)),
    )


def decide(task: CoarseTask, vectors: FloatArray) -> Decisions:
    """Predict classes from scores by the published rule, and by the strongest emotion.

    Args:
        task: classes and their emotions.
        vectors: scores (n, 40) in the order of `EMOTIONS`, NaN where an emotion has no score.
    """
    scores = task.scores(vectors)
    given = np.isfinite(scores)
    scores = np.where(given, scores, -np.inf)
    top = scores.max(axis=1, keepdims=True)
    weights = np.exp(scores - np.where(np.isfinite(top), top, 0.0))
    uniform = weights.sum(axis=1, keepdims=True) / len(task.mapping)
    member = np.array([[name in of for of in task.members.values()] for name in task.mapping])
    tied = ((given & (scores == top)) @ member).astype(np.float64)
    if task.without_emotion is not None:
        absent = given.any(axis=1) & ((scores == 0) | ~given).all(axis=1)
        tied[absent] = np.array(task.classes) == task.without_emotion
    strongest = tied / np.maximum(tied.sum(axis=1, keepdims=True), 1)
    return Decisions((weights > THRESHOLD * uniform) @ member, strongest)


def score_coarse(
    task: CoarseTask,
    examples: Iterable[LabelledClip],
    *,
    skipped: Sequence[Skipped] = (),
    model: str = "",
    data: str = "",
    unit: str = "",
    settings: Resampling = DEFAULTS,
) -> CoarseResult:
    """Score predictions of 40 emotions against labels of few classes. Their order has no effect.

    Intervals resample speakers if all are known, else clips.

    Args:
        task: classes and their emotions, such as from `load_task`.
        examples: clips with their labels and scores.
        skipped, model, data, unit: reported in the result, see `CoarseResult`.
        settings: number of bootstrap resamples and permutations, and seed.

    Raises:
        InputError: there is no example.
    """
    rows = sorted(examples, key=lambda example: example.id)
    if not rows:
        raise InputError(f"{data}: nothing to score for {task.title}: all {len(skipped)} files were left out")
    vectors = np.stack([row.scores for row in rows]).astype(np.float64)
    decisions, given = decide(task, vectors), np.isfinite(task.scores(vectors))
    refused = ~given.any(axis=1)
    labels = np.array([task.classes.index(row.label) for row in rows])
    speakers = _numbered([row.speaker for row in rows])
    clusters = np.arange(len(rows)) if speakers is None else speakers
    found = score_classes(decisions, labels, clusters, settings)
    corpus = known_corpora().get(task.name)
    accepted = 100 * decisions.accepted.mean(axis=0)
    counts = np.bincount(decisions.accepted.sum(axis=1), minlength=len(task.classes) + 1)
    return CoarseResult(
        task=task,
        model=model,
        data=data,
        n=len(rows),
        speakers=None if speakers is None else int(speakers.max()) + 1,
        incomplete=int((~refused & ~given.all(axis=1)).sum()),
        for_training=sum(
            corpus.split_of(row.speaker) == "train" for row in rows if corpus and row.speaker is not None
        ),
        overall=found.overall,
        baseline=permuted_classes(decisions, labels, settings),
        by_class={
            name: {
                "n": int((labels == at).sum()),
                "accuracy": found.by_class[at]["class_accuracy"],
                "recall": found.by_class[at]["class_recall"],
                "accepted": float(accepted[at]),
            }
            for at, name in enumerate(task.classes)
        },
        by_intensity=_by_intensity(rows, decisions, labels, clusters, settings),
        confusion=np.eye(len(task.classes))[labels].T @ np.column_stack([decisions.strongest, refused]),
        accepted_counts=tuple(counts.tolist()),
        skipped=tuple(skipped),
        unit=unit,
        settings=settings,
    )


def _by_intensity(
    rows: Sequence[LabelledClip],
    decisions: Decisions,
    labels: IntArray,
    clusters: IntArray,
    settings: Resampling,
) -> dict[str, dict[str, Any]]:
    """Return the metrics of the clips of each intensity."""
    intensities = np.array([row.intensity or "" for row in rows])
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(set(intensities.tolist()) - {""}):
        at = intensities == name
        part = np.unique(clusters[at], return_inverse=True)[1]
        overall = score_classes(decisions.rows(at), labels[at], part, settings).overall
        found[name] = {"n": int(at.sum()), **overall}
    return found


def _numbered(names: Sequence[str | None]) -> IntArray | None:
    """Number names from 0; None where one is not known."""
    return None if None in names else np.unique([str(name) for name in names], return_inverse=True)[1]
