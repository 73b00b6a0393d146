"""Report of EmoNet-Voice Bench, for the terminal and as a page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from budew.reports.page import page_notes, section_note
from budew.reports.sections import BarRow, Bars, Card, Cell, Curves, HeatMap, Report, Table, with_content
from budew.statistics.pair_metrics import PAIR_METRICS

Result = Mapping[str, Any]
NAMES = {"pearson": "Pearson r", "spearman": "Spearman ρ", "mae": "MAE (0–10)", "rmse": "RMSE (0–10)"}
_CLASSES = ("0: not", "1: mildly", "2: intensely")


def emonet_voice_report(result: Result) -> Report:
    """Report a result of `EmoNetVoice.to_dict()`, the most important section first."""
    cards = [Card(NAMES[name], result[name], digits=3) for name in PAIR_METRICS]
    cards += [Card(f"{name.title()} (%)", result[name]) for name in ("refused", "unparsed")]
    sections = with_content(
        _leaderboard(result),
        _variants(result),
        decoding_table(result["comparison"]) if "comparison" in result else None,
        _mean_spearman(result),
        _by_emotion(result),
        *(_groups(result, part) for part in ("emotion", "language", "voice", "arousal")),
        _attributes(result),
        _classes(result),
        _confusion(result),
        _people(result),
        _reliability(result),
    )
    scored = f"{result['n']['value']:,} clips scored ({_set_name(result, result['consensus'])})"
    subtitle = f"{_model(result)} on {result['data']}: {scored}"
    remark = (result.get("trained_on") or {}).get("summary", "")
    return Report("EmoNet-Voice Bench", subtitle, cards, sections, page_notes("emonet_voice"), remark)


def _model(result: Result) -> str:
    """Return the model with its decoding and calibration, if they are not the usual ones."""
    decoding = result.get("decoding", {}).get("name", "greedy")
    used = [decoding] if decoding != "greedy" else []
    if calibration := result.get("calibration"):
        used.append(f"calibrated on {calibration['left_out']:,} clips that are not scored")
    return f"{result['model']} ({', '.join(used)})" if used else str(result["model"])


def presence_report(result: Result, data: str) -> Report:
    """Report a result of `measure_presence`: reliability diagram, calibration error and Brier score."""
    measures = (("ece", "Expected calibration error"), ("brier", "Brier score"))
    cards = [
        Card(f"{label}, {when} calibration", result[when][key], digits=3)
        for key, label in measures
        for when in ("before", "after")
    ]
    lines: list[tuple[str, Sequence[tuple[float, float | None]]]] = [("perfect", [(0.0, 0.0), (1.0, 1.0)])]
    for when in ("before", "after"):
        points = [(one["probability"], one["share"]) for one in result[when]["bins"]]
        lines.append((f"{when} calibration", points))
    diagram = Curves("Reliability: share present", lines, over="probability of presence", ends=(0.0, 1.0))
    subtitle = f"{data}: {result['clips']:,} clips of other people, {result['ratings']:,} ratings"
    notes = page_notes("presence")
    return Report("Probability that an emotion is present", subtitle, cards, [diagram], notes)


def emonet_voice_summary(report: Report) -> Report:
    """Shorten the report for a terminal: cards, and the tables without sources and intervals."""
    tables = [section for section in report.sections if isinstance(section, Table)]
    return replace(report, sections=[_narrow(table) for table in tables], notes=())


def _narrow(table: Table) -> Table:
    shown = [index for index, name in enumerate(table.columns) if name != "source"]
    rows = [[_bare(row[index]) for index in shown] for row in table.rows]
    return replace(table, columns=[table.columns[index] for index in shown], rows=rows)


def _bare(cell: Cell) -> Cell:
    return cell["value"] if isinstance(cell, Mapping) else cell


def decoding_table(comparison: Mapping[str, Any]) -> Table:
    """Return a table of `DecodingComparison.to_dict()`: two rows per decoding, raw and calibrated."""
    rows: list[tuple[Cell, ...]] = []
    for row in comparison["decodings"]:
        for name, metrics in ((row["name"], row["raw"]), (f"{row['name']}, calibrated", row["calibrated"])):
            if metrics is None:
                continue
            times = (row["seconds_per_clip"], row["relative_time"])
            rows.append((name, *(metrics[metric] for metric in PAIR_METRICS), *times))
    calibrated = any(row["calibrated"] for row in comparison["decodings"])
    fitted = f"calibrated on {comparison['fitted_clips']} others" if calibrated else "too few to calibrate"
    note = section_note("emonet_voice", "decoding", found=comparison, fitted=fitted)
    columns = ("", *NAMES.values(), "seconds", "× greedy")
    return Table("Decoding and calibration", columns, rows, note=note, digits=3)


def _leaderboard(result: Result) -> Table:
    rows: list[tuple[Cell, ...]] = []
    own = []
    for row in result["leaderboard"]:
        if row.get("own"):
            own += [len(rows)] if row["set"] == result["consensus"] else []
            metrics, source = result["sets"][row["set"]], "this report"
        else:
            metrics, source = row, ", ".join(filter(None, (row["source"], row["date"])))
        rows.append(
            (row["model"], row["set"], *(metrics[name] for name in (*PAIR_METRICS, "refused")), source)
        )
    columns = ("model", "clips", *NAMES.values(), "refused (%)", "source")
    remarks = [f"{row['model']}: {row['note']}." for row in result["leaderboard"] if "note" in row]
    note = " ".join([section_note("emonet_voice", "leaderboard", raters=result["min_raters"]), *remarks])
    return Table("Leaderboard", columns, rows, highlighted=own, note=note, digits=3)


def _set_name(result: Result, name: str) -> str:
    return "all" if name == "all" else f"exact agreement of at least {result['min_raters']} raters"


def _variants(result: Result) -> Table:
    rows: list[tuple[str, int, Result]] = []
    for name, found in result["sets"].items():
        n, zero = found["n"]["value"], found["as_zero"]
        rows += [
            (f"clips: {_set_name(result, name)}", n, found),
            ("… those without a prediction scored as 0", zero["n"]["value"], zero),
            ("… intervals of voices", n, found["voice_intervals"]),
            ("… baseline: predictions permuted over the clips", n, found["permuted"]),
        ]
    return _metric_table("All clips and those with consensus", [row for row in rows if row[2] is not None])


def _metric_table(heading: str, rows: list[tuple[str, int, Result]], note: str = "") -> Table:
    cells = [(name, n, *(metrics[metric] for metric in PAIR_METRICS)) for name, n, metrics in rows]
    columns = ("", "clips", *NAMES.values())
    return Table(heading, columns, cells, note=note, digits=3)


def _by_emotion(result: Result) -> Bars:
    published = result["published_by_emotion"]
    rows = [
        BarRow(
            emotion, metrics["spearman"], {one["model"]: one["spearman"].get(emotion) for one in published}
        )
        for emotion, metrics in result["by_emotion"].items()
    ]
    note = section_note("emonet_voice", "by_emotion")
    return Bars("Spearman ρ by emotion", rows, axis=(0.0, 0.7), note=note, measure=result["model"])


def _mean_spearman(result: Result) -> Bars:
    found = sorted(result["mean_spearman"], key=lambda one: -(one["spearman"]["value"] or 0.0))
    rows = [BarRow(one["model"], one["spearman"]) for one in found]
    sources: list[Cell] = [one.get("source", "this report") for one in found]
    beside = {"emotions": [one["emotions"] for one in found], "source": sources}
    note = "Mean over the emotions that a model does not refuse; intervals resample the emotions."
    return Bars("Mean Spearman ρ of models", rows, note=note, measure="mean ρ", digits=3, columns=beside)


def _groups(result: Result, part: str) -> Table:
    note = "Arousal of the emotion in the taxonomy, in three groups." if part == "arousal" else ""
    return _both_sets(f"By {part}", result, f"by_{part}", {"n": "number", **NAMES}, note)


def _both_sets(heading: str, result: Result, part: str, columns: Mapping[str, str], note: str) -> Table:
    """Return a table with a row for each group in each set of clips."""
    sets = result["sets"]
    rows = [
        (name, key, *(found[part][name][column] for column in columns))
        for name in sets["all"][part]
        for key, found in sets.items()
        if name in found[part]
    ]
    return Table(heading, ("", "clips", *columns.values()), rows, note=note, digits=3)


def _classes(result: Result) -> Table:
    found = result["classes"]
    usual = found["baseline"]
    rows = [
        (result["model"], found["accuracy"], found["macro_f1"]),
        (f"always the most frequent class, {usual['class']}", usual["accuracy"], usual["macro_f1"]),
    ]
    note = "Prediction rounded to the nearest class against the majority of the raters."
    return Table("Classes 0, 1, 2", ("", "accuracy", "macro-F1"), rows, highlighted=(0,), note=note, digits=3)


def _confusion(result: Result) -> HeatMap:
    shares = [[count / max(1, sum(row)) for count in row] for row in result["classes"]["confusion"]]
    note = "Share of the clips of a majority for which a class is predicted."
    return HeatMap(
        "Majority by predicted class", _CLASSES, _CLASSES, shares, note=note, axes=("majority", "predicted")
    )


def _people(result: Result) -> Table:
    ceiling = result["human_ceiling"]
    rows = [
        ("one rater against the mean of the others", ceiling["n"], ceiling),
        (f"{result['model']} against the mean of all raters", result["n"]["value"], result),
    ]
    table = _metric_table("Human ceiling", rows, section_note("emonet_voice", "people"))
    return replace(table, columns=("", "pairs", *table.columns[2:]))


def _reliability(result: Result) -> Bars:
    published = result["published_reliability"]
    of = {"all": published["overall"]} | published["by_category"]
    rows = []
    for name, found in result["reliability"].items():
        marks = {"Cronbach's alpha": found["cronbach"]["value"], "published": of.get(name, {}).get("value")}
        rows.append(BarRow(name, found["krippendorff"], marks))
    note = section_note("emonet_voice", "reliability")
    return Bars("Reliability of the raters", rows, note=note, measure="Krippendorff's alpha")


def _attributes(result: Result) -> Table:
    columns = {"n": "number", **NAMES, "refused": "not predicted (%)"}
    return _both_sets("Authenticity and Arousal", result, "attributes", columns, "Rated and reported apart.")
