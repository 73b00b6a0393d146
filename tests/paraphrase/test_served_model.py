"""A real open-weights serving stack on the loopback: `transformers serve` and a random chat model.

What such a model writes means nothing, so the gate has to refuse all of it.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from budew.chat.server_settings import ServerSettings
from budew.corpora import read
from budew.corpora.shards import write_shard
from budew.jobs import run
from budew.paraphrase import Paraphrase, Rewriting, judge
from budew.paraphrase.chat_backend import ChatBackend
from budew.paraphrase.metrics import paraphrase_report
from tests.paraphrase.scripted import some_clips
from tests.serving import transformers_serve

MISSING = [name for name in ("fastapi", "openai", "uvicorn") if find_spec(name) is None]

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(MISSING), reason=f"transformers serve needs {', '.join(MISSING)}"),
]


@pytest.fixture(scope="module")
def served(chat_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the server, which lives as long as the tests of this file."""
    with transformers_serve(chat_model, tmp_path_factory.mktemp("served") / "log") as url:
        yield url


def test_every_answer_is_refused_by_the_gate_and_every_clip_falls_back(served, chat_model, tmp_path):
    clips = some_clips(6)
    write_shard(tmp_path / "in/a.tar", clips)
    server = ServerSettings(base_url=served, model=str(chat_model), concurrency=4)
    backend = ChatBackend(server, structured=False)
    job = Paraphrase(backend, Rewriting(attempts=2, candidates=1))
    summary = run(job, tmp_path / "in", tmp_path / "out", workers=0)
    done = list(read(tmp_path / "out"))
    counts = paraphrase_report([tmp_path / "out"]).candidates.counts
    assert (summary.clips, summary.failures) == (6, 0)
    assert (counts["requests"], counts["unanswered"], counts["fallbacks"]) == (12, 0, 6)
    assert counts["candidates"] == counts["refused"] == 12
    for clip in done:
        (caption,) = clip.captions
        assert caption.made_by["fallback"]
        assert judge(caption.text, clip.profile).accepted
