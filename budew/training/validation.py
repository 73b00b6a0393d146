"""What a model writes during training: is it parsed, does it loop, does it vary, does it fit the profiles?

A falling loss alone does not show that a model uses the audio.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

from budew.captions.parse import parse
from budew.errors import InputError
from budew.evaluation.metrics import score_emotions
from budew.paraphrase.metrics.diversity import diversity
from budew.profile import VoiceProfile, intensity_matrix
from budew.training.targets import read_scalars


@dataclass(frozen=True, slots=True)
class ValidationCaptions:
    """Captions of validation clips.

    Attributes:
        texts: as a captioner returns them.
        repetitive: whether each repeated itself, before the repetitions were cut off.
    """

    texts: Sequence[str]
    repetitive: Sequence[bool]


def caption_metrics(
    captions: ValidationCaptions, profiles: Sequence[VoiceProfile], kind: str
) -> dict[str, float]:
    """Return `spearman` (mean over emotions, NaN where undefined), `unparsed` and `looping` (shares of the
    captions) and `distinct_2` (share of different word pairs).

    Args:
        captions: one caption for each clip.
        profiles: references; clips without rated emotions do not count for `spearman`.
        kind: of target: "scalars" are read as numbers.
    """
    predicted = [predicted_profile(text, kind) for text in captions.texts]
    return {
        "spearman": mean_spearman(profiles, [profile or VoiceProfile({}) for profile in predicted]),
        "unparsed": sum(profile is None for profile in predicted) / len(predicted),
        "looping": sum(captions.repetitive) / len(captions.repetitive),
        "distinct_2": diversity(captions.texts).distinct_2,
    }


def correlations(
    captions: ValidationCaptions, profiles: Sequence[VoiceProfile], corpora: Sequence[str], kind: str
) -> dict[str, float]:
    """Return the mean Spearman correlation over emotions of each corpus, by name.

    Args:
        captions, profiles: one for each clip.
        kind: of target.
        corpora: of each clip.
    """
    found = {}
    for name in dict.fromkeys(corpora):
        mine = [number for number, corpus in enumerate(corpora) if corpus == name]
        predicted = [predicted_profile(captions.texts[number], kind) or VoiceProfile({}) for number in mine]
        found[name] = mean_spearman([profiles[number] for number in mine], predicted)
    return found


def predicted_profile(text: str, kind: str) -> VoiceProfile | None:
    """Return the profile of a caption or of scalars; None where nothing was understood."""
    if kind != "scalars":
        profile = parse(text).profile
        return profile if profile.emotions or profile.bursts or profile.traits else None
    try:
        return VoiceProfile.from_vector(read_scalars(text).tolist())
    except InputError:
        return None


def mean_spearman(profiles: Sequence[VoiceProfile], predicted: Sequence[VoiceProfile]) -> float:
    """Return the mean Spearman correlation over emotions of the clips with rated emotions; NaN where it is
    undefined.
    """
    known: list[tuple[Any, Any]] = [pair for pair in zip(profiles, predicted, strict=True) if pair[0].rated]
    if not known:
        return nan
    reference, found = (intensity_matrix(side) for side in zip(*known, strict=True))
    return float(score_emotions(reference, found)["mean_spearman"][0])
