"""Speed and size of an answer cache as it grows: answers stored and found per second, bytes per answer."""

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

from budew.annotation.llm_protocol import PARTS, answer_schema
from budew.chat.answer_cache import AnswerCache
from budew.chat.request import Answer, Usage


def main() -> None:
    """Print the results for each quarter of the answers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip())
    parser.add_argument("--answers", type=int, default=20_000)
    answers = parser.parse_args().answers
    part = max(1, answers // 4)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.sqlite"
        for first in range(0, part * 4, part):
            with closing(AnswerCache(path)) as cache:
                kept = _seconds(
                    lambda n: cache.store(_key(n), _answer(n), account="a", cost=1.0), first, part
                )
                found = _seconds(lambda n: cache.answer(_key(n * 7919 % part)), first, part)
            size = path.stat().st_size / (first + part)
            rates = f"{part / kept:7.0f} kept/s {part / found:7.0f} found/s"
            print(f"{first + part:8} answers: {rates} of CPU time {size:5.0f} bytes each")


def _seconds(work: Callable[[int], object], first: int, count: int) -> float:
    start = time.process_time()
    for number in range(first, first + count):
        work(number)
    return time.process_time() - start


def _key(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def _answer(number: int) -> Answer:
    return Answer((_TEXTS[number % len(_TEXTS)].replace("#", str(number)),), Usage(1_500, 800))


def _text(seed: int) -> str:
    """Return a random annotation, similar to those of a model in length and variety."""
    chance, schema = Random(seed), answer_schema(PARTS).schema["properties"]
    emotions = {name: chance.choice((0, 0, 0, 0, 1, 2, 3, 4)) for name in schema["emotions"]["properties"]}
    numbers = {name: round(chance.uniform(0, 2), 1) for name in schema["attributes"]["properties"]}
    words = {
        name: chance.choice(row.get("enum", ["#"])) for name, row in schema["traits"]["properties"].items()
    }
    bursts = chance.sample(schema["bursts"]["items"]["enum"], chance.choice((0, 0, 1, 2)))
    return json.dumps({"emotions": emotions, "bursts": bursts, "traits": words, "attributes": numbers})


_TEXTS = [_text(seed) for seed in range(200)]

if __name__ == "__main__":
    main()
