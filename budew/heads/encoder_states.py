"""Hidden states of a Whisper encoder, the inputs of heads: for one window, or for a corpus as training data.

Published heads take one of two kinds of input ("layouts"):

- flattened: all hidden states concatenated, 1500 × 768 → 64 (Empathic Insight-Voice-Small) or 128 (-Large);
- pooled: mean, minimum, maximum and standard deviation (of a sample, n - 1) over time, 4 × 768 → 64.

Each window is padded to the full length that the encoder takes, as in Empathic Insight-Voice, so the rest of
a batch changes the states only by rounding.

The encoder runs once over a corpus for all heads. The states of each clip are appended to a file, which is
then mapped into memory, so that training reads mini-batches and never holds the corpus: a flattened clip
takes positions × width × 2 bytes (2.3 MB at the published 1,500 × 768), a pooled clip 16 bytes × width.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from budew.audio.samples import Window, warn_of_damage, windows
from budew.corpora.clip import Clip
from budew.corpora.sources import read
from budew.errors import AudioError, CheckpointError, OnBad, report
from budew.heads.networks import Head
from budew.io.disk import disk_errors
from budew.model.checkpoint import load_checkpoint
from budew.model.generate import spectrograms
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, EMOTIONS
from budew.taxonomy.rating_scales import from_intensity

Layout = Literal["pooled", "flattened"]
TARGETS: tuple[str, ...] = (*EMOTIONS, *ATTRIBUTES)
EMOTION_SCALE = "bud-e"
PUBLISHED = "laion/BUD-E-Whisper"
"""Encoder of the published heads, according to their model card."""
_STATISTICS = 4


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder of transformers (`module`) with its feature `extractor` and the `name` of its checkpoint.

    It takes `window_seconds` of audio at `sampling_rate` (Hz), and returns `positions` hidden states of
    `width` numbers for a window.
    """

    module: Any
    extractor: Any
    name: str
    window_seconds: float
    sampling_rate: int
    positions: int
    width: int

    @property
    def device(self) -> torch.device:
        """The device of the encoder."""
        device: torch.device = self.module.device
        return device

    def states(self, windows: Sequence[NDArray[np.float32]]) -> Tensor:
        """Return the hidden states (windows, positions, width), float32, or float16 on a GPU.

        Args:
            windows: mono samples of each window, (n,), at `sampling_rate`, at most `window_seconds` long.
        """
        features = spectrograms(self.extractor, windows).to(self.device, self.module.dtype)
        with torch.inference_mode():
            states: Tensor = self.module(features).last_hidden_state
        return states


def load_encoder(name_or_dir: str | Path | None = None, *, device: str | None = None) -> Encoder:
    """Load the encoder of a checkpoint, without its decoder.

    Args:
        name_or_dir: folder or hub id; None for the default checkpoint.
        device: "cpu", "cuda", "cuda:1"...; None for the fastest available.

    Raises:
        CheckpointError: the checkpoint or the device cannot be used, see `load_checkpoint`.
    """
    checkpoint = load_checkpoint(name_or_dir, device=device)
    config = checkpoint.model.config
    return Encoder(
        checkpoint.model.get_encoder(),
        checkpoint.processor.feature_extractor,
        checkpoint.name,
        checkpoint.window_seconds,
        checkpoint.sampling_rate,
        config.max_source_positions,
        config.d_model,
    )


@dataclass(frozen=True, slots=True)
class LabeledStates:
    """Encoder states of clips or images, and their labels.

    Attributes:
        states: flattened, (clips, positions × width), float16, or pooled, (clips, 4 × width), float32; mapped
            from a file.
        targets: (clips, names): emotions on 0 to 4, attributes on the scale of each attribute, NaN where
            unknown.
        speakers: speaker of each clip; the id of the clip if the speaker is unknown.
        positions: number of hidden states in a row of `states`; 1 if they are pooled.
        unused: numbers of clips of the corpus: "bare" without a profile, left out; "unrated" without rated
            emotions, used only for attributes; "truncated" to the first of several windows.
        names: names of the columns of `targets`.
        weights: weight of each clip in the loss, (clips,), with mean 1; None if all are equal.
        licenses: licence → number of clips; "not stated" for clips without one.
    """

    states: NDArray[np.floating]
    targets: NDArray[np.float32]
    speakers: tuple[str, ...]
    positions: int = 1
    unused: Mapping[str, int] = field(default_factory=dict)
    names: tuple[str, ...] = TARGETS
    weights: NDArray[np.float32] | None = None
    licenses: Mapping[str, int] = field(default_factory=dict)


def statistics_pooling(states: Tensor) -> Tensor:
    """Compute mean, minimum, maximum and standard deviation of hidden states over time.

    Args:
        states: (batch, time, width).

    Returns:
        (batch, 4 * width), float32.

    Example:
        >>> import torch
        >>> statistics_pooling(torch.tensor([[[1.0], [2.0], [3.0]]]))
        tensor([[2., 1., 3., 1.]])
    """
    states = states.float()
    return torch.cat([states.mean(1), states.amin(1), states.amax(1), states.std(1)], dim=1)


def layout_of(head: Head, encoder: Encoder) -> Layout:
    """Find out by its number of inputs which layout of states a head takes.

    Raises:
        CheckpointError: neither layout of this encoder has this number of inputs.
    """
    if head.inputs == _STATISTICS * encoder.width:
        return "pooled"
    if head.inputs == encoder.positions * encoder.width:
        return "flattened"
    raise CheckpointError(
        f"{head.name}: takes {head.inputs:,} numbers; this encoder gives {encoder.positions:,} × "
        f"{encoder.width:,} flattened or {_STATISTICS} × {encoder.width:,} pooled: specify the encoder that "
        "the head was trained on"
    )


def encoder_windows(clip: Clip, encoder: Encoder) -> Iterator[Window]:
    """Cut a clip into windows for an encoder.

    Raises:
        AudioError: the clip cannot be decoded.
    """
    seconds, rate = encoder.window_seconds, encoder.sampling_rate
    return windows(clip.audio, seconds=seconds, sampling_rate=rate, name=f"clip {clip.id!r}")


def encode_corpus(
    corpus: str | Path | Mapping[str, float],
    encoder: Encoder,
    file: Path,
    *,
    layout: Layout = "pooled",
    batch_size: int = 16,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> LabeledStates:
    """Run the encoder over the clips of a corpus that have profiles, on the first window of each clip.

    Args:
        corpus: clips with profiles, anything that `budew.read` takes; or several corpora, each with its share
            of the loss relative to the others, which does not depend on its number of clips.
        encoder: encoder from `load_encoder`.
        file: new file for the states, in an existing folder.
        layout: layout of the states, "pooled" or "flattened".
        batch_size: number of clips encoded at once.
        on_bad: called with the error of each clip that cannot be read; without it the first is raised.
        progress: called with the number of clips encoded so far.

    Raises:
        CorpusError: the corpus cannot be read.
        JobError: the disk is full.
    """
    flattened = layout == "flattened"
    positions, dtype = (encoder.positions, np.dtype("<f2")) if flattened else (1, np.dtype("<f4"))
    targets: list[list[float]] = []
    speakers: list[str] = []
    shares = corpus if isinstance(corpus, Mapping) else {str(corpus): 1.0}
    sources: list[str] = []
    unused, licenses = dict.fromkeys(("bare", "unrated", "truncated"), 0), Counter[str]()

    def first_windows() -> Iterator[NDArray[np.float32]]:
        for source, clip in ((one, clip) for one in shares for clip in read(one, on_bad=on_bad)):
            if clip.profile is None:
                unused["bare"] += 1
                continue
            parts = encoder_windows(clip, encoder)
            try:
                first, second = next(parts), next(parts, None)
            except AudioError as error:
                report(error, on_bad)
                continue
            warn_of_damage(first.damage)
            unused["truncated"] += second is not None
            unused["unrated"] += not clip.profile.rated
            targets.append(head_targets(clip.profile))
            speakers.append(clip.speaker or clip.id)
            sources.append(source)
            licenses[clip.stated_license] += 1
            yield first.samples

    samples = first_windows()
    with disk_errors(file.parent), file.open("xb") as out:
        while batch := list(islice(samples, batch_size)):
            states = encoder.states(batch)
            rows = states.flatten(1) if flattened else statistics_pooling(states)
            out.write(rows.cpu().numpy().astype(dtype).tobytes())
            if progress:
                progress(len(speakers))
    shape = (len(speakers), file.stat().st_size // dtype.itemsize // max(len(speakers), 1))
    mapped = np.memmap(file, dtype, "r", shape=shape) if speakers else np.zeros((0, 1), dtype)
    labels = np.array(targets, np.float32).reshape(-1, len(TARGETS))
    weights = None
    if len(shares) > 1:
        sizes = Counter(sources)
        each = np.array([shares[source] / sizes[source] for source in sources])
        weights = (each / each.mean()).astype(np.float32)
    return LabeledStates(
        mapped, labels, tuple(speakers), positions, unused, weights=weights, licenses=dict(licenses)
    )


def head_targets(profile: VoiceProfile) -> list[float]:
    """Return the values of a profile that heads learn to predict, in the order of `TARGETS`; NaN if unknown.

    Example:
        >>> targets = head_targets(VoiceProfile({"Awe": 0.5}, traits={"Arousal": 3.0}))
        >>> [targets[TARGETS.index(name)] for name in ("Awe", "Arousal", "Valence")]
        [2.0, 3.0, nan]
    """
    emotions = [
        np.nan if np.isnan(value) else from_intensity(float(value), EMOTION_SCALE)
        for value in profile.vector()
    ]
    return [*emotions, *(float(profile.traits.get(name, np.nan)) for name in ATTRIBUTES)]
