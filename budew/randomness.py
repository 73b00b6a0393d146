"""Chance that depends on what it is for and on nothing else: not on order, workers, time or a global seed."""

import hashlib
import random


def generator(*parts: str | int) -> random.Random:
    """Return a generator seeded by SHA-256 of `parts`, such as a seed, the id of a clip and a purpose."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return random.Random(digest)  # noqa: S311  # reproducible on purpose, no secret


def derived_seed(*parts: str | int) -> int:
    """Return 32 bits made of `parts`, for what takes a number."""
    return generator(*parts).getrandbits(32)
