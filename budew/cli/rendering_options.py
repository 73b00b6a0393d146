"""Options of the commands that render profiles: `budew render` and `budew corpus render`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from typer import BadParameter, Option

from budew.captions.content_selection import DEFAULT_MAX_WORDS, ContentSelection
from budew.captions.salience import Baseline
from budew.cli.terminal import parsed_file


@dataclass(frozen=True, slots=True)
class RenderingOptions:
    """Options for the content, style and random wording of rendered captions."""

    seed: Annotated[int, Option(help="Random seed for sentence frame, words and order.")] = 0
    style: Annotated[
        Literal["prose", "short", "tags"] | None, Option(help="Style of the captions. Default: any.")
    ] = None
    max_emotions: Annotated[
        int | None, Option(metavar="N", min=0, help="Express at most the N strongest emotions.")
    ] = None
    min_level: Annotated[
        float,
        Option(metavar="X", min=0, max=1, help="Express only emotions of at least this intensity (0 to 1)."),
    ] = 0.0
    leave_out: Annotated[
        list[str] | None,
        Option(
            metavar="PART",
            help="Do not express this part: emotions, bursts, or a trait (gender, age, accent, style, "
            "timbre, pace, or a voice attribute such as Warm_vs._Cold). May be repeated.",
        ),
    ] = None
    max_words: Annotated[
        int | None,
        Option(
            metavar="N",
            min=12,
            help="Most words of a caption. Longer captions leave out the least salient parts first: "
            "recording, voice attributes, accent, timbre, style and pace, bursts, weaker emotions, gender "
            "and age. Default: 84, enough for almost every profile.",
        ),
    ] = None
    baseline: Annotated[
        Path | None,
        Option(
            metavar="STATS.json",
            help="Express only emotions that are unusually strong compared with a corpus, given by its "
            "statistics (budew corpus stats --json).",
        ),
    ] = None
    min_z: Annotated[
        float | None,
        Option(
            metavar="Z",
            help="With --baseline: smallest robust z-score of a salient emotion.  [default: 1.0]",
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.min_z is not None and self.baseline is None:
            raise BadParameter("--min-z requires --baseline")

    def selection(self) -> ContentSelection:
        """Return the options that limit the parts of a profile to express."""
        return ContentSelection(
            self.max_emotions, self.min_level, self.leave_out or (), self.max_words or DEFAULT_MAX_WORDS
        )

    def salience(self) -> tuple[Baseline | None, float]:
        """Return the baseline from its file, or None, and the smallest z-score of a salient emotion."""
        baseline = parsed_file(self.baseline, Baseline.from_json) if self.baseline else None
        return baseline, 1.0 if self.min_z is None else self.min_z
