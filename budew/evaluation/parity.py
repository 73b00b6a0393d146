"""Compare captions by a checkpoint in another format or precision with captions by the original."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from budew.audio.samples import windows
from budew.corpora.clip import Clip
from budew.errors import InputError
from budew.evaluation.emotion_metrics import score_emotions
from budew.inference import CaptionedRecording, Captioner
from budew.inference.backends import Backend, CTranslate2Backend, TransformersBackend
from budew.inference.options import WritingOptions
from budew.model.checkpoint import Checkpoint
from budew.model.converted import logits_converted
from budew.model.generate import encode, generate, generation_settings
from budew.profile import VoiceProfile, intensity_matrix

AT_ONCE = 8
"""Number of windows whose logits are compared in one batch."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How much the captions of a model in another format differ from those of the reference.

    Captions are greedy, since each library has its own beam search.

    Attributes:
        clips: number of clips.
        same: share of the clips whose two captions are equal, from 0 to 1.
        spearman, reference_spearman: mean over the emotions of the correlation between captioned intensities
            and labels, for the other model and for the reference; None if the clips have no labels.
        logits: largest absolute difference between logits of the two models, over the tokens of the
            reference's captions; with CTranslate2 only up to the first token that differs.
    """

    clips: int
    same: float
    spearman: float | None
    reference_spearman: float | None
    logits: float

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)


def compare_captions(reference: Checkpoint, other: Backend, clips: Sequence[Clip]) -> Parity:
    """Caption clips with a model and with its original, and measure how the captions differ.

    Args:
        reference: checkpoint of the original model, usually in float32.
        other: the same model in another format or precision.
        clips: clips to caption; correlations need their labels.
    """
    captions, spearman = captions_and_score(
        Captioner(TransformersBackend(reference), WritingOptions(num_beams=1)), clips
    )
    others, other_spearman = captions_and_score(Captioner(other, WritingOptions(num_beams=1)), clips)
    same = float(np.mean([one == two for one, two in zip(captions, others, strict=True)]))
    logits = largest_difference(reference, other, clips)
    return Parity(len(clips), same, other_spearman, spearman, logits)


def captions_and_score(captioner: Captioner, clips: Sequence[Clip]) -> tuple[list[str], float | None]:
    """Caption clips and compare the intensities with the labels.

    Returns:
        The caption of each clip, "" if it failed; Spearman's ρ, mean over the emotions, None without labels.
    """
    results = list(captioner.caption_clips(clips))
    labels = intensity_matrix([clip.profile or VoiceProfile() for clip in clips])
    predicted = [one.profile if isinstance(one, CaptionedRecording) else VoiceProfile() for one in results]
    score = float(score_emotions(labels, intensity_matrix(predicted))["mean_spearman"][0])
    captions = [one.caption if isinstance(one, CaptionedRecording) else "" for one in results]
    return captions, None if np.isnan(score) else score


def largest_difference(reference: Checkpoint, other: Backend, clips: Sequence[Clip]) -> float:
    """Return the largest absolute difference between the logits of two models, see `Parity.logits`.

    Raises:
        InputError: `other` runs on a backend that does not give logits.
    """
    rate, seconds, largest = reference.sampling_rate, reference.window_seconds, 0.0
    settings = generation_settings(reference, num_beams=1)
    for start in range(0, len(clips), AT_ONCE):
        heard = [
            next(windows(clip.encoded(), seconds=seconds, sampling_rate=rate, name=clip.id)).samples
            for clip in clips[start : start + AT_ONCE]
        ]
        tokens = generate(reference, settings, encoder_outputs=encode(reference, heard).outputs())
        expected = _logits(reference, heard, tokens)
        if isinstance(other, CTranslate2Backend):
            features = other.prepare(heard, seconds).features
            made = logits_converted(other.checkpoint, features, tokens)
        elif isinstance(other, TransformersBackend):
            made = _logits(other.checkpoint, heard, tokens)
        else:
            raise InputError(f"{other.name} does not give logits: compare it with another backend")
        largest = max(largest, float(np.nanmax(np.abs(expected - made))))
    return largest


def _logits(
    checkpoint: Checkpoint, heard: Sequence[NDArray[np.float32]], tokens: torch.Tensor
) -> NDArray[np.float32]:
    """Return the logits (windows, tokens, vocabulary) after each token."""
    outputs = encode(checkpoint, heard).outputs()
    with torch.inference_mode():
        logits = checkpoint.model(decoder_input_ids=tokens, encoder_outputs=outputs).logits
    found: NDArray[np.float32] = logits.float().numpy()
    return found
