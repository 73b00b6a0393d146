"""Train heads on a corpus with profiles, pooled or flattened, and save them in the published format.

The encoder runs once over the corpus, and the heads are fitted to its states; for pooled heads this takes
seconds. A head is trained for each emotion and voice attribute that occurs often enough, and kept if it
predicts clips of unknown speakers better than the mean does; heads that are left out are reported.

With labels by experts there are two stages, as for faces: heads are trained on many weak labels, and then
further on the few labels by experts, at a tenth of the learning rate (`fit_heads`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from budew.errors import CheckpointError, CorpusError, InputError, OnBad
from budew.heads.encoder_states import (
    EMOTION_SCALE,
    TARGETS,
    Encoder,
    LabeledStates,
    encode_corpus,
    layout_of,
    load_encoder,
)
from budew.heads.fitting import FEWEST, FEWEST_TO_CHECK, Quality, fit_heads, split_by_speaker
from budew.heads.head_files import (
    check_encoder,
    check_unused,
    head_file_name,
    load_heads,
    save_combined,
    save_head,
    write_notes,
)
from budew.heads.networks import Head
from budew.heads.stack_training import FittingOptions
from budew.io.addresses import without_secrets
from budew.io.disk import disk_errors, temporary_folder
from budew.io.files import whole_folder
from budew.model.checkpoint import identity
from budew.version import __version__


@dataclass(frozen=True, slots=True)
class HeadCorpora:
    """Corpora that heads are trained on, in one or two stages, and the heads to start from.

    Attributes:
        weak: corpus of the first stage → its share of the loss relative to the other corpora, whatever its
            number of clips. Labels in this stage are usually many and weak.
        expert: corpus of the second stage → its share, likewise; {} for one stage.
        start: folder or file of heads that are trained further, at a tenth of the learning rate; None: all
            weights are random at the start.

    Example:
        >>> HeadCorpora({"talent/": 1.0, "emolia/": 0.5}, expert={"rated/": 1.0}).expert
        {'rated/': 1.0}
    """

    weak: Mapping[str, float]
    expert: Mapping[str, float] = field(default_factory=dict)
    start: str | Path | None = None

    def __post_init__(self) -> None:
        for corpus, share in [*self.weak.items(), *self.expert.items()]:
            if not 0 < share < float("inf"):
                raise InputError(f"{corpus}: its weight is {share:g}: give a number above 0")


@dataclass(frozen=True, slots=True)
class HeadStage:
    """Results of one stage of the training of heads.

    Attributes:
        corpora: corpus → its weight.
        quality: name → quality of each head that was trained, including heads that were left out.
        clips: number of clips that were encoded.
        validation: number of these clips that were held out for validation.
        unused: numbers of clips of the corpora: "bare" without a profile, left out; "unrated" without rated
            emotions, used only for attributes; "truncated" to the first of several windows.
        licenses: licence → number of clips.
    """

    corpora: Mapping[str, float]
    quality: Mapping[str, Quality]
    clips: int
    validation: int
    unused: Mapping[str, int]
    licenses: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TrainedHeads:
    """The heads that were kept, and the results of their training.

    Attributes:
        heads: heads that were kept, sorted by name, mapped from their files.
        stages: stage ("weak", "expert") → its results.
    """

    heads: tuple[Head, ...]
    stages: Mapping[str, HeadStage]

    @property
    def quality(self) -> dict[str, Quality]:
        """Name → quality of each head that was trained, in the last stage that trained it."""
        return {name: found for stage in self.stages.values() for name, found in stage.quality.items()}

    @property
    def clips(self) -> int:
        """Number of clips that were encoded, in all stages."""
        return sum(stage.clips for stage in self.stages.values())

    @property
    def rare(self) -> tuple[str, ...]:
        """Emotions and attributes without a head, because too few clips have them."""
        known = {*self.quality, *(head.name for head in self.heads)}
        return tuple(name for name in TARGETS if name not in known)


def train_heads(
    corpus: str | Path | HeadCorpora,
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

    The folder has `model_<Name>_best.pth` for each head, `heads.safetensors` with all heads, `heads.json`
    with the encoder and the quality of the heads, and a model card, `README.md`. On the same machine, the
    same corpus, encoder and seed give the same heads. Encoder states are stored in a hidden folder beside
    `out`, which is removed at the end.

    Args:
        corpus: clips with profiles, anything that `budew.read` takes; or several corpora, in one or two
            stages.
        out: new folder; it appears under this name when it is complete.
        encoder: checkpoint, a folder or a hub id; None for the checkpoint in this package.
        device: "cpu", "cuda", "cuda:1"...; None for the first GPU, or the CPU without one.
        batch_size: number of clips encoded at once.
        options: settings of the training, and layout of the states; default: `FittingOptions()`.
        on_bad: called with the error of each clip that cannot be read; without it the first is raised.
        progress: called with a number and what it counts: "clips encoded", then "heads trained".

    Raises:
        CheckpointError: `out` is not empty, the encoder does not exist, or heads to start from have other
            layers than `options` or another encoder.
        CorpusError: the corpus cannot be read, no head can be trained on it, or no head is better than the
            mean.
        JobError: the disk is full.

    Example:
        >>> import json
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
    corpora = corpus if isinstance(corpus, HeadCorpora) else HeadCorpora({str(corpus): 1.0})
    whisper = load_encoder(encoder, device=device)
    start = [] if corpora.start is None else _starting_heads(corpora.start, encoder, whisper, options)
    stages: dict[str, HeadStage] = {}
    with disk_errors(folder), whole_folder(folder) as made, temporary_folder(folder.parent) as scratch:
        for head in start:
            save_head(head, made, head_file_name(head.name))
        for stage, weights in (("weak", corpora.weak), ("expert", corpora.expert)):
            if not weights:
                continue
            data = encode_corpus(
                weights,
                whisper,
                scratch / stage,
                layout=options.layout,
                batch_size=batch_size,
                on_bad=on_bad,
                progress=None if progress is None else lambda clips: progress(clips, "clips encoded"),
            )
            quality = _train_stage(data, options, made, whisper.device, progress)
            held_out = split_by_speaker(data.speakers, share=options.validation, seed=options.seed)
            named = {without_secrets(one): weight for one, weight in weights.items()}
            counts = len(held_out), int(held_out.sum())
            stages[stage] = HeadStage(named, quality, *counts, data.unused, data.licenses)
        qualities = {stage: found.quality for stage, found in stages.items()}
        if not any(one.r2 > 0 for quality in qualities.values() for one in quality.values()):
            raise CorpusError(_none_kept(corpora, TrainedHeads((), stages), options))
        trained = TrainedHeads(tuple(load_heads(made)), stages)
        save_combined(trained.heads, made)
        notes = {
            "made_by": f"budew {__version__}",
            "encoder": None if encoder is None else str(encoder),
            "encoder_name": whisper.name,
            "encoder_weights": identity(encoder),
            "emotion_scale": EMOTION_SCALE,
            "fitting": options.to_dict(),
            "start": None if corpora.start is None else str(corpora.start),
            "too_rare": trained.rare,
            "stages": stages,
        }
        start_line = [] if corpora.start is None else [f"start: the heads {Path(corpora.start).name}"]
        lines = [f"{stage} labels: {_described(found)}" for stage, found in stages.items()]
        write_notes(made, notes, qualities, [*start_line, *lines], "voice")
    return trained


def _train_stage(
    data: LabeledStates,
    options: FittingOptions,
    folder: Path,
    device: torch.device,
    progress: Callable[[int, str], None] | None,
) -> dict[str, Quality]:
    """Train the heads in `folder` further, and all others; save those that are better than the mean in it."""
    earlier = load_heads(folder) if any(folder.iterdir()) else []
    quality: dict[str, Quality] = {}
    for head, found in fit_heads(data, options, device=device, start=earlier):
        quality[head.name] = found
        if progress is not None:
            progress(len(quality), "heads trained")
        if found.r2 > 0:
            name = head_file_name(head.name)
            (folder / name).unlink(missing_ok=True)  # not overwritten: an earlier head is mapped from it
            save_head(head, folder, name)
    return quality


def _starting_heads(
    start: str | Path, name: str | Path | None, encoder: Encoder, options: FittingOptions
) -> list[Head]:
    """Load heads to train further; raise `CheckpointError` unless they have the layers of `options`."""
    check_encoder(start, name)
    heads = load_heads(start)
    for head in heads:
        found = layout_of(head, encoder), tuple(len(bias) for _, bias in head.layers[:-1])
        if found != (options.layout, options.widths):
            raise CheckpointError(
                f"{start}: {head.name} is {found[0]} with layers of {found[1]}, not {options.layout} with "
                f"{options.widths}: train with the layout and size of the heads to start from"
            )
    return heads


def _described(stage: HeadStage) -> str:
    """Return corpora and licences of a stage for the model card."""
    corpora = ", ".join(f"{name} (weight {weight:g})" for name, weight in stage.corpora.items())
    licenses = ", ".join(f"{name} {clips:,}" for name, clips in stage.licenses.items())
    return f"{stage.clips:,} clips of {corpora}; licences of the clips: {licenses}"


def _none_kept(corpora: HeadCorpora, trained: TrainedHeads, options: FittingOptions) -> str:
    corpus = ", ".join([*corpora.weak, *corpora.expert])
    if trained.quality and options.loss == "absolute":
        return (
            f"{corpus}: none of {len(trained.quality)} heads predicts other speakers better than the mean: "
            "the absolute error is least at 0 for emotions absent from most clips: use the squared loss"
        )
    found = list(trained.stages.values())
    bare, validation = sum(one.unused["bare"] for one in found), sum(one.validation for one in found)
    return (
        f"{corpus}: no head can be trained on its {trained.clips} clips with profiles "
        f"({bare} are without): it takes {FEWEST} with an emotion or attribute, and "
        f"{FEWEST_TO_CHECK} of other speakers ({validation} clips are) that are predicted better "
        "than by the mean: annotate more clips, of more speakers"
    )
