"""The messages of a chat as the text that a local model goes on with."""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import TemplateError

from budew.errors import JobError

Messages = Sequence[Mapping[str, str]]


def prompt_tokens(tokenizer: Any, messages: Messages) -> list[int]:
    """Return the tokens of a prompt: by the tokenizer's chat template, plain text where it has none.

    Models that can think are told not to.

    Raises:
        JobError: the template takes no such messages.
    """
    if not tokenizer.chat_template:
        return list(tokenizer(plain(messages)).input_ids)
    text = _templated(tokenizer, messages)
    return list(tokenizer(text, add_special_tokens=False).input_ids)  # the template has put them


def plain(messages: Messages) -> str:
    """Return what the messages say, one after the other, without saying who says it."""
    return "\n\n".join(message["content"].strip() for message in messages) + "\n"


def without_system(messages: Messages) -> list[dict[str, str]]:
    """Return messages in which the system's text begins that of the user: some templates know no system."""
    system = [message["content"] for message in messages if message["role"] == "system"]
    others = [dict(message) for message in messages if message["role"] != "system"]
    if system and others:
        others[0]["content"] = "\n\n".join([*system, others[0]["content"]])
    return others


def _templated(tokenizer: Any, messages: Messages) -> str:
    try:
        return _applied(tokenizer, messages)
    except (TemplateError, ValueError, TypeError):
        pass
    try:
        return _applied(tokenizer, without_system(messages))
    except (TemplateError, ValueError, TypeError) as error:
        raise JobError(
            f"the chat template of {tokenizer.name_or_path} takes no such messages ({error}): use another "
            "model"
        ) from error


def _applied(tokenizer: Any, messages: Messages) -> str:
    text: str = tokenizer.apply_chat_template(
        [dict(message) for message in messages],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=False,
    )
    return text
