"""Report of a benchmark with few classes (EmoDB, RAVDESS, FERD, AffectNet)."""

from collections.abc import Mapping
from typing import Any

from budew.reports.page import confusion_map, page_notes
from budew.reports.sections import BarRow, Bars, Card, Report, StackedBars, Table, with_content

_COLUMNS = {
    "accuracy": "accuracy, %",
    "argmax_accuracy": "argmax, %",
    "unweighted_average_recall": "UAR, %",
    "accepted_classes": "accepted classes",
}
_SHARES = tuple(_COLUMNS)[:3]


def coarse_report(result: Mapping[str, Any]) -> Report:
    """Report a result of `CoarseResult.to_dict()`: leaderboard, classes, confusion, accepted classes."""
    clips = f"{result['n']:,} {_items(result)} of {result['data']}"
    speakers = f", {result['speakers']} speakers" if result["speakers"] else ""
    permuted = result["permutation_baseline"]
    notes = {name: f"permuted labels: {permuted[name]['value']:.2f}" for name in _SHARES}
    cards = [Card(label, result[name], note=notes.get(name, "")) for name, label in _COLUMNS.items()]
    cards.append(Card("refused, %", result["refused"], note="count as wrong"))
    intensities = [
        (name, row["n"], *(row[metric] for metric in _COLUMNS))
        for name, row in result["by_intensity"].items()
    ]
    counts = result["accepted_counts"]
    sections = with_content(
        _leaderboard(result),
        _classes(result),
        Table("By intensity of the acting", ("intensity", "clips", *_COLUMNS.values()), intensities),
        confusion_map(
            "Confusion by the strongest emotion, % of each class",
            result["confusion"]["classes"],
            result["confusion"]["clips"],
            refused="refused",
            axes=("true class", "class of the strongest emotion"),
        ),
        StackedBars(
            "Accepted classes",
            list(map(str, range(len(counts)))),
            [(_items(result), counts)],
            "By the number of classes that the rule accepts at once: with all of them, any answer is right.",
        ),
    )
    remark = (result.get("trained_on") or {}).get("summary", "")
    title = f"{result['title']}: {result['model']}"
    return Report(title, clips + speakers, cards, sections, _notes(result), remark)


def _leaderboard(result: Mapping[str, Any]) -> Table:
    """Return the published rows, one's own and that of permuted labels, best first."""
    own = (result["model"], *(result[name] for name in _COLUMNS), "this run")
    permuted = (result["permutation_baseline"][name]["value"] for name in _COLUMNS)
    rows = [
        (result["accuracy"]["value"], own),
        (result["permutation_baseline"]["accuracy"]["value"], ("permuted labels", *permuted, "this run")),
        *(
            (
                row["accuracy"],
                (row["model"], row["accuracy"], None, None, None, f"{row['source']}, {row['date']}"),
            )
            for row in result["published"]
        ),
    ]
    ranked = [row for _, row in sorted(rows, key=lambda row: -row[0])]
    return Table(
        "Leaderboard",
        ("model", *_COLUMNS.values(), "source"),
        ranked,
        highlighted=(ranked.index(own),),
        note="Ranked by the published rule, which may accept several classes; supervised: plain accuracy.",
    )


def _items(result: Mapping[str, Any]) -> str:
    return "clips" if result["speakers"] else "pictures"


def _classes(result: Mapping[str, Any]) -> Bars:
    rows = [
        BarRow(
            f"{name} ({row['n']:,})",
            row["accuracy"],
            marks={
                **{
                    other["model"]: other["by_class"][name]
                    for other in result["published"]
                    if other["by_class"]
                },
                "argmax": row["recall"]["value"],
                "accepted for any class": row["accepted"],
            },
        )
        for name, row in result["by_class"].items()
    ]
    note = "A class that is accepted for clips of any class as often as for its own is not recognized."
    return Bars("Accuracy by class, %", rows, axis=(0.0, 100.0), note=note, measure="accuracy")


def _notes(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    mapping, items = result["mapping"], _items(result)
    neutral = mapping["without_emotion"]
    return [
        *(page_notes("coarse_training", found=result, items=items) if result["for_training"] else []),
        *page_notes(
            "coarse",
            found=result,
            items=items,
            mapped=len(mapping["classes"]),
            mapping=mapping,
            empty=f"; a prediction without any emotion is {neutral}" if neutral else "",
            unmapped=", ".join(result["unmapped"]) or "none",
            left_out=len(result["skipped"]),
        ),
    ]
