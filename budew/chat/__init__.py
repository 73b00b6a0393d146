"""One client for servers that speak the OpenAI protocols: chat, speech, transcription.

`ServerSettings` say where a server is, what it costs and how long to wait for it. A `ServerRequest` is data:
the body to send, and how to read what comes back. A `Client` looks its answer up in the `AnswerCache`, or
sends it through a `Connection`, whose retries and timeouts are those of the `openai` library. If these are
used up, a health probe decides whether to wait for the server or to give up the request. `answered_in_order`
keeps many requests in progress and yields the answers in the order of the items.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
