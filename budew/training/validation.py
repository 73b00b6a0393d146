"""What a model writes during training: is it parsed, does it loop, does it vary, does it fit the profiles?

A falling loss alone does not show that a model uses the audio.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

from budew.captions.parse import parse
from budew.captions.tokens import words_of
from budew.errors import InputError
from budew.evaluation.metrics import score_emotions
from budew.paraphrase.metrics.diversity import diversity
from budew.profile import VoiceProfile, intensity_matrix
from budew.training.targets import read_scalars

_LONGEST_LOOP = 8
"""Words of a stretch that is repeated."""
_REPEATS = 3


@dataclass(frozen=True, slots=True)
class Written:
    """Captions of validation clips.

    Attributes:
        texts: as the model wrote them.
        ended: whether each came to its end within the tokens it had.
    """

    texts: Sequence[str]
    ended: Sequence[bool]


def caption_metrics(written: Written, profiles: Sequence[VoiceProfile], kind: str) -> dict[str, float]:
    """Return `spearman` (mean over emotions, NaN where undefined), `unparsed` and `looping` (shares of the
    captions) and `distinct_2` (share of different word pairs).

    Args:
        written: one caption for each clip.
        profiles: references; clips without rated emotions do not count for `spearman`.
        kind: of target: "scalars" are read as numbers.
    """
    predicted = [read(text, kind) for text in written.texts]
    loops = [
        not ended or (kind != "scalars" and is_loop(text))
        for text, ended in zip(written.texts, written.ended, strict=True)
    ]
    return {
        "spearman": agreement(profiles, [profile or VoiceProfile({}) for profile in predicted]),
        "unparsed": sum(profile is None for profile in predicted) / len(predicted),
        "looping": sum(loops) / len(loops),
        "distinct_2": diversity(written.texts).distinct_2,
    }


def correlations(
    written: Written, profiles: Sequence[VoiceProfile], corpora: Sequence[str], kind: str
) -> dict[str, float]:
    """Return the mean Spearman correlation over emotions of each corpus, by name.

    Args:
        written, profiles, kind: as of `caption_metrics`.
        corpora: of each clip.
    """
    found = {}
    for name in dict.fromkeys(corpora):
        mine = [number for number, corpus in enumerate(corpora) if corpus == name]
        predicted = [read(written.texts[number], kind) or VoiceProfile({}) for number in mine]
        found[name] = agreement([profiles[number] for number in mine], predicted)
    return found


def read(text: str, kind: str) -> VoiceProfile | None:
    """Return the profile of a caption or of scalars; None where nothing was understood."""
    if kind != "scalars":
        profile = parse(text).profile
        return profile if profile.emotions or profile.bursts or profile.traits else None
    try:
        return VoiceProfile.from_vector(read_scalars(text).tolist())
    except InputError:
        return None


def is_loop(text: str) -> bool:
    """Return whether a stretch of one to eight words comes three times in a row."""
    words = [word.word for word in words_of(text)]
    return any(
        words[start : start + size * (_REPEATS - 1)] == words[start + size : start + size * _REPEATS]
        for size in range(1, _LONGEST_LOOP + 1)
        for start in range(len(words) - size * _REPEATS + 1)
    )


def agreement(profiles: Sequence[VoiceProfile], predicted: Sequence[VoiceProfile]) -> float:
    """Return the mean Spearman correlation over emotions of the clips with rated emotions; NaN where it is
    undefined.
    """
    known: list[tuple[Any, Any]] = [pair for pair in zip(profiles, predicted, strict=True) if pair[0].rated]
    if not known:
        return nan
    reference, found = (intensity_matrix(side) for side in zip(*known, strict=True))
    return float(score_emotions(reference, found)["mean_spearman"][0])
