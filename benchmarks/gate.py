"""The gate: how much added content it finds, how many labelled captions it accepts, and its speed.

    python benchmarks/gate.py [FILE.jsonl…] [--verdicts 20] [--seed 0]

Added content is measured on `tests/data/added_content.jsonl`: eight sets of captions with content that no
profile has, and of captions without, each judged against the profile that is parsed from it; and on the
captions of a language model, `paraphrase/rewrites.jsonl`. `--verdicts` prints those that are judged wrongly.

Each line of a file is an object with `caption` and `emotions`, a list of {"emotion": NAME, "intensity":
GRADE}; `"direction": "below"` means that the caption denies the emotion. A grade has the level of this word
in a caption ("Notably" as in "notably angry"); of "Very/Extremely" the first counts, and "Notably(bare)"
means that the caption had no such word. These labels do not include bursts and traits, which are not
compared. Without files only the speed is measured, on renderings that the gate accepts, with another
rendering of the same profile as their template.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from budew import VoiceProfile, parse, render
from budew.captions.lint.caption import lint_caption
from budew.paraphrase import shipped_rewrites
from budew.paraphrase.added_content import added_content
from budew.paraphrase.gate import Gate, Verdict, judge
from budew.taxonomy import EMOTIONS, LEVELS, emotion

_BARE = "(bare)"
ADDED_CONTENT = Path(__file__).parents[1] / "tests" / "data" / "added_content.jsonl"


def level(grade: str) -> float:
    """Return the level of a grade in the labels."""
    if grade.endswith(_BARE):
        return 0.5
    return parse(f"{grade.split('/')[0]} angry").emotions.get("Anger", 0.5)


def profile_of(row: dict[str, Any]) -> VoiceProfile:
    wanted: dict[str, float] = {}
    for given in row["emotions"]:
        if given.get("direction", "above") == "above":
            name = emotion(given["emotion"])
            wanted[name] = max(wanted.get(name, 0.0), level(given.get("intensity", "")))
    return VoiceProfile(wanted)


def judge_files(files: Iterable[Path], shown: int, seed: int) -> None:
    gate = Gate(parts=("emotions",))
    for file in files:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        judged = [(row, profile_of(row), judge(row["caption"], profile_of(row), gate)) for row in rows]
        refused = [verdict for _, _, verdict in judged if not verdict.accepted]
        firsts = Counter(verdict.reasons[0].code for verdict in refused)
        codes = Counter(code for verdict in refused for code in verdict.codes)
        print(f"{file.name}: {len(refused)} of {len(rows)} refused")
        print("  first reason:", ", ".join(f"{code} {count}" for code, count in firsts.most_common()))
        print("  any reason:  ", ", ".join(f"{code} {count}" for code, count in codes.most_common()))
        for row, profile, verdict in Random(seed).sample(judged, min(shown, len(judged))):
            wanted = dict(profile.emotions)
            print(f"\n  {row.get('id', '')}\n  {row['caption']}\n  wanted {wanted}\n  {told(verdict)}")


def judge_added_content(shown: int) -> None:
    rows = [json.loads(line) for line in ADDED_CONTENT.read_text(encoding="utf-8").splitlines()]
    refused = [judge(row["caption"], parse(row["caption"]).profile).added for row in rows]
    for number in (*sorted({row["set"] for row in rows}), None):
        judged = [(row["added"], words) for row, words in zip(rows, refused, strict=True)]
        judged = [pair for pair, row in zip(judged, rows, strict=True) if number in (row["set"], None)]
        with_added = [bool(words) for added, words in judged if added]
        without = [bool(words) for added, words in judged if not added]
        print(
            f"{f'set {number}' if number else 'all'}: {sum(with_added)} of {len(with_added)} with added"
            f" content are refused for it, {sum(without)} of {len(without)} without"
        )
    wrong = [
        f"{words} {row['caption']}"
        for row, words in zip(rows, refused, strict=True)
        if bool(words) != bool(row["added"])
    ]
    rewrites = [judge(one.caption, one.profile).added for one in shipped_rewrites()]
    print(f"rewrites: {sum(map(bool, rewrites))} of {len(rewrites)} are refused for added content")
    print(*wrong[:shown], sep="\n")


def told(verdict: Verdict) -> str:
    if verdict.accepted:
        return "accepted"
    return "refused: " + "; ".join(f"{reason.code} {reason.what}".strip() for reason in verdict.reasons)


def cost(seed: int, n: int) -> None:
    random = Random(seed)
    profiles = [
        VoiceProfile(
            {name: random.choice(LEVELS[1:]) for name in random.sample(EMOTIONS, random.randint(1, 5))},
            traits={"gender": random.choice(("male", "female")), "age": "adult"},
        )
        for _ in range(n)
    ]
    captions = [render(profile, seed=1, style="prose") for profile in profiles]
    sources = [render(profile, seed=2, style="prose") for profile in profiles]
    words = sum(len(caption.split()) for caption in captions) / n
    parsing = _microseconds(lambda at: parse(captions[at]), n)
    linting = _microseconds(lambda at: lint_caption(captions[at]), n)
    searching = _microseconds(lambda at: added_content(captions[at]), n)
    judging = _microseconds(lambda at: judge(captions[at], profiles[at], source=sources[at]), n)
    print(f"{n} captions of {words:.1f} words, microseconds each on one core, best of 5")
    print(
        f"  parse {parsing:.0f}, lint {linting:.0f}, added content {searching:.0f}, gate {judging:.0f}",
        end="",
    )
    print(f" = {judging / parsing:.1f} × parse")


def _microseconds(work: Any, n: int) -> float:
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for at in range(n):
            work(at)
        best = min(best, (time.perf_counter() - start) / n)
    return best * 1e6


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("files", nargs="*", type=Path)
    options.add_argument("--verdicts", type=int, default=0, metavar="N", help="print N random verdicts")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--n", type=int, default=1000, help="number of captions for the speed")
    asked = options.parse_args()
    judge_added_content(asked.verdicts)
    judge_files(asked.files, asked.verdicts, asked.seed)
    cost(asked.seed, asked.n)


if __name__ == "__main__":
    main()
