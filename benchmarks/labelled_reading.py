"""Counts of how captions with full labels are parsed: emotions, levels, gender, age, bursts (`reading.py`).

Each row has `text`, `kind` (such as "llm", "idiom" or "neutral") and `emotions` (level by name), and maybe

    either, either_levels   lists of emotions, one of which is enough, and their levels
    ok                      emotions that are neither required nor wrong
    absent                  emotions that the text denies or describes as past
    traits                  gender and age
    bursts                  names, or "~" and a group if the text names no particular kind
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from budew import parse
from budew.taxonomy import BURST_GROUPS, LEVELS

Row = Mapping[str, Any]
_GROUP = {name: group for group, names in BURST_GROUPS.items() for name in names}
_TRAITS = ("gender", "age")


def count(rows: Iterable[Row]) -> dict[str, Counter[str]]:
    """Return the counts by kind of row; "all" has those of all rows."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        of_row = _count(row)
        counts[row["kind"]] += of_row
        counts["all"] += of_row
    return counts


def measures(counts: Mapping[str, int]) -> dict[str, float]:
    """Return metrics as shares of the counts; NaN if there is nothing to divide by.

    `strict precision` counts emotions of `ok` as wrong; `clean` is the share of captions with no missed and
    no wrong emotion; `level bias` is the share of levels above the label minus the share below; `false
    gender` is a share of the captions without a gender, `false burst` the number of false bursts per caption.
    """

    def share(part: str, whole: str) -> float:
        return counts[part] / counts[whole] if counts[whole] else float("nan")

    return {
        "recall": share("found", "wanted"),
        "precision": share("right", "read"),
        "strict precision": share("strictly right", "read"),
        "clean": share("clean", "captions"),
        "absent read as present": share("absent read", "absent"),
        "level exact": share("exact", "found"),
        "level within one": share("within one", "found"),
        "level bias": share("above", "found") - share("below", "found"),
        **{key: share(key, f"{key} wanted") for key in _TRAITS},
        **{f"false {key}": share(f"{key} false", f"{key} unknown") for key in _TRAITS},
        "burst": share("burst", "bursts"),
        "burst of the group": share("burst group", "bursts"),
        "false burst": share("burst false", "captions"),
        "neutral: some emotion": share("neutral read", "neutral"),
    }


def _count(row: Row) -> Counter[str]:
    parsed = parse(row["text"])
    return (
        Counter({"captions": 1})
        + _emotions(row, parsed.emotions)
        + _traits(row, parsed.traits)
        + _bursts(row, parsed.bursts)
    )


def _emotions(row: Row, read: Mapping[str, float]) -> Counter[str]:
    counts: Counter[str] = Counter()
    required, absent = row["emotions"], set(row.get("absent", ()))
    wanted = [([name], level) for name, level in required.items()]
    wanted += list(zip(row.get("either", ()), row.get("either_levels", ()), strict=True))
    for names, level in wanted:
        present = [name for name in names if name in read]
        steps = [
            LEVELS.index(read[name]) - LEVELS.index(level)
            for name in present
            if len(names) == 1 or name not in required or not set(present) - set(required)
        ]
        step = min(steps, key=abs, default=None)
        counts["wanted"] += 1
        if step is not None:
            counts.update(["found", *["exact"] * (not step), *["within one"] * (abs(step) <= 1)])
            counts.update({"above": max(step, 0), "below": max(-step, 0)})
    named = {name for names, _ in wanted for name in names}
    right = [name for name in read if name in named or name in row.get("ok", ())]
    counts["read"] = len(read)
    counts["right"] = len(right)
    counts["strictly right"] = len(named.intersection(read))
    counts["absent"] = len(absent)
    counts["absent read"] = len(absent.intersection(read) - set(right))
    counts["clean"] = counts["found"] == counts["wanted"] and len(right) == len(read)
    if row["kind"] == "neutral":
        counts["neutral"] = 1
        counts["neutral read"] = len(right) < len(read)
    return counts


def _traits(row: Row, read: Mapping[str, str | float]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for key in _TRAITS:
        wanted = row.get("traits", {}).get(key)
        if wanted:
            counts[f"{key} wanted"] = 1
            counts[key] = read.get(key) == wanted
        else:
            counts[f"{key} unknown"] = 1
            counts[f"{key} false"] = key in read
    return counts


def _bursts(row: Row, read: Iterable[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    read = set(read)
    groups = {_GROUP[name] for name in read}
    wanted = {label: label[1:] if label.startswith("~") else _GROUP[label] for label in row.get("bursts", ())}
    for label, group in wanted.items():
        counts["bursts"] += 1
        counts["burst"] += label in read or (label.startswith("~") and group in groups)
        counts["burst group"] += group in groups
    counts["burst false"] = sum(_GROUP[name] not in wanted.values() for name in read)
    return counts
