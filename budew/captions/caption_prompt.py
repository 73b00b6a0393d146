"""Prompts that ask a captioner for a style and for parts of a caption: "tags, emotions".

Whisper takes a prompt as preceding text, after `<|startofprev|>` (`get_prompt_ids` of its tokenizer in
transformers), so that any program that can pass a prompt to a Whisper can ask for tags, or for the speaker
alone. Training draws such prompts, and inference passes the same ones.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from budew.captions.content_selection import EVERYTHING, RENDERED_PARTS, ContentSelection
from budew.captions.frames import STYLES
from budew.errors import InputError

Parts = Literal["all", "emotions", "bursts", "speaker"]
PARTS: tuple[Parts, ...] = get_args(Parts)
_SPEAKER = tuple(part for part in RENDERED_PARTS if part not in ("emotions", "bursts"))
SELECTIONS: Mapping[Parts, ContentSelection] = MappingProxyType({
    "all": EVERYTHING,
    "emotions": ContentSelection(leave_out=("bursts", *_SPEAKER)),
    "bursts": ContentSelection(leave_out=("emotions", *_SPEAKER)),
    "speaker": ContentSelection(leave_out=("emotions", "bursts")),
})  # fmt: skip
"""What a caption of these parts may express."""


def prompt_of(style: str | None, parts: str | None) -> str:
    """Return the prompt for a style, for parts, or both; empty for neither.

    Raises:
        InputError: there is no such style, or no such part.

    Example:
        >>> prompt_of("tags", "emotions")
        'tags, emotions'
    """
    for given, known in ((style, STYLES), (parts, PARTS)):
        if given is not None and given not in known:
            raise InputError(f"{given!r} cannot be asked for: there are {', '.join(known)}")
    return ", ".join(filter(None, (style, parts)))
