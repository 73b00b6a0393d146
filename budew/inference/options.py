"""Options of captioning: which model is used (`ModelOptions`), and how it writes (`WritingOptions`).

Commands, jobs and benchmarks take these two objects, so that a model that captions one clip can also caption
a corpus, or be scored on a benchmark.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from budew.captions.caption_prompt import prompt_of
from budew.chat.server_settings import ServerSettings
from budew.errors import InputError
from budew.heads.presence import PresenceCurves

BACKENDS = ("transformers", "ctranslate2")
Windows = Literal["fixed", "speech"] | Path
CaptionWording = Literal["varied", "model"]


class CaptionServer(ServerSettings):
    """Settings of a server that captions windows at `/v1/audio/transcriptions`, such as vLLM."""

    window_seconds: float = Field(
        default=30.0,
        ge=1,
        le=30,
        description="Length of the model's window in seconds; longer recordings are cut.",
    )


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Which model writes captions, and which library, device and precision run it.

    Attributes:
        checkpoint: folder or hub id; several for an ensemble, whose caption joins the captions of all; None
            for the one in the environment variable `BUDEW_MODEL`, else the one in this package, which needs
            no network.
        backend: library that runs the model, one of `BACKENDS`; None for transformers, or ctranslate2 for a
            converted folder. Leave it None for an ONNX or OpenVINO folder of `budew export`.
        device: `cpu`, `cuda`, `cuda:1`, `xpu`, `mps`; None for the fastest available device.
        dtype: `float32`, `bfloat16`, `float16` or `int8`; None for float16 on cuda, the fastest precision on
            a CPU (measured once per machine), else float32.
        server: settings of a server that runs the model; the other attributes must then be None.

    Raises:
        InputError: unknown backend, or a server is given together with another attribute.

    Example:
        >>> from budew.inference.options import ModelOptions
        >>> ModelOptions("laion/BUD-E-Whisper", dtype="bfloat16").checkpoints
        ('laion/BUD-E-Whisper',)
    """

    checkpoint: str | Path | tuple[str | Path, ...] | None = None
    backend: str | None = None
    device: str | None = None
    dtype: str | None = None
    server: CaptionServer | None = None

    def __post_init__(self) -> None:
        if self.server is not None and any((self.checkpoint, self.backend, self.device, self.dtype)):
            raise InputError("the server chooses the model: remove model, backend, device and dtype")
        if self.backend not in (None, *BACKENDS):
            raise InputError(f"{self.backend!r} is not a backend: use {' or '.join(BACKENDS)}")

    @property
    def checkpoints(self) -> tuple[str | Path | None, ...]:
        """Checkpoints to load; (None,) for the default checkpoint, () for a server."""
        if self.server is not None:
            return ()
        if self.checkpoint is None or isinstance(self.checkpoint, str | Path):
            return (self.checkpoint,)
        return self.checkpoint or (None,)


@dataclass(frozen=True, slots=True)
class WritingOptions:
    """How captions are written.

    Attributes:
        num_beams: beam width, 1 is greedy search; None for the beam width in the checkpoint.
        num_samples: number of captions sampled for each window; scores are their mean. 0: scores come from
            the one caption.
        style: "prose", "short" or "tags"; needs a checkpoint that was trained with prompts. None: "prose" if
            `parts` is given, else no prompt.
        parts: what captions mention: "all", "emotions", "bursts" or "speaker"; needs a checkpoint that was
            trained with prompts. None: "all" if `style` is given, else no prompt. Without emotions in the
            caption, emotions are unrated.
        windows: how a long recording is cut. "fixed": every window has the model's length; "speech": at
            pauses (needs the extra `corpora`); path of an RTTM file: at its speaker turns.
        wording: captions of a recording that is cut into windows. "varied": each in another wording of the
            same meaning, so that they are not all alike; "model": in the words of the model. A recording of
            one window has the words of the model.
        seed: random seed of the varied wording.
        batch_size: windows captioned at once; a smaller number needs less memory and gives the same captions.
        presence: calibration of the probability that an emotion is present, which needs sampled captions;
            None: the share of the samples that name it.

    Raises:
        InputError: unknown style or parts.

    Example:
        >>> from budew.inference.options import WritingOptions
        >>> WritingOptions(style="tags").prompt
        'tags, all'
    """

    num_beams: int | None = None
    num_samples: int = 0
    style: str | None = None
    parts: str | None = None
    windows: Windows = "fixed"
    wording: CaptionWording = "varied"
    seed: int = 0
    batch_size: int = 16
    presence: PresenceCurves | None = None

    def __post_init__(self) -> None:
        prompt_of(self.style, self.parts)

    @property
    def prompt(self) -> str:
        """Prompt that requests style and parts; "" if both are None."""
        if self.style is None and self.parts is None:
            return ""
        return prompt_of(self.style or "prose", self.parts or "all")  # both, as in training
