"""Parsing of random Unicode, and of long repetitions, whose time must grow linearly with their length.

    python benchmarks/fuzz.py [--inputs 100000]

An exception ends the run. For each repeated pattern, the time per character is printed at growing lengths, as
a ratio to the time at 10,000 characters; about 1 at all lengths is linear.
"""

import argparse
import time
from random import Random

from budew.captions import load_lexicon, parse

SIZES = (10_000, 100_000, 1_000_000)
PATTERNS = (
    "a", " ", ",", '"', "'", "“", "‘ ’", "(", "-", "\n", "not ", "very ", "and ",
    "from ", "to ", "more than ", "less ", "sad, ", "sad and ", "sad-", "sad\n", "accent ",
    "a b c accent ", "no sadness, ",
    "from sad to ", "calm, ",
    "calm slow ", '"sad" ', "'so sad' ", 'says "x" ', "a hint of ",
    "would be ", "too sad to ", "happy, if sad ", "Sad? No. ", "nobody ", "was sad; now ",
    "about a sad ", "'a'a ",
    "to a ", "tinged ", "fades into ", "possibly ", "İ", "ﬁ", "é", "\u202e", "👩‍👩‍👧",
)  # fmt: skip
FUNCTION_WORDS = (
    "not", "very", "no", "from", "to", "and", "or", "more", "than", "less", "fades", "accent",
    "possibly", "a", "of", "if", "about", "too", "now", "was", "never", "nobody", "would be", "he",
    "aged", "poem",
)  # fmt: skip


def random_text(random: Random, words: list[str]) -> str:
    """Return letters of all scripts, words of the lexicon and punctuation, in random order."""
    pieces = []
    for _ in range(random.randint(0, 40)):
        kind = random.random()
        if kind < 0.5:
            pieces.append(random.choice(words))
        elif kind < 0.7:
            pieces.append(random.choice(",.;:!?\"'“”‘’()[]|/&-—\n\t "))
        elif kind < 0.85:
            pieces.append(chr(random.choice((random.randrange(0xD800), random.randrange(0xE000, 0x110000)))))
        else:
            pieces.append("".join(chr(random.randrange(32, 0x250)) for _ in range(random.randint(1, 8))))
        pieces.append(random.choice((" ", "", " ")))
    return "".join(pieces)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--inputs", type=int, default=100_000)
    options.add_argument(
        "--sizes", type=int, nargs="+", default=SIZES, help="lengths of the repetitions, in characters"
    )
    asked = options.parse_args()
    lexicon, random = load_lexicon(), Random(0)
    words = [word for forms in lexicon.emotions.values() for word in (*forms["noun"], *forms["adjective"])]
    words += FUNCTION_WORDS
    found = 0
    for _ in range(asked.inputs):
        text = random_text(random, words)
        parsed = parse(text)
        found += len(parsed.mentions) + len(parsed.unknown)
        parsed.profile.vector()
    print(f"{asked.inputs:,} random inputs: no error, {found:,} mentions")
    print(
        f"{'pattern':16}"
        + "".join(f"{size:>12,}" for size in asked.sizes)
        + "   (time a character, × that at 10,000)"
    )
    for pattern in PATTERNS:
        costs = [cost(pattern * (size // len(pattern))) for size in asked.sizes]
        print(f"{pattern!r:16}" + "".join(f"{each / costs[0]:>12.2f}" for each in costs))


def cost(text: str) -> float:
    """Return the CPU time of a parse per character, the shorter of two."""
    times = []
    for _ in range(2):
        start = time.process_time()
        parse(text).mentions  # noqa: B018  # a lazy property
        times.append(time.process_time() - start)
    return min(times) / len(text)


if __name__ == "__main__":
    main()
