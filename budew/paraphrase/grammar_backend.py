"""Offline rewriting: the caption renderer with more words and frames (`paraphrase/rewording.yaml`).

These words and frames were collected from captions that a language model wrote for this project
(`paraphrase/rewrites.jsonl`, origin in `paraphrase/rewrites.yaml`). Each text is parsed and compared with the
profile before it becomes a candidate. Texts unlike the template and earlier candidates are preferred. If one
of the model's captions has the same profile and style, it is among the candidates. About 1,600 candidates a
second on one core; the captions are loaded once for each process, in 50 ms.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any, Self

from budew.captions import expressible, parse, render
from budew.captions.content_selection import denied_emotions
from budew.captions.render import load_templates
from budew.errors import InputError
from budew.io.resources import data_folder
from budew.paraphrase.backend import Candidates, RewriteRequest
from budew.paraphrase.gate import folded, judge, overlap
from budew.profile import VoiceProfile
from budew.randomness import derived_seed, generator

REWORDING = data_folder("paraphrase") / "rewording.yaml"
REWRITES = data_folder("paraphrase") / "rewrites.jsonl"
_ATTEMPTS = 8
"""Most renderings for each requested text; only profiles with little to express need as many."""
_COMPARED = 3
"""Most renderings to choose a text from: the first that is unlike the other texts, else the least similar."""
_SIBLINGS = 8
"""Number of earlier texts, in addition to the template, with which a rendering is compared."""
_UNLIKE = 0.5
"""A text is unlike another if their `overlap` is below this value; the gate refuses from 0.8 on."""
_MOST_WITHS = 2
"""Most occurrences of "with" in a caption."""


@dataclass(frozen=True, slots=True)
class GrammarBackend:
    """Rewriting backend without a language model: renders profiles in other words than template captions.

    Attributes:
        batch, ahead: see `RewritingBackend`.

    Example:
        >>> import asyncio
        >>> from budew.paraphrase import RewriteRequest
        >>> request = RewriteRequest("a", "A very sad voice.", VoiceProfile({"Sadness": 0.75}), seed=7, n=2)
        >>> (candidates,) = asyncio.run(GrammarBackend().rewrite([request]))
        >>> [dict(parse(text).emotions) for text in candidates.texts]
        [{'Sadness': 0.75}, {'Sadness': 0.75}]
    """

    batch: int = field(default=64, init=False)
    ahead: int = field(default=0, init=False)

    def settings(self) -> Mapping[str, Any]:
        """Return the version of `rewording.yaml` and the digest of all data files, as JSON values."""
        return {"backend": "grammar", "version": _table()["version"], "data": _digest()}

    async def __aenter__(self) -> Self:
        _table()
        return self

    async def __aexit__(self, *ended: object) -> None:
        """Do nothing; the data stay in memory."""

    async def rewrite(self, requests: Sequence[RewriteRequest]) -> list[Candidates]:
        """Return `n` different candidates for each request, fewer if the profile has little to express."""
        return [_candidates(request) for request in requests]


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A caption of the file `rewrites.jsonl`, written by a language model from a template caption.

    Attributes:
        id: id of the request.
        profile: profile that the caption was requested to express; intensities are levels.
        style: name of the requested style.
        source: template caption that was rewritten.
        caption: caption that the model wrote.
        accepted: whether the gate accepted the caption.
    """

    id: str
    profile: VoiceProfile
    style: str
    source: str
    caption: str
    accepted: bool


@cache
def shipped_rewrites() -> tuple[Rewrite, ...]:
    """Return all captions of the file `rewrites.jsonl`, accepted or refused by the gate; cached.

    Example:
        >>> len(shipped_rewrites())
        1540
    """
    rows = map(json.loads, REWRITES.read_text(encoding="utf-8").splitlines())
    return tuple(Rewrite(**{**row, "profile": VoiceProfile.from_dict(row["profile"])}) for row in rows)


@cache
def _accepted_by_profile() -> Mapping[VoiceProfile, Sequence[Rewrite]]:
    found: defaultdict[VoiceProfile, list[Rewrite]] = defaultdict(list)
    for rewrite in shipped_rewrites():
        if rewrite.accepted:
            found[rewrite.profile].append(rewrite)
    return dict(found)


def _candidates(request: RewriteRequest) -> Candidates:
    made_by: dict[str, str | int | float] = {"backend": "grammar", "version": _table()["version"]}
    if request.style in _table()["of_style"]:
        made_by["style"] = request.style
    rewrite = _shipped(request)
    if rewrite is None:
        return Candidates(tuple(_renderings(request, request.n)), made_by)
    texts = _renderings(request, request.n - 1, rewrite.caption)
    texts.insert(generator("place", request.id, request.seed).randrange(request.n), rewrite.caption)
    return Candidates(tuple(texts), made_by, of_text={rewrite.caption: {"rewrite": rewrite.id}})


def _shipped(request: RewriteRequest) -> Rewrite | None:
    """Draw a shipped rewrite of the style that expresses the profile and passes the gate, or return None."""
    known = {folded(refused.text) for refused in request.refused}
    profile = expressible(request.profile)
    rewrites = [one for one in _accepted_by_profile().get(profile, ()) if request.style in ("", one.style)]
    generator("rewrite", request.id, request.seed).shuffle(rewrites)
    for rewrite in rewrites:
        if folded(rewrite.caption) in known or not _expresses(rewrite.caption, profile):
            continue
        if judge(rewrite.caption, request.profile, source=request.caption).accepted:
            return rewrite
    return None


def _renderings(request: RewriteRequest, n: int, *siblings: str) -> list[str]:
    """Return up to `n` renderings, as unlike as possible: each other, template, refused texts, siblings."""
    texts = [request.caption, *(refused.text for refused in request.refused), *siblings]
    known, first = {folded(text) for text in texts}, len(texts)
    new = (text for text in _exact_renderings(request) if folded(text) not in known)
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


def _exact_renderings(request: RewriteRequest) -> Iterator[str]:
    """Yield renderings whose parse equals the profile, with frames of the style if one suits the profile."""
    wanted = expressible(request.profile)
    frames = _frames_of(request.style)
    unwanted = _table()["of_style"].get(request.style, {}).get("without", ())
    for attempt in range(_ATTEMPTS * request.n):
        seed = derived_seed("grammar", request.id, request.seed, attempt)
        try:
            text = render(request.profile, seed=seed, frame=frames, additions=REWORDING)
        except InputError:  # none of these frames suits the profile
            text = render(request.profile, seed=seed, additions=REWORDING)
        if text.count(" with ") > _MOST_WITHS or any(word in text.lower() for word in unwanted):
            continue
        if _expresses(text, wanted) and set(denied_emotions(request.profile)) <= set(parse(text).absent):
            yield text


def _expresses(text: str, wanted: VoiceProfile) -> bool:
    """Return whether the parse of a text equals a profile."""
    parsed = parse(text)
    return (parsed.emotions, parsed.bursts, parsed.traits) == (wanted.emotions, wanted.bursts, wanted.traits)


@cache
def _frames_of(style: str) -> tuple[str, ...] | None:
    """Return the names of the frames of a style; None if a style has no frames of its own."""
    kinds = {key: values for key, values in _table()["of_style"].get(style, {}).items() if key != "without"}
    frames = load_templates(REWORDING).frames.values()
    fitting = (frame.name for frame in frames if all(getattr(frame, key) in kinds[key] for key in kinds))
    return tuple(fitting) if kinds else None


def _table() -> Mapping[str, Any]:
    return load_templates(REWORDING).lexicon.table


@cache
def _digest() -> str:
    files = (REWORDING, REWRITES, data_folder("caption_templates") / "en.yaml")
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]
