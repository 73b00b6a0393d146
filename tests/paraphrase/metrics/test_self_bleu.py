"""Self-BLEU is what sacrebleu says of each text against all others, without comparing each with each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU

from budew.paraphrase.metrics.self_bleu import self_bleu

texts = st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=9), min_size=2, max_size=8)


@given(texts)
def test_it_is_the_mean_of_what_sacrebleu_says(texts: list[list[str]]) -> None:
    metric = BLEU(effective_order=True, tokenize="none")
    lines = [" ".join(text) for text in texts]
    scores = [
        metric.sentence_score(line, lines[:at] + lines[at + 1 :]).score for at, line in enumerate(lines)
    ]
    assert self_bleu(texts) == pytest.approx(sum(scores) / len(scores), abs=1e-9)


@given(texts, st.randoms())
def test_order_does_not_matter(texts: list[list[str]], random) -> None:
    shuffled = random.sample(texts, len(texts))
    assert self_bleu(shuffled) == self_bleu(texts)


@given(st.lists(st.sampled_from("abcde"), min_size=1), st.integers(2, 5))
def test_copies_of_one_text_score_100_and_texts_that_share_no_word_0(words: list[str], count: int) -> None:
    assert self_bleu([words] * count) == pytest.approx(100)
    assert self_bleu([[str(number)] * len(words) for number in range(count)]) == 0


def test_one_text_has_no_others() -> None:
    assert self_bleu([["a"]]) is None
    assert self_bleu([]) is None


def test_a_text_without_words_matches_nothing() -> None:
    assert self_bleu([[], ["a", "b"], ["a", "b"]]) == pytest.approx(200 / 3)
