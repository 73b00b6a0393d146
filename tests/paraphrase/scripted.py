"""Clips with profiles, and a backend whose answers a test scripts."""

import asyncio
from collections.abc import Callable, Sequence

from budew.captions import expressible
from budew.corpora.clip import Clip
from budew.paraphrase import Candidates, RewriteRequest
from budew.profile import VoiceProfile
from budew.randomness import generator
from budew.taxonomy import BURSTS, EMOTIONS, LEVELS

FULL = VoiceProfile(
    {"Anger": 1, "Fear": 0.5, "Pride": 0.25, "Longing": 0.75},
    ["Chuckle", "Sniff"],
    {"gender": "female", "age": "elderly", "accent": "French", "style": "casual"},
)


class Scripted:
    """A backend that answers each request with `answer(request)`: texts, or a failure as a string."""

    batch, ahead = 3, 2

    def __init__(self, answer: Callable[[RewriteRequest], Sequence[str] | str]) -> None:
        self.answer, self.asked = answer, []

    def settings(self):
        return {"backend": "scripted"}

    async def __aenter__(self):
        return self

    async def __aexit__(self, *ended):
        pass

    async def rewrite(self, requests):
        self.asked += requests
        await asyncio.sleep(0)
        return [self._candidates(request) for request in requests]

    def _candidates(self, request):
        given = self.answer(request)
        failed = isinstance(given, str)
        return Candidates(() if failed else tuple(given), {"backend": "scripted"}, given if failed else "")


def some_profile(*parts) -> VoiceProfile:
    """Return a profile drawn by `parts`: one to four emotions, bursts and traits now and then."""
    draw = generator("profile", *parts)
    names = draw.sample(EMOTIONS, draw.randint(1, 4))
    traits = {"gender": draw.choice(["female", "male"]), "age": draw.choice(["adult", "elderly"])}
    profile = VoiceProfile(
        {name: draw.choice(LEVELS[1:]) for name in names},
        draw.sample(sorted(BURSTS), draw.choice([0, 0, 1])),
        traits if draw.random() < 0.7 else {},
    )
    return expressible(profile)


def some_clips(count: int, *parts) -> list[Clip]:
    """Return clips with profiles and no audio to speak of."""
    return [
        Clip(f"clip-{number:04d}", b"RIFF", "wav", profile=some_profile(number, *parts))
        for number in range(count)
    ]
