"""Training data of heads: pooled hidden states of each clip, and the targets."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budew.annotation.head_layout import pool
from budew.annotation.heads import encoder_windows
from budew.audio.samples import warn_of_damage
from budew.corpora.clip import Clip
from budew.corpora.sources import read
from budew.errors import AudioError, OnBad, report
from budew.model.encoder import Encoder
from budew.profile import VoiceProfile
from budew.randomness import derived_seed
from budew.taxonomy import ATTRIBUTES, EMOTIONS
from budew.taxonomy.scales import from_intensity

TARGETS: tuple[str, ...] = (*EMOTIONS, *ATTRIBUTES)
SCALE = "bud-e"


@dataclass(frozen=True, slots=True)
class Pooled:
    """Clips with profiles, encoded.

    Attributes:
        features: (clips, 4 width), float32.
        targets: (clips, 55): emotions on 0 to 4, attributes on their own scales, NaN where unknown.
        speakers: of each clip; its id where it is unknown.
        bare: clips without a profile, which are skipped.
        unjudged: clips whose emotions are unknown, used for attributes alone.
        cut: clips longer than the window, which are encoded in part.
    """

    features: NDArray[np.float32]
    targets: NDArray[np.float32]
    speakers: tuple[str, ...]
    bare: int = 0
    unjudged: int = 0
    cut: int = 0


def pooled_states(
    corpus: str | Path,
    encoder: Encoder,
    *,
    batch_size: int = 16,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> Pooled:
    """Run the encoder over the clips of a corpus that have profiles; a clip up to the window's end.

    Takes 4 kB a clip for width 256, 12 kB for 768.

    Args:
        corpus: anything that `budew.read` takes.
        encoder: of Whisper.
        batch_size: clips at once.
        on_bad: called with the error of each clip that cannot be read; without it the first is raised.
        progress: called with the number of clips that are done.
    """
    features: list[NDArray[np.float32]] = []
    targets, speakers, skipped = [], [], Counter[str]()
    clips = _encodable(corpus, encoder, on_bad, skipped)
    while batch := list(islice(clips, batch_size)):
        features.append(pool(encoder.states([samples for _, _, samples in batch])).cpu().numpy())
        targets += [_targets(profile) for _, profile, _ in batch]
        speakers += [clip.speaker or clip.id for clip, _, _ in batch]
        if progress:
            progress(len(speakers))
    empty = np.zeros((0, 1), np.float32)
    return Pooled(
        np.concatenate(features) if features else empty,
        np.array(targets, np.float32).reshape(-1, len(TARGETS)),
        tuple(speakers),
        bare=skipped["bare"],
        unjudged=skipped["unjudged"],
        cut=skipped["cut"],
    )


def split_by_speaker(speakers: Sequence[str], *, share: float, seed: int) -> NDArray[np.bool_]:
    """Return which clips are for validation: those of whole speakers, drawn until `share` is reached."""
    order = sorted(set(speakers), key=lambda speaker: (derived_seed(seed, "validation", speaker), speaker))
    names, chosen = np.array(speakers), np.zeros(len(speakers), bool)
    for speaker in order[:-1]:  # at least one is left for training
        if chosen.mean() >= share:
            break
        chosen |= names == speaker
    return chosen


def _encodable(
    corpus: str | Path, encoder: Encoder, on_bad: OnBad | None, skipped: Counter[str]
) -> Iterator[tuple[Clip, VoiceProfile, NDArray[np.float32]]]:
    """Give each clip that has a profile, with the samples of its first window; count the others."""
    for clip in read(corpus, on_bad=on_bad):
        if clip.profile is None:
            skipped["bare"] += 1
            continue
        cut = encoder_windows(clip, encoder)
        try:
            first, more = next(cut), next(cut, None)
        except AudioError as error:
            report(error, on_bad)
            continue
        warn_of_damage(first.damage)
        skipped["cut"] += more is not None
        skipped["unjudged"] += not clip.profile.emotions_known
        yield clip, clip.profile, first.samples


def _targets(profile: VoiceProfile) -> list[float]:
    emotions = [from_intensity(profile.emotions.get(name, 0.0), SCALE) for name in EMOTIONS]
    if not profile.emotions_known:
        emotions = [np.nan] * len(EMOTIONS)
    return [*emotions, *(float(profile.traits.get(name, np.nan)) for name in ATTRIBUTES)]
