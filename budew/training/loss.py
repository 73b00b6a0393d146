"""The loss of captions.

The loss of a step is the sum over the tokens of its captions divided by their number, over all devices and
accumulated batches: the cut of a step into batches changes nothing but rounding. (Whisper's own loss is a
mean over its batch, whatever the others hold.)
"""

from typing import Any

from torch import Tensor
from torch.nn.functional import cross_entropy

IGNORED = -100
"""Label of a token that the loss leaves out."""


def caption_loss(
    outputs: Any,
    labels: Tensor,
    num_items_in_batch: Tensor | int | None = None,
    *,
    clips: int,
    heads_weight: float,
) -> Tensor:
    """Return the share of a batch in the loss of its step.

    Args:
        outputs: of the model; their loss, if any, is that of the heads, summed over clips.
        labels: (clips, tokens).
        num_items_in_batch: tokens of captions in the step, over all devices.
        clips: in the step, over all devices.
        heads_weight: of the loss of the heads, by clip, against that of the captions, by token.
    """
    logits = outputs.logits.float()
    total = cross_entropy(
        logits.flatten(0, 1), labels.flatten().to(logits.device), ignore_index=IGNORED, reduction="sum"
    )
    count = (labels != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
    loss = total / count
    return loss if outputs.loss is None else loss + heads_weight * outputs.loss / clips
