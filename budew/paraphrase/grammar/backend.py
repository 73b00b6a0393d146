"""Offline rewriting by grammar: what a profile says, in other sentences and other words than the template's.

No language model. A feeling changes its part of speech (noun, adjective, adverb, verb, what fills a voice),
sentences change order and voice, are split and joined, and words give way to synonyms; all by frames and
words of its own, `paraphrase/grammar`. What is written is read back, and only what says the profile exactly
is given; about 3,300 candidates a second of one core (benchmarks/paraphrase_offline.py). It serves where
there is no server, and is what a model's rewriting has to be better than.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from re import Match
from types import TracebackType
from typing import Any, Self

from budew.captions import expressible, load_lexicon, parse
from budew.captions.filling import Said
from budew.captions.frames import Frame
from budew.captions.render import said_of
from budew.paraphrase.backend import Candidates, Request
from budew.paraphrase.gate import folded, overlap
from budew.paraphrase.grammar.places import possible
from budew.paraphrase.grammar.rewording import Rewording, load_vocabulary
from budew.paraphrase.grammar.vocabulary import Vocabulary
from budew.profile import VoiceProfile
from budew.randomness import Choices

_ATTEMPTS = 8
"""Captions written for each text that is asked for, at most; so many only where there is little to say."""
_COMPARED = 3
"""Captions among which the one least like the source and its siblings is taken, if none is unlike enough."""
_SIBLINGS = 8
"""Captions before it, besides the source, that one is compared with."""
_UNLIKE = 0.5
"""Overlap below which a caption is unlike another; the gate refuses from 0.8 on."""
_BEGINNING = re.compile(r"(?:^|[.?] )\w")
_MOST_WITHS = 2
"""More of them in one caption is a chain."""


@dataclass(frozen=True, slots=True)
class GrammarBackend:
    """Says what a profile says in other words than its template caption."""

    @property
    def batch(self) -> int:
        """Any number would do: requests do not decide each other's candidates, and nothing is waited for."""
        return 64

    @property
    def ahead(self) -> int:
        """Nothing is waited for."""
        return 0

    def settings(self) -> Mapping[str, Any]:
        """Return the version of the data and their digest."""
        vocabulary = load_vocabulary()
        return {"backend": "grammar", "version": vocabulary.version, "data": vocabulary.digest}

    async def __aenter__(self) -> Self:
        load_vocabulary()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held."""

    async def rewrite(self, requests: Sequence[Request]) -> list[Candidates]:
        """Return `n` different texts for each request, fewer where the profile says too little to vary."""
        return [_rewritten(request) for request in requests]


def _rewritten(request: Request) -> Candidates:
    vocabulary = load_vocabulary()
    given = [request.caption, *(refused.text for refused in request.refused)]
    known, first = {folded(text) for text in given}, len(given)
    good = (text for text in _good(request, vocabulary) if folded(text) not in known)
    while len(given) < first + request.n:
        text = _unlike(good, (given[0], *given[1:][-_SIBLINGS:]))
        if text is None:
            break
        given.append(text)
        known.add(folded(text))
    texts = given[first:]
    return Candidates(tuple(texts), _made_by(request, vocabulary))


def _made_by(request: Request, vocabulary: Vocabulary) -> dict[str, str | int | float]:
    made_by: dict[str, str | int | float] = {"backend": "grammar", "version": vocabulary.version}
    return {**made_by, "style": request.style} if request.style in vocabulary.of_style else made_by


def _unlike(good: Iterator[str], others: Sequence[str]) -> str | None:
    """Return a text unlike the others, or the least like them of a few; None when no new one is left."""
    compared: list[tuple[float, str]] = []
    for text in good:
        likeness = max(overlap(text, other) for other in others)
        compared.append((likeness, text))
        if likeness < _UNLIKE or len(compared) == _COMPARED:
            break
    return min(compared)[1] if compared else None


def _good(request: Request, vocabulary: Vocabulary) -> Iterator[str]:
    """Write captions, each in the next frame of a random order, and give those that say just the profile."""
    lexicon, wanted = load_lexicon(), expressible(request.profile)
    said = said_of(request.profile, lexicon)
    there = possible(said, vocabulary)
    key = f"grammar {vocabulary.version} {request.id} {request.seed}"
    order = _in_any_order(_frames(request.style, said, there, vocabulary), Choices(key))
    for attempt, frame in enumerate(islice(cycle(order), _ATTEMPTS * request.n)):
        draw = Choices(f"{key} {attempt}")
        text = _BEGINNING.sub(
            _capital, Rewording(said, there, vocabulary, lexicon, draw, style=request.style).write(frame)
        )
        if text.count(" with ") <= _MOST_WITHS and _says(text, wanted):
            yield text


def _capital(beginning: Match[str]) -> str:
    return beginning[0].upper()


def _says(text: str, wanted: VoiceProfile) -> bool:
    """Tell whether a text says a profile and nothing else, to the level."""
    read = parse(text)
    return (read.emotions, read.bursts, read.traits) == (wanted.emotions, wanted.bursts, wanted.traits)


def _frames(style: str, said: Said, there: int, vocabulary: Vocabulary) -> list[Frame]:
    """Return the frames for a profile: those of the style, where it has any."""
    group = "feelings" if said.emotions else "neutral" if said.feelings else "silent"
    frames = [frame for frame in vocabulary.frames[group] if not frame.needs & ~there]
    wanted = vocabulary.of_style.get(style, {})
    fitting = [frame for frame in frames if all(getattr(frame, key) in wanted[key] for key in wanted)]
    return fitting or frames


def _in_any_order(frames: list[Frame], draw: Choices) -> Iterator[Frame]:
    """Give each frame once; the order is drawn as far as it is asked for."""
    while frames:
        at = draw.below(len(frames))
        frames[at], frames[-1] = frames[-1], frames[at]
        yield frames.pop()
