"""A checkpoint that CTranslate2 runs."""

from collections.abc import Sequence

from budew.inference.backends.backend import Asked, Prepared, Samples, Written
from budew.model.converted import Converted, encode_converted, write_converted
from budew.model.generate import checked_beams, spectrograms


class CTranslate2Backend:
    """See `Backend`."""

    def __init__(self, converted: Converted) -> None:
        extractor = converted.processor.feature_extractor
        self.converted = converted
        self.name = converted.name
        self.runs_on = f"ctranslate2, {converted.dtype}, {converted.model.device}"
        self.window_seconds = extractor.n_samples / extractor.sampling_rate
        self.sampling_rate: int = extractor.sampling_rate
        self.short_windows = converted.short_windows
        self.trained_with_prompts = converted.trained_with_prompts
        self.can_sample = False  # its random numbers depend on threads
        self.num_beams = checked_beams(converted.settings.num_beams, converted.name)

    def prepare(self, windows: Sequence[Samples], seconds: float) -> Prepared:
        """Compute spectrograms."""
        extractor = self.converted.processor.feature_extractor
        return Prepared(windows, spectrograms(extractor, windows, seconds=seconds))

    def write(self, batch: Prepared, asked: Asked) -> list[Written]:
        """Search for captions."""
        states = encode_converted(self.converted, batch.features)
        texts = write_converted(self.converted, states, num_beams=asked.num_beams, prompt=asked.prompt)
        return [Written(text) for text in texts]
