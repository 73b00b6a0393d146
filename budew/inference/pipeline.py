"""The task "emotion-captioning" of transformers: `pipeline("emotion-captioning")("clip.wav")`.

Call `register_pipeline` first.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from transformers import WhisperForConditionalGeneration, WhisperProcessor
from transformers.pipelines import PIPELINE_REGISTRY
from transformers.pipelines.base import Pipeline

from budew.inference.captioned_recording import CaptionedRecording
from budew.inference.captioner import Captioner
from budew.inference.options import WritingOptions
from budew.inference.recordings import from_audio
from budew.model.checkpoint import checkpoint_of, default_checkpoint, preferred_dtype
from budew.model.cpu_precision import check_precision
from budew.taxonomy import EMOTIONS

TASK = "emotion-captioning"
_WRITING = ("num_beams", "num_samples", "style", "parts", "windows", "wording", "seed")


class EmotionCaptioningPipeline(Pipeline):  # type: ignore[misc]  # transformers is taken as untyped
    """Pipeline of transformers that captions speech: one recording, or a list, generator or dataset of them.

    An input is a path, encoded bytes, a file opened for bytes, or a mapping with "array" (or "raw") and
    "sampling_rate", or with "bytes" or "path"; an array or a tensor needs the argument `sampling_rate`. An
    iterator of inputs gives an iterator of outputs, which reads a few batches ahead.

    An output is a dictionary: "caption", "emotions" (name to intensity in (0, 1]; None if no emotion is
    rated), "bursts", "traits"; with `scores=True` also "scores" (intensities of all 40 emotions). A recording
    longer than the model's window also has "windows"; "damaged" and "warnings" are present if they apply.

    The captions are those of a `Captioner`. Unless the pipeline has a `dtype`, the model runs in the
    precision that a captioner would choose; `dtype=None` leaves that of a loaded model.

    The pipeline and each call accept `batch_size`, `sampling_rate`, `scores`, and these of `WritingOptions`:
    `num_beams`, `num_samples`, `style`, `parts`, `windows`, `wording` and `seed`.
    """

    _load_processor = False  # loaded by checkpoint_of(), which also supports checkpoints without a processor
    _load_tokenizer = False
    _load_feature_extractor = False
    _load_image_processor = False
    _load_video_processor = False

    def __init__(self, model: Any, processor: Any = None, **options: Any) -> None:
        tokenizer, extractor = options.pop("tokenizer", None), options.pop("feature_extractor", None)
        if processor is None and tokenizer is not None and extractor is not None:
            processor = WhisperProcessor(extractor, tokenizer)
        self._checkpoint = checkpoint_of(model, processor)
        chosen = options.get("dtype")
        super().__init__(model, processor=self._checkpoint.processor, **options)
        if chosen == "auto":  # the default of transformers: the precision of the file
            dtype = preferred_dtype(self.device)
            model.to(getattr(torch, dtype))
            self._checkpoint = replace(self._checkpoint, dtype=dtype)
        if self.device.type == "cpu":
            check_precision("torch", self._checkpoint.dtype)

    def _sanitize_parameters(self, **given: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        unknown = given.keys() - {*_WRITING, "sampling_rate", "scores"}
        if unknown:
            raise TypeError(f"emotion-captioning has no argument {', '.join(sorted(unknown))}")
        groups = ("sampling_rate",), _WRITING, ("scores",)
        first, second, third = ({name: given[name] for name in names if name in given} for names in groups)
        return first, second, third

    def get_iterator(
        self, inputs: Any, num_workers: int, batch_size: int, *params: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Yield outputs lazily. Windows are batched, not inputs, and a separate thread reads the audio."""
        reading, writing, showing = params  # of `_sanitize_parameters`
        captioner = Captioner(self._checkpoint, WritingOptions(batch_size=batch_size, **writing))
        if hasattr(inputs, "__getitem__"):  # a dataset of torch need not be iterable
            inputs = map(inputs.__getitem__, range(len(inputs)))
        recordings = (self.preprocess(audio, **reading) for audio in inputs)
        results = captioner.caption_recordings(recordings)
        return (self.postprocess(result, **showing) for result in results)

    def preprocess(self, audio: Any, *, sampling_rate: int | None = None) -> Any:
        """Make a recording from an input."""
        return from_audio(audio, sampling_rate)

    def _forward(self, recording: Any, **options: Any) -> CaptionedRecording:
        return next(Captioner(self._checkpoint, WritingOptions(**options)).caption_recordings([recording]))

    def postprocess(self, result: CaptionedRecording, *, scores: bool = False) -> dict[str, Any]:
        """Convert a captioned recording to the output dictionary; `scores` adds all 40 intensities."""
        shown = result.to_dict()
        del shown["source"], shown["duration"]
        if scores:
            expected = result.expected
            absent = 0.0 if expected.rated else None
            shown["scores"] = {name: expected.emotions.get(name, absent) for name in EMOTIONS}
        return shown


def register_pipeline() -> None:
    """Register the task "emotion-captioning" for `transformers.pipeline`.

    Example:
        >>> from transformers.pipelines import PIPELINE_REGISTRY
        >>> register_pipeline()
        >>> "emotion-captioning" in PIPELINE_REGISTRY.get_supported_tasks()
        True
    """
    PIPELINE_REGISTRY.register_pipeline(
        TASK,
        pipeline_class=EmotionCaptioningPipeline,
        pt_model=WhisperForConditionalGeneration,
        default={"model": (default_checkpoint(), None)},
        type="multimodal",
    )
