"""Options that several commands take, each defined once, with the help that they show; results and errors.

An option is an annotated type, or a field of a dataclass: `option_groups` gives a command the fields.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from typer import Argument, BadParameter, Option

from budew.cli.terminal import as_json, name_of, opened, output, say_error, stdout_free_for
from budew.reports.visible_text import visible_name

if TYPE_CHECKING:
    from budew.captions.content_selection import ContentSelection
    from budew.captions.salience import Baseline
    from budew.evaluation.predictors import Predictor
    from budew.inference.options import ModelOptions, WritingOptions

Parsed = TypeVar("Parsed")

SETTINGS: dict[str, Any] = {
    "no_args_is_help": True,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
"""Of every group of commands."""

Model = Annotated[
    str | None,
    Option(
        metavar="DIR|HUB-ID",
        help="Checkpoint: a folder, or a name on the Hugging Face hub. Default: that of the environment "
        "variable BUDEW_MODEL, else the one in this package.",
    ),
]
Models = Annotated[
    list[str] | None,
    Option(
        "--model",
        metavar="DIR|HUB-ID",
        help="Checkpoint: a folder, or a name on the Hugging Face hub. Default: that of the environment "
        "variable BUDEW_MODEL, else the one in this package. If repeated, a caption joins what "
        "each writes: experts for emotions, bursts and so on.",
    ),
]
Device = Annotated[
    str | None, Option(metavar="NAME", help="cpu, cuda, cuda:1 or mps. Default: the fastest available.")
]
Backend = Annotated[
    Literal["transformers", "ctranslate2"] | None,
    Option(
        help="What runs the model. ctranslate2 (extra fast) is faster on a CPU, and converts a "
        "checkpoint the first time. Default: transformers, or ctranslate2 for a converted checkpoint."
    ),
]
Dtype = Annotated[
    Literal["float32", "bfloat16", "float16", "int8"] | None,
    Option(
        help="Precision. Default: float16 on cuda, on a CPU the fastest there (budew doctor), else float32."
    ),
]
TranscriptionServer = Annotated[
    Path | None,
    Option(
        "--server",
        metavar="FILE",
        dir_okay=False,
        help="Ask a server with /v1/audio/transcriptions (vLLM) instead: YAML with base_url, model and "
        "other settings (docs/servers.md).",
    ),
]
CutAt = Annotated[
    str,
    Option(
        metavar="fixed|speech|FILE.rttm",
        help="Cut what is longer than the model's window into windows of equal length, or at pauses of "
        "speech (extra corpora); or all at the speaker turns in an RTTM file.",
    ),
]
NumBeams = Annotated[
    int | None, Option(metavar="N", min=1, help="Beam width; 1: greedy. Default: that of the checkpoint.")
]
WindowBatch = Annotated[
    int, Option(min=1, help="Windows in each batch. Smaller needs less memory; captions are the same.")
]
Samples = Annotated[
    int,
    Option(
        metavar="N",
        min=0,
        max=256,
        help="Average the scores over N sampled captions of each window (self-consistency), such as 16. "
        "0: scores of the one caption.",
    ),
]
Style = Annotated[
    Literal["prose", "short", "tags"] | None,
    Option(help="Style of the captions, with a checkpoint that was trained with prompts."),
]
Parts = Annotated[
    Literal["all", "emotions", "bursts", "speaker"] | None,
    Option(help="What the captions speak of, with a checkpoint that was trained with prompts."),
]
Output = Annotated[
    Path | None,
    Option("--output", "-o", metavar="FILE", dir_okay=False, help="Write to this file instead of stdout."),
]
ProfileFile = Annotated[
    Path, Argument(metavar="PROFILE.json", help="JSON as budew parse prints it; - is stdin.")
]
CorpusFolder = Annotated[Path, Argument(metavar="OUT", help="Folder for the shards; created if missing.")]
Clips = Annotated[int, Option(metavar="N", min=1, help="Number of clips.")]
CorpusSeed = Annotated[int, Option(metavar="S", help="Same seed, same corpus, byte for byte.")]
# what reads a corpus
_ANYWHERE = (
    "a folder, a shard, a Parquet file, a manifest, a quoted glob pattern, a URL, hf://OWNER/NAME, or "
    "NAME:FOLDER (budew corpora)."
)
AnyCorpus = Annotated[str, Argument(metavar="CORPUS", help=f"Clips or recordings: {_ANYWHERE}")]
Corpus = Annotated[str, Argument(metavar="CORPUS", help=f"Clips with profiles: {_ANYWHERE}")]

HeadsEncoder = Annotated[
    str | None,
    Option(
        metavar="DIR|HUB-ID",
        help="Whisper checkpoint whose encoder feeds the heads. Default: the one recorded with the heads, "
        "else laion/BUD-E-Whisper; in train-heads, the one in this package.",
    ),
]
RecipeChanges = Annotated[
    list[str] | None,
    Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Change one field, such as optimizer.max_steps=200. May be repeated.",
    ),
]
HeadsBatch = Annotated[int, Option(min=1, help="Windows in each encoder batch; larger is faster.")]
JsonFile = Annotated[
    Path | None, Option(metavar="FILE", dir_okay=False, help="Write all results here as JSON; - is stdout.")
]
HtmlFile = Annotated[
    Path | None, Option(metavar="FILE", dir_okay=False, help="Write a self-contained page here; - is stdout.")
]
ScoreScale = Annotated[
    str | None,
    Option(
        metavar="NAME",
        help="Scale of scores that do not declare one, such as 0-4. Default: detected from the scores.",
    ),
]
BanList = Annotated[
    Path | None,
    Option(
        metavar="FILE",
        help="YAML with phrases to avoid, written by budew paraphrase report --ban; the first 60 are used.",
    ),
]
Tolerance = Annotated[
    int,
    Option(min=0, max=3, metavar="N", help="Number of levels (of five) by which an intensity may differ."),
]


@dataclass(frozen=True, slots=True)
class Wording:
    """Options of all commands that render profiles."""

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
            help="Longest caption, in words. What does not fit is left out, the least salient parts first: "
            "recording, voice attributes, accent, timbre, style and pace, bursts, weaker emotions, gender "
            "and age. Default: 84, room for all of an ordinary profile.",
        ),
    ] = None
    baseline: Annotated[
        Path | None,
        Option(
            metavar="STATS.json",
            help="Express only emotions that are salient in a corpus, by its statistics from budew corpus "
            "stats --json.",
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

    def selection(self) -> "ContentSelection":
        """Return which parts of a profile to express.

        Raises:
            InputError: there is no such part to leave out.
        """
        from budew.captions.content_selection import DEFAULT_MAX_WORDS, ContentSelection

        return ContentSelection(
            self.max_emotions, self.min_level, self.leave_out or (), self.max_words or DEFAULT_MAX_WORDS
        )

    def salience(self) -> "tuple[Baseline | None, float]":
        """Read the baseline, if there is one; return it with the smallest z-score of a salient emotion.

        Raises:
            InputError: names the file.
        """
        from budew.captions.salience import Baseline

        baseline = parsed_file(self.baseline, Baseline.from_json) if self.baseline else None
        return baseline, 1.0 if self.min_z is None else self.min_z


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Options of every command that captions or scores: which model, and what runs it."""

    model: Models = None
    backend: Backend = None
    device: Device = None
    dtype: Dtype = None
    server: TranscriptionServer = None

    def options(self) -> "ModelOptions":
        """Return the options for the library; reads the settings of the server."""
        from budew.inference.options import CaptionServer, ModelOptions
        from budew.io.settings import load

        return ModelOptions(
            tuple(self.model or ()) or None,
            backend=self.backend,
            device=self.device,
            dtype=self.dtype,
            server=None if self.server is None else load(CaptionServer, self.server),
        )


@dataclass(frozen=True, slots=True)
class Writing:
    """Options of every command that captions or scores: how captions are written."""

    num_beams: NumBeams = None
    style: Style = None
    parts: Parts = None
    windows: CutAt = "fixed"
    batch_size: WindowBatch = 16

    def options(self, num_samples: int = 0) -> "WritingOptions":
        """Return the options for the library."""
        from budew.inference.options import Windows, WritingOptions

        ways: dict[str, Windows] = {"fixed": "fixed", "speech": "speech"}
        return WritingOptions(
            num_beams=self.num_beams,
            num_samples=num_samples,
            style=self.style,
            parts=self.parts,
            windows=ways.get(self.windows) or Path(self.windows),
            batch_size=self.batch_size,
        )


@dataclass(frozen=True, slots=True)
class SampledWriting(Writing):
    """The same, with scores that may be those of several captions."""

    samples: Samples = 0


@dataclass(frozen=True, slots=True)
class Predictions:
    """Options of every command that scores predictions made elsewhere as well."""

    predictions: Annotated[
        Path | None,
        Option(
            metavar="FILE|DIR",
            help="Score these instead of a model: captions or scores by id or file name, as JSON Lines, CSV, "
            "a folder with a JSON file for each clip, or a corpus with profiles.",
        ),
    ] = None
    scale: Annotated[
        str,
        Option(
            metavar="NAME",
            help="Scale of the scores in --predictions: its ends, such as 0-4, or a name: emonet-voice.",
        ),
    ] = "intensity"

    def predictor(self, model: ModelChoice, writing: SampledWriting) -> "Predictor":
        """Return what predicts: the file, or the model.

        Raises:
            InputError: both are given.
        """
        from budew.errors import InputError
        from budew.evaluation.predictors import FilePredictor, ModelPredictor

        if self.predictions is None:
            return ModelPredictor(model.options(), writing.options(writing.samples))
        if (model, writing) != (ModelChoice(), SampledWriting()):
            raise InputError("a model or its options cannot be given with predictions: score one at a time")
        return FilePredictor(self.predictions, scale=self.scale)


@dataclass(frozen=True, slots=True)
class Reporting:
    """Options of the results of every benchmark."""

    json: JsonFile = None
    html: HtmlFile = None
    seed: Annotated[int, Option(help="Random seed of resamples and permutations.")] = 0
    resamples: Annotated[int, Option(metavar="N", min=1, help="Number of bootstrap resamples.")] = 1000


@dataclass(slots=True)
class PrintedErrors:
    """Called with an error, prints it on stderr."""

    count: int = 0

    def __call__(self, error: Exception) -> None:
        """Print one error."""
        say_error(error)
        self.count += 1

    @property
    def status(self) -> int:
        """Exit status: 1 after an error."""
        return int(self.count > 0)


@contextmanager
def results(
    table: Mapping[str, Any], json: Path | None, html: Path | None = None, page: Callable[[], str] = str
) -> Iterator[None]:
    """Write results as JSON and as a page, where files are given, before the summary inside is printed.

    Where one of them goes to stdout, the summary goes to stderr.

    Args:
        table: the results.
        json, html: files, `-` for stdout, or None.
        page: returns the HTML.
    """
    if json is not None:
        with output(json) as file:
            print(as_json(table, indent=1), file=file)
    if html is not None:
        with output(html) as file:
            file.write(page())
    with stdout_free_for(json, html):
        yield
        if json is not None:
            print(f"JSON: {visible_name(json)}")
        if html is not None:
            print(f"page: {html.resolve().as_uri()}")


def parsed_file(path: Path, parse: Callable[[bytes], Parsed]) -> Parsed:
    """Parse the JSON in a file, `-` for stdin; errors name the file."""
    from budew.errors import InputError
    from budew.io.strict_json import LARGEST

    with opened(path) as file:
        text = file.read(LARGEST + 1)
    try:
        return parse(text)
    except InputError as error:
        raise InputError(f"{name_of(path)}: {error}") from error


def option_groups(**defaults: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the fields of its dataclass parameters as options; `defaults` replace theirs."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command)
        groups: dict[str, Any] = {
            name: at.annotation for name, at in signature.parameters.items() if is_dataclass(at.annotation)
        }
        own = [parameter for name, parameter in signature.parameters.items() if name not in groups]
        shared = [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=defaults.get(field.name, field.default),
                annotation=field.type,
            )
            for group in groups.values()
            for field in fields(group)
        ]

        def expanded(**given: Any) -> None:
            made = {
                name: group(**{field.name: given.pop(field.name) for field in fields(group)})
                for name, group in groups.items()
            }
            command(**given, **made)

        expanded.__name__, expanded.__doc__ = command.__name__, command.__doc__
        expanded.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
        return expanded

    return decorate
