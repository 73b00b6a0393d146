"""Captions that a language model wrote for this project, shipped in `paraphrase/rewrites.jsonl`.

Where they come from stands in `paraphrase/rewrites.yaml`. Reading them takes about 50 ms, once a process.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from budew.errors import InputError
from budew.profile import VoiceProfile
from budew.resources import data_folder
from budew.settings import Settings, validated
from budew.strict_json import loads

REWRITES = data_folder("paraphrase") / "rewrites.jsonl"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A template caption in the words of a language model.

    Attributes:
        id: of the request.
        profile: what it was to express; intensities are levels.
        style: the style of the prompts that was asked for.
        source: the template that was rewritten.
        caption: the rewriting.
        accepted: whether the gate accepted it.
    """

    id: str
    profile: VoiceProfile
    style: str
    source: str
    caption: str
    accepted: bool


class _Row(Settings):
    id: str
    profile: Mapping[str, Any]
    style: str
    source: str
    caption: str
    accepted: bool


@cache
def shipped_rewrites() -> tuple[Rewrite, ...]:
    """Return all rewrites, accepted or not, in the order of the file.

    Raises:
        InputError: a line is not strict JSON, or its profile is not valid; names the line.
        SettingsError: a field is missing, unknown or wrong; names the line and the field.
    """
    lines = REWRITES.read_text(encoding="utf-8").splitlines()
    return tuple(_read(line, name=f"{REWRITES} line {number}") for number, line in enumerate(lines, 1))


@cache
def accepted_by_profile() -> Mapping[VoiceProfile, tuple[Rewrite, ...]]:
    """Return the accepted rewrites of each profile."""
    found: dict[VoiceProfile, list[Rewrite]] = {}
    for rewrite in shipped_rewrites():
        if rewrite.accepted:
            found.setdefault(rewrite.profile, []).append(rewrite)
    return {profile: tuple(rewrites) for profile, rewrites in found.items()}


def _read(line: str, *, name: str) -> Rewrite:
    try:
        row = validated(_Row, loads(line), name=name)
        profile = VoiceProfile.from_dict(row.profile)
    except InputError as error:
        raise InputError(f"{name} {error}") from error
    return Rewrite(row.id, profile, row.style, row.source, row.caption, row.accepted)
