"""Offline rewriting without a language model at hand: the renderer with the words and frames of another file.

These are in `paraphrase/rewording.yaml`, distilled from captions that a language model wrote. Each text is
parsed and compared with the profile before it is offered, so that every candidate passes the gate; texts
unlike the template and earlier candidates come first. Where one of those captions (`rewrites.py`) is of the
same profile and style, it is among the candidates. About 1,600 candidates a second on one core.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import count, islice
from typing import Any, Self

from budew.captions import expressible, parse, render
from budew.captions.render import load_templates
from budew.errors import InputError
from budew.paraphrase.backend import Candidates, Request
from budew.paraphrase.gate import folded, judge, overlap
from budew.paraphrase.rewrites import REWRITES, Rewrite, accepted_by_profile
from budew.profile import VoiceProfile
from budew.randomness import derived_seed, generator
from budew.resources import data_folder

REWORDING = data_folder("paraphrase") / "rewording.yaml"
_ATTEMPTS = 8
"""Renderings for each text wanted, at most; only profiles with little to express need as many."""
_COMPARED = 3
"""Renderings compared for one text: the first that is unlike the others, or else the least like them."""
_SIBLINGS = 8
"""Earlier texts, besides the template, that one is compared with."""
_UNLIKE = 0.5
"""Overlap below which a text is unlike another; the gate refuses from 0.8 on."""
_MOST_WITHS = 2
"""More of them in one caption read as a chain."""


@dataclass(frozen=True, slots=True)
class GrammarBackend:
    """Renders profiles in other words than those of template captions."""

    batch: int = field(default=64, init=False)
    ahead: int = field(default=0, init=False)

    def settings(self) -> Mapping[str, Any]:
        """Return the version of the data and their digest."""
        return {"backend": "grammar", "version": _table()["version"], "data": _digest()}

    async def __aenter__(self) -> Self:
        _table()
        return self

    async def __aexit__(self, *ended: object) -> None:
        """Nothing is held."""

    async def rewrite(self, requests: Sequence[Request]) -> list[Candidates]:
        """Return `n` different texts for each request, fewer where the profile has too little to express."""
        return [_rewritten(request) for request in requests]


def _rewritten(request: Request) -> Candidates:
    made_by: dict[str, str | int | float] = {"backend": "grammar", "version": _table()["version"]}
    if request.style in _table()["of_style"]:
        made_by["style"] = request.style
    shipped = _shipped(request)
    if shipped is None:
        return Candidates(tuple(_constructed(request, request.n)), made_by)
    texts = _constructed(request, request.n - 1, shipped.caption)
    texts.insert(generator("place", request.id, request.seed).randrange(request.n), shipped.caption)
    return Candidates(tuple(texts), made_by, of_text={shipped.caption: {"rewrite": shipped.id}})


def _constructed(request: Request, n: int, *siblings: str) -> list[str]:
    """Return `n` renderings, if there are as many, unlike each other and the texts there are already."""
    texts = [request.caption, *(refused.text for refused in request.refused), *siblings]
    known, first = {folded(text) for text in texts}, len(texts)
    new = (text for text in _renderings(request) if folded(text) not in known)
    while len(texts) < first + n:
        compared: list[tuple[float, str]] = []
        others = (texts[0], *texts[1:][-_SIBLINGS:])
        for text in islice(new, _COMPARED):
            compared.append((max(overlap(text, other) for other in others), text))
            if compared[-1][0] < _UNLIKE:
                break
        if not compared:
            break
        texts.append(min(compared)[1])
        known.add(folded(texts[-1]))
    return texts[first:]


def _shipped(request: Request) -> Rewrite | None:
    """Draw a shipped rewrite of this profile and style that says exactly it and passes the gate, if any."""
    known, profile = {folded(refused.text) for refused in request.refused}, expressible(request.profile)
    rewrites = [one for one in accepted_by_profile().get(profile, ()) if request.style in ("", one.style)]
    generator("rewrite", request.id, request.seed).shuffle(rewrites)
    fitting = (
        one
        for one in rewrites
        if folded(one.caption) not in known
        and _says_all(one.caption, profile)
        and judge(one.caption, request.profile, source=request.caption).accepted
    )
    return next(fitting, None)


def _renderings(request: Request) -> Iterator[str]:
    """Yield renderings that parse back to exactly the profile, in the frames of the style if any suits it."""
    wanted = expressible(request.profile)
    frames: Sequence[str] | None = _frames_of(request.style)
    without = _table()["of_style"].get(request.style, {}).get("without", ())
    for attempt in islice(count(), _ATTEMPTS * request.n):
        seed = derived_seed("grammar", request.id, request.seed, attempt)
        try:
            text = render(request.profile, seed=seed, frame=frames, additions=REWORDING)
        except InputError:  # none of these frames suits the profile
            text = render(request.profile, seed=seed, additions=REWORDING)
        if not _says_all(text, wanted):
            continue
        if text.count(" with ") <= _MOST_WITHS and not any(word in text.lower() for word in without):
            yield text


def _says_all(text: str, wanted: VoiceProfile) -> bool:
    """Return whether a text parses back to exactly a profile."""
    read = parse(text)
    return (read.emotions, read.bursts, read.traits) == (wanted.emotions, wanted.bursts, wanted.traits)


@cache
def _frames_of(style: str) -> tuple[str, ...] | None:
    """Return the names of the frames of a style; None for all."""
    kinds = {key: values for key, values in _table()["of_style"].get(style, {}).items() if key != "without"}
    frames = load_templates(additions=REWORDING).frames.values()
    fitting = (frame.name for frame in frames if all(getattr(frame, key) in kinds[key] for key in kinds))
    return tuple(fitting) if kinds else None


def _table() -> Mapping[str, Any]:
    return load_templates(additions=REWORDING).lexicon.table


@cache
def _digest() -> str:
    files = (REWORDING, REWRITES, data_folder("caption_templates") / "en.yaml")
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]
