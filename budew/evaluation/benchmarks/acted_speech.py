"""Benchmark of transfer to acted speech: EmoDB (7 classes) and RAVDESS (8), with labels from the file names.

The softmax of the rule (see `coarse`) depends on the unit of the scores. Captions and intensities are
converted to 0–4, the scale of the published heads; scores from a file are used on their own scale, if it is
given.
"""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from budew.corpora import Clip
from budew.corpora.named.named_folder import find_clips, named_folder, split_name
from budew.corpora.sources import Progress, counted
from budew.errors import InputError
from budew.evaluation.benchmarks.coarse import (
    DEFAULTS,
    HEADS,
    CoarseResult,
    labelled_clip,
    load_task,
    score_coarse,
)
from budew.evaluation.pairs import Skipped
from budew.evaluation.prediction_files import Prediction
from budew.evaluation.predictors import FilePredictor, ModelPredictor, Predictor, predicted
from budew.statistics.resampling import Resampling
from budew.taxonomy.rating_scales import INTENSITY, Scale, scale_named

ActedCorpus = Literal["emodb", "ravdess"]


def score_acted_speech(
    corpus: ActedCorpus,
    data: str | Path,
    predictor: Predictor | None = None,
    *,
    settings: Resampling = DEFAULTS,
    progress: Progress | None = None,
) -> CoarseResult:
    """Score a model, or predictions made elsewhere, on EmoDB or RAVDESS.

    Args:
        corpus: name of the corpus, which sets file names, classes and their emotions.
        data: folder with its audio files at any depth; `emodb@test:FOLDER` for the speakers of one split.
        predictor: a captioner, or a file of predictions whose ids are the file names, with or without suffix
            and folder; default: the checkpoint in the package. Scores from a file stay on their own scale for
            the softmax, unless they are intensities.
        settings: number of bootstrap resamples (of speakers) and of permutations, and seed.
        progress: called after each clip.

    Raises:
        CorpusError: `data` is not a readable folder, or has no file of this corpus.
        InputError: predictions lack a clip, or `data` names another corpus.
        CheckpointError: the model cannot be loaded.

    Example:
        >>> Path("emodb").mkdir()
        >>> for name in ("03a01Wa", "08b02Tb"):  # an angry and a sad sentence
        ...     _ = Path("emodb", f"{name}.wav").write_bytes(b"RIFF")
        >>> lines = '{"id": "03a01Wa", "Anger": 1}\\n{"id": "08b02Tb", "Anger": 0.5}'
        >>> _ = Path("scores.jsonl").write_text(lines)
        >>> few = Resampling(resamples=20, permutations=5)
        >>> found = score_acted_speech("emodb", "emodb", FilePredictor("scores.jsonl"), settings=few)
        >>> found.overall["argmax_accuracy"].value
        50.0
    """
    predictor = predictor or ModelPredictor()
    scale = predictor.scale if isinstance(predictor, FilePredictor) else INTENSITY.name
    clips, skipped = acted_clips(corpus, data)
    units: set[str] = set()
    examples = []
    for clip, prediction in counted(predicted(clips, lambda clip: clip, predictor, skipped), progress):
        if prediction is not None:
            unit = _unit(prediction, scale)
            units.add(f"{unit.low:g}-{unit.high:g}")
            examples.append(labelled_clip(clip, prediction.expected, unit))
    predictor.check_complete(str(data))
    result = score_coarse(
        load_task(corpus),
        examples,
        skipped=skipped,
        model=predictor.name,
        data=str(data),
        unit=", ".join(sorted(units)),
        settings=settings,
    )
    return replace(result, trained_on=predictor.trained_on)


def acted_clips(corpus: ActedCorpus, folder: str | Path) -> tuple[list[Clip], list[Skipped]]:
    """Find the clips of a corpus in a folder, and the audio files that do not belong to it.

    The metadata of a clip have its `label` and, if known, the `intensity` of the acting. Of files with the
    same name in several folders one is used: copies of RAVDESS often have each file twice.

    Args:
        corpus: name of the corpus.
        folder: folder, or `emodb@test:FOLDER` for the speakers of one split.

    Raises:
        CorpusError: `folder` is not a readable folder, or no file has a name of this corpus.
        InputError: `folder` names another corpus, or an unknown split.
    """
    named, folder = split_name(folder)
    if named is not None and str(named).partition("@")[0] != corpus:
        raise InputError(
            f"{named} is not {corpus}, the only corpus that this benchmark scores: name {corpus} or no corpus"
        )
    place = named_folder(named or corpus, Path(folder))
    found = find_clips(place)
    clips = {}
    for path, codes in found.clips.items():
        part = {name: place.corpus.value(name, code) for name, code in codes.items()}
        speaker = part.pop("speaker")
        clips[path.stem] = Clip(path.stem, path, path.suffix[1:].lower(), speaker=speaker, metadata=part)
    return list(clips.values()), [Skipped(str(path), reason) for path, reason in found.left_out]


def _unit(prediction: Prediction, scale: str) -> Scale:
    """Return the scale of a prediction in the softmax."""
    chosen = scale_named(scale)
    return HEADS if prediction.caption is not None or chosen == INTENSITY else chosen
