"""Train heads on a corpus with profiles, and save them as the published ones are.

The encoder runs once over the corpus; its pooled states fit into memory, and the heads are fitted to them in
seconds. A head is made for each emotion and voice attribute that occurs often enough, and kept if it predicts
clips of unknown speakers better than the mean does; what is left out is reported.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from budew.annotation.head_files import NOTES, Head, pool, save_heads
from budew.annotation.head_stack import Fitting, fit_stack, unstacked
from budew.annotation.heads import encoder_windows
from budew.audio.samples import warn_of_damage
from budew.corpora.sources import read
from budew.errors import AudioError, CheckpointError, CorpusError, OnBad, report
from budew.model.checkpoint import identity
from budew.model.encoder import Encoder, load_encoder
from budew.profile import VoiceProfile
from budew.randomness import derived_seed
from budew.taxonomy import ATTRIBUTES, EMOTIONS
from budew.taxonomy.scales import from_intensity
from budew.version import __version__

FEWEST = 20
"""Clips to train a head on: with the emotion, or whose attribute is known."""
FEWEST_TO_CHECK = 5
"""Such clips of other speakers to validate it."""
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
        unjudged: clips of which no emotion is rated, used for attributes alone.
        cut: clips longer than the window, which are encoded in part.
    """

    features: NDArray[np.float32]
    targets: NDArray[np.float32]
    speakers: tuple[str, ...]
    bare: int = 0
    unjudged: int = 0
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a head predicts clips of unknown speakers.

    Attributes:
        clips: it was trained on that have the emotion, or whose attribute is known.
        r2: share of the variance explained; 0 is the mean of the training clips, 1 is all.
        error: mean absolute error on the scale of the target.
        error_of_mean: that of the mean of the training clips.
    """

    clips: int
    r2: float
    error: float
    error_of_mean: float


@dataclass(frozen=True, slots=True)
class Trained:
    """Heads that are kept, and how they were trained.

    Attributes:
        quality: of each head that was trained, by name, those that are left out among them.
        rare: emotions and attributes that occur too seldom.
        validation: how many of the clips were held out.
    """

    heads: tuple[Head, ...]
    quality: dict[str, Quality]
    rare: tuple[str, ...]
    epochs: int
    pooled: Pooled
    validation: int

    @property
    def clips(self) -> int:
        """How many clips were encoded."""
        return len(self.pooled.speakers)


def train_heads(
    corpus: str | Path,
    out: str | Path,
    *,
    encoder: str | Path | None = None,
    fitting: Fitting | None = None,
    device: str | None = None,
    batch_size: int = 16,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> Trained:
    """Train heads on a corpus and save them in the folder `out`.

    The folder gets `model_<Name>_best.pth` for each head, all of them as `heads.safetensors`, and
    `heads.json` with the encoder and how good they are. The same corpus, encoder and seed give the same
    heads on one machine.

    Args:
        corpus: clips with profiles, anything that `budew.read` takes.
        out: folder; made, and complete when it is there.
        encoder, device: as of `load_encoder`; an encoder that is None is the one in this package.
        fitting: how they are trained.
        batch_size: clips encoded at once.
        on_bad: called with the error of each clip that cannot be read; without it the first is raised.
        progress: called with the number of clips that are encoded.

    Raises:
        CheckpointError: `out` is in use, or there is no such encoder.
        CorpusError: the corpus cannot be read, no head can be trained on it, or none is better than the mean.
    """
    folder, how = Path(out), fitting or Fitting()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CheckpointError(f"{folder}: exists already: choose a new folder")
    whisper = load_encoder(encoder, device=device)
    pooled = pooled_states(corpus, whisper, batch_size=batch_size, on_bad=on_bad, progress=progress)
    trained = fit_heads(pooled, how, device=whisper.device)
    if not trained.heads:
        raise CorpusError(
            f"{corpus}: no head can be trained on its {trained.clips} clips with profiles ({pooled.bare} are "
            f"without): it takes {FEWEST} with an emotion or attribute, and {FEWEST_TO_CHECK} of other "
            f"speakers ({trained.validation} clips are) that are predicted better than by the mean: annotate "
            "more clips, of more speakers"
        )
    _save(folder, trained, how, whisper, encoder)
    return trained


def pooled_states(
    corpus: str | Path,
    encoder: Encoder,
    *,
    batch_size: int = 16,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> Pooled:
    """Run the encoder over the clips of a corpus that have profiles; a clip up to the window's end.

    Takes 4 kB a clip for width 256, 12 kB for 768. Arguments are those of `train_heads`.
    """
    features: list[NDArray[np.float32]] = []
    targets: list[list[float]] = []
    speakers: list[str] = []
    skipped = Counter[str]()

    def first_windows() -> Iterator[NDArray[np.float32]]:
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
            skipped["unjudged"] += not clip.profile.rated
            targets.append(_targets(clip.profile))
            speakers.append(clip.speaker or clip.id)
            yield first.samples

    windows = first_windows()
    while batch := list(islice(windows, batch_size)):
        features.append(pool(encoder.states(batch)).cpu().numpy())
        if progress:
            progress(len(speakers))
    return Pooled(
        np.concatenate(features) if features else np.zeros((0, 1), np.float32),
        np.array(targets, np.float32).reshape(-1, len(TARGETS)),
        tuple(speakers),
        *(skipped[name] for name in ("bare", "unjudged", "cut")),
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


def _targets(profile: VoiceProfile) -> list[float]:
    emotions = [
        from_intensity(float(value), SCALE) if value == value else np.nan for value in profile.vector()
    ]
    return [*emotions, *(float(profile.traits.get(name, np.nan)) for name in ATTRIBUTES)]


def fit_heads(pooled: Pooled, fitting: Fitting, *, device: torch.device | None = None) -> Trained:
    """Fit heads to pooled states, on a device."""
    check = split_by_speaker(pooled.speakers, share=fitting.validation, seed=fitting.seed)
    is_attribute = np.array([name in ATTRIBUTES for name in TARGETS])
    known = np.where(is_attribute, ~np.isnan(pooled.targets), np.nan_to_num(pooled.targets) > 0)
    enough = (known[~check].sum(axis=0) >= FEWEST) & (known[check].sum(axis=0) >= FEWEST_TO_CHECK)
    names = [name for name, is_enough in zip(TARGETS, enough, strict=True) if is_enough]
    rare = tuple(name for name, is_enough in zip(TARGETS, enough, strict=True) if not is_enough)
    if not names:
        return Trained((), {}, rare, 0, pooled, int(check.sum()))
    where = device or torch.device("cpu")
    features = torch.from_numpy(pooled.features).to(where)
    targets = torch.from_numpy(pooled.targets[:, enough]).to(where)
    learn = torch.from_numpy(~check).to(where)
    mean, spread = features[learn].mean(dim=0), features[learn].std(dim=0).clamp(min=1e-6)
    center = targets[learn].nanmean(dim=0)
    width = (targets[learn] - center).square().nanmean(dim=0).sqrt().clamp(min=1e-3)
    weights, epochs = fit_stack((features - mean) / spread, (targets - center) / width, ~learn, fitting)
    heads = [
        unstacked(name, weights, place, (mean, spread), (float(middle), float(size)))
        for place, (name, middle, size) in enumerate(zip(names, center, width, strict=True))
    ]
    with torch.inference_mode():
        scores = torch.stack([head.on(where, torch.float32)(features) for head in heads], dim=1)
    quality = {
        name: _quality(found, target, check, int(known[~check][:, TARGETS.index(name)].sum()))
        for name, found, target in zip(names, scores.cpu().numpy().T, targets.cpu().numpy().T, strict=True)
    }
    kept = tuple(head for head in heads if quality[head.name].r2 > 0)
    return Trained(kept, quality, rare, epochs, pooled, int(check.sum()))


def _quality(
    scores: NDArray[np.float32], target: NDArray[np.float32], check: NDArray[np.bool_], clips: int
) -> Quality:
    known = ~np.isnan(target)
    mean = float(target[known & ~check].mean())
    judged = known & check
    miss, miss_of_mean = scores[judged] - target[judged], mean - target[judged]
    variance = max(float(np.square(miss_of_mean).mean()), 1e-12)
    return Quality(
        clips,
        r2=round(1 - float(np.square(miss).mean()) / variance, 4),
        error=round(float(np.abs(miss).mean()), 4),
        error_of_mean=round(float(np.abs(miss_of_mean).mean()), 4),
    )


def _save(
    folder: Path, trained: Trained, fitting: Fitting, encoder: Encoder, asked: str | Path | None
) -> None:
    notes: dict[str, Any] = {
        "made_by": f"budew {__version__}",
        "encoder": None if asked is None else str(asked),
        "encoder_name": encoder.name,
        "encoder_weights": identity(asked),
        "emotion_scale": SCALE,
        "fitting": asdict(fitting),
        "clips": trained.clips,
        "validation_clips": trained.validation,
        "clips_without_profile": trained.pooled.bare,
        "clips_with_unknown_emotions": trained.pooled.unjudged,
        "clips_truncated": trained.pooled.cut,
        "epochs": trained.epochs,
        "heads": {head.name: asdict(trained.quality[head.name]) for head in trained.heads},
        "left_out": {name: asdict(quality) for name, quality in trained.quality.items() if quality.r2 <= 0},
        "too_rare": list(trained.rare),
    }
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    save_heads(trained.heads, unfinished)
    (unfinished / NOTES).write_text(json.dumps(notes, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if folder.exists():
        folder.rmdir()
    unfinished.replace(folder)
