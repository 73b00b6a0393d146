"""All steps at a small size: speech → profile → caption → paraphrase → Whisper → caption → profile → metrics.

    python examples/train_demo.py OUT

Takes under 15 minutes, mostly training, on two CPU cores without GPU or network. The model is too small and
too briefly trained to be useful; `recipes/tiny-synthetic.yaml` trains longer on more data.
"""

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import rich

from budew import render
from budew.corpora import Caption, Clip, read, write_shard
from budew.evaluation import Evaluation, ModelPredictor, evaluate_corpus, write_predictions
from budew.inference import ModelOptions
from budew.io.resources import data_folder
from budew.jobs import run
from budew.paraphrase import GrammarBackend, Paraphrase, Rewriting
from budew.randomness import derived_seed
from budew.reports import evaluation_report, evaluation_summary, report_html, report_tables, write_page
from budew.synthesis import Synthesis
from budew.training import train

RECIPE = data_folder("recipes") / "train-demo.yaml"
SEED = 7


def main(
    out: Path,
    *,
    clips: int = 3000,
    test_clips: int = 200,
    changes: Sequence[str] = (),
    workers: int | None = None,
) -> Evaluation:
    """Run all stages in the folder `out`. Run again to resume: finished shards and steps are kept."""
    for split, number in (("train", clips), ("validation", test_clips), ("test", test_clips)):
        run(Synthesis(SEED, split), range(number), out / "speech" / split, workers=workers)

    for split in ("train", "validation"):
        captioned = out / "captioned" / f"{split}.tar"
        if not captioned.exists():
            speech = read(out / "speech" / split)
            rendered = render_captions(speech)
            paraphrased = paraphrase_captions(rendered)
            write_shard(captioned, paraphrased)

    logging.basicConfig(level=logging.INFO, format="%(message)s")  # losses and validations
    checkpoint = train(
        RECIPE,
        out=out / "training",
        changes=[
            f"data.train={out / 'captioned' / 'train.tar'}",
            f"data.validation={out / 'captioned' / 'validation.tar'}",
            *changes,
        ],
    )

    model = ModelPredictor(ModelOptions(checkpoint))
    evaluation = evaluate_corpus(out / "speech" / "test", model)
    rich.print(report_tables(evaluation_summary(evaluation)))
    write_predictions(out / "predictions.jsonl", evaluation.pairs)
    report = write_page(report_html(evaluation_report(evaluation)), out / "report.html")
    print(f"Open the report in a browser: {report.resolve().as_uri()}")
    return evaluation


def render_captions(clips: Iterable[Clip]) -> Iterator[Clip]:
    """Add a template caption, rendered from the profile, to each clip."""
    for clip in clips:
        if clip.profile is not None:
            seed = derived_seed("render", clip.id, SEED)
            caption = Caption(render(clip.profile, seed=seed), {"by": "render", "seed": seed})
            yield replace(clip, captions=(caption,))


def paraphrase_captions(clips: Iterable[Clip], *, per_clip: int = 2) -> Iterator[Clip]:
    """Add paraphrases of the same meaning. A `ChatBackend` can be used instead of the grammar."""
    job = Paraphrase(GrammarBackend(), Rewriting(per_clip=per_clip, seed=SEED, keep_templates=True))
    return job.run(iter(clips), lambda id, error: print(f"{id} is left out: {error}"))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/train-demo"))
