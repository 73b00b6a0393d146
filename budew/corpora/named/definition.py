"""A corpus as data: the pattern of its paths, what each part means, its tables, and its labels as emotions.

A *part* is a named group of the pattern, a column of a table, or a constant. Parts with these
names are fields of a clip: `label`, `intensity`, `speaker`, `gender`, `age`, `accent`, `timbre`, `style`,
`pace`, `language` and `transcript`. All others are kept in its metadata.
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


Kind = Literal["acted", "elicited", "natural", "read", "sounds"]
Level = Literal["slight", "moderate", "strong", "extreme"]
Pattern = Annotated[str, AfterValidator(_check_pattern)]
EmotionName = Annotated[str, AfterValidator(emotion)]
BurstName = Annotated[str, AfterValidator(burst)]
ScaleName = Annotated[str, AfterValidator(lambda name: scale_named(name).name)]
AnyCase = Annotated[str, BeforeValidator(lambda key: str(key).casefold())]
"""A label or code, which YAML may take for a number, without its case."""
_DEFINITIONS = "definitions"
EVERYBODY_ELSE = "*"
"""Entry of a split for the speakers that no other split names."""


class Meaning(Settings):
    """Meaning of a label of a corpus. In short form, the name of an emotion, or a list of names."""

    emotions: tuple[EmotionName, ...] | None = Field(
        default=None,
        description="Emotions that are present; an empty list: none of the 40 is; left out: unknown.",
    )
    bursts: tuple[BurstName, ...] = Field(default=(), description="Vocal bursts.")
    traits: dict[str, str] = Field(default={}, description="Traits, such as style: whispered.")
    why: str = Field(default="", description="Reason, where the mapping is not obvious.")

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
    """Emotions that people rated.

    Columns may be multiplied, and divided by another: votes × mean level of the voters / raters is the mean
    over all raters.
    """

    columns: dict[EmotionName, tuple[str, ...]] = Field(
        description="By emotion: the column with its number, or several that are multiplied."
    )
    divided_by: str | None = Field(default=None, description="Column by which the product is divided.")
    scale: ScaleName = Field(description="Scale of the result, such as 0-100.")


class LabelTable(Settings):
    """A table beside the audio: CSV or TSV with named columns, JSON, or the lines of a text.

    JSON is an object or a list. In an object the key of an object or text is the column `name`, and a text
    the column `value`. The columns of a list in a list are numbers from `0` on.
    """

    file: Pattern = Field(
        description="Pattern for the end of its path; its named groups are columns of each row."
    )
    key: dict[str, str] = Field(
        description="Parts of a clip that a row must have, and the column of each; `file` is the file's name."
    )
    columns: dict[str, str] = Field(description="Parts that it gives, and the column of each.")
    line: Pattern | None = Field(
        default=None, description="Pattern for the lines of a text; its groups are the columns."
    )
    where: dict[str, str] = Field(
        default={},
        description="By column: pattern that the whole of its text must match in a row that counts.",
    )
    ratings: RatingColumns | None = Field(default=None, description="Ratings, which replace the label.")
    required: bool = Field(default=False, description="Without it nothing is known of the labels.")


class Speakers(Settings):
    """Speakers with the same traits."""

    names: tuple[str, ...] = Field(description="As the part `speaker` has them.")
    gender: str | None = Field(default=None, description="A word of the taxonomy.")
    age: int | None = Field(default=None, description="Years.")
    accent: str | None = Field(default=None, description="A word of the taxonomy.")
    language: str | None = Field(default=None, description="BCP 47 tag.")


class Download(Settings):
    """A file of a corpus at a public address."""

    url: str = Field(pattern=r"https?://.+", description="Of an archive (zip, tar) or a table.")
    checksum: str | None = Field(
        default=None, pattern=r"(md5|sha256):[0-9a-f]+", description="As published, such as md5:2a93…"
    )
    name: str | None = Field(
        default=None, pattern=r"[\w.-]+", description="Name of the file, if not that of its address."
    )


class NamedCorpus(Settings):
    """A corpus whose labels are in its file names, folders and tables.

    Example:
        >>> known_corpus("emodb").match("wav/03a01Fa")
        {'': '03a01Fa', 'speaker': '03', 'transcript': 'a01', 'label': 'F', 'version': 'a'}
    """

    title: str = Field(description="Name of the corpus, as it is written.")
    about: str = Field(description="One sentence.")
    kind: Kind = Field(description="Acted, elicited or natural emotions, read speech, or sounds.")
    languages: tuple[str, ...] = Field(
        default=(), description="BCP 47 tags; one is that of every clip, if no part is."
    )
    hours: float | None = Field(default=None, description="Hours of audio.")
    speaker_count: int | None = Field(default=None, description="Number of speakers.")
    licence: str | None = Field(
        default=None, description="SPDX identifier, or in words; left out where none is stated."
    )
    address: str | None = Field(default=None, description="Where it is had.")
    downloads: tuple[Download, ...] = Field(
        default=(), description="All of its files, if anybody may download them without asking."
    )
    source: str = Field(description="Where the figures and the encoding are from.")
    citation: str = Field(default="", description="BibTeX.")

    pattern: Pattern = Field(
        description="Regular expression for the end of a path without suffix, with groups."
    )
    examples: tuple[str, ...] = Field(description="Paths that it matches, without suffix.")
    parts: dict[str, str] = Field(default={}, description="What each part means, for readers.")
    values: dict[str, dict[AnyCase, str]] = Field(
        default={}, description="By part: what a code stands for; codes in any case."
    )
    constant: dict[str, str] = Field(
        default={}, description="Parts that are the same in all clips; {name} is another part."
    )
    speakers: tuple[Speakers, ...] = Field(default=(), description="Traits that the names do not have.")
    tables: tuple[LabelTable, ...] = Field(default=(), description="Tables beside the audio.")
    transcript_file: str = Field(
        default="{file}.txt",
        description="Text with the transcript, from the folder of the audio; {name} is another part.",
    )

    splits: dict[str, tuple[str, ...]] = Field(
        default={},
        description="Fixed splits by speaker: names, ranges first..last, or * for everybody else.",
    )
    left_out: dict[str, tuple[Pattern, ...]] = Field(
        default={},
        description="Recordings that are not read, by reason: names as `match` gives them, or patterns.",
    )
    labels: dict[AnyCase, Meaning] = Field(
        default={}, description="What each label means; labels in any case."
    )
    levels: dict[AnyCase, Level] = Field(default={}, description="Level of each value of `intensity`.")
    level: Level = Field(default="moderate", description="Level of a label without intensity.")
    distinctive: bool = Field(
        default=True,
        description="No other corpus has such names: a folder of them is recognized.",
    )

    @model_validator(mode="after")
    def _examples(self) -> "NamedCorpus":
        wrong = next((name for name in self.examples if self.match(name) is None), None)
        if wrong is not None:
            raise ValueError(f"the pattern does not match the example {wrong!r}: correct one of them")
        return self

    @cached_property
    def rated(self) -> tuple[str, ...]:
        """The emotions that any label stands for: those that are known of a labelled clip."""
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
        """Return why the recording of this name is not read, None if it is read."""
        return next((reason for reason, names in self._left_out.items() if names.fullmatch(own)), None)

    def split_of(self, speaker: str) -> str | None:
        """Return the split of a speaker, None for one that is in no split."""
        named = (split for split, some in self.splits.items() if any(_holds(one, speaker) for one in some))
        rest = (split for split, some in self.splits.items() if EVERYBODY_ELSE in some)
        return next(named, None) or next(rest, None)

    def value(self, part: str, code: str) -> str:
        """Return the meaning of a code of a part, or the code itself if the definition gives it none."""
        return self.values.get(part, {}).get(code.casefold(), code)

    def match(self, path: str) -> dict[str, str] | None:
        """Return the parts of a path without suffix, and under `""` what names the recording; None if it is
        not named as the corpus names its own.
        """
        found = self._regex.fullmatch(path)
        if found is None:
            return None
        parts = {name: text for name, text in found.groupdict().items() if text is not None}
        return {"": parts.pop("_own"), **parts}


@cache
def known_corpora() -> dict[str, NamedCorpus]:
    """Return all definitions of this package by name, in the order of the alphabet. Takes about 0.1 s.

    Example:
        >>> [name for name, corpus in known_corpora().items() if "fa" in corpus.languages]
        ['shemo']
    """
    return {name: known_corpus(name) for name in corpus_names()}


@cache
def corpus_names() -> tuple[str, ...]:
    """Return the names of the definitions in this package."""
    found = (files(__package__) / _DEFINITIONS).iterdir()
    return tuple(sorted(file.name.removesuffix(".yaml") for file in found if file.name.endswith(".yaml")))


@cache
def known_corpus(name: str) -> NamedCorpus:
    """Return a definition of this package.

    Raises:
        InputError: no definition has this name.

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
    """Return a message: no corpus has this name, and which name is similar."""
    names = {one.replace("-", ""): one for one in corpus_names()}
    near = get_close_matches("".join(filter(str.isalnum, name.lower())), names, n=1)
    meant = f": did you mean {names[near[0]]}?" if near else ""
    return f"{name!r} is no corpus that is known by name (see budew corpora){meant}"


def load_definition(file: Path) -> NamedCorpus:
    """Return the definition in a YAML file, or raise `SettingsError`.

    Example:
        >>> from importlib.resources import files
        >>> load_definition(Path(str(files("budew"))) / "corpora/named/definitions/tess.yaml").title
        'TESS'
    """
    return load(NamedCorpus, file)


def intensity_of(level: Level) -> float:
    """Return the intensity of a level, in (0, 1]."""
    return LEVELS[LEVEL_NAMES.index(level)]


def _holds(entry: str, speaker: str) -> bool:
    """Return whether an entry is a speaker, or a range `first..last` of names of equal length with it."""
    first, is_range, last = entry.partition("..")
    return first <= speaker <= last and len(speaker) == len(first) if is_range else entry == speaker
