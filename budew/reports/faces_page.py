"""Pages of faces: images with their strongest emotions as bars, and the description of a corpus."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from budew.corpora.clip import Clip
from budew.faces.images import image_uri
from budew.faces.scoring import FaceScores
from budew.reports.page import section_note
from budew.reports.sections import (
    BarRow,
    Bars,
    Card,
    ClipCard,
    ClipCards,
    EmotionBar,
    HeatMap,
    Report,
    Section,
    with_content,
)
from budew.taxonomy import EMOTIONS

MOST_IMAGES = 200
SHOWN_EMOTIONS = 8
LONGER_SIDE = 224
"""Length of the longer side of an image on the page in pixels."""
_HIGHEST_SCORE = 7.0


class FacesPage:
    """A page to which images are added one by one, up to `MOST_IMAGES`, each a JPEG of about 10 kB."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._faces: list[ClipCard] = []
        self._left_out = 0

    def add(self, clip: Clip, scores: FaceScores) -> None:
        """Add an image with its scores."""
        if len(self._faces) == MOST_IMAGES:
            self._left_out += 1
            return
        strongest = sorted(scores.softmax, key=lambda name: -scores.softmax[name])[:SHOWN_EMOTIONS]
        bars = [_bar(name, scores.raw[name]) for name in strongest]
        self._faces.append(ClipCard(clip.id, image=image_uri(clip, LONGER_SIDE, quality=85), bars=bars))

    def report(self) -> Report:
        """Return the report with all added images."""
        left_out = f", {self._left_out:,} more are not shown" if self._left_out else ""
        faces = ClipCards("Faces", self._faces, note=section_note("faces", "scores"))
        return Report(self._title, f"{len(self._faces)} images{left_out}.", [], [faces])


def _bar(emotion: str, raw: float) -> EmotionBar:
    share = min(1.0, max(0.0, raw / _HIGHEST_SCORE))
    return EmotionBar(emotion, [share], f"{raw:.1f} of {_HIGHEST_SCORE:g}", number=f"{raw:.1f}")


def description_report(source: str, found: Mapping[str, Any]) -> Report:
    """Report the description of a corpus, which `describe_faces` returns."""
    labels = {"group": "ethnicity, by group", "ethnicity": "ethnicity", "gender": "gender", "age": "age"}
    cards = [Card("images", found["images"])]
    cards += [
        Card(f"balance of {label}", found["balance"][axis], note="smallest over largest count")
        for axis, label in labels.items()
    ]
    counts = {f"Images by {label}": found["counts"][axis] for axis, label in labels.items()}
    counts["Images by emotion"] = found["emotions"]
    sections: list[Section] = [_bars(heading, images, "images", 0) for heading, images in counts.items()]
    if found["shares"]:
        sections += [*_shares(found["shares"], found["variance"]), _emotions(found["emotion_shares"])]
    variance = _bars("Variance of the shares of emotions", found["emotion_variance"], "variance", 5)
    sections.append(
        replace(variance, note="0: all occur equally often; chance adds to it where images are few.")
    )
    for axis, values in found.get("similarity", {}).items():
        heading = f"Mean cosine of pairs of images, {labels.get(axis, axis)}"
        sections.append(replace(_bars(heading, values, "mean cosine", 3), axis=(0.0, 1.0)))
    notes = [
        ("demographics", "what the prompts of the images ask for, not how the faces look"),
        ("unknown", ", ".join(f"{labels[axis]} {count:,}" for axis, count in found["unknown"].items())),
        ("no emotion", f"{found['no_emotion']:,} images have neither a target nor a label above 0"),
    ]
    subtitle = f"{found['images']:,} images of {source}"
    return Report("Faces", subtitle, cards, with_content(*sections), notes)


def _bars(heading: str, values: Mapping[str, float], measure: str, digits: int) -> Bars:
    rows = [BarRow(name, value) for name, value in values.items()]
    return Bars(heading, rows, measure=measure, digits=digits)


def _emotions(shares: Mapping[str, Mapping[str, float]]) -> HeatMap:
    rows = [[row[name] for row in shares.values()] for name in EMOTIONS]
    note, high = "Share of the images of each group of ethnicities.", max(map(max, rows))
    return HeatMap("Share of emotions", EMOTIONS, list(shares), rows, high=high, note=note, digits=3)


def _shares(shares: Mapping[str, Mapping[str, float]], variances: Mapping[str, float]) -> list[HeatMap]:
    """Return the share of each group of emotions by ethnicity, and its variance over them."""
    columns = list(next(iter(shares.values())))
    rows = [[row[name] for name in columns] for row in shares.values()]
    variance = [variances[name] for name in columns]
    return [
        HeatMap(
            "Share of groups of emotions",
            list(shares),
            columns,
            rows,
            high=max(value for row in rows for value in row),
            note="Share of the images of each group of ethnicities.",
            axes=("ethnicity", "emotions"),
        ),
        HeatMap(
            "Variance of these shares over the groups of ethnicities",
            ["variance"],
            columns,
            [variance],
            high=max([*variance, 1e-9]),
            note="0: every group shows the same emotions.",
            digits=6,
        ),
    ]
