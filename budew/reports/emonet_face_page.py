"""Reports of EmoNet-Face HQ and Binary, with the plots of the published notebooks."""

from collections.abc import Iterator, Mapping
from typing import Any

from budew.evaluation.benchmarks.emonet_face_binary import FEWEST
from budew.evaluation.benchmarks.face_agreement import FEWEST_IMAGES
from budew.reports.formatting import share
from budew.reports.page import page_notes
from budew.reports.sections import (
    BarCell,
    BarRow,
    Bars,
    Card,
    Cell,
    HeatMap,
    Report,
    Section,
    StackedBars,
    Table,
    with_content,
)

Result = Mapping[str, Any]
_METRICS = {"balanced_accuracy": "balanced accuracy", "roc_auc": "ROC AUC"}
_PREDICTED = "Predicted (%)"
_ANSWERS = {"all_yes": "all three yes", "never_yes": "never yes", "other": "other pairs"}
_ANSWERS |= {"contrast_no": "no in the contrastive batch", "first_no": "no of the first expert"}


def emonet_face_hq_report(result: Result) -> Report:
    """Report a result of `HqResult.to_dict()`: kappas, alpha and ratings; the scored model is highlighted."""
    counts = result["counts"]
    subtitle = (
        f"{counts['images']:,} images, {counts['people']} people and {counts['models']} models "
        f"in {counts['rows']:,} rows of {result['data']}"
    )
    sections = with_content(
        *_raters(result),
        _correlations(result),
        *_by_demographics(result),
        _published(result),
        _kappas(result),
        *_groups(result),
        _pairs(result),
        _alpha(result),
        StackedBars("Ratings by people, 0 to 7", list("01234567"), list(result["ratings"].items())),
    )
    title = "EmoNet-Face HQ" + (f": {result['model']}" if result["model"] else "")
    return Report(title, subtitle, _hq_cards(result), sections, _hq_notes(result))


def _hq_cards(result: Result) -> list[Card]:
    cards = []
    for rater in result["raters"]:
        if rater["name"] == result["model"]:
            could, p = "yes" if rater["could_be_annotator"] else "no", _significance(rater["p"])
            cards.append(Card("κ with people", rater["kappa"], note=rater["name"], digits=3))
            cards.append(Card("ρ with their median", rater["spearman"], note=rater["name"], digits=3))
            cards.append(Card("could be an annotator", could, note=f"p {p}, yes above 0.05"))
            of_images = f"{rater['images']:,} of {result['counts']['images']:,} images"
            cards.append(Card(_PREDICTED, result["predicted"], note=of_images))
    people, published = result["groups"].get("human", {}), result["published"]["agreement"]
    beside = f"published {published['pooled_kappa']:.3f}"
    pooled, alpha = result["pooled_kappa"]["mean"], result["alpha"]["mean"]
    return [
        *cards,
        Card("κ of people", people.get("mean"), note="mean over people and emotions", digits=3),
        Card("pooled κ of people", pooled, note=f"mean over 40 emotions, {beside}", digits=3),
        Card("α of people", alpha, note="mean over emotions", digits=3),
    ]


def _raters(result: Result) -> list[Table]:
    """Return kappas of the raters, and their comparison with those of people with each other."""
    kappas, tests = [], []
    for rater in result["raters"]:
        kappas.append([rater[part] for part in ("name", "group", "images", "kappa", "sd", "median")])
        could = "yes" if rater["could_be_annotator"] else "no"
        tests.append((rater["name"], rater["difference"], _significance(rater["p"]), could))
    own = [place for place, row in enumerate(kappas) if row[0] == result["model"]]
    columns = ("rater", "difference of κ", "p", "could be an annotator")
    note = "κ with people against κ of people with each other."
    return [
        Table("Raters", ("rater", "group", "images", "κ", "SD", "median"), kappas, highlighted=own, digits=3),
        Table("Raters compared with people", columns, tests, highlighted=own, note=note, digits=3),
    ]


def _correlations(result: Result) -> Bars:
    """Return the mean ρ of each group of models and of its models, groups in the order of the paper."""
    rows: list[BarRow] = []
    groups: list[Cell] = []
    for group, mean in result["group_spearman"].items():
        raters = [one for one in result["raters"] if one["group"] == group]
        models = sorted(raters, key=lambda one: -(one["spearman"]["value"] or 0.0))
        rows += [BarRow(f"mean of {len(models)} models", mean)] if len(models) > 1 else []
        rows += [BarRow(one["name"], one["spearman"]) for one in models]
        groups += [group] * (len(rows) - len(groups))
    note = "Mean over the emotions of ρ with the median of the people; intervals resample the emotions."
    beside = {"group": groups}
    return Bars("ρ of models and their groups", rows, note=note, measure="mean ρ", digits=3, columns=beside)


def _by_demographics(result: Result) -> Iterator[Bars]:
    """Yield the scores of one model by what the prompts of the images ask for, a figure for each axis."""
    axes = dict(result["demographics"] or {})
    name = axes.pop("model", None)
    whole = {one["name"]: one["spearman"]["value"] for one in result["raters"] if "spearman" in one}
    for axis, found in axes.items():
        columns: dict[str, list[Cell]] = {
            "images": [
                BarCell(f"{one['images']:,}{', few' * one['few']}", warning=one["few"])
                for one in found.values()
            ],
            "emotions": [one["emotions"] for one in found.values()],
            "absolute error": [one["mae"] for one in found.values()],
        }
        rows = [BarRow(value, one["spearman"], {"all groups": whole[name]}) for value, one in found.items()]
        yield Bars(f"ρ by {axis}: {name}", rows, measure="mean ρ", columns=columns)


def _published(result: Result) -> Table:
    """Return the kappa after matching levels, of this table beside the published ones."""
    here = {one["name"]: one["matched_kappa"] for one in result["raters"] if "spearman" in one}
    here["people"] = result["pooled_kappa"]["mean_of_reliable"]
    published = {row["model"]: row for row in result["published"]["leaderboard"]}
    rows = [(name, here.get(name), published.get(name, {}).get("matched_kappa")) for name in here | published]
    rows.sort(key=lambda row: (-max(-2.0 if value is None else value for value in row[1:]), row[0]))
    own = [place for place, row in enumerate(rows) if row[0] == result["model"]]
    sources = dict.fromkeys(f"{row['source']}, {row['date'] or 'not dated'}" for row in published.values())
    number = len(result["pooled_kappa"]["reliable"])
    columns = ("rater", f"κ of {number} emotions", "published")
    note = f"Published: {'; '.join(sources)}."
    return Table("Beside published results", columns, rows, highlighted=own, note=note, digits=3)


def _kappas(result: Result) -> Bars:
    """Return the kappa of the model by emotion, or of the best one, beside the groups."""
    models = [rater for rater in result["raters"] if "spearman" in rater]
    own = [rater for rater in models if rater["name"] == result["model"]] or models
    means = {
        group: _means([rater["by_emotion"] for rater in result["raters"] if rater["group"] == group])
        for group in result["groups"]
        if group in ("human", "random")
    }
    shown = own[0]["by_emotion"] if own else means.pop("human", {})
    rows = [
        BarRow(emotion, value, {group: kappas[emotion] for group, kappas in means.items() if own})
        for emotion, value in shown.items()
    ]
    whose = own[0]["name"] if own else "people"
    note = "Mean over the human partners; marks: mean of the raters of a group."
    return Bars(f"κ by emotion: {whose}", rows, note=note, measure=whose, digits=3)


def _means(kappas: list[Mapping[str, float | None]]) -> dict[str, float | None]:
    found = {}
    for emotion in kappas[0]:
        values = [value for value in (one[emotion] for one in kappas) if value is not None]
        found[emotion] = sum(values) / len(values) if values else None
    return found


def _groups(result: Result) -> list[Table]:
    """Return kappas by group of raters, and their differences."""
    parts = ("n", "mean", "lowest", "lower_quartile", "median", "upper_quartile", "highest")
    kappas = [(name, *(box[part] for part in parts)) for name, box in result["groups"].items()]
    columns = ("group", "kappas", "mean", "lowest", "25 %", "median", "75 %", "highest")
    note = "Kappas of all raters and emotions of a group."
    differences = [
        (f"{one['first']} − {one['second']}", one["difference"], _significance(one["p"]))
        for one in result["group_comparisons"]
    ]
    test = "Difference of the mean kappas; two-sided Mann-Whitney test."
    return [
        Table("Groups of raters", columns, kappas, note=note, digits=3),
        Table("Differences of groups", ("groups", "difference", "p"), differences, note=test, digits=3),
    ]


def _pairs(result: Result) -> HeatMap:
    names, kappas = result["pairs"]["raters"], result["pairs"]["kappa"]
    most = max((abs(kappa) for row in kappas for kappa in row if kappa is not None), default=1.0)
    return HeatMap(
        "κ of pairs of raters, mean over emotions", names, names, kappas, -most, most, diverging=True
    )


def _alpha(result: Result) -> Bars:
    published, pooled = result["published"]["agreement"], result["pooled_kappa"]["by_emotion"]
    rows = []
    for emotion, alpha in result["alpha"]["by_emotion"].items():
        marks = {"published": published["by_emotion"][emotion]["alpha"], "pooled κ": pooled[emotion]}
        rows.append(BarRow(emotion, alpha, marks))
    note = f"Published: {published['source']}."
    return Bars("Krippendorff's α of people", rows, note=note, measure="α", digits=3)


def _significance(p: float | None) -> str:
    return "–" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _hq_notes(result: Result) -> list[tuple[str, str]]:
    counts = result["counts"]
    outside = sum(rater["outside"] for rater in result["raters"])
    return page_notes(
        "emonet_face_hq",
        reliable=", ".join(result["pooled_kappa"]["reliable"]),
        few=FEWEST_IMAGES,
        counts=counts,
        outside=outside,
        unused=_unused(counts),
    )


def emonet_face_binary_report(result: Result) -> Report:
    """Report a result of `BinaryResult.to_dict()`: agreement by emotion, and the scores of a model."""
    counts, model = result["counts"], result["model"]
    subtitle = (
        f"{counts['ratings']:,} ratings of {counts['images']:,} images by {counts['people']} people, "
        f"{counts['pairs']:,} pairs of image and emotion in {result['data']}"
    )
    scored = {} if model is None else {"all_yes": model["all"]["yes"], "never_yes": model["all"]["no"]}
    cards = []
    for name, label in _ANSWERS.items():
        note = share(counts[name], counts["pairs"])
        note += f", {scored[name]:,} scored" if name in scored else ""
        cards.append(Card(label, counts[name], note=note))
    sections: list[Section] = []
    if model is not None:
        means = model["mean"]
        number = sum(one["roc_auc"]["value"] is not None for one in model["by_emotion"].values())
        metrics = [
            Card(label, means[name], note=f"mean over {number} emotions", digits=3)
            for name, label in _METRICS.items()
        ]
        cards = [*metrics, Card(_PREDICTED, result["predicted"], note="of all pairs"), *cards]
        sections = [_presence(model), *(_presence_bars(model, name) for name in _METRICS)]
    sections += [_agreement_bars(result), _agreement_table(result)]
    title = "EmoNet-Face Binary" + (f": {model['name']}" if model else "")
    return Report(title, subtitle, cards, sections, _binary_notes(result))


def _presence(model: Mapping[str, Any]) -> Table:
    mean, whole = model["mean"], model["all"]
    rows = [
        ("mean over emotions", None, None, *(mean[name] for name in _METRICS)),
        ("all pairs together", whole["yes"], whole["no"], *(whole[name] for name in _METRICS)),
    ]
    return Table("Pairs with high agreement", ("", "present", "absent", *_METRICS.values()), rows, digits=3)


def _presence_bars(model: Mapping[str, Any], metric: str) -> Bars:
    rows = [
        BarRow(f"{emotion} ({scores['yes']:,} / {scores['no']:,})", scores[metric], marks={"chance": 0.5})
        for emotion, scores in model["by_emotion"].items()
    ]
    label = _METRICS[metric]
    return Bars(f"{label} by emotion", rows, axis=(0.0, 1.0), measure=label.split()[-1], digits=3)


def _agreement_bars(result: Result) -> StackedBars:
    rows = [
        (emotion, [row["agreement"], row["two_to_one"], row["one_to_one"]])
        for emotion, row in result["by_emotion"].items()
        if row["pairs"]
    ]
    note = "Pairs of image and emotion with at least two ratings."
    return StackedBars("Agreement by emotion", ("full agreement", "2:1", "1:1"), rows, note=note)


def _agreement_table(result: Result) -> Table:
    published = result["published"]["by_emotion"]
    columns = {
        "pairs": "pairs",
        "two": "two ratings",
        "three": "three",
        "agreement": "full agreement",
        "two_to_one": "2:1",
        "one_to_one": "1:1",
    }
    rows = [
        (emotion, *(row[name] for name in columns), published.get(emotion, {}).get("agreement"))
        for emotion, row in result["by_emotion"].items()
    ]
    headings = ("emotion", *columns.values(), "published agreement")
    note = f"Shares of the pairs with at least two ratings. Published: {result['published']['source']}."
    return Table("Agreement table", headings, rows, note=note, digits=3)


def _binary_notes(result: Result) -> list[tuple[str, str]]:
    model, unused = result["model"], _unused(result["counts"])
    of_model = (
        page_notes("emonet_face_binary_model", model=model, fewest=FEWEST, unused=unused) if model else []
    )
    return [*page_notes("emonet_face_binary"), *of_model]


def _unused(counts: Mapping[str, int]) -> str:
    unused = counts.get("unused_predictions", 0)
    return f"; {unused:,} predictions for no image of the table" if unused else ""
