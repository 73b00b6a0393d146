"""Training targets: the text that the model learns to write for a clip, and the prompt before it.

The text is a caption, or 40 numbers. A prompt requests a style and parts of a caption, see
`budew.captions.caption_prompt`.
"""

import random
import re
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from budew.captions import frame_names, render
from budew.captions.caption_prompt import PARTS, STYLES, Style, prompt_of
from budew.captions.content_selection import EVERYTHING, SELECTIONS, has_content
from budew.errors import InputError
from budew.io.settings import Settings, Share
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS
from budew.taxonomy.rating_scales import SCALES

_SCALE = SCALES["scalar-target"]
UNRATED = "-"
"""Text of an unrated emotion in `scalars`."""
_NUMBER = re.compile(r"\d(?:\.\d)?", re.ASCII)


class TargetSettings(Settings):
    """Settings of the text that a model learns to write for a clip, drawn at random for each example.

    Example:
        >>> TargetSettings(kind="template", frames=("tags",)).renders
        True
    """

    kind: Literal["template", "paraphrase", "mixed", "scalars"] = Field(
        default="mixed",
        description='"template": a caption rendered from the profile; "paraphrase": a caption of the clip '
        'that passed the gate, or came with the corpus; "mixed": one of the two at random, if the clip has '
        'both; "scalars": 40 numbers from 0 to 5',
    )
    denials: Share = Field(
        default=0.2,
        description="largest share of the examples of each training corpus whose captions only deny emotions "
        '("no anger": rated and absent, the others unrated); such clips are drawn less often, others more '
        "often. A model that is trained mostly on denials writes them whenever it is unsure",
    )
    prompts: Share = Field(
        default=0.0,
        description="share of the examples with rendered captions that have a prompt for a style and for "
        "parts of the caption",
    )
    wording: Literal["varied", "plain"] = Field(
        default="varied",
        description='words of rendered captions: "varied" chooses among synonyms, "plain" always uses the '
        "first",
    )
    frames: tuple[str, ...] = Field(
        default=(),
        description="names of the sentence frames of rendered captions; empty: all. A style without any of "
        "these frames uses all of its own",
    )

    @field_validator("frames")
    @classmethod
    def _check_frames(cls, frames: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [frame for frame in frames if frame not in frame_names()]
        if unknown:
            raise ValueError(f"unknown frames {', '.join(unknown)}: choose from {', '.join(frame_names())}")
        return frames

    @property
    def renders(self) -> bool:
        """Whether captions are rendered from the profiles of clips; only rendered captions have prompts."""
        return self.kind in ("template", "mixed")

    def sentence_frames(self, style: Style | None) -> tuple[str, ...] | None:
        """Return those of `frames` that belong to a style (None: any style); None if there are none."""
        return tuple(frame for frame in self.frames if frame in frame_names(style=style)) or None


class Target(NamedTuple):
    """The text that the model learns to write, and the prompt before it ("": no prompt)."""

    text: str
    prompt: str = ""


def draw_target(
    profile: VoiceProfile | None, written: tuple[str, ...], settings: TargetSettings, rng: random.Random
) -> Target:
    """Draw a training target for a clip at random.

    Args:
        profile: profile of the clip; None if it has none.
        written: captions of the clip that may be used as they are.
        settings: kind of target, and settings of rendered captions.
        rng: random generator; the same state gives the same target.

    Raises:
        InputError: the clip has neither a caption nor a profile with content for this kind of target.
    """
    if settings.kind == "scalars" and profile is not None:
        return Target(scalars(profile))
    renders = profile is not None and settings.renders and has_content(profile)
    if settings.kind in ("paraphrase", "mixed") and written and not (renders and rng.random() < 0.5):
        return Target(rng.choice(written))
    if profile is None or not renders:
        raise InputError(
            "no target can be made for this clip: it has no captions, and no profile with content"
        )
    style: Style | None = None
    selection, prompt = EVERYTHING, ""
    if rng.random() < settings.prompts:
        style = rng.choice(STYLES)
        said = [parts for parts in PARTS if has_content(profile, SELECTIONS[parts])]
        parts = rng.choice([parts for parts in said if parts != "bursts" or profile.bursts])
        selection, prompt = SELECTIONS[parts], prompt_of(style, parts)
    text = render(
        profile,
        seed=rng.getrandbits(32),
        frame=settings.sentence_frames(style),
        style=style,
        selection=selection,
        wording=settings.wording,
    )
    return Target(text, prompt)


def scalars(profile: VoiceProfile) -> str:
    """Return the intensities of a profile as text: 40 numbers from 0 to 5 with one decimal, "-" if unrated.

    They are in the order of `EMOTIONS`, separated by spaces.
    """
    length = _SCALE.high - _SCALE.low
    values = (
        f"{_SCALE.low + length * profile.emotions.get(name, 0.0):.1f}" if name in profile.rated else UNRATED
        for name in EMOTIONS
    )
    return " ".join(values)


def read_scalars(text: str) -> NDArray[np.float32]:
    """Parse a text of `scalars`: return its intensities (40,), in [0, 1], NaN if unrated.

    Raises:
        InputError: the text does not have 40 numbers, or a number is not from 0 to 5.
    """
    words = text.split()
    if len(words) != len(EMOTIONS):
        raise InputError(f"expected {len(EMOTIONS)} numbers, not {len(words)} words")
    odd = [
        word
        for word in words
        if word != UNRATED and not (_NUMBER.fullmatch(word) and float(word) <= _SCALE.high)
    ]
    if odd:
        raise InputError(f"{odd[0][:20]!r} is not a number from {_SCALE.low:g} to {_SCALE.high:g}")
    length = _SCALE.high - _SCALE.low
    values = [np.nan if word == UNRATED else (float(word) - _SCALE.low) / length for word in words]
    return np.array(values, dtype=np.float32)
