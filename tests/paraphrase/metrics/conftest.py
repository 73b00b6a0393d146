"""Rewritten clips with consistent counts, and shards of them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

import pytest

from budew.captions import render
from budew.corpora import Caption, Clip, write_shard
from budew.paraphrase.metrics.clip_sample import ClipSample, RewrittenClip
from tests.paraphrase.scripted import some_profile


def rewritten(number: int, *, style: str = "prose") -> Clip:
    """A clip with two captions; of every fifth the second is a fallback, of every seventh it is repaired."""
    profile, random = some_profile(number), Random(number)
    of = render(profile, seed=number)
    made_by = {
        "by": "paraphrase", "of": of, "backend": "chat", "model": "m1", "prompt": "listener",
        "prompt_version": 2, "style": style, "attempt": 1, "seed": number,
    }  # fmt: skip
    refused, fallbacks, repaired = random.randint(1, 3), number % 5 == 0, number % 5 > 0 and number % 7 == 0
    second = made_by | {"attempt": 2} | ({"repaired": "Fear"} if repaired else {})
    if fallbacks:
        second = {"by": "paraphrase", "of": of, "seed": number, "fallback": "lost"}
    texts = (render(profile, seed=seed + number) for seed in (1000, 2000))
    captions = tuple(map(Caption, texts, (made_by, second)))
    refusal = {
        "text": "The speaker has a calm flibbery kind of day.",
        "codes": ["lost", "added"], "missed": ["Fear"], "unknown": ["flibbery"],
    }  # fmt: skip
    account = {
        "requests": 2, "unanswered": 0, "accepted": 2 - fallbacks - repaired, "repaired": int(repaired),
        "spare": 1, "refused": refused, "fallbacks": int(fallbacks), "retried": 1,
        "candidates": 3 - fallbacks + refused, "codes": {"lost": refused}, "refusals": [refusal] * refused,
    }  # fmt: skip
    given = {"profile": profile, "captions": captions, "metadata": {"paraphrase": account}}
    return Clip(f"c{number:03d}", b"RIFF", "wav", **given)


def sampled(clips: Iterable[Clip], size: int = 1000, seed: int = 0) -> list[RewrittenClip]:
    sample = ClipSample(size, seed)
    for clip in clips:
        sample.add(clip)
    return sample.clips()


@pytest.fixture(scope="session")
def clips() -> list[Clip]:
    return [rewritten(number) for number in range(1, 61)]


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Iterable[Clip], str], Path]:
    """`written(clips, name)` writes a shard."""

    def write(clips: Iterable[Clip], name: str = "clips.tar") -> Path:
        write_shard(tmp_path / name, clips)
        return tmp_path / name

    return write


@pytest.fixture
def corpus(clips: list[Clip], written: Callable[..., Path]) -> Path:
    return written(clips)
