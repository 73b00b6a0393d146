"""Prompts name a style and parts that exist."""

import pytest

from budew.captions.caption_prompt import PARTS, prompt_of
from budew.errors import InputError


def test_a_prompt_names_known_styles_and_parts():
    assert prompt_of("tags", None) == "tags"
    assert prompt_of(None, None) == ""
    assert {prompt_of("prose", parts) for parts in PARTS} == {f"prose, {parts}" for parts in PARTS}
    with pytest.raises(InputError):
        prompt_of("poem", None)
