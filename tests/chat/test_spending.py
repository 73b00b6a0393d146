"""A ceiling ends the job when it is reached and not before, and prices are those of a million tokens."""

import pytest

from budew.chat.request import Usage
from budew.chat.spending import UNLIMITED, Budget, Spending
from budew.errors import JobError


def test_cost_is_that_of_a_million_tokens():
    assert Budget(price_in=2.0, price_out=10.0).cost(Usage(500_000, 100_000)) == 2.0
    assert UNLIMITED.cost(Usage(10**9, 10**9)) == 0


@pytest.mark.parametrize("budget", [Budget(max_tokens=100), Budget(price_in=1, max_cost=0.5)])
def test_below_the_ceiling_all_is_well_and_at_it_the_job_ends(budget):
    budget.check(Spending(1, 90, 9, 0.49))
    with pytest.raises(JobError, match="raise it and start again"):
        budget.check(Spending(1, 90, 10, 0.5))


def test_a_ceiling_of_nothing_allows_nothing():
    with pytest.raises(JobError):
        Budget(max_tokens=0).check(Spending())


@pytest.mark.parametrize(
    "wrong",
    [
        {"price_in": -1},
        {"price_out": float("nan")},
        {"max_tokens": -1},
        {"max_cost": float("inf"), "price_in": 1},
        {"max_cost": 1},
    ],
)
def test_budgets_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="ceiling"):
        Budget(**wrong)
