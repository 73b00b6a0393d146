"""What can go wrong with one request. What ends the whole job is a `JobError`."""


class RefusedError(Exception):
    """There is no answer to this request; others may fare better. `status` is that of HTTP, 0 for none."""

    def __init__(self, reason: str, *, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


class FaultError(Exception):
    """What may pass: no connection, no answer in time, a broken answer, a server error, overload.

    Attributes:
        overload: the server works and is asked too often.
        retry_after: seconds that it asks to wait, None where it says nothing.
    """

    def __init__(self, reason: str, *, overload: bool = False, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.overload, self.retry_after = overload, retry_after
