"""Batches hold one kind of items, and no item waits for long."""

from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st

from budew.inference.batching import AHEAD, gathered


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("aaabc") | st.none(), min_size=40, max_size=120), st.integers(2, 4))
def test_a_batch_is_yielded_when_it_is_full_or_its_first_item_has_waited_long_enough(kinds, size):
    taken = []

    def items():
        for number, kind in enumerate(kinds):
            taken.append(number)
            yield kind and (kind, number)

    batches, pauses = [], 0
    for batch in gathered(items(), lambda item: item[0], size):
        if batch is None:
            pauses += 1
            continue
        kind, held = batch
        batches.append(held)
        followed = sum(kinds[number] is not None for number in taken[held[0][1] + 1 :])
        assert {each for each, _ in held} == {kind}
        assert followed < AHEAD * size + 3
        assert len(held) == size or followed >= AHEAD * size - 1 or len(taken) == len(kinds)
        assert len(held) <= size
    assert pauses == kinds.count(None)
    expected = [(kind, number) for number, kind in enumerate(kinds) if kind]
    assert sorted(chain(*batches), key=lambda item: item[1]) == expected


def test_an_item_without_another_of_its_kind_waits_for_a_number_of_batches():
    numbers = iter(range(100))
    assert next(gathered(numbers, str, 2)) == ("0", [0])
    assert next(numbers) == AHEAD * 2
