"""`transformers serve` on the loopback, the real server of open weights."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START = "from transformers.cli.transformers import main; main()"


@contextmanager
def transformers_serve(model: Path, log: Path) -> Iterator[str]:
    """Serve a model as long as the context lasts, writing `log`; yield the base URL."""
    # Port 0: the system gives one that is free, and the server writes which.
    given = ["serve", str(model), "--device", "cpu", "--host", "127.0.0.1", "--port", "0"]
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
