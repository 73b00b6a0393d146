"""Validation during training: captions of validation clips are generated and compared with their labels.

A falling loss alone does not show that a model uses the audio. So validation measures whether captions can be
parsed, repeat themselves, differ between clips, and agree with the labels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest
from math import nan
from typing import Any

from budew.captions.parse import parse
from budew.captions.tokens import plain_words
from budew.errors import InputError
from budew.evaluation.emotion_metrics import score_emotions
from budew.inference.captioned_recording import REPETITION
from budew.inference.captioner import Captioner
from budew.inference.options import WritingOptions
from budew.inference.recordings import Recording, from_audio
from budew.model.checkpoint import fitted
from budew.profile import VoiceProfile, intensity_matrix
from budew.training.clip_index import ClipRecord
from budew.training.dataset import CaptionDataset
from budew.training.devices import PartialState, gather_object
from budew.training.targets import read_scalars


@dataclass(frozen=True, slots=True)
class ValidationCaptions:
    """Generated captions of the validation clips.

    Attributes:
        texts: caption of each clip, without repetitions.
        repetitive: for each clip, whether repetitions were cut off from its caption.
    """

    texts: Sequence[str]
    repetitive: Sequence[bool]


def validation_captions(
    model: Any, validation: CaptionDataset, settings: Any, *, batch_size: int
) -> tuple[ValidationCaptions, list[VoiceProfile]]:
    """Generate greedy captions of all validation clips; each process captions a share of them.

    Args:
        model: trained model, which may have adapters; its mode and generation config are restored.
        validation: validation examples.
        settings: generation config to use, from `result_settings`.
        batch_size: number of clips per batch.

    Returns:
        The captions, and the reference profile of each clip.
    """
    recipe, processor, state = validation.recipe, validation.processor, PartialState()
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    records: list[ClipRecord] = []

    def recordings() -> Iterator[Recording]:
        for number in range(state.process_index, len(validation), state.num_processes):
            record, samples = validation.audio(number)
            records.append(record)
            yield from_audio(samples, processor.feature_extractor.sampling_rate)

    is_training, own_settings = model.training, base.generation_config
    model.eval()
    base.generation_config = settings
    settings.use_cache = True  # the trainer turns it off
    try:
        writing = WritingOptions(num_beams=1, batch_size=batch_size)
        captioner = Captioner(fitted(base, processor, recipe.name), writing)
        # in scalars, repeated numbers are absent emotions
        decoding = replace(captioner.decoding, stop_repetition=recipe.target.kind != "scalars")
        windows = [one.windows[0] for one in captioner.caption_recordings(recordings(), decoding)]
    finally:
        base.generation_config = own_settings
        model.train(is_training)
    share = [
        (window.text, REPETITION in (window.removed or ""), reference_profile(record))
        for window, record in zip(windows, records, strict=True)
    ]
    shares = gather_object([share]) if state.num_processes > 1 else [share]
    in_order = [one for row in zip_longest(*shares) for one in row if one is not None]
    texts, repetitive, profiles = zip(*in_order, strict=True)
    return ValidationCaptions(texts, repetitive), list(profiles)


def reference_profile(record: ClipRecord) -> VoiceProfile:
    """Return the profile of a clip; if it has none, the profile parsed from its first caption."""
    if record.profile is not None:
        return record.profile
    captions = [*record.captions.get("original", ()), *record.captions.get("paraphrase", ())]
    parsed = predicted_profile(captions[0], "template") if captions else None
    return parsed or VoiceProfile(None)


def caption_metrics(
    captions: ValidationCaptions, profiles: Sequence[VoiceProfile], kind: str
) -> dict[str, float]:
    """Compute the metrics of validation captions.

    Args:
        captions: one caption for each clip.
        profiles: reference profiles; clips without rated emotions do not count for `spearman`.
        kind: kind of target in the recipe; with "scalars" captions are parsed as numbers.

    Returns:
        `spearman`: mean Spearman correlation over emotions, NaN if undefined. `unparsed` and `looping`: share
        of captions that cannot be parsed, or repeat themselves. `distinct_2`: share of different word pairs,
        see `budew.paraphrase.metrics.diversity`.
    """
    predicted = [predicted_profile(text, kind) for text in captions.texts]
    pairs = [pair for text in captions.texts for pair in pairwise(plain_words(text))]
    return {
        "spearman": mean_spearman(profiles, [profile or VoiceProfile({}) for profile in predicted]),
        "unparsed": sum(profile is None for profile in predicted) / len(predicted),
        "looping": sum(captions.repetitive) / len(captions.repetitive),
        "distinct_2": len(set(pairs)) / len(pairs) if pairs else 0.0,
    }


def correlations(
    captions: ValidationCaptions, profiles: Sequence[VoiceProfile], corpora: Sequence[str], kind: str
) -> dict[str, float]:
    """Return {corpus: mean Spearman correlation over emotions}.

    Args:
        captions: one caption for each clip.
        profiles: reference profile of each clip.
        corpora: name of the corpus of each clip.
        kind: kind of target in the recipe; with "scalars" captions are parsed as numbers.
    """
    found = {}
    for name in dict.fromkeys(corpora):
        own = [number for number, corpus in enumerate(corpora) if corpus == name]
        predicted = [predicted_profile(captions.texts[number], kind) or VoiceProfile({}) for number in own]
        found[name] = mean_spearman([profiles[number] for number in own], predicted)
    return found


def predicted_profile(text: str, kind: str) -> VoiceProfile | None:
    """Parse a caption, or with the kind "scalars" 40 numbers; None if nothing in the text can be parsed."""
    if kind != "scalars":
        profile = parse(text).profile
        return profile if profile.emotions or profile.bursts or profile.traits else None
    try:
        return VoiceProfile.from_vector(read_scalars(text).tolist())
    except InputError:
        return None


def mean_spearman(profiles: Sequence[VoiceProfile], predicted: Sequence[VoiceProfile]) -> float:
    """Return the mean over emotions of the Spearman correlation of predicted with reference intensities.

    Clips without rated emotions in `profiles`, the references, are left out. NaN if it is undefined.
    """
    known: list[tuple[Any, Any]] = [pair for pair in zip(profiles, predicted, strict=True) if pair[0].rated]
    if not known:
        return nan
    reference, found = (intensity_matrix(side) for side in zip(*known, strict=True))
    return float(score_emotions(reference, found)["mean_spearman"][0])
