"""How well captions from other sources are parsed: emotions found and missed, compared with a keyword search.

    python benchmarks/reading.py FILE.jsonl… [--keywords TAXONOMY.json] [--misses]

Each line is an object with `caption` and either `emotions`, a list of {"emotion": NAME} in which
`"direction": "below"` means that the caption denies the emotion and `intensity` may name a grade, or
`scores`, a mapping of the 40 names to numbers. `turn_from` lists emotions that the caption describes as
past. Lines with `text` and `kind` have full labels, see `labelled_reading.py`.

The keyword search finds the keywords of the published EmoNet taxonomy at word boundaries; a keyword of two
emotions counts for both.
"""

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from labelled_reading import count, measures
from scipy.stats import spearmanr

from budew import parse
from budew.errors import InputError
from budew.taxonomy import emotion

Row = Mapping[str, Any]
Reader = Callable[[str], Mapping[str, float]]


def keyword_reader(taxonomy: Path) -> Reader:
    """Return a function that finds the emotions of a caption by the keywords of a taxonomy file."""
    meant: dict[str, set[str]] = defaultdict(set)
    for name, row in json.loads(taxonomy.read_text(encoding="utf-8"))["categories"].items():
        for word in row["keywords"]:
            meant[word.lower()].add(emotion(name))
    found = re.compile(r"\b(" + "|".join(sorted(map(re.escape, meant), key=len, reverse=True)) + r")\b")
    return lambda text: {name: 1.0 for match in found.finditer(text.lower()) for name in meant[match[1]]}


def wanted(row: Row, *, direction: str = "above") -> set[str]:
    return {
        emotion(given["emotion"])
        for given in row.get("emotions", ())
        if given.get("direction", "above") == direction
    }


def score(rows: Iterable[Row], read: Reader) -> dict[str, float]:
    """Return recall, precision, and the share of absent emotions that are found."""
    right = said = there = absent = misread = top = singles = spurious = bare = left = turned = 0
    for row in rows:
        got, want = read(row["caption"]), wanted(row)
        below = wanted(row, direction="below") - want
        right += len(want & set(got))
        said += len(got)
        there += len(want)
        absent += len(below)
        misread += len(below & set(got))
        behind = _names(row.get("turn_from", ())) - want
        turned += len(behind)
        left += len(behind & set(got))
        if len(want) == 1:
            singles += 1
            top += strongest(row["caption"], got) in want
        if not want:
            bare += 1
            spurious += bool(got)
    return {
        "recall": right / there if there else np.nan,
        "precision": right / said if said else np.nan,
        "absent read as present": misread / absent if absent else np.nan,
        "left behind read as present": left / turned if turned else np.nan,
        "one emotion: strongest right": top / singles if singles else np.nan,
        "no emotion: some read": spurious / bare if bare else np.nan,
    }


def strongest(caption: str, got: Mapping[str, float]) -> str | None:
    """Return the strongest of the emotions that were found; of equally strong ones the first."""
    parsed = parse(caption)
    return parsed.strongest if parsed.emotions == got else max(got, key=lambda name: got[name], default=None)


def _names(given: Iterable[str]) -> set[str]:
    names = set()
    for name in given:
        try:
            names.add(emotion(name))
        except InputError:
            continue
    return names


def grades(rows: Iterable[Row]) -> dict[str, float]:
    """Return the mean parsed level for each grade of intensity in the labels."""
    levels = defaultdict(list)
    for row in rows:
        got = parse(row["caption"]).emotions
        for given in row.get("emotions", ()):
            name = emotion(given["emotion"])
            if given.get("direction", "above") == "above" and "intensity" in given and name in got:
                levels[given["intensity"]].append(got[name])
    return {grade: float(np.mean(found)) for grade, found in levels.items()}


def correlation(rows: Iterable[Row], read: Reader) -> float:
    """Return Spearman's rho of found emotions and scores, as mean over captions."""
    each = []
    for row in rows:
        got = read(row["caption"])
        truth = {emotion(name): value for name, value in row["scores"].items() if _is_emotion(name)}
        values = [got.get(name, 0.0) for name in truth]
        each.append(spearmanr(values, list(truth.values())).statistic if any(values) else 0.0)
    return float(np.mean(each))


def _is_emotion(name: str) -> bool:
    return bool(_names([name]))


def misses(rows: Iterable[Row]) -> Iterable[str]:
    for row in rows:
        got, want = parse(row["caption"]).emotions, wanted(row)
        if set(got) != want and "scores" not in row:
            missed, more = sorted(want - set(got)), sorted(set(got) - want)
            yield f"  {row.get('id', '')}: missed {missed}, too many {more}\n      {row['caption']}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("files", nargs="+", type=Path)
    options.add_argument("--keywords", type=Path, help="the EmoNet taxonomy, for the keyword search")
    options.add_argument("--misses", action="store_true", help="list each caption that is parsed wrong")
    asked = options.parse_args()
    readers: dict[str, Reader] = {"budew": lambda text: parse(text).emotions}
    if asked.keywords:
        readers["keywords"] = keyword_reader(asked.keywords)
    for path in asked.files:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        print(f"\n{path.stem + f': {len(rows)} captions':50}" + "".join(f"{name:>10}" for name in readers))
        show(rows, readers)
        if asked.misses and not all("text" in row for row in rows):
            print("\n".join(misses(rows)))


def show(rows: list[Row], readers: Mapping[str, Reader]) -> None:
    """Print the results for a file, one column per parser."""
    if all("kind" in row and "text" in row for row in rows):
        show_labelled(rows)
        return
    if all("scores" in row for row in rows):
        line(
            "Spearman with the scores, mean over captions",
            [correlation(rows, read) for read in readers.values()],
        )
        return
    for title, part in _parts(rows).items():
        columns = [score(part, read) for read in readers.values()]
        for figure in columns[0]:
            line(figure + title, [column[figure] for column in columns])
    for grade, level in sorted(grades(rows).items(), key=lambda pair: -pair[1]):
        line(f"mean level of {grade!r}", [level])


def show_labelled(rows: list[Row]) -> None:
    """Print the measures of rows with full labels, one column per kind."""
    by_kind = {kind: measures(counts) for kind, counts in count(rows).items()}
    kinds = sorted(by_kind, key=lambda kind: kind != "all")
    print(f"  {'':24}" + "".join(f"{kind:>10}" for kind in kinds))
    for measure in by_kind["all"]:
        print(f"  {measure:24}" + "".join(f"{by_kind[kind][measure]:10.3f}" for kind in kinds))


def line(title: str, values: list[float]) -> None:
    if not all(np.isnan(values)):
        print(f"  {title:48}" + "".join(f"{value:10.3f}" for value in values))


def _parts(rows: list[Row]) -> dict[str, list[Row]]:
    """Return the rows, grouped by whether their wording names a feeling, if the file has this field."""
    if not any("names_affect" in row for row in rows):
        return {"": rows}
    return {
        ", names no feeling": [row for row in rows if not row["names_affect"]],
        ", names a feeling": [row for row in rows if row["names_affect"]],
    }


if __name__ == "__main__":
    main()
