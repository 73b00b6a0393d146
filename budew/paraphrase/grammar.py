"""Offline rewriting by grammar: what a caption says, in another frame, other words and another order.

No language model: the variety is that of the caption language. It serves where there is no server, and is
what a model's rewriting has to be better than. About 10,000 captions a second on one core.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from random import Random
from typing import Any

import yaml

from budew.captions import parse, render
from budew.paraphrase.backend import Candidates, Request
from budew.profile import VoiceProfile
from budew.randomness import derived_seed
from budew.resources import data_folder

_ATTEMPTS = (
    8  # renderings tried for each text asked for; two are the same only where a profile says next to nothing
)


class GrammarBackend:
    """Says what it reads in a caption in other words; what it cannot read is lost, as the gate will find."""

    async def rewrite(self, requests: Sequence[Request]) -> list[Candidates]:
        """Return `n` different texts for each request, fewer where the caption says too little to vary."""
        return [_rewritten(request) for request in requests]


def _rewritten(request: Request) -> Candidates:
    said = parse(request.caption).profile
    if not request.profile.emotions_known:
        said = VoiceProfile(None, said.bursts, said.traits)
    texts: list[str] = []
    for text in _variants(said, request):
        if text not in texts and text != request.caption:
            texts.append(text)
        if len(texts) >= request.n:
            break
    made_by = {"by": "grammar", "version": _rules()["version"], "seed": request.seed}
    return Candidates(request.id, tuple(texts[: request.n]), made_by)


def _variants(said: VoiceProfile, request: Request) -> Iterator[str]:
    for attempt in range(request.n * _ATTEMPTS):
        seed = derived_seed("grammar", request.id, request.seed, attempt)
        yield _varied(render(said, seed=seed), Random(seed))  # noqa: S311  # variation, not secrecy


def _varied(caption: str, random: Random) -> str:
    """Break or join sentences, and open prose in another way."""
    rules = _rules()
    for one, other in rules["splits"]:
        if random.random() < 0.5:
            caption = _broken(caption, one, other) if one in caption else _joined(caption, other, one)
    if caption.endswith(".") and random.random() < 0.3:
        opening = random.choice(rules["openings"])
        caption = opening.capitalize() + caption[0].lower() + caption[1:]
    return caption


def _broken(caption: str, mark: str, full_stop: str) -> str:
    return full_stop.join([part[:1].upper() + part[1:] for part in caption.split(mark)])


def _joined(caption: str, full_stop: str, mark: str) -> str:
    first, *others = caption.split(full_stop)
    return mark.join([first, *(part[:1].lower() + part[1:] for part in others)])


@cache
def _rules() -> dict[str, Any]:
    text = (data_folder("paraphrase") / "grammar.yaml").read_text(encoding="utf-8")
    rules: dict[str, Any] = yaml.safe_load(text)
    return rules
