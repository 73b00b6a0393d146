"""Results of one model on recordings of people: known corpora, with one greedy caption per clip.

The labels of a corpus determine what is scored: the class of the strongest emotion, by a published mapping if
there is one (`coarse`), else by the emotions that the labels of the corpus stand for; the rank correlation
and the area under the ROC curve of each emotion; gender; sounds; and for how many neutral clips an emotion is
predicted. With samples, the means over sampled captions are scored as well.

Intervals resample speakers. The metrics of the 4,481 clips of nEMO take 5 s on one core.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from budew.corpora.clip import Clip
from budew.corpora.named.definition import NamedCorpus
from budew.corpora.named.named_folder import NamedFolder
from budew.corpora.reading import ReadOptions
from budew.corpora.sources import Progress, matches, read_one
from budew.errors import InputError
from budew.evaluation.benchmarks.coarse import (
    HEADS,
    CoarseResult,
    CoarseTask,
    decide,
    labelled_clip,
    load_task,
    score_coarse,
)
from budew.evaluation.burst_metrics import SoundScore, groups_of, score_sound
from budew.evaluation.caption_cache import CaptionCache
from budew.evaluation.pairs import Pair, Skipped, has_labels
from budew.evaluation.prediction_files import Prediction
from budew.evaluation.results import Evaluation, evaluate
from budew.io.resources import packaged_table
from budew.profile import VoiceProfile, intensity_matrix
from budew.statistics.resampling import Resampling, plain_fields


@dataclass(frozen=True, slots=True)
class HeardClip:
    """A clip to listen to, with its label and its caption.

    `predicted` is the label that the caption is scored as, `right` whether it equals `label`; None if
    captions cannot express the label.
    """

    id: str
    label: str
    caption: str
    predicted: str
    right: bool | None
    audio: bytes | Path


@dataclass(frozen=True, slots=True)
class CorpusResult:
    """Metrics of one model on one corpus.

    Attributes:
        place: what was read: the corpus, its folder and split.
        evaluation: emotions, traits, bursts and false emotions of the greedy captions.
        classes: metrics of the class of the strongest emotion; None if the labels are not emotions.
        sampled, sampled_classes: `evaluation` and `classes` of the means over samples; None without samples.
        sounds: one entry per label of a corpus of vocal bursts; empty for other corpora.
        heard: some clips to listen to.
    """

    place: NamedFolder
    evaluation: Evaluation
    classes: CoarseResult | None
    sampled: Evaluation | None
    sampled_classes: CoarseResult | None
    sounds: tuple[SoundScore, ...]
    heard: tuple[HeardClip, ...]

    @property
    def title(self) -> str:
        """Name of the corpus, followed by the split, if one was read."""
        split = f", {self.place.split}" if self.place.split else ""
        return self.place.corpus.title + split

    @property
    def may_be_trained_on(self) -> bool:
        """Whether clips of the training split were read, which a model may have been trained on."""
        return "train" in self.place.corpus.splits and self.place.split in (None, "train")

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the clips to listen to, ready for JSON."""
        corpus = self.place.corpus
        probes = [row for row in linear_probe()["rows"] if row["corpus"] == self.place.name]
        return {
            "title": self.title,
            "corpus": self.place.name,
            "split": self.place.split,
            "may_be_trained_on": self.may_be_trained_on,
            "kind": corpus.kind,
            "languages": list(corpus.languages),
            "licence": corpus.licence,
            **plain_fields(self, "place", "sounds", "heard"),
            "sounds": {row.label: plain_fields(row, "label") for row in self.sounds},
            "linear_probe": [{**row, "source": linear_probe()["source"]} for row in probes],
        }


@dataclass(frozen=True, slots=True)
class PeopleResult:
    """Metrics of one model on several corpora.

    Attributes:
        model: name of the model.
        num_samples: number of sampled captions per window; 0 without samples.
        corpora: results on each corpus.
    """

    model: str
    num_samples: int
    corpora: tuple[CorpusResult, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return plain_fields(self)


def score_people(
    sources: Sequence[str],
    captions: CaptionCache,
    *,
    players: int = 0,
    settings: Resampling | None = None,
    progress: Progress | None = None,
) -> PeopleResult:
    """Caption the clips of known corpora, unless captions are stored, and score the captions.

    Args:
        sources: folders with the name of their corpus, such as `emodb@test:FOLDER` or `nemo:FOLDER`.
        captions: stored captions of one model, which captions the clips that have none.
        players: number of clips of each corpus to listen to, chosen by a hash of their ids.
        settings: number of bootstrap resamples and permutations, and seed; default: `Resampling()`.
        progress: called after each clip that is captioned.

    Raises:
        CorpusError: a folder does not exist, or has no recording of its corpus.
        InputError: a source is not a known corpus, or none of its clips can be scored.
        JobError: the model itself failed.
    """
    results = []
    for place in [_known(source) for source in sources]:
        skipped: list[Skipped] = []
        labelled = list(_labelled(place, skipped))
        predicted = captions.predict(place.name, place.folder, labelled, skipped, progress)
        clips = [clip for clip in labelled if clip.id in predicted]
        corpus = _Corpus(place, clips, predicted, skipped, captions.name, settings or Resampling())
        results.append(corpus.result(players))
    return PeopleResult(captions.name, captions.num_samples, tuple(results))


@cache
def linear_probe() -> Mapping[str, Any]:
    """Return results of a linear probe of the encoder on known corpora.

    Returns:
        `source`: text on their origin; `rows`: each with `corpus`, `trained_on`, `classes`, and
        `unweighted_average_recall` or `accuracy` in per cent.
    """
    table: Mapping[str, Any] = packaged_table(__package__, "linear_probe")
    return table


def task_of(name: str, corpus: NamedCorpus) -> CoarseTask | None:
    """Return the classes of a known corpus and their emotions; None if its labels are not emotions.

    The mapping is the published one, if there is one, else the emotions that the labels stand for. Labels
    whose emotion is unknown are left out.
    """
    if name in packaged_table(__package__, "coarse_mappings"):
        return load_task(name)
    members = {
        label: meaning.emotions for label, meaning in corpus.labels.items() if meaning.emotions is not None
    }
    if len(members) < 2:
        return None
    neutral = next((label for label, emotions in members.items() if not emotions), None)
    return CoarseTask(name, corpus.title, members, neutral, source="what the labels of the corpus stand for")


def _known(source: str) -> NamedFolder:
    """Return the folder of a known corpus that a source names, or raise `InputError`."""
    place, *more = matches(source)
    if more or not isinstance(place, NamedFolder):
        raise InputError(
            f"{source} is not recognized as a known corpus: put the name of the corpus before the folder, "
            f"as in emodb:{source}"
        )
    return place


def _labelled(place: NamedFolder, skipped: list[Skipped]) -> Iterator[Clip]:
    """Read the clips that have a label; add those that cannot be read to `skipped`."""
    options = ReadOptions(on_bad=lambda error: skipped.append(Skipped(str(place), str(error))))
    for clip in read_one(place, options):
        if clip.profile is not None and has_labels(clip.profile):
            yield clip


@dataclass(frozen=True, slots=True)
class _Corpus:
    """The labelled clips of a corpus that have a prediction, and the predictions by id."""

    place: NamedFolder
    clips: Sequence[Clip]
    predicted: Mapping[str, Prediction]
    skipped: Sequence[Skipped]
    model: str
    settings: Resampling

    def result(self, players: int) -> CorpusResult:
        """Score the captions, and the means over samples."""
        captions = [self.predicted[clip.id].profile for clip in self.clips]
        means = [self.predicted[clip.id].expected for clip in self.clips]
        sampled = any(one.means is not None for one in self.predicted.values())
        chosen = sorted(self.clips, key=_digest)[:players]
        return CorpusResult(
            place=self.place,
            evaluation=self._evaluated(captions),
            classes=self._classified(captions),
            sampled=self._evaluated(means) if sampled else None,
            sampled_classes=self._classified(means) if sampled else None,
            sounds=self._sounds(captions),
            heard=tuple(self._heard(clip) for clip in chosen),
        )

    @property
    def task(self) -> CoarseTask | None:
        """The classes of the corpus."""
        return task_of(self.place.name, self.place.corpus)

    def _evaluated(self, profiles: Sequence[VoiceProfile]) -> Evaluation:
        pairs = [
            Pair(clip.id, clip.profile, profile, self.predicted[clip.id].caption, speaker=clip.speaker)
            for clip, profile in zip(self.clips, profiles, strict=True)
            if clip.profile is not None
        ]
        return evaluate(
            pairs, model=self.model, corpus=str(self.place), skipped=self.skipped, settings=self.settings
        )

    def _classified(self, profiles: Sequence[VoiceProfile]) -> CoarseResult | None:
        task = self.task
        if task is None:
            return None
        examples = [
            labelled_clip(clip, profile)
            for clip, profile in zip(self.clips, profiles, strict=True)
            if _label(clip) in task.members
        ]
        if not examples:
            return None
        return score_coarse(
            task,
            examples,
            skipped=self.skipped,
            model=self.model,
            data=str(self.place),
            unit=f"{HEADS.low:g}-{HEADS.high:g}",
            settings=self.settings,
        )

    def _sounds(self, profiles: Sequence[VoiceProfile]) -> tuple[SoundScore, ...]:
        meanings = self.place.corpus.labels
        if not any(meaning.bursts for meaning in meanings.values()):
            return ()
        both = list(zip(self.clips, profiles, strict=True))
        by_label = {label: [one for one in both if _label(one[0]) == label] for label in meanings}
        return tuple(
            score_sound(
                label,
                meanings[label].bursts,
                [profile for _, profile in some],
                [clip.speaker for clip, _ in some],
                self.settings,
            )
            for label, some in by_label.items()
            if some
        )

    def _heard(self, clip: Clip) -> HeardClip:
        prediction = self.predicted[clip.id]
        taken, right = self._taken(_label(clip), prediction.profile)
        return HeardClip(clip.id, _label(clip), prediction.caption or "", ", ".join(taken), right, clip.audio)

    def _taken(self, label: str, predicted: VoiceProfile) -> tuple[Sequence[str], bool | None]:
        """Return the label that a caption is scored as, and whether it equals the label of the clip."""
        task = self.task
        if task is not None and label in task.members:
            shares = decide(task, intensity_matrix([predicted])).strongest[0]
            taken = tuple(name for name, share in zip(task.classes, shares, strict=True) if share)
            return taken, taken == (label,)
        meaning = self.place.corpus.labels.get(label)
        if meaning is not None and meaning.emotions == ():
            return tuple(predicted.emotions) or ("no emotion",), not predicted.emotions
        groups = groups_of(predicted.bursts)
        wanted = groups_of(meaning.bursts) if meaning is not None else ()
        return groups or ("no vocal burst",), bool(set(wanted) & set(groups)) if wanted else None


def _label(clip: Clip) -> str:
    return str(clip.metadata.get("label", "")).casefold()


def _digest(clip: Clip) -> str:
    """Return the key that decides which clips are played."""
    return hashlib.sha256(clip.id.encode()).hexdigest()
