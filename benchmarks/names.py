"""The names of the taxonomy, in many spellings and phrasings, with levels and on all published scales.

    python benchmarks/names.py [--misses 20] [--every 1]

Every name and alias, in each spelling, is put into each phrasing of `names.yaml`, and what is parsed is
compared with the level that the phrasing states. Prints the share of captions that are parsed wrong, for each
table of phrasings and for the worst phrasings.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle, product
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote

import yaml

from budew import parse
from budew.taxonomy import EMOTION_TABLE, LEVEL_NAMES, LEVELS, name_parts

FILE = Path(__file__).with_suffix(".yaml")
_LEVEL = dict(zip(LEVEL_NAMES, LEVELS, strict=True))
_BARE = {"Hopelessness": "strong"}
"""Names that are words with another level than moderate, where none is stated."""


class Phrased(NamedTuple):
    """A caption, the phrasing that it was made from, and the levels that it states."""

    text: str
    phrasing: str
    levels: Mapping[str, float]


def spellings(name: str, table: Mapping[str, Any]) -> list[str]:
    """Return the spellings of a name: letters, words within a part, and what joins the parts."""
    parts = name_parts(name)
    spelled = []
    for between, within in product(table["between"] if len(parts) > 1 else [""], table["within"]):
        if between == "escaped":
            spelled += [quote(name), quote(name, safe="")]
        elif between == "as published":
            spelled.append(name.replace(" ", within) if within != "-" else name)
        else:
            spelled.append(between.join(part.replace(" ", within) for part in parts))
    letters: list[Callable[[str], str]] = [str, str.lower, str.upper, str.title]
    every = [way(name) for way in letters]
    return list(dict.fromkeys([*every, *(way(one) for way, one in zip(cycle(letters), spelled))]))


def captions(table: Mapping[str, Any], title: str, *, every: int = 1) -> Iterator[Phrased]:
    """Yield the captions of a table: each spelling (or every n-th) of each name in each phrasing."""
    spelled = [
        (row.name, one, _BARE.get(name, "moderate"))
        for row in EMOTION_TABLE.values()
        for name in (row.name, *row.aliases)
        for one in spellings(name, table)
    ]
    numbers = [number for scale in table["numbers"].values() for number in scale.items()]
    answers = list(table["answers"].items())
    random = Random(0)
    for name, one, own in spelled[::every]:
        for level, phrasings in table[title]["one"].items():
            for phrasing in phrasings:
                yield _phrased(phrasing, {name: own if level == "bare" else level}, a=one)
        for phrasing, _ in product(table[title]["number"], range(3)):
            number, level = random.choice(answers if "{w}" in phrasing else numbers)
            yield _phrased(phrasing, {name: level}, a=one, n=number, w=number)
        for phrasing, *levels in table[title]["two"]:
            other, another, bare = random.choice(spelled)
            if name == other or {own, bare} != {"moderate"}:
                continue
            yield _phrased(phrasing, dict(zip((name, other), levels, strict=True)), a=one, b=another)


def tables(table: Mapping[str, Any]) -> list[str]:
    """Return the titles of the tables of phrasings in the file."""
    return [title for title, part in table.items() if "two" in part]


def _phrased(phrasing: str, levels: Mapping[str, str], **slots: str) -> Phrased:
    present = {name: _LEVEL[level] for name, level in levels.items() if level != "absent"}
    return Phrased(phrasing.format(**slots), phrasing, present)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--misses", type=int, default=10, help="number of phrasings to list, the worst first"
    )
    options.add_argument("--every", type=int, default=1, help="parse only every n-th caption")
    asked = options.parse_args()
    table = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    for title in tables(table):
        rows = list(captions(table, title))[:: asked.every]
        wrong = [row for row in rows if parse(row.text).emotions != row.levels]
        print(
            f"{title}: {len(wrong):,} of {len(rows):,} captions parsed wrong ({len(wrong) / len(rows):.2%})"
        )
        examples = {row.phrasing: row for row in wrong}
        for phrasing, count in Counter(row.phrasing for row in wrong).most_common(asked.misses):
            row = examples[phrasing]
            print(f"  {count:6,}  {row.text!r}: {dict(parse(row.text).emotions)}")


if __name__ == "__main__":
    main()
