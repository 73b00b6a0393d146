"""Scores a checkpoint on named corpora of human speech, and writes the results to one page.

Each corpus is given as `NAME:FOLDER`, or `NAME@SPLIT:FOLDER` for the speakers of one split. Captions are
stored next to the page as JSON Lines, so an interrupted run can be resumed, and the page can be written again
without the model.

    python benchmarks/real.py emodb@test:emodb/ nemo:nEMO/ urdu:URDU/ emogator@test:EmoGator/ \\
        librispeech@test:LibriSpeech/ [--model DIR] [--samples 16] [--players 4] [--out runs/real]
"""

import argparse
import json
from pathlib import Path

from budew.cli.terminal import print_table, progress_bar
from budew.evaluation.benchmarks.people import score_people
from budew.evaluation.caption_cache import CaptionCache
from budew.inference.options import ModelOptions
from budew.reports.page import write_page
from budew.reports.people_page import people_report
from budew.reports.section_layout import report_html
from budew.reports.terminal_tables import report_tables
from budew.statistics.resampling import Resampling


def main() -> None:
    """Score, print and write the results."""
    arguments = _arguments()
    if not arguments.corpora:
        print("no corpora are given, such as emodb@test:FOLDER: see --help")
        return
    captions = CaptionCache(
        arguments.predictions_dir or arguments.out / "predictions",
        ModelOptions(arguments.model, device=arguments.device, dtype=arguments.dtype),
        num_samples=arguments.samples,
        batch_size=arguments.batch_size,
    )
    with progress_bar("captioning") as bar:
        result = score_people(
            arguments.corpora,
            captions,
            players=arguments.players,
            settings=Resampling(resamples=arguments.resamples, seed=arguments.seed),
            progress=bar,
        )
    report = people_report(result)
    print_table(report_tables(report))
    page = write_page(report_html(report), arguments.out / "real.html")
    metrics = arguments.out / "real.json"
    metrics.write_text(json.dumps(result.to_dict(), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    print(f"JSON: {metrics}\npage: {page.resolve().as_uri()}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "corpora", nargs="*", metavar="NAME[@SPLIT]:FOLDER", help="named corpora (budew corpora)"
    )
    parser.add_argument(
        "--model", default=None, help="folder or hub id of a checkpoint; default: the one in the package"
    )
    parser.add_argument(
        "--samples", type=int, default=0, help="sampled captions of each window, scored in addition"
    )
    parser.add_argument(
        "--players", type=int, default=0, help="number of clips with a player for each corpus"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/real"), help="folder for real.html and real.json"
    )
    parser.add_argument("--predictions-dir", type=Path, default=None, help="default: predictions/ in --out")
    parser.add_argument("--device", default=None)
    parser.add_argument("--dtype", default=None, help="precision; use float32 for results of a model card")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--resamples", type=int, default=1000, help="number of bootstrap resamples")
    parser.add_argument("--seed", type=int, default=0, help="random seed of resamples and permutations")
    return parser.parse_args()


if __name__ == "__main__":
    main()
