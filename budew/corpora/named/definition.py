"""Definitions of known corpora: the pattern of their paths, their tables, and the meaning of their labels.

A corpus without a pattern has its labels in its rows: shards or tables that are read as any others.

A *part* is a named piece of information on a clip: a named group of the pattern, a column of a table, or a
constant. The parts `label`, `intensity`, `speaker`, `gender`, `age`, `accent`, `timbre`, `style`, `pace`,
`language` and `transcript` are used for the fields of a clip; all others are kept in its metadata.
"""

import re
from difflib import get_close_matches
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from budew.errors import InputError
from budew.io.resources import packaged_yaml
from budew.io.settings import Settings, load, validated
from budew.taxonomy import EMOTIONS, LEVEL_NAMES, LEVELS, burst, emotion, trait
from budew.taxonomy.rating_scales import scale_named


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression ({error})") from error
    return pattern


Kind = Literal["acted", "elicited", "natural", "read", "sounds", "synthetic"]
Level = Literal["slight", "moderate", "strong", "extreme"]
Pattern = Annotated[str, AfterValidator(_check_pattern)]
EmotionName = Annotated[str, AfterValidator(emotion)]
BurstName = Annotated[str, AfterValidator(burst)]
ScaleName = Annotated[str, AfterValidator(lambda name: scale_named(name).name)]
AnyCase = Annotated[str, BeforeValidator(lambda key: str(key).casefold())]
"""A label or code, converted to text (YAML may parse it as a number) and to lower case."""
_DEFINITIONS = "definitions"
EVERYBODY_ELSE = "*"
"""Entry of a split that stands for all speakers that no other split names."""


class Meaning(Settings):
    """Meaning of a label of a corpus. The short form is the name of an emotion, or a list of names."""

    emotions: tuple[EmotionName, ...] | None = Field(
        default=None,
        description="Emotions that are present; an empty list: all 40 are absent; left out: unknown.",
    )
    bursts: tuple[BurstName, ...] = Field(default=(), description="Vocal bursts that are present.")
    traits: dict[str, str] = Field(default={}, description="Traits, such as style: whispered.")
    why: str = Field(default="", description="Reason for this meaning, if it is not obvious.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"emotions": (given,)}
        return {"emotions": given} if isinstance(given, tuple) else given

    @field_validator("traits")
    @classmethod
    def _traits(cls, given: dict[str, str]) -> dict[str, str]:
        return {name: str(trait(name, value)[1]) for name, value in given.items()}


class RatingColumns(Settings):
    """Columns of a table with human ratings of emotions.

    Columns may be multiplied, and divided by another column: the number of voters times their mean level,
    divided by the number of raters, is the mean over all raters.
    """

    columns: dict[EmotionName, tuple[str, ...]] = Field(
        description="Emotion → column with its rating, or several columns that are multiplied."
    )
    divided_by: str | None = Field(default=None, description="Column by which the product is divided.")
    scale: ScaleName = Field(description="Scale of the result, such as 0-100.")


class LabelTable(Settings):
    """A table beside the audio: CSV or TSV with named columns, JSON, or a text file with a row in each line.

    Each entry of a JSON object or list is a row. If the entry is an object, its keys are columns; if it is a
    list, columns are numbered from `0` on; otherwise it is the column `value`. Except for lists, the key (or
    number) of the entry is the column `name`.
    """

    file: Pattern = Field(
        description="Regular expression for the end of the table's path; named groups are further columns."
    )
    key: dict[str, str] = Field(
        description="Part → column: the row of a clip has the same values; the part `file` is the name of "
        "its audio file."
    )
    columns: dict[str, str] = Field(description="Part → column from which the part is taken.")
    line: Pattern | None = Field(
        default=None,
        description="Regular expression for the lines of a text file; its named groups are the columns.",
    )
    where: dict[str, str] = Field(
        default={},
        description="Column → regular expression for its whole text; other rows are ignored.",
    )
    ratings: RatingColumns | None = Field(
        default=None, description="Columns with ratings of emotions, which replace the label."
    )
    required: bool = Field(
        default=False, description="Whether it is an error if the table is missing, as it has the labels."
    )


class Speakers(Settings):
    """Traits of speakers, for corpora whose file names do not have them."""

    names: tuple[str, ...] = Field(description="Speakers with these traits: values of the part `speaker`.")
    gender: str | None = Field(default=None, description="Gender, a word of the taxonomy.")
    age: int | None = Field(default=None, description="Age in years.")
    accent: str | None = Field(default=None, description="Accent, a word of the taxonomy.")
    language: str | None = Field(default=None, description="Language, a BCP 47 tag.")


class Download(Settings):
    """A file of a corpus that can be downloaded from a public URL."""

    url: str = Field(pattern=r"https?://.+", description="URL of an archive (zip, tar) or a table.")
    checksum: str | None = Field(
        default=None, pattern=r"(md5|sha256):[0-9a-f]+", description="Published checksum, such as md5:2a93…"
    )
    name: str | None = Field(
        default=None, pattern=r"[\w.-]+", description="Name of the local file, if not that in the URL."
    )


class NamedCorpus(Settings):
    """Definition of a known corpus, whose labels are in its file names, folders and tables.

    Example:
        >>> known_corpus("emodb").match("wav/03a01Fa")
        {'': '03a01Fa', 'speaker': '03', 'transcript': 'a01', 'label': 'F', 'version': 'a'}
    """

    title: str = Field(description="Name of the corpus, in its usual spelling.")
    about: str = Field(description="Description of the corpus in one sentence.")
    kind: Kind = Field(description="Acted, elicited or natural emotions, read speech, sounds, or synthetic.")
    media: Literal["audio", "image"] = Field(default="audio", description="What the corpus holds.")
    languages: tuple[str, ...] = Field(
        default=(),
        description="BCP 47 tags; a single one is the language of every clip without the part `language`.",
    )
    hours: float | None = Field(default=None, description="Hours of audio.")
    speaker_count: int | None = Field(default=None, description="Number of speakers.")
    licence: str | None = Field(
        default=None, description="SPDX identifier, or in words; left out if no licence is stated."
    )
    address: str | None = Field(default=None, description="URL where the corpus is available.")
    hub: str | None = Field(
        default=None,
        pattern=r"hf://.+",
        description="Source that is read if no folder is given, such as hf://OWNER/NAME.",
    )
    uses: tuple[str, ...] = Field(
        default=(), description="Commands for this corpus, if not those that take any corpus."
    )
    downloads: tuple[Download, ...] = Field(
        default=(), description="All files of the corpus, if anybody may download them without asking."
    )
    source: str = Field(description="Source of the numbers and of the encoding of labels in this definition.")
    citation: str = Field(default="", description="Citation in BibTeX.")

    pattern: Pattern | None = Field(
        default=None,
        description="Regular expression for the end of an audio path without suffix; named groups are parts. "
        "Left out: the labels are in the rows.",
    )
    examples: tuple[str, ...] = Field(default=(), description="Paths without suffix that match the pattern.")
    parts: dict[str, str] = Field(default={}, description="Part, or field of a row → its meaning in words.")
    values: dict[str, dict[AnyCase, str]] = Field(
        default={}, description="Part → code → its meaning; codes in any case."
    )
    constant: dict[str, str] = Field(
        default={}, description="Parts that are the same in all clips; {name} is replaced by that part."
    )
    speakers: tuple[Speakers, ...] = Field(
        default=(), description="Traits of speakers, if file names do not have them."
    )
    tables: tuple[LabelTable, ...] = Field(default=(), description="Tables beside the audio.")
    transcript_file: str = Field(
        default="{file}.txt",
        description="Path of the text file with the transcript, relative to the folder of the audio; {name} "
        "is replaced by that part.",
    )

    splits: dict[str, tuple[str, ...]] = Field(
        default={},
        description="Fixed splits: name → speakers, ranges first..last of speakers, or * for all others.",
    )
    left_out: dict[str, tuple[Pattern, ...]] = Field(
        default={},
        description="Recordings that are not read: reason → names, or regular expressions for whole names.",
    )
    labels: dict[AnyCase, Meaning] = Field(default={}, description="Label → its meaning; labels in any case.")
    levels: dict[AnyCase, Level] = Field(
        default={}, description="Value of the part `intensity` → level of the emotion."
    )
    level: Level = Field(default="moderate", description="Level of emotions without the part `intensity`.")
    distinctive: bool = Field(
        default=True,
        description="Whether a folder is recognized as this corpus by its file names; false if other corpora "
        "could have such names.",
    )

    @model_validator(mode="after")
    def _examples(self) -> "NamedCorpus":
        if (self.pattern is None and self.hub is None) or (self.pattern is not None and not self.examples):
            raise ValueError("pattern and examples are missing: give both, or hub if the labels are in rows")
        wrong = next((name for name in self.examples if self.match(name) is None), None)
        if wrong is not None:
            raise ValueError(f"the pattern does not match the example {wrong!r}: correct one of them")
        return self

    @cached_property
    def rated(self) -> tuple[str, ...]:
        """Emotions in the meaning of any label, or in ratings; these are rated in a labelled clip."""
        if self.pattern is None:
            return EMOTIONS
        rating = (name for table in self.tables if table.ratings for name in table.ratings.columns)
        known = {name for meaning in self.labels.values() for name in meaning.emotions or ()} | set(rating)
        return tuple(name for name in EMOTIONS if name in known)

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile(rf"(?:.*?/)??(?P<_own>{self.pattern})", re.DOTALL)

    @cached_property
    def _left_out(self) -> dict[str, re.Pattern[str]]:
        return {reason: re.compile("|".join(patterns)) for reason, patterns in self.left_out.items()}

    def why_left_out(self, own: str) -> str | None:
        """Return why the recording named `own` (`match(path)[""]`) is not read; None if it is read."""
        return next((reason for reason, names in self._left_out.items() if names.fullmatch(own)), None)

    def split_of(self, speaker: str) -> str | None:
        """Return the name of the fixed split of a speaker; None if it is in no split."""
        named = (split for split, some in self.splits.items() if any(_holds(one, speaker) for one in some))
        rest = (split for split, some in self.splits.items() if EVERYBODY_ELSE in some)
        return next(named, None) or next(rest, None)

    def value(self, part: str, code: str) -> str:
        """Return the meaning of a code of a part; the code itself if the definition has no meaning for it."""
        return self.values.get(part, {}).get(code.casefold(), code)

    def match(self, path: str) -> dict[str, str] | None:
        """Match the path of a recording, without suffix; None if it does not match the pattern.

        Returns:
            {part: value}; the key `""` has the name of the recording, the part of the path that matches.
        """
        found = self._regex.fullmatch(path) if self.pattern else None
        if found is None:
            return None
        parts = {name: text for name, text in found.groupdict().items() if text is not None}
        return {"": parts.pop("_own"), **parts}


@cache
def known_corpora() -> dict[str, NamedCorpus]:
    """Return {name: definition} of all known corpora, those on the hub first. Takes about 0.1 s.

    Example:
        >>> [name for name, corpus in known_corpora().items() if "fa" in corpus.languages]
        ['shemo']
    """
    found = {name: known_corpus(name) for name in corpus_names()}
    return dict(sorted(found.items(), key=lambda named: (named[1].hub is None, named[0])))


@cache
def corpus_names() -> tuple[str, ...]:
    """Return the names of all known corpora, such as "ravdess"."""
    found = (files(__package__) / _DEFINITIONS).iterdir()
    return tuple(sorted(file.name.removesuffix(".yaml") for file in found if file.name.endswith(".yaml")))


@cache
def known_corpus(name: str) -> NamedCorpus:
    """Return the definition of a known corpus by its name.

    Raises:
        InputError: there is no known corpus of this name.

    Example:
        >>> known_corpus("ravdess").licence
        'CC-BY-NC-SA-4.0'
    """
    if name not in corpus_names():
        raise InputError(unknown_corpus(name))
    return validated(
        NamedCorpus, packaged_yaml(files(__package__) / _DEFINITIONS / f"{name}.yaml"), name=name
    )


def unknown_corpus(name: str) -> str:
    """Return an error message: no known corpus has this name; and, if there is one, a similar name."""
    names = {one.replace("-", ""): one for one in corpus_names()}
    near = get_close_matches("".join(filter(str.isalnum, name.lower())), names, n=1)
    meant = f": did you mean {names[near[0]]}?" if near else ""
    return f"{name!r} is not the name of a known corpus (see budew corpora){meant}"


def load_definition(file: Path) -> NamedCorpus:
    """Read the definition of a corpus from a YAML file; `SettingsError` if it is invalid.

    Example:
        >>> from importlib.resources import files
        >>> load_definition(Path(str(files("budew"))) / "corpora/named/definitions/tess.yaml").title
        'TESS'
    """
    return load(NamedCorpus, file)


def intensity_of(level: Level) -> float:
    """Return the intensity of a level such as "moderate", in (0, 1]."""
    return LEVELS[LEVEL_NAMES.index(level)]


def _holds(entry: str, speaker: str) -> bool:
    """Return whether an entry of a split is this speaker, or a range `first..last` that contains it.

    Names in a range have the same length.
    """
    first, is_range, last = entry.partition("..")
    return first <= speaker <= last and len(speaker) == len(first) if is_range else entry == speaker
