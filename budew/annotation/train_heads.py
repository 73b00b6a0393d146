"""Train heads on a corpus with profiles, and save them as the published ones are, pooled or flattened.

The encoder runs once over the corpus (`encoder_states.py`), and the heads are fitted to its states: pooled
ones in seconds, flattened ones in groups that fit into memory, as one of the published size takes 1.5 GB
while it is trained. A head is made for each emotion and voice attribute that occurs often enough, and kept if
it predicts clips of unknown speakers better than the mean does; what is left out is reported.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from budew.annotation.encoder_states import SCALE, TARGETS, Encoded, Skipped, encode_corpus
from budew.annotation.head_files import NOTES, Head, check_unused, load_heads, put, save_heads
from budew.annotation.head_stack import COPIES, Fitting, HeadStack, fit_stack, unstacked
from budew.errors import CorpusError, OnBad
from budew.io.disk import check_space, disk_errors, temporary_folder
from budew.model.checkpoint import identity
from budew.model.encoder import Encoder, load_encoder
from budew.randomness import derived_seed
from budew.taxonomy import EMOTIONS
from budew.version import __version__

FEWEST = 20
"""Clips to train a head on: with the emotion, or whose attribute is known."""
FEWEST_TO_CHECK = 5
"""Such clips of other speakers to validate it."""
MEMORY = 4.0
"""GB for the heads that are trained at once, with gradients and optimizer; one head is, whatever it takes."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a head predicts clips of unknown speakers.

    Attributes:
        clips: it was trained on that have the emotion, or whose attribute is known.
        r2: share of the variance explained; 0 is the mean of the training clips, 1 is all.
        error: mean absolute error on the scale of the target.
        error_of_mean: that of the mean of the training clips.
        epochs: for which it was trained.
    """

    clips: int
    r2: float
    error: float
    error_of_mean: float
    epochs: int


@dataclass(frozen=True, slots=True)
class Trained:
    """Heads that are kept, mapped from their files, and how they were trained.

    Attributes:
        quality: of each head that was trained, by name, those that are left out among them.
        clips: how many were encoded.
        validation: how many of them were held out.
        skipped: other clips of the corpus.
    """

    heads: tuple[Head, ...]
    quality: dict[str, Quality]
    clips: int
    validation: int
    skipped: Skipped

    @property
    def rare(self) -> tuple[str, ...]:
        """Emotions and attributes that occur too seldom."""
        return tuple(name for name in TARGETS if name not in self.quality)


def train_heads(
    corpus: str | Path,
    out: str | Path,
    *,
    encoder: str | Path | None = None,
    fitting: Fitting | None = None,
    memory: float = MEMORY,
    device: str | None = None,
    batch_size: int = 16,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
    fitted: Callable[[int], None] | None = None,
) -> Trained:
    """Train heads on a corpus and save them in the folder `out`.

    The folder gets `model_<Name>_best.pth` for each head, all of them as `heads.safetensors`, and
    `heads.json` with the encoder and how good they are. The same corpus, encoder and seed give the same
    heads on one machine. A hidden folder beside `out` takes the encoder states; it is removed at the end.

    Args:
        corpus: clips with profiles, anything that `budew.read` takes.
        out: folder; made, and complete when it is there.
        encoder, device: as of `load_encoder`; an encoder that is None is the one in this package.
        fitting: how they are trained, and their layout.
        memory: GB, see `MEMORY`; it decides how many heads are trained at once, and changes none.
        batch_size: clips encoded at once.
        on_bad: called with the error of each clip that cannot be read; without it the first is raised.
        progress, fitted: called with the number of clips that are encoded, and of heads that are trained.

    Raises:
        CheckpointError: `out` is in use, or there is no such encoder.
        CorpusError: the corpus cannot be read, no head can be trained on it, or none is better than the mean.
        JobError: there is not room enough on the disk.
    """
    folder, how = Path(out), fitting or Fitting()
    check_unused(folder)
    whisper = load_encoder(encoder, device=device)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(folder.parent) as scratch, disk_errors(folder):
        encoded = encode_corpus(
            corpus,
            whisper,
            scratch / "states",
            layout=how.layout,
            batch_size=batch_size,
            on_bad=on_bad,
            progress=progress,
        )
        quality: dict[str, Quality] = {}

        def good() -> Iterator[Head]:
            for head, found in fit_heads(encoded, how, memory=memory, device=whisper.device, room=scratch):
                quality[head.name] = found
                if fitted:
                    fitted(len(quality))
                if found.r2 > 0:
                    yield head

        heads = scratch / "heads"
        heads.mkdir()
        save_heads(good(), heads)
        validation = int(_held_out(encoded, how).sum())
        kept = load_heads(heads) if any(found.r2 > 0 for found in quality.values()) else []
        trained = Trained(tuple(kept), quality, len(encoded.speakers), validation, encoded.skipped)
        if not kept:
            raise CorpusError(_none_kept(corpus, trained, how))
        _write_notes(heads / NOTES, trained, how, whisper, encoder)
        put(heads, folder)
    return trained


def _none_kept(corpus: str | Path, trained: Trained, fitting: Fitting) -> str:
    if trained.quality and fitting.loss == "absolute":
        return (
            f"{corpus}: none of {len(trained.quality)} heads predicts other speakers better than the mean: "
            "the absolute error is least at 0 for emotions absent from most clips: use the squared loss"
        )
    return (
        f"{corpus}: no head can be trained on its {trained.clips} clips with profiles "
        f"({trained.skipped.bare} are without): it takes {FEWEST} with an emotion or attribute, and "
        f"{FEWEST_TO_CHECK} of other speakers ({trained.validation} clips are) that are predicted better "
        "than by the mean: annotate more clips, of more speakers"
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


def _held_out(encoded: Encoded, fitting: Fitting) -> NDArray[np.bool_]:
    return split_by_speaker(encoded.speakers, share=fitting.validation, seed=fitting.seed)


def fit_heads(
    encoded: Encoded,
    fitting: Fitting,
    *,
    memory: float = MEMORY,
    device: torch.device | None = None,
    room: Path | None = None,
    start: Sequence[Head] = (),
) -> Iterator[tuple[Head, Quality]]:
    """Fit heads to encoder states, and give each with how good it is; on a device.

    Args:
        encoded, fitting: clips, and how.
        memory: GB, see `MEMORY`.
        room: folder where the heads are to be saved, whose disk is checked.
        start: heads of one shape to train on, in the units of states and targets; then no others are.

    Raises:
        JobError: there is not room enough.
    """
    check = _held_out(encoded, fitting)
    is_emotion = np.array([name in EMOTIONS for name in encoded.names])
    known = np.where(is_emotion, np.nan_to_num(encoded.targets) > 0, ~np.isnan(encoded.targets))
    enough = (known[~check].sum(axis=0) >= FEWEST) & (known[check].sum(axis=0) >= FEWEST_TO_CHECK)
    begun = {head.name: head for head in start}
    columns = [
        column for column in np.flatnonzero(enough).tolist() if not start or encoded.names[column] in begun
    ]
    if not columns:
        return
    where, inputs = device or torch.device("cpu"), encoded.states.shape[1]
    each = 4 * fitting.weights(inputs)
    if room:
        check_space(room, 2 * each * len(columns), f"{len(columns)} heads in two formats")
    inside = _moments(encoded, np.flatnonzero(~check))
    if start:
        inside = torch.zeros_like(inside[0]), torch.ones_like(inside[1])
    mean, spread = (part.repeat(encoded.positions).to(where) for part in inside)

    def raw(chosen: Tensor) -> Tensor:
        return torch.from_numpy(encoded.states[chosen.numpy()]).to(where).float()

    def standardized(chosen: Tensor) -> Tensor:
        return raw(chosen).sub_(mean).div_(spread)

    learn, judge = torch.from_numpy(~check), torch.from_numpy(np.flatnonzero(check))
    together = max(1, int(memory * 1e9 / (COPIES * each)))
    for group in (columns[start : start + together] for start in range(0, len(columns), together)):
        names = [encoded.names[column] for column in group]
        targets = torch.from_numpy(encoded.targets[:, group]).double()
        center = targets[learn].nanmean(dim=0)
        width = (targets[learn] - center).square().nanmean(dim=0).sqrt().clamp(min=1e-3)
        if start:
            center, width = torch.zeros_like(center), torch.ones_like(width)
        aims = ((targets - center) / width).T.float().contiguous().to(where)
        first = HeadStack.of([begun[name] for name in names]) if start else None
        weights, epochs = fit_stack(names, standardized, aims, ~learn, fitting, first)
        for place, (column, name) in enumerate(zip(group, names, strict=True)):
            head = unstacked(name, weights, place, inside, (float(center[place]), float(width[place])))
            clips = int(known[~check, column].sum())
            scores = _scores(head.on(where, torch.float32), raw, judge, fitting.batch)
            yield head, _quality(scores, encoded.targets[:, column], check, clips, epochs[place])


def _moments(encoded: Encoded, clips: NDArray[np.intp]) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each channel over clips and positions, (width,) each.

    One a channel and not one an input, since behind the end of most clips an input hardly varies.
    """
    total, squares, count = 0.0, 0.0, len(clips) * encoded.positions
    for chosen in np.array_split(clips, len(clips) // 64 + 1):
        states = encoded.states[chosen].astype(np.float64).reshape(len(chosen) * encoded.positions, -1)
        total, squares = total + states.sum(axis=0), squares + np.square(states).sum(axis=0)
    mean = np.asarray(total) / count
    variance = np.asarray(squares) / count - np.square(mean)
    return torch.from_numpy(mean).float(), torch.from_numpy(variance.clip(min=1e-12) ** 0.5).float()


@torch.inference_mode()
def _scores(head: Head, raw: Callable[[Tensor], Tensor], clips: Tensor, batch: int) -> NDArray[np.float32]:
    scores = torch.cat([head(raw(chosen)).cpu() for chosen in torch.split(clips, batch)])
    found: NDArray[np.float32] = scores.numpy()
    return found


def _quality(
    scores: NDArray[np.float32],
    target: NDArray[np.float32],
    check: NDArray[np.bool_],
    clips: int,
    epochs: int,
) -> Quality:
    """Judge the scores of the validation clips."""
    known = ~np.isnan(target)
    mean = float(target[known & ~check].mean())
    judged = known & check
    miss, miss_of_mean = scores[known[check]] - target[judged], mean - target[judged]
    variance = max(float(np.square(miss_of_mean).mean()), 1e-12)
    return Quality(
        clips,
        r2=round(1 - float(np.square(miss).mean()) / variance, 4),
        error=round(float(np.abs(miss).mean()), 4),
        error_of_mean=round(float(np.abs(miss_of_mean).mean()), 4),
        epochs=epochs,
    )


def _write_notes(
    file: Path, trained: Trained, fitting: Fitting, encoder: Encoder, asked: str | Path | None
) -> None:
    quality = trained.quality
    notes: dict[str, Any] = {
        "made_by": f"budew {__version__}",
        "encoder": None if asked is None else str(asked),
        "encoder_name": encoder.name,
        "encoder_weights": identity(asked),
        "emotion_scale": SCALE,
        "fitting": asdict(fitting),
        "clips": trained.clips,
        "validation_clips": trained.validation,
        "clips_without_profile": trained.skipped.bare,
        "clips_with_unknown_emotions": trained.skipped.unjudged,
        "clips_truncated": trained.skipped.cut,
        "heads": {head.name: asdict(quality[head.name]) for head in trained.heads},
        "left_out": {name: asdict(found) for name, found in quality.items() if found.r2 <= 0},
        "too_rare": list(trained.rare),
    }
    file.write_text(json.dumps(notes, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
