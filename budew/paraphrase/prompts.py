"""The prompts of `paraphrase/prompts.yaml`, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import yaml

from budew.paraphrase.backend import Request
from budew.randomness import derived_seed
from budew.resources import data_folder


@dataclass(frozen=True, slots=True)
class Prompts:
    """System text, a style for each request, and the form of the request."""

    version: int
    system: str
    styles: Mapping[str, str]
    request: str
    fixed_tokens: int
    tokens_per_word: int

    def style_of(self, request: Request) -> str:
        """Return the name of the style drawn for a request."""
        names = tuple(self.styles)
        return names[derived_seed("style", request.id, request.seed) % len(names)]

    def messages(self, request: Request) -> list[dict[str, str]]:
        """Return the messages of a chat that asks for the caption in other words."""
        style = self.styles[self.style_of(request)]
        asked = self.request.format(style=style, caption=request.caption)
        return [{"role": "system", "content": self.system}, {"role": "user", "content": asked}]

    def answer_tokens(self, request: Request) -> int:
        """Return how many tokens an answer may take."""
        return self.fixed_tokens + self.tokens_per_word * len(request.caption.split())


@cache
def load_prompts() -> Prompts:
    """Return the prompts that this installation brings."""
    table = yaml.safe_load((data_folder("paraphrase") / "prompts.yaml").read_text(encoding="utf-8"))
    return Prompts(
        version=table["version"],
        system=table["system"],
        styles=MappingProxyType(table["styles"]),
        request=table["request"],
        fixed_tokens=table["answer_tokens"]["fixed"],
        tokens_per_word=table["answer_tokens"]["per_word"],
    )
