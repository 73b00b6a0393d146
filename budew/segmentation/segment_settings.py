"""`SegmentSettings`: where clips begin and end, and which are left out. Lengths are in seconds."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from budew.io.settings import Settings

LONGEST = 600.0
"""Limit of `max_seconds`: a clip is held in memory while it is cut (230 MB at 96 kHz)."""
SHORTEST = 0.5
"""What `max_seconds` leaves at least, without the padding."""
HYSTERESIS, MIN_EXIT = 0.15, 0.01
"""Of the exit threshold below the entry threshold, as in silero-vad's own `get_speech_timestamps`."""


class SegmentSettings(Settings):
    """Where clips begin and end, and which clips are left out; None stands for no limit."""

    min_seconds: float = Field(
        default=1.0, ge=0, description="Shorter clips are left out, in seconds with padding."
    )
    max_seconds: float = Field(
        default=30.0,
        le=LONGEST,
        description="Longer speech is divided, at a pause if there is one; in seconds with padding.",
    )
    pad: float = Field(
        default=0.1,
        ge=0,
        description="Padding before and after speech in seconds, at most half of the pause.",
    )
    max_pause: float = Field(default=0.5, ge=0, description="Longest pause within a clip, in seconds.")
    min_speech: float = Field(
        default=0.25, ge=0, description="Shorter stretches of speech count as noise, in seconds."
    )
    threshold: float = Field(default=0.5, gt=0, lt=1, description="Probability at which speech begins.")
    exit_threshold: float | None = Field(
        default=None,
        ge=0,
        description="Probability below which speech ends; 0.15 below `threshold` by default.",
    )
    languages: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(), description="BCP 47 tags to keep, all when empty; en keeps en-US as well."
    )
    language_model: str | None = Field(
        default=None,
        description="Multilingual Whisper (folder or hub id) that detects the language of clips without one.",
    )
    max_clipped: float | None = Field(
        default=None, ge=0, le=1, description="Largest accepted share of clipped samples."
    )
    min_rms_dbfs: float | None = Field(
        default=None, lt=0, description="Lowest accepted level in dBFS, such as -50."
    )
    min_snr_db: float | None = Field(
        default=None,
        lt=100,
        description="Lowest accepted signal-to-noise ratio in dB; clips with an unknown one are kept.",
    )
    bits: Literal[16, 24] = Field(default=16, description="Bits of a sample in the clips.")
    keep: tuple[str, ...] = Field(
        default=(), description="Metadata fields that clips copy from the recording."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.exit > self.threshold:
            raise ValueError(f"exit_threshold {self.exit:g} is above threshold {self.threshold:g}")
        if self.max_pause > self.max_seconds:
            raise ValueError(f"max_pause {self.max_pause:g} is longer than max_seconds {self.max_seconds:g}")
        least = max(self.min_seconds, SHORTEST)
        if self.max_seconds - 2 * self.pad < least:
            both = f"max_seconds {self.max_seconds:g} without pad {self.pad:g} on both sides"
            raise ValueError(f"{both} is shorter than {least:g} s: give a larger max_seconds")
        return self

    @property
    def exit(self) -> float:
        """The probability below which speech ends."""
        if self.exit_threshold is not None:
            return self.exit_threshold
        return max(self.threshold - HYSTERESIS, min(MIN_EXIT, self.threshold))
