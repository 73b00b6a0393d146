"""Rewriting keeps meaning, fills up where a backend falls short, and counts what it did."""

import asyncio

import pytest

from budew.captions import expressible, parse, render
from budew.corpora.clip import Caption, Clip
from budew.paraphrase import (
    Candidates,
    GrammarBackend,
    ParaphraseError,
    Request,
    judge,
    rewrite_clips,
)
from budew.profile import VoiceProfile

FULL = VoiceProfile(
    {"Anger": 1, "Fear": 0.5, "Pride": 0.25, "Longing": 0.75},
    ["Chuckle", "Sniff"],
    {"gender": "female", "age": "elderly", "accent": "French", "style": "casual"},
)
EMPTY = VoiceProfile()


def triples(count=20):
    return [(f"clip-{number}", render(FULL, seed=number), FULL) for number in range(count)]


class Fixed:
    """A backend that answers every request with the same texts."""

    def __init__(self, *texts, failing=()):
        self.texts, self.failing, self.asked = texts, failing, []

    async def rewrite(self, requests):
        self.asked = list(requests)
        return [
            Candidates(request.id, (), {"by": "fixed"}, failure="server on fire")
            if request.id in self.failing
            else Candidates(request.id, self.texts, {"by": "fixed"})
            for request in requests
        ]


def test_the_grammar_gives_n_different_texts_that_say_exactly_the_same():
    requests = [Request(name, caption, profile, 5, 6) for name, caption, profile in triples(40)]
    for request, answer in zip(requests, asyncio.run(GrammarBackend().rewrite(requests)), strict=True):
        assert len(set(answer.texts) - {request.caption}) == 6
        for text in answer.texts:
            assert parse(text).profile == FULL, text
            assert judge(text, FULL, tolerance=0).accepted, text
        assert answer.made_by["by"] == "grammar"


def test_the_grammar_rewrites_what_says_nothing_without_end_or_error():
    answers = asyncio.run(GrammarBackend().rewrite([Request("a", "", EMPTY, 1, 500)]))
    assert 1 < len(answers[0].texts) <= 500


def test_unknown_emotions_stay_unsaid_whatever_the_caption_says_of_them():
    unknown = VoiceProfile(None, (), {"gender": "female", "pace": "slow"})
    captioned = Clip("b", b"", "wav", profile=unknown, captions=(Caption("A sad woman talks slowly."),))
    done = rewrite_clips([Clip("a", b"", "wav", profile=unknown), captioned], GrammarBackend(), per_clip=4)
    assert (done.accepted, done.refused) == (8, {})
    for caption in (*done.captions["a"], *done.captions["b"]):
        assert parse(caption.text).profile == expressible(unknown)
        assert judge(caption.text, unknown).accepted, caption.text


def test_results_depend_on_seed_and_id_only():
    together = rewrite_clips(triples(), GrammarBackend(), per_clip=2, seed=3)
    alone = rewrite_clips(triples()[7:8], GrammarBackend(), per_clip=2, seed=3)
    assert together.captions["clip-7"] == alone.captions["clip-7"]
    assert together == rewrite_clips(triples(), GrammarBackend(), per_clip=2, seed=3)
    assert together != rewrite_clips(triples(), GrammarBackend(), per_clip=2, seed=4)


def test_every_clip_gets_as_many_captions_as_wanted_and_each_says_what_made_it():
    done = rewrite_clips(triples(), GrammarBackend(), per_clip=3)
    assert list(done.captions) == [name for name, _, _ in triples()]
    assert {len(captions) for captions in done.captions.values()} == {3}
    assert (done.accepted, done.fallbacks, done.refused, done.failures) == (60, 0, {}, {})
    assert all(caption.made_by["by"] == "grammar" for of in done.captions.values() for caption in of)


def test_refused_candidates_are_counted_and_replaced_by_marked_renderings():
    good = render(FULL, seed=123)
    done = rewrite_clips(triples(3), Fixed("A happy man.", good, good.upper(), ""), per_clip=2)
    assert done.accepted == 3
    assert done.refused == {"lost": 3, "repeated": 3, "empty": 3}
    assert done.fallbacks == 3
    for kept, filled in done.captions.values():
        assert (kept.text, kept.made_by) == (good, {"by": "fixed"})
        assert filled.made_by["by"] == "render"
        assert "fallback" in filled.made_by
        assert parse(filled.text).profile == expressible(FULL)


def test_a_request_that_fails_falls_back_and_is_reported():
    done = rewrite_clips(triples(3), Fixed(render(FULL, seed=123), failing={"clip-1"}))
    assert done.failures == {"clip-1": "server on fire"}
    assert (done.accepted, done.fallbacks) == (2, 1)


def test_a_backend_that_answers_nothing_at_all_is_an_error():
    with pytest.raises(ParaphraseError, match="none of 3 requests: server on fire"):
        rewrite_clips(triples(3), Fixed(failing={"clip-0", "clip-1", "clip-2"}))


def test_clips_are_rewritten_from_their_first_caption_or_from_a_rendering():
    captioned = Clip("a", b"", "wav", profile=FULL, captions=(Caption("Very angry."), Caption("Other.")))
    bare = Clip("b", b"", "wav", profile=FULL)
    backend = Fixed("")
    assert set(rewrite_clips([captioned, bare], backend).captions) == {"a", "b"}
    assert backend.asked[0].caption == "Very angry."
    assert parse(backend.asked[1].caption).profile == FULL


def test_a_clip_without_a_profile_or_with_a_known_id_is_an_error_that_names_it():
    with pytest.raises(ParaphraseError, match="'a' has no profile"):
        rewrite_clips([Clip("a", b"", "wav")], GrammarBackend())
    with pytest.raises(ParaphraseError, match="same id"):
        rewrite_clips(triples(1) * 2, GrammarBackend())


def test_no_clips_are_no_work():
    assert rewrite_clips([], GrammarBackend()).captions == {}
