"""What the commands that annotate take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Labels(StrEnum):
    """What labels of a corpus are taken."""

    profile = "profile"
    captions = "captions"


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
        help="Keeps the answers, so that nothing is asked twice; left out, answers.sqlite in ~/.cache/budew. "
        "An answer goes by the model's name and what it is asked, whatever the server: for other weights "
        "under the same name give another file.",
    ),
]
PriceIn = Annotated[float, typer.Option(min=0, metavar="X", help="Of a million tokens that are sent.")]
PriceOut = Annotated[float, typer.Option(min=0, metavar="X", help="Of a million tokens that come back.")]
MaxCost = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="X",
        help="End when OUT has cost so much, over all runs; a higher one goes on. Answers under way then are "
        "still paid: --concurrency of each worker at most.",
    ),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="The same in tokens; answers under way then still count."),
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
ByGender = Annotated[
    bool,
    typer.Option("--by-gender/--across-genders", help="Edges of pitch for each gender, or for all together."),
]
ByLanguage = Annotated[
    bool,
    typer.Option(
        "--by-language/--across-languages", help="Edges of pace for each language, or for all together."
    ),
]
BinsRead = Annotated[
    Path, typer.Option(metavar="FILE", dir_okay=False, help="Edges, as budew corpus bins writes them.")
]
OverwriteTraits = Annotated[
    bool, typer.Option("--overwrite", help="Let what was measured replace traits that a clip has.")
]
