"""Prompts that ask a captioner for a style and for parts of a caption: "tags, emotions".

Whisper takes a prompt as preceding text, after `<|startofprev|>` (`get_prompt_ids` of its tokenizer in
transformers), so that any program that can pass a prompt to a Whisper can ask for tags, or for the speaker
alone. Training draws such prompts, and inference passes the same ones.
"""

from typing import Literal, get_args

from budew.errors import InputError

Style = Literal["prose", "short", "tags"]
STYLES: tuple[Style, ...] = get_args(Style)
Parts = Literal["all", "emotions", "bursts", "speaker"]
PARTS: tuple[Parts, ...] = get_args(Parts)


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
