"""Prompts that ask a captioner for a style and for parts of a caption: "tags, emotions".

Whisper takes a prompt as preceding text, after `<|startofprev|>` (`get_prompt_ids` of its tokenizer in
transformers), so that any program that can pass a prompt to Whisper can request tags, or a caption of the
speaker only. Training uses random prompts of this form, and inference the same prompts.
"""

from typing import Literal, get_args

from budew.errors import InputError

Style = Literal["prose", "short", "tags"]
STYLES: tuple[Style, ...] = get_args(Style)
Parts = Literal["all", "emotions", "bursts", "speaker"]
PARTS: tuple[Parts, ...] = get_args(Parts)


def prompt_of(style: str | None, parts: str | None) -> str:
    """Return the prompt that requests a style, parts, or both; an empty text if both are None.

    Raises:
        InputError: unknown style or parts.

    Example:
        >>> prompt_of("tags", "emotions")
        'tags, emotions'
    """
    for given, known in ((style, STYLES), (parts, PARTS)):
        if given is not None and given not in known:
            raise InputError(f"{given!r} is not a known style or part: use {', '.join(known)}")
    return ", ".join(filter(None, (style, parts)))
