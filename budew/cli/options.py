"""Options that several commands have, each defined once with its help text.

Options can be grouped: a command then has one parameter, a dataclass of options, for all of them.

    @dataclass(frozen=True, slots=True)
    class PageOptions:
        host: Annotated[str, Option(help="Where to listen.")] = "127.0.0.1"
        port: Annotated[int, Option(help="Port to listen on.")] = 7860

    @app.command("app")
    @option_groups()
    def app_command(page: PageOptions) -> None: ...

The command then has the options --host and --port, and is called with a filled `PageOptions`.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from typer import Argument, Option

from budew import evaluation, inference
from budew.cli.spellings import CommandGroup
from budew.errors import InputError

SETTINGS: dict[str, Any] = {
    "cls": CommandGroup,
    "no_args_is_help": True,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
"""Typer settings of all command groups."""


def option_groups(**defaults: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator for commands: the fields of dataclass parameters become options of the command.

    The options have the order of the parameters. Field names must differ between the groups of a command.

    Args:
        defaults: default values in this command, by field, instead of those of the dataclass.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command)
        groups: dict[str, Any] = {}
        options: list[inspect.Parameter] = []
        for name, parameter in signature.parameters.items():
            if not is_dataclass(parameter.annotation):
                options.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
                continue
            groups[name] = parameter.annotation
            options += [
                inspect.Parameter(
                    field.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=defaults.get(field.name, field.default),
                    annotation=field.type,
                )
                for field in fields(parameter.annotation)
            ]

        def expanded(**given: Any) -> None:
            filled = {
                name: group(**{field.name: given.pop(field.name) for field in fields(group)})
                for name, group in groups.items()
            }
            command(**given, **filled)

        expanded.__name__, expanded.__doc__ = command.__name__, command.__doc__
        expanded.__signature__ = signature.replace(parameters=options)  # type: ignore[attr-defined]
        return expanded

    return decorate


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
        "variable BUDEW_MODEL, else the one in this package. If repeated, the captions of all are joined, "
        "such as of experts for emotions and for bursts.",
    ),
]
Device = Annotated[
    str | None, Option(metavar="NAME", help="cpu, cuda, cuda:1, xpu or mps. Default: the fastest available.")
]
Backend = Annotated[
    Literal["transformers", "ctranslate2"] | None,
    Option(
        help="Library that runs the model. ctranslate2 (extra fast) is faster on a CPU; it converts a "
        "checkpoint on first use. Default: transformers, or ctranslate2 for a converted checkpoint."
    ),
]
Dtype = Annotated[
    Literal["float32", "bfloat16", "float16", "int8"] | None,
    Option(
        help="Precision. Default: float16 on cuda; on a CPU the fastest one (see budew doctor); else float32."
    ),
]
TranscriptionServer = Annotated[
    Path | None,
    Option(
        "--server",
        metavar="FILE",
        dir_okay=False,
        help="Caption by a server with /v1/audio/transcriptions (vLLM) instead of a local model: YAML file "
        "with base_url, model and other settings (docs/servers.md).",
    ),
]
CutAt = Annotated[
    str,
    Option(
        metavar="fixed|speech|FILE.rttm",
        help="How to cut recordings that are longer than the model's window. fixed: into windows of equal "
        "length; speech: at pauses (extra corpora). FILE.rttm: cut all recordings at the speaker turns in "
        "this file.",
    ),
]
NumBeams = Annotated[
    int | None, Option(metavar="N", min=1, help="Beam width; 1: greedy. Default: that of the checkpoint.")
]
WindowBatch = Annotated[
    int, Option(min=1, help="Number of windows in a batch; a smaller number needs less memory.")
]
Samples = Annotated[
    int,
    Option(
        metavar="N",
        min=0,
        max=256,
        help="Average the scores over N sampled captions of each window (self-consistency), such as 16. "
        "0: scores of the single caption without sampling.",
    ),
]
Style = Annotated[
    Literal["prose", "short", "tags"] | None,
    Option(help="Style of the captions; only for checkpoints that were trained with prompts."),
]
Parts = Annotated[
    Literal["all", "emotions", "bursts", "speaker"] | None,
    Option(help="What the captions describe; only for checkpoints that were trained with prompts."),
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
CorpusSeed = Annotated[int, Option(metavar="S", help="Random seed of the corpus.")]
# sources of clips that every command which reads a corpus accepts
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
HeadsBatch = Annotated[int, Option(min=1, help="Number of windows in an encoder batch; larger is faster.")]
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
class ModelChoice:
    """Options of every command that captions or scores: model, backend, device and precision."""

    model: Models = None
    backend: Backend = None
    device: Device = None
    dtype: Dtype = None
    server: TranscriptionServer = None

    def options(self) -> "inference.ModelOptions":
        """Return the options as `ModelOptions`; the settings of the server are read from its file."""
        from budew.io.settings import load  # 0.1 s, which only a server needs

        return inference.ModelOptions(
            tuple(self.model or ()) or None,
            backend=self.backend,
            device=self.device,
            dtype=self.dtype,
            server=None if self.server is None else load(inference.CaptionServer, self.server),
        )


@dataclass(frozen=True, slots=True)
class Writing:
    """Options of every command that captions or scores: how captions are written."""

    num_beams: NumBeams = None
    style: Style = None
    parts: Parts = None
    windows: CutAt = "fixed"
    batch_size: WindowBatch = 16

    def options(self, num_samples: int = 0) -> "inference.WritingOptions":
        """Return the options as `WritingOptions`, with the number of sampled captions."""
        ways: dict[str, inference.Windows] = {"fixed": "fixed", "speech": "speech"}
        return inference.WritingOptions(
            num_beams=self.num_beams,
            num_samples=num_samples,
            style=self.style,
            parts=self.parts,
            windows=ways.get(self.windows) or Path(self.windows),
            batch_size=self.batch_size,
        )


@dataclass(frozen=True, slots=True)
class SampledWriting(Writing):
    """Options of every command that scores: those of `Writing`, and the number of sampled captions."""

    samples: Samples = 0


@dataclass(frozen=True, slots=True)
class Predictions:
    """Options of every command that can score predictions from a file instead of a model."""

    predictions: Annotated[
        Path | None,
        Option(
            metavar="FILE|DIR",
            help="Predictions to score instead of a model: captions or scores by id or file name, as JSON "
            "Lines, CSV, a folder with a JSON file for each clip, or a corpus with profiles.",
        ),
    ] = None
    scale: Annotated[
        str,
        Option(
            metavar="NAME",
            help="Scale of the scores in --predictions: its ends, such as 0-4, or a name: emonet-voice.",
        ),
    ] = "intensity"

    def predictor(self, model: ModelChoice, writing: SampledWriting) -> "evaluation.Predictor":
        """Return the predictor: the predictions of the file if there is one, else the model."""
        if self.predictions is None:
            return evaluation.ModelPredictor(model.options(), writing.options(writing.samples))
        if (model, writing) != (ModelChoice(), SampledWriting()):
            raise InputError(
                "--predictions cannot be used with a model or its options: give only one of them"
            )
        return evaluation.FilePredictor(self.predictions, scale=self.scale)


@dataclass(frozen=True, slots=True)
class Reporting:
    """Options of every benchmark for its results: files, seed and resamples."""

    json: JsonFile = None
    html: HtmlFile = None
    seed: Annotated[int, Option(help="Random seed of resamples and permutations.")] = 0
    resamples: Annotated[int, Option(metavar="N", min=1, help="Number of bootstrap resamples.")] = 1000
