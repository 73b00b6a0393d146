"""Train heads on a corpus with profiles, pooled or flattened, and save them in the published format.

The encoder runs once over the corpus, and the heads are fitted to its states; for pooled heads this takes
seconds. A head is trained for each emotion and voice attribute that occurs often enough, and kept if it
predicts clips of unknown speakers better than the mean does; heads that are left out are reported.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from budew.errors import CorpusError, OnBad
from budew.heads.encoder_states import EMOTION_SCALE, TARGETS, UnusedClips, encode_corpus, load_encoder
from budew.heads.fitting import FEWEST, FEWEST_TO_CHECK, Quality, fit_heads, split_by_speaker
from budew.heads.head_files import (
    NOTES,
    check_unused,
    head_file_name,
    load_heads,
    save_combined,
    save_head,
)
from budew.heads.networks import Head
from budew.heads.stack_training import FittingOptions
from budew.io.disk import disk_errors, temporary_folder
from budew.io.files import whole_folder
from budew.model.checkpoint import identity
from budew.version import __version__


@dataclass(frozen=True, slots=True)
class TrainedHeads:
    """The heads that were kept, and the results of their training.

    Attributes:
        heads: heads that were kept, sorted by name, mapped from their files.
        quality: name → quality of each head that was trained, including heads that were left out.
        clips: number of clips that were encoded.
        validation: number of these clips that were held out for validation.
        unused: number of clips of the corpus that were left out or used only in part.
    """

    heads: tuple[Head, ...]
    quality: dict[str, Quality]
    clips: int
    validation: int
    unused: UnusedClips

    @property
    def rare(self) -> tuple[str, ...]:
        """Emotions and attributes without a head, because too few clips have them."""
        return tuple(name for name in TARGETS if name not in self.quality)


def train_heads(
    corpus: str | Path,
    out: str | Path,
    *,
    encoder: str | Path | None = None,
    device: str | None = None,
    batch_size: int = 16,
    options: FittingOptions | None = None,
    on_bad: OnBad | None = None,
    progress: Callable[[int, str], None] | None = None,
) -> TrainedHeads:
    """Train heads on a corpus and save them in the folder `out`.

    The folder has `model_<Name>_best.pth` for each head, `heads.safetensors` with all heads, and `heads.json`
    with the encoder and the quality of the heads. On the same machine, the same corpus, encoder and seed give
    the same heads. Encoder states are stored in a hidden folder beside `out`, which is removed at the end.

    Args:
        corpus: clips with profiles, anything that `budew.read` takes.
        out: new folder; it appears under this name when it is complete.
        encoder: checkpoint, a folder or a hub id; None for the checkpoint in this package.
        device: "cpu", "cuda", "cuda:1"...; None for the first GPU, or the CPU without one.
        batch_size: number of clips encoded at once.
        options: settings of the training, and layout of the states; default: `FittingOptions()`.
        on_bad: called with the error of each clip that cannot be read; without it the first is raised.
        progress: called with a number and what it counts: "clips encoded", then "heads trained".

    Raises:
        CheckpointError: `out` is not empty, or the encoder does not exist.
        CorpusError: the corpus cannot be read, no head can be trained on it, or no head is better than the
            mean.
        JobError: the disk is full.

    Example:
        >>> import numpy as np
        >>> import soundfile
        >>> noise = np.random.default_rng(0).normal(size=8000)
        >>> for arousal in range(25):
        ...     soundfile.write(f"{arousal}.wav", noise * (arousal + 1) / 100, 16_000)
        ...     profile = {"traits": {"Arousal": arousal / 8}}
        ...     _ = Path(f"{arousal}.json").write_text(json.dumps({"profile": profile}))
        >>> options = FittingOptions(widths=(8,), rate=0.01, most_epochs=20, validation=0.2)
        >>> train_heads(".", "heads", device="cpu", options=options).quality["Arousal"].r2 > 0.5
        True
    """
    folder, options = Path(out), options or FittingOptions()
    check_unused(folder)
    whisper = load_encoder(encoder, device=device)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with disk_errors(folder), temporary_folder(folder.parent) as scratch, whole_folder(folder) as made:
        data = encode_corpus(
            corpus,
            whisper,
            scratch / "states",
            layout=options.layout,
            batch_size=batch_size,
            on_bad=on_bad,
            progress=None if progress is None else lambda clips: progress(clips, "clips encoded"),
        )
        quality: dict[str, Quality] = {}
        for head, found in fit_heads(data, options, device=whisper.device):
            quality[head.name] = found
            if progress is not None:
                progress(len(quality), "heads trained")
            if found.r2 > 0:
                save_head(head, made, head_file_name(head.name))
        heads = load_heads(made) if any(found.r2 > 0 for found in quality.values()) else []
        validation = split_by_speaker(data.speakers, share=options.validation, seed=options.seed).sum()
        trained = TrainedHeads(tuple(heads), quality, len(data.speakers), int(validation), data.unused)
        if not heads:
            raise CorpusError(_none_kept(corpus, trained, options))
        save_combined(heads, made)
        notes = {
            "made_by": f"budew {__version__}",
            "encoder": None if encoder is None else str(encoder),
            "encoder_name": whisper.name,
            "encoder_weights": identity(encoder),
            "emotion_scale": EMOTION_SCALE,
            "fitting": options.to_dict(),
            "clips": trained.clips,
            "validation_clips": trained.validation,
            "clips_without_profile": trained.unused.bare,
            "clips_with_unknown_emotions": trained.unused.unrated,
            "clips_truncated": trained.unused.truncated,
            "heads": {head.name: asdict(quality[head.name]) for head in heads},
            "left_out": {name: asdict(found) for name, found in quality.items() if found.r2 <= 0},
            "too_rare": list(trained.rare),
        }
        (made / NOTES).write_text(json.dumps(notes, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return trained


def _none_kept(corpus: str | Path, trained: TrainedHeads, options: FittingOptions) -> str:
    if trained.quality and options.loss == "absolute":
        return (
            f"{corpus}: none of {len(trained.quality)} heads predicts other speakers better than the mean: "
            "the absolute error is least at 0 for emotions absent from most clips: use the squared loss"
        )
    return (
        f"{corpus}: no head can be trained on its {trained.clips} clips with profiles "
        f"({trained.unused.bare} are without): it takes {FEWEST} with an emotion or attribute, and "
        f"{FEWEST_TO_CHECK} of other speakers ({trained.validation} clips are) that are predicted better "
        "than by the mean: annotate more clips, of more speakers"
    )
