"""A real open-weights serving stack on the loopback: `transformers serve` and a random chat model.

What such a model writes means nothing, so the gate has to refuse all of it.
"""

import os
import re
import subprocess
import sys
import time
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

MISSING = [name for name in ("fastapi", "openai", "uvicorn") if find_spec(name) is None]
START = "from transformers.cli.transformers import main; main()"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"transformers serve needs {', '.join(MISSING)}"),
]


@pytest.fixture(scope="module")
def served(chat_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the server, which lives as long as the tests of this file."""
    log = tmp_path_factory.mktemp("served") / "log"
    # Port 0: the system gives one that is free, and the server writes which.
    given = ["serve", str(chat_model), "--device", "cpu", "--host", "127.0.0.1", "--port", "0"]
    # One thread is 30 times as fast as the threads of two cores.
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(log.parent), "OMP_NUM_THREADS": "1"}
    environment = {**os.environ, **offline, "PYTHONPATH": os.pathsep.join(sys.path)}
    with log.open("wb") as output:
        command = [sys.executable, "-c", START, *given]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        end, found = time.monotonic() + 120, None
        while found is None:
            written = log.read_text(errors="replace")
            assert process.poll() is None, written
            assert time.monotonic() < end, written
            found = re.search(r"running on (http://127\.0\.0\.1:\d+)", written)
            time.sleep(0.1)
        yield f"{found[1]}/v1"
    finally:
        process.kill()
        process.wait()


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
