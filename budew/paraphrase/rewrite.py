"""The rewriting of captions: ask a backend, let through what still means the profile, count the rest.

A clip never goes without: where too few candidates pass, fresh template renderings fill up, marked as such.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from budew.captions import render
from budew.corpora.clip import Caption, Clip
from budew.paraphrase.backend import Backend, Candidates, ParaphraseError, Request
from budew.paraphrase.gate import judge
from budew.profile import VoiceProfile
from budew.randomness import derived_seed

Captioned = tuple[str, str, VoiceProfile]
"""A clip as far as rewriting goes: its id, a caption, its profile."""

_SPARE = 1  # candidates asked for beyond those wanted, because the gate refuses some


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What became of a set of clips.

    Attributes:
        captions: id to its new captions, `per_clip` of them, in the order of the clips.
        accepted: candidates of the backend that were kept.
        refused: candidates that were not, by the code of the first reason ("repeated": said before).
        fallbacks: template renderings that fill up.
        failures: id to the reason, for requests that the backend could not answer.
    """

    captions: Mapping[str, tuple[Caption, ...]]
    accepted: int
    refused: Mapping[str, int]
    fallbacks: int
    failures: Mapping[str, str]


def rewrite_clips(
    clips: Iterable[Clip | Captioned],
    backend: Backend,
    *,
    per_clip: int = 1,
    seed: int = 0,
    tolerance: int = 1,
) -> Rewriting:
    """Rewrite a caption of each clip `per_clip` times.

    Args:
        clips: clips with a profile, of which the first caption is rewritten (a rendering where there is
            none); or tuples of id, caption and profile.
        backend: what writes.
        per_clip: captions wanted of each clip.
        seed: with the id of a clip, decides everything that is drawn for it.
        tolerance: levels that an intensity may move in the rewriting, see `judge`.

    Raises:
        ParaphraseError: a clip has no profile, two have one id, or the backend answered none of the requests.
    """
    requests = [_request(clip, per_clip + _SPARE, seed) for clip in clips]
    if len({request.id for request in requests}) < len(requests):
        raise ParaphraseError("two clips have the same id: rewrite each corpus by itself")
    answers = asyncio.run(backend.rewrite(requests)) if requests else []
    failures = {answer.id: answer.failure for answer in answers if answer.failure}
    if requests and len(failures) == len(requests):
        raise ParaphraseError(f"the backend answered none of {len(requests)} requests: {answers[0].failure}")
    refused: Counter[str] = Counter()
    captions = {}
    for request, answer in zip(requests, answers, strict=True):
        passed = list(_passed(request, answer, tolerance, refused))[:per_clip]
        captions[request.id] = (*passed, *_fallbacks(request, per_clip - len(passed)))
    return _summary(captions, refused, failures)


def _request(clip: Clip | Captioned, n: int, seed: int) -> Request:
    if isinstance(clip, Clip):
        if clip.profile is None:
            raise ParaphraseError(
                f"the clip {clip.id!r} has no profile to hold its captions to: annotate it first"
            )
        own = derived_seed("source", clip.id, seed)
        caption = clip.captions[0].text if clip.captions else render(clip.profile, seed=own)
        name, profile = clip.id, clip.profile
    else:
        name, caption, profile = clip
    return Request(name, caption, profile, derived_seed("rewrite", name, seed), n)


def _passed(request: Request, answer: Candidates, tolerance: int, refused: Counter[str]) -> Iterator[Caption]:
    known = {_folded(request.caption)}
    for text in answer.texts:
        verdict = judge(text, request.profile, tolerance=tolerance)
        if not verdict.accepted:
            refused[verdict.reasons[0].code] += 1
        elif _folded(text) in known:
            refused["repeated"] += 1
        else:
            known.add(_folded(text))
            yield Caption(text, dict(answer.made_by))


def _fallbacks(request: Request, count: int) -> Iterator[Caption]:
    for number in range(count):
        seed = derived_seed("fallback", request.id, request.seed, number)
        made_by: dict[str, str | int] = {
            "by": "render",
            "seed": seed,
            "fallback": "no rewriting passed the gate",
        }
        yield Caption(render(request.profile, seed=seed), made_by)


def _summary(
    captions: dict[str, tuple[Caption, ...]], refused: Counter[str], failures: dict[str, str]
) -> Rewriting:
    written = [caption for of_clip in captions.values() for caption in of_clip]
    fallbacks = sum("fallback" in caption.made_by for caption in written)
    return Rewriting(captions, len(written) - fallbacks, dict(refused), fallbacks, failures)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
