"""HTTP of which no answer is read beyond a size: an endless one costs its first bytes and an error.

The connections are aiohttp's, as the `openai` client offers them; its other ones took 1.6 times as long.
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from budew.chat.errors import FaultError
from budew.extras import require

if TYPE_CHECKING:
    import httpx2


def bounded_client(
    *, connections: int, largest: int, credentials: tuple[str, str] | None = None
) -> "httpx2.AsyncClient":
    """Return a client of HTTP that raises `FaultError` on an answer of more than `largest` bytes.

    Args:
        connections: kept and used at a time.
        largest: bytes of one answer, as they come over the wire.
        credentials: name and password, sent as HTTP's basic authentication.

    Raises:
        MissingExtraError: a library for it is not installed.
    """
    purpose = "asking a chat server"
    library = require("httpx2", extra="paraphrase", purpose=purpose)
    require("aiohttp", extra="paraphrase", purpose=purpose)
    openai = require("openai", extra="paraphrase", purpose=purpose)

    class Bounded(library.AsyncByteStream):  # type: ignore[name-defined, misc]  # imported when it is needed
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            received = 0
            async for chunk in self._stream:
                received += len(chunk)
                if received > largest:
                    raise FaultError(f"an answer of more than {largest} bytes")
                yield chunk

        async def aclose(self) -> None:
            await self._stream.aclose()

    async def bound(response: "httpx2.Response") -> None:
        response.stream = Bounded(response.stream)

    client: httpx2.AsyncClient = openai.DefaultAioHttpClient(
        auth=credentials,
        limits=library.Limits(max_connections=connections, max_keepalive_connections=connections),
        event_hooks={"response": [bound]},
        follow_redirects=False,
    )
    return client
