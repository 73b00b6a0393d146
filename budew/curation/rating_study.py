"""A rating study: raters say how strongly they perceive emotions in clips, each in a random order.

Some clips are asked twice, which shows how well raters agree with themselves. Answers are rows of a SQLite
file (`TABLE`). They are on the disk when `store` returns, in about 30 ms, so a killed process loses nothing,
and the next clip of a rater follows from seed, rater and answers alone.
"""

import csv
import io
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from budew.corpora.clip import Clip
from budew.corpora.labels.ratings import Rating, rated_name
from budew.errors import InputError, JobError
from budew.randomness import generator
from budew.taxonomy import EMOTIONS
from budew.taxonomy.rating_scales import scale_named, to_intensity

BLOCK = 20
"""Clips in a block. All raters have the same blocks: raters who stop early have rated the same clips.
A repetition comes half a block later, or more; in smaller studies half of the clips later."""
TABLE = """CREATE TABLE IF NOT EXISTS answers (rater TEXT, item TEXT, repeat INTEGER, emotion TEXT,
value INTEGER, scale TEXT, answered TEXT, PRIMARY KEY (rater, item, repeat, emotion))"""
"""`repeat` is 1 in repetitions; emotion, value and scale are null if a rater cannot judge the clip."""
_FIRST = "SELECT item, rater, emotion, value, scale FROM answers WHERE repeat = 0 AND emotion NOT NULL "
_TWICE = (
    "SELECT rater, count(a.value = b.value), sum(a.value = b.value) FROM answers a "
    "JOIN answers b USING (rater, item, emotion) WHERE a.repeat = 0 AND b.repeat = 1 GROUP BY rater"
)


class RatingTask(NamedTuple):
    """A clip to rate, 1 if it is repeated (else 0), and the emotions that are rated, in their order."""

    item: str
    repeat: int
    emotions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RatingStudy:
    """Clips, tasks and answers of raters. All methods raise JobError if the file cannot be read or written.

    Attributes:
        file: SQLite file of the answers, which is created, or continued.
        clips: clips to rate, by id.
        raters: names of the raters.
        ask: "target" for the strongest emotion in the profile of a clip (clips without one are left out),
            "all" for the 40 emotions, or names of emotions or voice attributes, separated by commas.
        scale: rating scale of whole numbers, such as "0-7".
        repeats: share of the clips that are asked twice, from 0 to 0.5.
        seed: random seed of the orders.
    """

    file: Path
    clips: Mapping[str, Clip]
    raters: Sequence[str]
    ask: str = "target"
    scale: str = "0-2"
    repeats: float = 0.1
    seed: int = 0

    def tasks(self, rater: str) -> list[RatingTask]:
        """Return the tasks of a rater in their order: 0.1 s for 10,000 clips.

        Raises:
            CorpusError: an emotion that is asked for does not exist.
            InputError: no clip has an emotion.

        Example:
            >>> clips = {name: Clip(name, Path("a.wav"), "wav") for name in "ab"}
            >>> study = RatingStudy(Path("answers.sqlite"), clips, ["anna"], ask="Awe", repeats=0.5)
            >>> sorted((task.item, task.repeat) for task in study.tasks("anna"))
            [('a', 0), ('a', 1), ('b', 0)]
        """
        asked = {item: self._questions(clip) for item, clip in self.clips.items()}
        items = sorted(item for item, names in asked.items() if names)
        if not items:
            raise InputError("no clip has an emotion in its profile: ask for all, or for names of emotions")
        generator(self.seed, "rating study").shuffle(items)
        choices, names = generator(self.seed, rater, "rating study"), sorted(set().union(*asked.values()))
        choices.shuffle(names)
        blocks = [items[start : start + BLOCK] for start in range(0, len(items), BLOCK)]
        items = [item for block in blocks for item in choices.sample(block, len(block))]
        gap = min(BLOCK, len(items)) // 2
        repeated = choices.sample(range(len(items) - gap), round(self.repeats * len(items)))
        order = [(float(place), item, 0) for place, item in enumerate(items)]
        order += [(choices.uniform(place + gap, len(items)), items[place], 1) for place in repeated]
        return [RatingTask(*row[1:], tuple(sorted(asked[row[1]], key=names.index))) for row in sorted(order)]

    def _questions(self, clip: Clip) -> tuple[str, ...]:
        if self.ask == "all":
            return EMOTIONS
        if self.ask != "target":
            return tuple(rated_name(name.strip()) for name in self.ask.split(","))
        emotions, rated = (clip.profile.emotions, clip.profile.rated) if clip.profile else ({}, ())
        only = rated if len(rated) == 1 else ()
        return tuple(sorted(emotions, key=lambda name: -emotions[name])[:1]) or only

    def answered(self, rater: str) -> set[tuple[str, int]]:
        """Return clip and repetition of the tasks that a rater has answered."""
        return set(self._select("SELECT DISTINCT item, repeat FROM answers WHERE rater = ?", rater))

    def store(self, rater: str, task: RatingTask, answers: Mapping[str, int]) -> None:
        """Write the answers to one of `tasks(rater)` to the disk; they replace earlier ones.

        `answers` are name → number on the scale; empty if the rater cannot judge. Raises InputError if a name
        is missing or unknown, or a number is not on the scale.
        """
        if answers and set(answers) != set(task.emotions):
            raise InputError(
                f"the answers have other names than the questions: answer {', '.join(task.emotions)}"
            )
        scale, key = scale_named(self.scale), (rater, task.item, task.repeat)
        rows = [(*key, name, scale.checked(value, what=name), self.scale) for name, value in answers.items()]
        with self._database() as database:
            database.execute("DELETE FROM answers WHERE (rater, item, repeat) = (?, ?, ?)", key)
            insert = "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, datetime('now'))"
            database.executemany(insert, rows or [(*key, None, None, None)])

    def repeatability(self) -> dict[str, tuple[int, int]]:
        """Return {rater: (number of ratings given twice, number of these with the same value both times)}."""
        return dict.fromkeys(self.raters, (0, 0)) | {row[0]: row[1:] for row in self._select(_TWICE)}

    def ratings(self) -> list[Rating]:
        """Return all ratings as intensities, without repetitions."""
        return [
            Rating(item, rater, name, to_intensity(value, scale_named(scale)))
            for item, rater, name, value, scale in self._select(_FIRST)
        ]

    def table(self) -> str:
        """Return all ratings, without repetitions, as the CSV that `read_ratings` reads."""
        rows, text = self._select(f"{_FIRST} ORDER BY item, rater, emotion"), io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            [("item", "rater", "emotion", "value", "scale"), *rows]
        )
        return text.getvalue()

    def _select(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        with self._database() as database:
            return database.execute(statement, values).fetchall()

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction, which is on the disk at the end."""
        try:
            with closing(sqlite3.connect(self.file, timeout=30)) as database, database:
                database.execute("PRAGMA synchronous = EXTRA")
                database.execute(TABLE)
                yield database
        except sqlite3.Error as error:
            fault = f"answers cannot be stored there ({error}): free the disk, or name another file"
            raise JobError(f"{self.file}: {fault}") from error
