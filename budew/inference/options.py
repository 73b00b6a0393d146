"""Options of captioning: which model captions (`ModelOptions`), and how it writes (`WritingOptions`).

Commands, jobs and benchmarks take these two objects, so that whatever captions one clip can caption a corpus
or be scored on a benchmark.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from budew.captions.caption_prompt import prompt_of
from budew.chat.server_settings import ServerSettings
from budew.errors import InputError

BACKENDS = ("transformers", "ctranslate2")
Windows = Literal["fixed", "speech"] | Path


class CaptionServer(ServerSettings):
    """A server with `/v1/audio/transcriptions` that captions windows, such as vLLM."""

    window_seconds: float = Field(
        default=30.0,
        ge=1,
        le=30,
        description="Seconds; less than 30 for a model with a shorter window.",
    )


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Which model captions, and what runs it.

    Attributes:
        checkpoint: folder or hub id; several are an ensemble, whose caption joins what each writes; None for
            that of the environment variable `BUDEW_MODEL`, else the one in this package, which needs no
            network.
        backend: one of `BACKENDS`; None for transformers, or ctranslate2 for a converted folder. A folder of
            `budew export` for ONNX Runtime or OpenVINO runs as it is.
        device: `cpu`, `cuda`, `cuda:1`, `mps`; None for the fastest available.
        dtype: `float32`, `bfloat16`, `float16` or `int8`; None for float16 on cuda, on a CPU the fastest
            there (tried once a machine), else float32.
        server: a server that captions instead; the others are then None.

    Raises:
        InputError: there is no such backend, or a server is given together with a checkpoint or what runs it.

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
            raise InputError("a server has its own model: remove model, backend, device and dtype")
        if self.backend not in (None, *BACKENDS):
            raise InputError(f"{self.backend!r} is not a backend: use {' or '.join(BACKENDS)}")

    @property
    def checkpoints(self) -> tuple[str | Path | None, ...]:
        """The checkpoints that are loaded; (None,) for the default, and () for a server."""
        if self.server is not None:
            return ()
        if self.checkpoint is None or isinstance(self.checkpoint, str | Path):
            return (self.checkpoint,)
        return self.checkpoint or (None,)


@dataclass(frozen=True, slots=True)
class WritingOptions:
    """How captions are written.

    Attributes:
        num_beams: beam width, 1 is greedy search; None for that of the checkpoint.
        num_samples: average the scores over this many sampled captions of each window; 0 for the scores of
            the one caption.
        style: "prose", "short" or "tags", for a checkpoint that was trained with prompts.
        parts: "all", "emotions", "bursts" or "speaker", likewise. With one of style and parts given, the
            other is "prose" or "all". Emotions that are not asked for are unrated.
        windows: where recordings longer than the model's window are cut: "fixed", one window after the other;
            "speech", at pauses, which needs the extra corpora; the path of an RTTM file, at the turns of its
            speakers.
        batch_size: windows captioned at once; smaller needs less memory, captions are the same.

    Raises:
        InputError: there is no such style or part.

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
    batch_size: int = 16

    def __post_init__(self) -> None:
        prompt_of(self.style, self.parts)

    @property
    def prompt(self) -> str:
        """The text that asks for style and parts; "" where neither is given."""
        if self.style is None and self.parts is None:
            return ""
        return prompt_of(self.style or "prose", self.parts or "all")  # both, as in training
