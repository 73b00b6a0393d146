"""One client for servers with the OpenAI protocols: chat, speech, transcription.

`ServerSettings` have the address, prices and time limits of a server. A `ServerRequest` is data: the body to
send, and how to read the response. A `Client` takes the answer to a request from the `AnswerCache`, or sends
the request through a `Connection`, whose retries and timeouts are those of the `openai` library. If all
retries fail, a health probe decides whether to wait for the server or to give up the request.
`answered_in_order` keeps many requests in progress and yields the answers in the order of the items.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
