"""Captions that one core renders and parses per second, compared with a plain keyword scan.

    python benchmarks/captions.py --n 20000

The scan searches the caption for each phrase of the lexicon for an emotion, without levels, negation and word
boundaries. The share of captions for which it finds other emotions than the parser is printed too.
"""

import argparse
import time
from collections.abc import Callable, Iterable
from itertools import count, islice
from random import Random
from typing import Any

from budew.captions import load_lexicon, parse, render
from budew.paraphrase import judge
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, CATEGORIES, EMOTIONS, LEVELS


def random_profiles(n: int) -> list[VoiceProfile]:
    """Return profiles like those of a corpus: one to five emotions, a burst in half of them, gender, age."""
    random = Random(0)
    drawn = (
        VoiceProfile(
            {name: random.choice(LEVELS[1:]) for name in random.sample(EMOTIONS, random.randint(1, 5))},
            random.sample(BURSTS, random.randint(0, 1)),
            {key: random.choice(CATEGORIES[key]) for key in ("gender", "age")},
        )
        for _ in count()
    )
    return list(islice((profile for profile in drawn if not profile.is_withheld), n))


def keyword_scan(caption: str, keywords: dict[str, tuple[str, ...]]) -> set[str]:
    """Return the emotions whose phrases occur in a caption: the baseline."""
    folded = caption.lower()
    return {name for name, phrases in keywords.items() if any(phrase in folded for phrase in phrases)}


def per_second(work: Callable[[Any], object], inputs: Iterable[Any], n: int) -> float:
    """Return how many inputs are processed per second of CPU time, in the best of three rounds."""
    best = 0.0
    for _ in range(3):
        start = time.process_time()
        for given in inputs:
            work(given)
        best = max(best, n / (time.process_time() - start))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=5000, help="number of captions")
    n = parser.parse_args().n
    profiles = random_profiles(n)
    captions = [render(profile, seed=seed) for seed, profile in enumerate(profiles)]
    forms = load_lexicon().emotions
    keywords = {name: forms[name]["noun"] + forms[name]["adjective"] for name in forms}
    rows = {
        "keyword scan (baseline)": per_second(lambda text: keyword_scan(text, keywords), captions, n),
        "render": per_second(lambda profile: render(profile, seed=1), profiles, n),
        "parse": per_second(parse, captions, n),
        "judge": per_second(lambda pair: judge(*pair), list(zip(captions, profiles, strict=True)), n),
    }
    baseline = rows["keyword scan (baseline)"]
    print(f"{n} captions, {sum(map(len, captions)) / n:.0f} characters on average, one core")
    for name, rate in rows.items():
        print(f"{name:<24} {rate:>10,.0f} a second {rate / baseline:>8.2f} × baseline")
    wrong = [
        keyword_scan(text, keywords) != set(profile.emotions)
        for text, profile in zip(captions, profiles, strict=True)
    ]
    misread = [
        parse(text).emotions != profile.emotions for text, profile in zip(captions, profiles, strict=True)
    ]
    print(
        f"captions misread: keyword scan {sum(wrong) / n:.1%} (emotions alone), parse {sum(misread) / n:.1%}"
    )


if __name__ == "__main__":
    main()
