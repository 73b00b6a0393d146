"""Fixed splits of known corpora by speaker (`speaker_splits.yaml`): `emodb@train:FOLDER` reads one of them.

A recipe trains on `emodb@train:…`, a benchmark scores on `emodb@test:…`, and no file has to be made for it.
"""

from collections.abc import Mapping, Sequence
from functools import cache

from budew.errors import InputError
from budew.io.resources import packaged_table

EVERYBODY_ELSE = "*"


@cache
def speaker_splits() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return corpus → split → names or ranges of speakers."""
    table: Mapping[str, Mapping[str, Sequence[str]]] = packaged_table(__package__, "speaker_splits")
    return table


def split_of(corpus: str, speaker: str) -> str | None:
    """Return the split of a speaker of a known corpus; None for one that is in no split."""
    splits = speaker_splits().get(corpus, {})
    named = (split for split, speakers in splits.items() if any(_holds(one, speaker) for one in speakers))
    rest = (split for split, speakers in splits.items() if EVERYBODY_ELSE in speakers)
    return next(named, None) or next(rest, None)


def check_split(corpus: str, split: str) -> None:
    """Raise `InputError` unless the corpus has such a split."""
    splits = ", ".join(speaker_splits().get(corpus, {}))
    if not splits:
        raise InputError(f"{corpus}@{split}: {corpus} has no fixed splits: make some with budew corpus split")
    if split not in speaker_splits()[corpus]:
        raise InputError(f"{corpus}@{split}: there is no such split: {corpus} has {splits}")


def _holds(entry: str, speaker: str) -> bool:
    """Return whether an entry is a speaker, or a range `first..last` of names of equal length with it."""
    first, is_range, last = entry.partition("..")
    return first <= speaker <= last and len(speaker) == len(first) if is_range else entry == speaker
