"""Options of the commands that annotate, measure and train heads."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Labels(StrEnum):
    """Sources of labels."""

    profile = "profile"
    captions = "captions"


# budew corpus annotate llm
Temperature = Annotated[float, typer.Option(min=0, max=2, help="0 for the likeliest answer.")]
ChatSeed = Annotated[int | None, typer.Option("--seed", help="Sent along to the model.")]
Turns = Annotated[
    int, typer.Option(min=1, help="Answers of the model to a clip: what is wrong with one is sent back.")
]
LongestSent = Annotated[
    float, typer.Option("--max-seconds", metavar="SECONDS", min=0.1, help="Longer clips are not sent.")
]
PromptFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Ask this; left out, paraphrase/annotation.yaml of this package."),
]
# budew corpus annotate heads, labels, measures; budew corpus measure, bins; budew train-heads
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
        help="Checkpoint whose encoder the heads are on. Default: that of the heads, else "
        "laion/BUD-E-Whisper; for training, the one in this package.",
    ),
]
HeadsBatch = Annotated[int, typer.Option(min=1, help="Windows encoded at once; more are faster.")]
HeadsFolder = Annotated[
    Path, typer.Argument(metavar="OUT", help="New folder for the heads.", show_default=False)
]
HeadsSeed = Annotated[int, typer.Option(help="Decides which speakers are held out, and the first weights.")]
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
    Path, typer.Option("--json", metavar="FILE", dir_okay=False, help="Write the thresholds here.")
]
ByGender = Annotated[
    bool,
    typer.Option("--by-gender/--across-genders", help="Thresholds of pitch for each gender, or for all."),
]
ByLanguage = Annotated[
    bool,
    typer.Option(
        "--by-language/--across-languages", help="Thresholds of pace for each language, or for all."
    ),
]
BinsRead = Annotated[
    Path, typer.Option(metavar="FILE", dir_okay=False, help="Thresholds, as budew corpus bins writes them.")
]
OverwriteTraits = Annotated[
    bool, typer.Option("--overwrite", help="Let measures replace traits that a clip has.")
]
