"""From names as people write them to a plan: what is left out is everything, what nobody knows is told."""

from collections.abc import Iterable, Mapping, Sequence

from budew.synthesis.acting.backend import Backend
from budew.synthesis.acting.errors import ActingError
from budew.synthesis.acting.plan import TEXTS, ActingPlan
from budew.synthesis.acting.tables import challenges as known_challenges
from budew.synthesis.acting.tables import languages as known_languages
from budew.taxonomy import EMOTIONS, LEVEL_NAMES, LEVELS, emotion


def make_plan(
    backend: Backend,
    *,
    seed: int,
    emotions: Sequence[str] | None = None,
    intensities: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    accents: Sequence[str] | None = None,
    voices: Sequence[str] | None = None,
    challenges: Sequence[str] | None = None,
    texts: Sequence[str] | None = None,
) -> ActingPlan:
    """Return a plan for a backend. Each axis that is left out has all its levels.

    Args:
        backend: who will speak: its voices, and the accents that it has.
        seed: decides what meets what.
        emotions: in any spelling.
        intensities: of slight, moderate, strong and extreme.
        languages: codes: en, de, es, fr.
        accents: spoken where the language has them; a language with none of them is spoken in all its own.
        voices: names that the backend knows.
        challenges: names of `challenges.yaml`.
        texts: "fitting" the emotion, "neutral", or both.

    Raises:
        UnknownNameError: there is no such emotion.
        ActingError: there is no such level of another axis, or an axis has none.
    """
    codes = _chosen("language", languages, known_languages())
    levels = dict(zip(LEVEL_NAMES[1:], LEVELS[1:], strict=True))
    return ActingPlan(
        seed=seed,
        emotions=_some("emotion", EMOTIONS if emotions is None else map(emotion, emotions)),
        intensities=tuple(levels[name] for name in _chosen("intensity", intensities, levels)),
        voices=_some("voice", backend.voices(voices)),
        accents=_accents(backend, codes, accents),
        challenges=_chosen("challenge", challenges, known_challenges()),
        texts=_chosen("kind of text", texts, TEXTS),
    )


def _accents(
    backend: Backend, codes: Sequence[str], wanted: Sequence[str] | None
) -> Mapping[str, tuple[str, ...]]:
    spoken = {code: backend.accents(code) for code in codes}
    if wanted is None:
        return spoken
    known = [accent for accents in spoken.values() for accent in accents]
    chosen = _chosen("accent", wanted, known)
    return {
        code: tuple(accent for accent in accents if accent in chosen) or accents
        for code, accents in spoken.items()
    }


def _chosen(axis: str, names: Sequence[str] | None, known: Iterable[str]) -> tuple[str, ...]:
    by_name = {name.casefold(): name for name in known}
    if names is None:
        return tuple(dict.fromkeys(by_name.values()))
    unknown = [name for name in names if name.strip().casefold() not in by_name]
    if unknown:
        raise ActingError(f"there is no {axis} {unknown[0]!r}: use some of {', '.join(by_name.values())}")
    return _some(axis, (by_name[name.strip().casefold()] for name in names))


def _some(axis: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the names, each once."""
    chosen = tuple(dict.fromkeys(names))
    if not chosen:
        raise ActingError(f"the plan needs at least one {axis}")
    return chosen
