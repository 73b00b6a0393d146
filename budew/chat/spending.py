"""What requests cost, and the ceiling that ends a job before it costs more."""

from dataclasses import dataclass
from math import isfinite

from budew.chat.request import Usage
from budew.errors import JobError


@dataclass(frozen=True, slots=True)
class Spending:
    """What was spent so far: requests answered, tokens, and their cost at the prices of the time."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        return self.tokens_in + self.tokens_out


@dataclass(frozen=True, slots=True)
class Budget:
    """Prices, and what may be spent. A ceiling is looked at before each request.

    What is under way when it is reached is still paid: at most one answer for each request that may be under
    way, in each worker.

    Attributes:
        price_in: of a million tokens that are sent, in any currency.
        price_out: of a million tokens that come back.
        max_cost: ceiling in that currency.
        max_tokens: ceiling in tokens, in and out together.

    Raises:
        ValueError: a number below 0, or a ceiling of cost without a price.
    """

    price_in: float = 0.0
    price_out: float = 0.0
    max_cost: float | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        given = [number for number in (self.max_cost, self.max_tokens) if number is not None]
        if not all(isfinite(number) and number >= 0 for number in (self.price_in, self.price_out, *given)):
            raise ValueError("prices and ceilings are numbers from 0 up")
        if self.max_cost is not None and not self.price_in + self.price_out:
            raise ValueError("a ceiling of cost needs a price: give the price of a million tokens in and out")

    @property
    def has_ceiling(self) -> bool:
        """Whether there is anything to keep below."""
        return self.max_cost is not None or self.max_tokens is not None

    def cost(self, usage: Usage) -> float:
        """Return what a request cost."""
        return (usage.tokens_in * self.price_in + usage.tokens_out * self.price_out) / 1e6

    def check(self, spent: Spending) -> None:
        """Raise `JobError` when there is nothing left to spend."""
        said = f"after {spent.requests} requests, {spent.tokens} tokens and a cost of {spent.cost:.2f}"
        remedy = "raise it and start again to go on"
        if self.max_tokens is not None and spent.tokens >= self.max_tokens:
            raise JobError(f"the ceiling of {self.max_tokens} tokens is reached {said}: {remedy}")
        if self.max_cost is not None and spent.cost >= self.max_cost:
            raise JobError(f"the ceiling of cost, {self.max_cost:g}, is reached {said}: {remedy}")


UNLIMITED = Budget()
"""No prices and no ceiling."""
