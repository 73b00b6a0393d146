"""`budew export`: a checkpoint in the format of another library."""

from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

from budew import corpora, evaluation, inference, reports
from budew import model as models
from budew.cli import options
from budew.cli.terminal import as_json, print_table
from budew.io.resources import data_folder

app = typer.Typer()


@app.command("export", no_args_is_help=True)
def export_command(
    to: Annotated[
        Literal["merged", "ct2", "onnx", "openvino"],
        Argument(
            metavar="FORMAT",
            help="merged: a transformers checkpoint, into which an adapter is merged. ct2: CTranslate2 and "
            "faster-whisper. onnx: ONNX Runtime. openvino: OpenVINO.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, Argument(metavar="OUT", help="Folder for the exported checkpoint.")],
    model: options.Model = None,
    dtype: Annotated[
        Literal["float32", "bfloat16", "float16", "int8"],
        Option(
            help="Precision of the weights. ct2 supports all of them, merged all except int8, onnx float32 "
            "and int8, openvino float32 and float16."
        ),
    ] = "float32",
    corpus: Annotated[
        str | None,
        Option(metavar="CORPUS", help="Clips to caption for the comparison. Default: the bundled clips."),
    ] = None,
    clips: Annotated[int, Option(metavar="N", min=0, help="Most clips to compare; 0: no comparison.")] = 100,
) -> None:
    """Write a checkpoint in the format of another library, and compare its captions with the original's.

    The comparison is printed and written to OUT/parity.json. budew caption --model OUT
    runs a checkpoint in any of the formats.

    Example: budew export onnx onnx-int8/ --model runs/mine/checkpoint --dtype int8
    """
    models.export_checkpoint(out, to=to, model=model, dtype=dtype)
    if not clips:
        return
    source = corpus or data_folder("demo_clips") / "clips.tar"
    original = models.load_checkpoint(model, device="cpu", dtype="float32")
    computed = None if to == "onnx" else "int8" if dtype == "int8" else "float32"
    exported = inference.load_backend(inference.ModelOptions(out, device="cpu", dtype=computed))
    found = evaluation.compare_captions(original, exported, list(islice(corpora.read(source), clips)))
    (out / "parity.json").write_text(as_json(found.to_dict()) + "\n", encoding="utf-8")
    print_table(reports.card_table(reports.parity_report(found)))
