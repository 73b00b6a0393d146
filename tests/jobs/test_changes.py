"""What changed is told by its dotted name, the first few of it, and nothing that stayed."""

import pytest

from budew.jobs.notes import MAX_VALUE, changed_settings

OLD = {"min_seconds": 1.0, "vad": {"threshold": 0.5, "model": "silero"}, "keep": [], "style": None}


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ({**OLD, "min_seconds": 2.0}, "min_seconds was 1.0 and is now 2.0"),
        ({**OLD, "vad": {"threshold": 0.6, "model": "silero"}}, "vad.threshold was 0.5 and is now 0.6"),
        ({**OLD, "style": "prose"}, 'style was not set and is now "prose"'),
        ({**OLD, "keep": ["é"]}, 'keep was [] and is now ["é"]'),
        ({**OLD, "seed": 3}, "seed was not there and is now 3"),
        ({**OLD, "vad": None, "style": ""}, 'style was not set and is now ""; vad was {"threshold": 0.5'),
        (OLD, ""),
    ],
)
def test_each_change_has_its_name_before_and_after(new, told):
    assert changed_settings(OLD, new).startswith(told)
    assert (changed_settings(OLD, new) == "") == (new == OLD)


def test_of_many_changes_the_first_are_told_and_the_rest_counted():
    told = changed_settings({f"s{number}": {"x": 0} for number in range(9)}, {})
    assert told.count(" was ") == 5
    assert told.endswith('s4 was {"x": 0} and is now not there; 4 more changed')


def test_long_values_are_cut():
    told = changed_settings({}, {"baseline": {str(number): 1.0 for number in range(1000)}})
    assert len(told) < MAX_VALUE + 60
