"""Captions by a language model on a server, for random profiles: acceptance, diversity and fidelity.

    python benchmarks/paraphrase_model.py --clips 1000 -- --backend chat --model NAME --base-url URL

Profiles of one to five emotions, bursts and traits become clips without audio. `budew paraphrase run` gets
all options after `--`, and `budew paraphrase report` compares its captions with the templates. `--out DIR`
keeps the output; run the same command again to resume.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from budew.corpora import Clip, write_shard
from budew.profile import VoiceProfile
from budew.randomness import generator
from budew.taxonomy import BURSTS, CATEGORIES, EMOTIONS, LEVELS

_SHARD = 250


def profile_of(number: int, seed: int) -> VoiceProfile:
    """Return a random profile like those of annotations: few emotions, sometimes a burst, most traits."""
    draw = generator("paraphrase model", seed, number)
    emotions = {
        name: draw.choice(LEVELS[1:]) for name in draw.sample(EMOTIONS, draw.choice((1, 2, 2, 3, 3, 4, 5)))
    }
    bursts = draw.sample(sorted(BURSTS), draw.choice((0, 0, 0, 1, 2)))
    traits = {
        name: draw.choice(sorted(CATEGORIES[name])) for name in ("gender", "age") if draw.random() < 0.8
    }
    return VoiceProfile(emotions, bursts, traits)


def make_corpus(folder: Path, clips: int, seed: int) -> None:
    for first in range(0, clips, _SHARD):
        numbers = range(first, min(first + _SHARD, clips))
        made = [Clip(f"clip-{n:06d}", b"RIFF", "wav", profile=profile_of(n, seed)) for n in numbers]
        write_shard(folder / f"part-{first // _SHARD:04d}.tar", made)


def budew(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "budew", "paraphrase", *map(str, arguments)], check=True)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--clips", type=int, default=1000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path, help="folder for corpus and output")
    options.add_argument("run", nargs="*", help="after --: options of budew paraphrase run")
    asked = options.parse_args()
    with nullcontext(str(asked.out)) if asked.out else tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "profiles"), Path(folder, "paraphrased")
        if not source.exists():
            make_corpus(source, asked.clips, asked.seed)
        start = time.monotonic()
        budew("run", source, out, "--seed", asked.seed, *asked.run)
        seconds = time.monotonic() - start
        print(f"{asked.clips} clips in {seconds:.0f} s: {asked.clips / seconds:.1f} clips/s")
        budew("report", out, "--html", Path(folder, "report.html"))


if __name__ == "__main__":
    main()
