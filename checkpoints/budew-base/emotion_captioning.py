"""Captions of speech, for `transformers.pipeline(model=DIR, trust_remote_code=True)`.

Each checkpoint folder has a copy of this file. If budew is installed, its own pipeline is used, which also
returns emotions, bursts and traits. Otherwise the class below needs only transformers, torch and av.
"""

import io
from typing import Any

import av
import numpy as np
from transformers import Pipeline


class _Captions(Pipeline):  # type: ignore[misc]  # transformers is taken as untyped
    """Pipeline that captions a path, bytes, or a dictionary with "array" (or "raw") and "sampling_rate".

    A recording is captioned in windows of the model's length. The output is a dictionary with "caption", one
    line per window; if there are several, also "windows", each with "start" and "end" in seconds and
    "caption".
    """

    _load_processor = False
    _load_image_processor = False
    _load_feature_extractor = True
    _load_tokenizer = True

    def _sanitize_parameters(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        return {}, options, {}

    def get_iterator(self, inputs: Any, num_workers: int, batch_size: int, *params: Any) -> Any:
        """Yield outputs lazily, one input at a time."""
        return super().get_iterator(inputs, num_workers, 1, *params)

    def preprocess(self, audio: Any) -> dict[str, Any]:
        """Return spectrograms (windows, mel bins, frames), and the end of each window in seconds."""
        extractor = self.feature_extractor
        rate, size = extractor.sampling_rate, extractor.n_samples
        samples = _samples(audio, rate)
        windows = [samples[start : start + size] for start in range(0, len(samples), size)]
        if len(windows) > 1 and len(windows[-1]) < 0.3 * rate:  # holds no word
            del windows[-1]
        features = extractor(windows, sampling_rate=rate, return_tensors="pt").input_features
        ends = np.cumsum([len(window) for window in windows]) / rate
        return {"features": features.to(self.model.dtype), "ends": ends.tolist()}

    def _forward(self, inputs: dict[str, Any], **options: Any) -> dict[str, Any]:
        each = (one[None].to(self.device) for one in inputs["features"])
        tokens = [self.model.generate(one, return_timestamps=False, **options)[0] for one in each]
        return {"tokens": tokens, "ends": inputs["ends"]}

    def postprocess(self, outputs: dict[str, Any]) -> dict[str, Any]:
        """Decode the generated tokens to the output dictionary."""
        ends = outputs["ends"]
        texts = [self.tokenizer.decode(one, skip_special_tokens=True).strip() for one in outputs["tokens"]]
        if len(texts) == 1:
            return {"caption": texts[0]}
        times = zip([0.0, *ends[:-1]], ends, texts, strict=True)
        windows = [{"start": start, "end": end, "caption": text} for start, end, text in times]
        return {"caption": "\n".join(texts), "windows": windows}


def _samples(audio: Any, rate: int) -> Any:
    """Decode audio to mono samples (n,) in [-1, 1] at `rate` Hz."""
    resampler = av.AudioResampler(format="fltp", rate=rate)
    if isinstance(audio, np.ndarray):
        raise TypeError('samples need a rate: give {"array": samples, "sampling_rate": rate}')
    if isinstance(audio, dict) and ("array" in audio or "raw" in audio):
        array = np.asarray(audio["array"] if "array" in audio else audio["raw"], dtype=np.float32)
        if array.ndim == 2:
            array = array.mean(axis=0 if array.shape[0] < array.shape[1] else 1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(array[None]), format="fltp", layout="mono")
        frame.sample_rate = int(audio["sampling_rate"])
        frames = resampler.resample(frame)
    else:
        if isinstance(audio, dict):
            audio = audio.get("bytes") or audio["path"]
        with av.open(io.BytesIO(audio) if isinstance(audio, bytes) else str(audio), "r") as container:
            frames = [frame for decoded in container.decode(audio=0) for frame in resampler.resample(decoded)]
    return np.concatenate([frame.to_ndarray().mean(0) for frame in [*frames, *resampler.resample(None)]])


try:
    from budew.inference.pipeline import EmotionCaptioningPipeline as CaptionPipeline
except ImportError:
    CaptionPipeline = _Captions  # type: ignore[misc]
