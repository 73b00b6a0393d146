"""Copies have the lowest diversity, more variety is never rated lower, and order does not matter."""

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU

from budew.captions import render
from budew.errors import InputError
from budew.paraphrase.metrics.diversity import diversity, first_words, opening_pattern, self_bleu
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS

SAD = VoiceProfile({"Sadness": 0.75}, traits={"gender": "female"})
VARIED = [render(SAD, seed=seed) for seed in range(200)]
SHARES = ("distinct_1", "distinct_2", "distinct_3", "openings", "syntactic_openings")
captions = st.lists(st.sampled_from(VARIED) | st.text(max_size=40), min_size=1, max_size=12)
word_lists = st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=9), min_size=2, max_size=8)


@pytest.mark.parametrize("count", [30, 200])
def test_copies_have_the_lowest_diversity(count: int) -> None:
    one, copies = diversity(VARIED[:1]), diversity(VARIED[:1] * count)
    for name in SHARES:
        assert getattr(copies, name) == pytest.approx(getattr(one, name) / count)
    assert copies.self_bleu == pytest.approx(100)
    assert copies.emotion_words == pytest.approx(1 / count)
    assert copies.effective_vocabulary == pytest.approx(one.effective_vocabulary)
    assert copies.mean_words == one.mean_words
    varied = diversity(VARIED[:count])
    for name in ("distinct_1", "distinct_2", "openings", "emotion_words", "effective_vocabulary"):
        assert getattr(copies, name) < getattr(varied, name)
    assert varied.self_bleu < 100
    assert one.compression_ratio < varied.compression_ratio < copies.compression_ratio


@settings(max_examples=50, deadline=None)
@given(captions, st.randoms(), st.integers(1, 15), st.integers(0, 3))
def test_order_does_not_matter_and_every_metric_is_in_its_range(captions, random, sample, seed) -> None:
    found = diversity(captions, seed=seed, sample=sample)
    shuffled = random.sample(captions, len(captions))
    assert diversity(shuffled, seed=seed, sample=sample) == found
    assert found.captions == min(sample, len(captions))
    assert all(0 <= getattr(found, name) <= 1 for name in SHARES)
    assert found.self_bleu is None or 0 <= found.self_bleu <= 100 + 1e-9
    assert 0 <= found.effective_vocabulary <= found.words + 1e-9
    assert found.mean_words == found.words / found.captions


def test_emotions_are_counted_by_their_phrases() -> None:
    found = diversity(["A sad man.", "A SAD woman.", "Deep sorrow.", "Not angry.", "He is angry."])
    sadness, anger = found.by_emotion["Sadness"], found.by_emotion["Anger"]
    assert (sadness.said, sadness.phrases, anger.said, anger.phrases) == (3, 2, 1, 1)
    assert found.emotion_words == 3 / 4
    assert list(found.by_emotion) == list(EMOTIONS)


def test_compared_words_make_captions_of_different_length_comparable() -> None:
    alphabet = [f"{first}{second}" for first in "abcdefgh" for second in "ijklmnop"]
    random = Random(7)
    short, long = ([" ".join(random.choices(alphabet, k=size)) for _ in range(100)] for size in (6, 24))
    assert diversity(long).distinct_2 < diversity(short).distinct_2 - 0.1
    compared = diversity(long, compared_words=600)
    assert compared.compared_words == diversity(short).words == 600
    assert compared.distinct_2 == pytest.approx(diversity(short).distinct_2, abs=0.05)
    assert compared.words == diversity(long).words
    assert diversity(long, compared_words=3).compared_words == 24


def test_metrics_of_small_examples_counted_by_hand() -> None:
    found = diversity(["a sad man", "a sad woman"])
    assert (found.distinct_1, found.distinct_2, found.distinct_3) == (4 / 6, 3 / 4, 1.0)
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert diversity(["one one one two"]).effective_vocabulary == pytest.approx(math.exp(entropy))
    assert diversity(["…"]).effective_vocabulary == 0
    with pytest.raises(InputError):
        diversity([])


def test_an_opening_pattern_ignores_synonyms_and_depends_on_order() -> None:
    pattern = opening_pattern("A young woman reveals deep sorrow, and sobs.")
    assert pattern == opening_pattern("An old man displays slight joy, and laughs.")
    assert pattern == ("a", "trait", "trait", "word", "intensity", "emotion")
    for other in ("Deep sorrow is what a young woman reveals.", "Young, female, deeply sad."):
        assert opening_pattern(other) != pattern
    assert opening_pattern("") == first_words("") == ()
    assert first_words("A Young WOMAN, sad.") == first_words("a young: woman") == ("a", "young", "woman")


@given(word_lists, st.randoms())
def test_self_bleu_equals_the_mean_of_sacrebleu(texts: list[list[str]], random) -> None:
    metric = BLEU(effective_order=True, tokenize="none")
    lines = [" ".join(text) for text in texts]
    scores = [
        metric.sentence_score(line, lines[:at] + lines[at + 1 :]).score for at, line in enumerate(lines)
    ]
    assert self_bleu(texts) == pytest.approx(sum(scores) / len(scores), abs=1e-9)
    assert self_bleu(random.sample(texts, len(texts))) == self_bleu(texts)


def test_self_bleu_of_one_text_and_of_texts_without_words() -> None:
    assert self_bleu([["a"]]) is self_bleu([]) is None
    assert self_bleu([[], ["a", "b"], ["a", "b"]]) == pytest.approx(200 / 3)
