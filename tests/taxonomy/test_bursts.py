"""The 82 vocal bursts and their 16 groups."""

import pytest

from budew.errors import InputError
from budew.taxonomy import BURST_GROUPS, BURSTS, burst, burst_group


def test_there_are_82_in_16_groups() -> None:
    assert len(BURSTS) == len(set(BURSTS)) == 82
    assert len(BURST_GROUPS) == 16


@pytest.mark.parametrize("name", BURSTS)
def test_a_burst_resolves_from_its_file_name_form_to_itself(name: str) -> None:
    assert burst(name.lower().replace(" ", "_").replace("'", "’")) == name
    assert name in BURST_GROUPS[burst_group(name)]


def test_an_unknown_burst_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown vocal burst.* 'Chuckle'"):
        burst("chuckel")
