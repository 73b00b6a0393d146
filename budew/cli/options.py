"""What each command takes: arguments and options, with the words that `--help` shows for them.

Apart from the commands, so that those read as what they do. What several commands take is here once.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How captions are printed."""

    text = "text"
    json = "json"
    jsonl = "jsonl"


class Split(StrEnum):
    """Parts of a synthetic corpus; no voice is in two of them."""

    train = "train"
    validation = "validation"
    test = "test"


class Style(StrEnum):
    """How captions are worded."""

    prose = "prose"
    short = "short"
    tags = "tags"


class Labels(StrEnum):
    """What labels of a corpus are taken."""

    profile = "profile"
    captions = "captions"


Model = Annotated[
    str | None,
    typer.Option(
        metavar="DIR|HUB-ID",
        help="Checkpoint: a folder, or a name on the Hugging Face hub; left out, the one in this package.",
    ),
]
Device = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="cpu, cuda, cuda:1 or mps; left out, the fastest that is there."),
]
BatchSize = Annotated[
    int,
    typer.Option(
        min=1, help="Windows captioned at once. Fewer take less memory; the captions stay the same."
    ),
]
Listeners = Annotated[
    int,
    typer.Option(
        min=0,
        max=256,
        help="Captions drawn by chance for each window besides the one shown; the scores are then what they "
        "agree on. 16 are plenty; about as slow as that many captions.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", dir_okay=False, help="Write here instead of to stdout."),
]

# budew caption
Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH", help="Audio files, and folders of them at any depth.", show_default=False),
]
CaptionFormat = Annotated[
    Format, typer.Option(help="text to read, json for one array, jsonl for one object a line.")
]
Scores = Annotated[bool, typer.Option("--scores", help="Add the emotions as numbers from 0 to 1.")]
Beams = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Captions that the search follows side by side: more is slower and often better. "
        "Left out, as many as the checkpoint asks for.",
    ),
]

# budew parse
Text = Annotated[
    str | None, typer.Argument(metavar="TEXT", help="One caption, in quotes; - is stdin.", show_default=False)
]
JsonLines = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help='Many captions instead, as JSON Lines; - is stdin. "emotions" that are there are replaced.',
    ),
]

Into = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="With --jsonl: put emotions, bursts and traits under this name, and touch no other. "
        "A line that has the name already is an error.",
    ),
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Show in the terminal how the caption is read, phrase by phrase.")
]
ExplanationFile = Annotated[
    Path | None,
    typer.Option(
        "--html",
        metavar="FILE",
        dir_okay=False,
        help="Write how it is read as a page that loads nothing; - is stdout.",
    ),
]

# budew render
ProfileFile = Annotated[
    Path,
    typer.Argument(metavar="PROFILE.json", help="As budew parse prints it; - is stdin.", show_default=False),
]
WordingSeed = Annotated[int, typer.Option(help="Another seed gives other words.")]
CaptionStyle = Annotated[
    Style | None, typer.Option(help="prose, short or tags; left out, any of them.", show_default=False)
]
MaxEmotions = Annotated[
    int | None, typer.Option(metavar="N", min=0, help="Say only the strongest so many emotions.")
]
MinLevel = Annotated[
    float, typer.Option(metavar="X", min=0, max=1, help="Say only emotions of this level (0 to 1) or more.")
]
LeaveOut = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PART",
        help="What not to say: emotions, bursts, or a trait: gender, age, accent, style, timbre, pace, or a"
        " voice attribute such as Warm_vs._Cold. May be repeated.",
    ),
]
BaselineFile = Annotated[
    Path | None,
    typer.Option(
        metavar="STATS.json",
        help="Say the emotions that stand out in a corpus: its statistics, by budew corpus stats --json.",
    ),
]
MinZ = Annotated[
    float | None,
    typer.Option(
        metavar="Z",
        help="With --baseline: spreads above the median from which an emotion stands out.  [default: 1.0]",
    ),
]
AllFrames = Annotated[
    bool, typer.Option("--all-frames", help="Show the profile in every sentence frame, of --style if given.")
]
Count = Annotated[int, typer.Option(min=1, help="How many captions; each takes the next seed.")]

# budew captions coverage, budew lint
CaptionFile = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A caption a line, or JSON Lines; - is stdin.", show_default=False),
]
MostWords = Annotated[int, typer.Option(metavar="N", min=0, help="Show so many unknown words.")]
CoverageFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", dir_okay=False, help="Write all figures here as JSON."),
]

# budew corpus synthesize
CorpusFolder = Annotated[
    Path,
    typer.Argument(metavar="OUT", help="Folder for the shards; made if need be.", show_default=False),
]
Clips = Annotated[int, typer.Option(metavar="N", min=1, help="How many clips.", show_default=False)]
CorpusSeed = Annotated[
    int, typer.Option(metavar="S", help="Decides the corpus, to the byte.", show_default=False)
]
CorpusSplit = Annotated[Split, typer.Option(help="Whose voices: no voice is in two of the three.")]
Workers = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Processes; left out, one a processor.")
]

# budew corpus stats
StatisticsFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", dir_okay=False, help="Write the statistics here as well."),
]

# budew train
RecipeName = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE",
        help="A YAML file, or the name of a recipe that ships: tiny-synthetic, train-demo.",
        show_default=False,
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check the recipe and tell what it would do; train nothing.")
]
Resume = Annotated[bool, typer.Option(help="Go on with a run that was stopped, or begin its training again.")]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Change a field of the recipe; as often as needed."),
]
RunFolder = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of the run; left out, runs/NAME.")
]

# budew evaluate
Corpus = Annotated[
    str,
    typer.Argument(
        metavar="CORPUS",
        help="Clips with profiles: a folder, a shard, a parquet file, a manifest, a pattern in quotes, "
        "an address, or hf://OWNER/NAME.",
        show_default=False,
    ),
]
Predictions = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help='Judge these instead of a model: JSON Lines with "id" and "caption" or "emotions".',
    ),
]
RatingScale = Annotated[
    str, typer.Option(metavar="NAME", help="Rating scale of the numbers in --predictions.")
]
FiguresFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", dir_okay=False, help="Write all figures here, for programs."),
]
ReportFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", dir_okay=False, help="Write a report here, to open in a browser."),
]

# budew demo
DemoFolder = Annotated[Path, typer.Option(metavar="DIR", help="Folder for the report, figures and captions.")]
LongestClip = Annotated[
    float, typer.Option(metavar="SECONDS", min=0.1, help="Longer recordings are told: cut them first.")
]
PerClip = Annotated[int, typer.Option(min=1, help="Captions for each clip.")]
KeepDamaged = Annotated[
    bool, typer.Option("--keep-damaged", help="Take clips that break off, as far as they can be decoded.")
]

# budew corpus annotate llm
ChatModel = Annotated[
    str,
    typer.Option(
        "--model", metavar="NAME", help="The name under which the server knows the model.", show_default=False
    ),
]
BaseUrl = Annotated[
    str,
    typer.Option(metavar="URL", help="Of a server that speaks the OpenAI protocol: http://localhost:8000/v1"),
]
KeyVariable = Annotated[
    str,
    typer.Option(metavar="NAME", help="Environment variable with the key; a key is taken from nowhere else."),
]
Concurrency = Annotated[int, typer.Option(min=1, help="Requests under way at a time, in each worker.")]
AnswerTimeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="For one answer.")
]
Attempts = Annotated[
    int, typer.Option(min=1, help="How often a request is tried before the server is looked at.")
]
Patience = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=1,
        help="Without any answer, after which the job ends, to be gone on with later.",
    ),
]
RequestsPerMinute = Annotated[
    float | None, typer.Option(metavar="N", min=0.01, help="At most so many, of all workers together.")
]
Temperature = Annotated[float, typer.Option(min=0, max=2, help="0 for the likeliest answer.")]
ChatSeed = Annotated[int | None, typer.Option("--seed", help="Sent along to the model.")]
Turns = Annotated[
    int, typer.Option(min=1, help="Answers of the model to a clip: it is told what was wrong with one.")
]
LongestSent = Annotated[
    float, typer.Option("--max-seconds", metavar="SECONDS", min=0.1, help="Longer clips are not sent.")
]
PromptFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Ask this; left out, paraphrase/annotation.yaml of this package."),
]
AnswersFile = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="FILE",
        dir_okay=False,
        help="Keeps the answers, so that nothing is asked twice; left out, answers.sqlite in ~/.cache/budew.",
    ),
]
PriceIn = Annotated[float, typer.Option(min=0, metavar="X", help="Of a million tokens that are sent.")]
PriceOut = Annotated[float, typer.Option(min=0, metavar="X", help="Of a million tokens that come back.")]
MaxCost = Annotated[
    float | None,
    typer.Option(
        min=0, metavar="X", help="End when OUT has cost so much, over all runs; a higher one goes on."
    ),
]
MaxTokens = Annotated[int | None, typer.Option(min=0, metavar="N", help="The same in tokens.")]
# budew corpus segment
EntryThreshold = Annotated[
    float, typer.Option(metavar="P", help="Probability from which it is speech; it ends 0.15 under this.")
]
MinSeconds = Annotated[
    float, typer.Option("--min", metavar="SECONDS", min=0, help="Leave shorter clips out.")
]
MaxSeconds = Annotated[
    float,
    typer.Option("--max", metavar="SECONDS", help="Divide what is longer, at a pause where there is one."),
]
Pad = Annotated[
    float,
    typer.Option(metavar="SECONDS", min=0, help="Keep before and after speech, up to half of the pause."),
]
MaxPause = Annotated[
    float, typer.Option(metavar="SECONDS", min=0, help="Go on across pauses of at most this.")
]
MinSpeech = Annotated[
    float, typer.Option(metavar="SECONDS", min=0, help="Take what has less speech in it for noise.")
]
KeptLanguages = Annotated[
    list[str] | None,
    typer.Option("--language", metavar="TAG", help="Keep this language, such as en. May be repeated."),
]
LanguageModel = Annotated[
    str | None,
    typer.Option(
        metavar="DIR|HUB-ID",
        help="Multilingual Whisper that hears the language of each clip where nobody wrote it down.",
    ),
]
MaxClipped = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Leave out clips with more than this share of samples at full scale."),
]
LeastLevel = Annotated[
    float | None, typer.Option("--min-dbfs", metavar="DB", help="Leave out clips of less level than this.")
]
MinRatio = Annotated[
    float | None, typer.Option("--min-snr", metavar="DB", help="Leave out clips that are noisier than this.")
]
Bits = Annotated[int, typer.Option(help="Bits of a sample in the clips: 16 or 24.")]
KeptMetadata = Annotated[
    list[str] | None,
    typer.Option(
        "--keep", metavar="NAME", help="Metadata of a recording that its clips keep. May be repeated."
    ),
]


# budew corpus export
class ExportFormat(StrEnum):
    """Formats that a corpus is exported to."""

    parquet = "parquet"
    jsonl = "jsonl"
    webdataset = "webdataset"
    parler = "parler"
    ljspeech = "ljspeech"
    lhotse = "lhotse"


class CaptionChoice(StrEnum):
    """Which captions of a clip are exported."""

    first = "first"
    all = "all"
    random = "random"


ExportSource = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A folder, a shard, a parquet file, a JSON Lines manifest, or a pattern in quotes.",
        show_default=False,
    ),
]
ExportFolder = Annotated[
    Path,
    typer.Argument(
        metavar="OUT", help="Folder to write; an earlier export in it is replaced.", show_default=False
    ),
]
ExportTo = Annotated[
    ExportFormat,
    typer.Option(
        "--to",
        help="parquet (Hugging Face), jsonl (a manifest and audio files), webdataset (tar shards), parler "
        "(Parler-TTS, with dataspeech's columns), ljspeech (metadata.csv and wavs), lhotse (manifests).",
        show_default=False,
    ),
]
ClipsPerFile = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="parquet, webdataset, parler: clips in each file; left out, 1000."),
]
ExportedCaption = Annotated[
    CaptionChoice | None,
    typer.Option(
        "--caption",
        help="Which captions of a clip: first, all, or one at random. Left out, all; for parler, first.",
    ),
]
ExportSeed = Annotated[int, typer.Option("--seed", metavar="S", help="Decides which are drawn at random.")]
WavRate = Annotated[
    int | None,
    typer.Option(
        "--sampling-rate",
        metavar="HZ",
        min=4_000,
        max=192_000,
        help="ljspeech: rate of the wavs; left out, 22050.",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Write into a folder that holds other files: those of the same name are replaced, others stay.",
    ),
]

# budew corpus ratings
RatingTable = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A .csv, .tsv, .jsonl or .parquet with ratings.", show_default=False),
]
TableScale = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Scale of the numbers in it, such as 0-7, if it is of no known kind."),
]
RatingCountsFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", dir_okay=False, help="Write all counts here as well."),
]

# what reads a corpus with scores
ScoreScale = Annotated[
    str | None,
    typer.Option(
        "--scale",
        metavar="NAME",
        help="Scale of scores that come without one, such as 0-4; left out, it is told by the largest.",
    ),
]

# budew corpus act
Comma = str | None


def _levels(of: str, *, metavar: str = "A,B") -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        metavar=metavar, help=f"{of} Left out, all of them.", rich_help_panel="What is acted"
    )
    return option


ActEmotions = Annotated[Comma, _levels("Emotions, in any spelling.")]
ActIntensities = Annotated[Comma, _levels("Of slight, moderate, strong, extreme.")]
ActLanguages = Annotated[Comma, _levels("Of en, de, es, fr.")]
ActAccents = Annotated[Comma, _levels("Accents; a language with none of them is spoken in all its own.")]
ActVoices = Annotated[
    Comma,
    typer.Option(
        metavar="A,B",
        help="Voices that the backend knows. Left out, twelve of espeak-ng, or those of OpenAI.",
        rich_help_panel="What is acted",
    ),
]
ActChallenges = Annotated[Comma, _levels("Acting challenges, such as plain,whisper,hide it.")]
ActTexts = Annotated[Comma, _levels("Lines that are fitting the emotion, or neutral.")]
_SPEECH = "Who speaks"
ActBackend = Annotated[
    str,
    typer.Option(
        metavar="espeak|URL",
        help="The synthesizer of this package, or a server that speaks the OpenAI speech protocol, such as "
        "https://api.openai.com/v1. Its key is taken from OPENAI_API_KEY.",
        rich_help_panel=_SPEECH,
    ),
]
ActModel = Annotated[
    str | None, typer.Option(metavar="NAME", help="Model of the server.", rich_help_panel=_SPEECH)
]
ActFormat = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="mp3, opus, aac, flac or wav, as the server can.", rich_help_panel=_SPEECH
    ),
]
ActConcurrency = Annotated[
    int, typer.Option(min=1, help="Requests under way at a time.", rich_help_panel=_SPEECH)
]
ActTimeout = Annotated[
    float, typer.Option(min=0.1, metavar="SECONDS", help="Longest wait for a clip.", rich_help_panel=_SPEECH)
]
ActAttempts = Annotated[
    int, typer.Option(min=1, help="How often a clip is tried before it is listed.", rich_help_panel=_SPEECH)
]
_WORDS = "Whether the words are right"
ActCheckWords = Annotated[
    bool,
    typer.Option(
        "--check-words", help="Transcribe each clip and drop those with other words.", rich_help_panel=_WORDS
    ),
]
ActWordsModel = Annotated[
    str,
    typer.Option(metavar="DIR|HUB-ID", help="Whisper checkpoint that transcribes.", rich_help_panel=_WORDS),
]
ActMaxWer = Annotated[
    float,
    typer.Option(min=0, metavar="X", help="Highest word error rate that is kept.", rich_help_panel=_WORDS),
]
_RUN = "How it runs"
ActShardSize = Annotated[
    int,
    typer.Option(
        "--clips-per-shard",
        min=1,
        help="A run that is killed loses so many clips at most.",
        rich_help_panel=_RUN,
    ),
]
ActWorkers = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=0,
        help="Processes; left out, one a processor, or this one alone for a server or with --check-words.",
        rich_help_panel=_RUN,
    ),
]
ActRetryFailed = Annotated[
    bool,
    typer.Option(
        "--retry-failed", help="Speak the clips again that failed or were left out.", rich_help_panel=_RUN
    ),
]
ActDryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Show the plan and what it would cost; speak nothing.", rich_help_panel=_RUN
    ),
]
ActPrice = Annotated[
    float | None,
    typer.Option(
        metavar="X", min=0, help="With --dry-run: price of a million characters.", rich_help_panel=_RUN
    ),
]

# budew corpus inspect
InspectionFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", dir_okay=False, help="Write all that was found here as JSON."),
]
CorpusPage = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", dir_okay=False, help="Write a page here, with plots and players."),
]
Decoding = Annotated[
    bool,
    typer.Option(
        "--decode/--no-decode",
        help="Decode every sample: finds what is damaged part way or silent. Else headers are read.",
    ),
]
Players = Annotated[int, typer.Option(metavar="N", min=0, max=200, help="Clips that the page plays.")]

# budew corpus split
Train = Annotated[float, typer.Option(metavar="SHARE", min=0, max=1, help="Of the clips, for training.")]
Validation = Annotated[
    float, typer.Option(metavar="SHARE", min=0, max=1, help="Of the clips, to watch the training.")
]
Test = Annotated[float, typer.Option(metavar="SHARE", min=0, max=1, help="Of the clips, to be judged by.")]
SplitSeed = Annotated[int, typer.Option(metavar="S", help="Another seed gives other parts.")]
SplitsFile = Annotated[
    Path, typer.Option("--out", metavar="FILE", dir_okay=False, help="Write who is in which part here.")
]

# budew corpus select
SplitsArgument = Annotated[
    Path,
    typer.Option("--splits", metavar="FILE", dir_okay=False, help="As budew corpus split writes it."),
]
PartName = Annotated[str, typer.Option("--part", metavar="NAME", help="Part that is kept, such as train.")]

# budew corpus weights
WeightsFile = Annotated[
    Path,
    typer.Option("--out", metavar="FILE", dir_okay=False, help="Write the weights here: .jsonl or .parquet."),
]
WeightReportFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", dir_okay=False, help="Write what the weights do here."),
]
SamplingTemperature = Annotated[
    float,
    typer.Option(min=1, help="1 balances most, 2 takes the square root, larger leaves the corpus as it is."),
]
LargestWeight = Annotated[float, typer.Option("--cap", min=1, help="No clip weighs more than so many.")]
WeighedLevel = Annotated[
    float,
    typer.Option(metavar="X", min=0, max=1, help="Count only emotions of this level (0 to 1) or more."),
]

# budew corpus duplicates
DuplicatesFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", dir_okay=False, help="Write all groups here as JSON."),
]
MostErrors = Annotated[
    float,
    typer.Option(
        "--errors",
        metavar="SHARE",
        min=0,
        max=0.4,
        help="Bits of the fingerprints of two near copies that may differ; other recordings begin at 0.4.",
    ),
]

# budew corpus annotate heads, labels, measures; budew corpus measure, bins, train-heads
HeadsPlace = Annotated[
    Path,
    typer.Option(
        metavar="DIR", help="Folder of model_<Name>_best.pth, or a .safetensors file.", show_default=False
    ),
]
HeadsEncoder = Annotated[
    str | None,
    typer.Option(
        metavar="DIR|HUB-ID",
        help="Checkpoint whose encoder the heads are on. Left out, what trained heads note, else "
        "laion/BUD-E-Whisper; to train on, the one in this package.",
    ),
]
HeadsBatch = Annotated[int, typer.Option(min=1, help="Windows heard at once; more are faster.")]
HeadsFolder = Annotated[
    Path, typer.Argument(metavar="OUT", help="New folder for the heads.", show_default=False)
]
HeadsSeed = Annotated[int, typer.Option(help="Decides which speakers judge, and the first weights.")]
LabelsFrom = Annotated[
    Labels | None,
    typer.Option(
        "--from",
        help="The profile that a clip is read with, or its captions; left out, the first that it has.",
    ),
]
MeasuredCorpus = Annotated[
    str,
    typer.Argument(metavar="MEASURED", help="Clips as budew corpus measure writes them.", show_default=False),
]
BinsFile = Annotated[
    Path, typer.Option("--json", metavar="FILE", dir_okay=False, help="Write the edges here.")
]
BinsRead = Annotated[
    Path, typer.Option(metavar="FILE", dir_okay=False, help="Edges, as budew corpus bins writes them.")
]
OverwriteTraits = Annotated[
    bool, typer.Option("--overwrite", help="Let what was measured replace traits that a clip has.")
]
