"""Draws are uniform, made of their key alone, and the same in every version."""

from collections import Counter
from itertools import permutations

from scipy.stats import chisquare

from budew.randomness import Draws, derived_seed, generator


def test_a_generator_depends_on_its_parts_alone_in_every_version():
    assert derived_seed("render", 0, "a", 1) == derived_seed("render", "0", "a", "1") == 1313446795
    assert all(derived_seed(number) < 2**32 for number in range(100))
    assert max(derived_seed(number) for number in range(100)) >= 2**31
    assert generator(1, 2).random() != generator(2, 1).random()
    choices = Draws("key")
    assert [choices.below(100) for _ in range(6)] == [48, 31, 41, 77, 75, 6]


def test_choices_are_uniform_beyond_the_digits_of_one_hash():
    choices = Draws("a")
    drawn = Counter(choices.below(6) for _ in range(6000))
    assert chisquare([drawn[number] for number in range(6)]).pvalue > 0.01
    pairs = Counter((choices.below(2**40) % 3, choices.choose("abc")) for _ in range(3000))
    assert len(pairs) == 9
    assert chisquare(list(pairs.values())).pvalue > 0.01


def test_every_order_is_equally_likely():
    found = Counter()
    for number in range(2400):
        things = list("abcd")
        Draws(str(number)).shuffle(things)
        found["".join(things)] += 1
    orders = ["".join(order) for order in permutations("abcd")]
    assert chisquare([found[order] for order in orders]).pvalue > 0.01
