"""What a running job spends, for its progress display: tokens a second, cost so far and in the end."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from budew.chat.ledger import Ledger

if TYPE_CHECKING:
    from budew.jobs import Progress

_EVERY = 1.0  # seconds between two looks into the file that the workers write


@contextmanager
def live_spending(path: Path, account: str) -> "Iterator[Callable[[Progress], str]]":
    """Give what tells the spending of `account` at some progress of its job.

    Args:
        path: the ledger that all workers share.
        account: under which it adds up.

    Raises:
        JobError: the ledger cannot be read.
    """
    with closing(Ledger(path)) as ledger:
        began, before = time.monotonic(), ledger.spent(account)
        last, told = -_EVERY, ""

        def tell(at: "Progress") -> str:
            nonlocal last, told
            now = time.monotonic() - began
            if now - last >= _EVERY:
                spent = ledger.spent(account)
                told = f"{(spent.tokens - before.tokens) / max(now, 0.1):,.0f} tokens/s"
                if spent.cost:
                    told += f", cost {spent.cost:,.2f}"
                    told += f" of about {spent.cost * at.of / at.units:,.2f}" * bool(at.units)
                last = now
            return told

        yield tell
