"""`RatingStatistics` as a table for the terminal."""

from rich.box import SIMPLE_HEAD
from rich.table import Table

from budew.curation.rating_statistics import RatingCounts, RatingStatistics


def rating_table(found: RatingStatistics, *, title: str) -> Table:
    """Return a table with a line for each emotion and one for all."""
    table = Table(
        title=title,
        title_justify="left",
        caption=_READ_AS,
        caption_justify="left",
        show_footer=True,
        box=SIMPLE_HEAD,
    )
    for name, total in zip(_HEAD, ("all", *_cells(found.all)), strict=True):
        table.add_column(name, footer=total, justify="left" if name == _HEAD[0] else "right", no_wrap=True)
    for emotion, counts in found.emotions.items():
        table.add_row(emotion, *_cells(counts))
    return table


_READ_AS = (
    "agreement: pairs of raters with the same answer, many by chance alone where most answers are alike. "
    "alpha: Krippendorff's for intervals, which takes chance out and counts a near miss as less than a far "
    "one: 1 is all alike, 0 chance, below 0 worse; from 0.8 on reliable, from 0.67 on for tentative "
    "conclusions (Krippendorff 2004). Of few items, or two raters, it is a rough figure."
)
_HEAD = ("emotion", "ratings", "items", "raters", "present", "mean", "agreement", "alpha")


def _cells(counts: RatingCounts) -> tuple[str, ...]:
    whole = (counts.ratings, counts.items, counts.raters, counts.present)
    shares = (counts.mean, counts.agreement, counts.alpha)
    return (
        *(f"{count:,}" for count in whole),
        *("–" if share is None else f"{share:.2f}" for share in shares),
    )
