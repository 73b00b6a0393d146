"""A checkpoint that transformers runs, on any device of torch."""

from collections.abc import Sequence

from budew.inference.backends.backend import Asked, Prepared, Samples, Written
from budew.inference.loops import stop_of_loops
from budew.inference.self_consistency import sample_captions
from budew.model.checkpoint import Checkpoint
from budew.model.generate import encode, features_of, number_of_beams, write_captions


class TransformersBackend:
    """See `Backend`."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.name = checkpoint.name
        self.runs_on = f"transformers, {checkpoint.dtype}, {checkpoint.model.device}"
        self.window_seconds = checkpoint.window_seconds
        self.sampling_rate = checkpoint.sampling_rate
        self.short_windows = checkpoint.short_windows
        self.trained_with_prompts = checkpoint.trained_with_prompts
        self.can_sample = True
        self.num_beams = number_of_beams(checkpoint)

    def prepare(self, windows: Sequence[Samples], seconds: float) -> Prepared:
        """Compute spectrograms."""
        return Prepared(windows, features_of(self.checkpoint, windows, seconds=seconds))

    def write(self, batch: Prepared, asked: Asked) -> list[Written]:
        """Run the encoder once, and the decoder for the caption and the samples."""
        encoded = encode(self.checkpoint, batch.windows, batch.features)
        texts = write_captions(
            self.checkpoint,
            encoded,
            num_beams=asked.num_beams,
            prompt=asked.prompt,
            stopping_criteria=stop_of_loops(),
        )
        sampled = sample_captions(
            self.checkpoint, encoded, num_samples=asked.num_samples, prompt=asked.prompt
        )
        return [Written(text, some) for text, some in zip(texts, sampled, strict=True)]
