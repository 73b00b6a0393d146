"""Transfer to acted speech: EmoDB (7 classes) and RAVDESS (8), with the labels that their file names carry.

The softmax of the rule (see `coarse`) depends on the unit of the scores. Captions and intensities go into it
on 0–4, the scale of the published heads; the scores of a file on their own scale, if that is named.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from budew.corpora import Clip
from budew.corpora.named.named_folder import find_clips, named_folder, split_name
from budew.corpora.sources import Progress, counted
from budew.errors import InputError
from budew.evaluation.benchmarks.coarse import DEFAULTS, CoarseResult, Example, load_task, score_coarse
from budew.evaluation.corpus_evaluation import predict_clips
from budew.evaluation.pairs import Skipped
from budew.evaluation.predictions import Prediction, by_id, read_predictions
from budew.profile import intensity_matrix
from budew.statistics.resampling import Resampling
from budew.taxonomy.scales import INTENSITY, SCALES, Scale, scale_named

ActedCorpus = Literal["emodb", "ravdess"]
HEADS = SCALES["bud-e"]
"""Scale of the published heads, 0–4; that of captions here."""


@dataclass(frozen=True, slots=True)
class ActedClip:
    """A file of an acted corpus and what its name says."""

    path: Path
    label: str
    speaker: str
    intensity: str | None = None


def acted_speech(
    corpus: ActedCorpus,
    data: str | Path,
    *,
    model: str | Path | None = None,
    predictions: Path | None = None,
    scale: str = INTENSITY.name,
    device: str | None = None,
    batch_size: int = 16,
    num_samples: int = 0,
    settings: Resampling = DEFAULTS,
    progress: Progress | None = None,
) -> CoarseResult:
    """Score a model, or predictions made elsewhere, on EmoDB or RAVDESS.

    Args:
        corpus: decides file names, classes and mapping.
        data: folder of its audio files at any depth; `emodb@test:FOLDER` for the speakers of one split.
        model: folder or hub id of a checkpoint; the embedded one where left out.
        predictions: see `read_predictions`; ids are the file names, with or without suffix and folder.
        scale: of the numbers in `predictions`; unless they are intensities, they go into the softmax on it.
        device, batch_size, num_samples: of the model, see `Captioner`.
        settings: bootstrap resamples (of speakers), permutations and seed.
        progress: called after each clip that is predicted.

    Raises:
        CorpusError: it is not a folder that can be listed, or has no file of this corpus.
        InputError: predictions lack a clip, a model is given as well, or `data` names another corpus.
        CheckpointError: the model cannot be loaded.
    """
    if model is not None and predictions is not None:
        raise InputError("both a model and predictions are given: score one at a time")
    clips, skipped = acted_clips(corpus, data)
    if predictions is not None:
        name, found = predictions.name, _from_file(predictions, clips, scale, str(data))
    else:
        bare = (Clip(id, clip.path, clip.path.suffix[1:].lower()) for id, clip in clips.items())
        options: dict[str, Any] = {"device": device, "batch_size": batch_size, "num_samples": num_samples}
        name, predicted = predict_clips(bare, model, skipped=skipped, expected=True, **options)
        found = ((clip.id, prediction) for clip, prediction in predicted)
    units: set[str] = set()
    examples = []
    for id, prediction in counted(found, progress):
        clip = clips[id]
        unit = _unit(prediction, scale)
        units.add(f"{unit.low:g}-{unit.high:g}")
        scores = intensity_matrix([prediction.profile])[0] * (unit.high - unit.low)  # 0 is absent
        examples.append(Example(id, clip.label, scores, clip.speaker, clip.intensity))
    return score_coarse(
        load_task(corpus),
        examples,
        skipped=skipped,
        model=name,
        data=str(data),
        unit=", ".join(sorted(units)),
        settings=settings,
    )


def acted_clips(corpus: ActedCorpus, folder: str | Path) -> tuple[dict[str, ActedClip], list[Skipped]]:
    """Find the clips of a corpus in a folder by their ids, and the audio files that are none of them.

    A name that occurs in several folders counts once: copies of RAVDESS often hold each file twice.

    Raises:
        CorpusError: it is not a folder that can be listed, or no file is named as the corpus names its own.
        InputError: the folder is named as another corpus, or as a split that there is not.
    """
    named, folder = split_name(folder)
    if named is not None and str(named).partition("@")[0] != corpus:
        raise InputError(f"{named}: is not {corpus}, which is scored here: name that corpus or none")
    place = named_folder(named or corpus, Path(folder))
    found = find_clips(place)
    clips = {}
    for path, codes in found.clips.items():
        part = {name: place.corpus.value(name, code) for name, code in codes.items()}
        clips[path.stem] = ActedClip(path, part["label"], part["speaker"], part.get("intensity"))
    return clips, [Skipped(str(path), reason) for path, reason in found.left_out]


def _unit(prediction: Prediction, scale: str) -> Scale:
    """Return the scale on which a prediction goes into the softmax."""
    chosen = scale_named(scale)
    return HEADS if prediction.caption is not None or chosen == INTENSITY else chosen


def _from_file(path: Path, clips: Collection[str], scale: str, data: str) -> Iterator[tuple[str, Prediction]]:
    predictions = read_predictions(path, scale=scale)
    found = {id: prediction for id in clips if (prediction := by_id(predictions, id)) is not None}
    if missing := [id for id in clips if id not in found]:
        raise InputError(
            f"{path} has no prediction for {len(missing)} of the {len(clips)} clips in {data}, such as "
            f"{', '.join(missing[:3])}: predict every clip under its file name, null where the model refuses"
        )
    return iter(found.items())
