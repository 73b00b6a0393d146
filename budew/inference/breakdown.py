"""When the model itself breaks down on a batch: one sentence with the recording and the remedy.

A bad file is a `Failure` and the others go on. A model that runs out of memory, or whose checkpoint asks for
a token that it has not, would do the same on every batch: that ends the work.
"""

import torch

_NO_MEMORY = ("out of memory", "allocate memory")  # CUDA and Metal; the CPU


class CaptioningError(ValueError):
    """The model could not caption a batch; the message names a recording in it and says what to do."""


def explained(error: Exception, *, source: str, windows: int, device: torch.device) -> CaptioningError:
    """Return what to tell of an error in the model.

    Args:
        error: as it came.
        source: first recording of the batch.
        windows: in the batch.
        device: of the model.
    """
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    if _is_lack_of_memory(error, reason):
        remedy = f"use a smaller --batch-size than {windows}" if windows > 1 else "use fewer --beams"
        fault = f"out of memory on {device} with {windows} windows at once"
        return CaptioningError(f"{source}: {fault}: {remedy}, or --device cpu")
    fault = f"the model failed on {device} ({type(error).__name__}: {reason})"
    return CaptioningError(
        f"{source}: {fault}: is its generation_config.json sound? Fetch it again, or try --device cpu"
    )


def _is_lack_of_memory(error: Exception, reason: str) -> bool:
    return isinstance(error, MemoryError) or any(words in reason.lower() for words in _NO_MEMORY)
