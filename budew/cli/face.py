"""Commands `budew face …`: emotions of faces, by Empathic Insight-Face or a vision-language model."""

from contextlib import nullcontext
from csv import DictWriter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

from budew import faces, reports
from budew.cli import options
from budew.cli.job_options import JobOptions, ServerOptions, run_paid_job
from budew.cli.options import SETTINGS, option_groups
from budew.cli.terminal import (
    PrintedErrors,
    as_json,
    output,
    print_table,
    progress_bar,
    refuse_to_replace,
    results,
    stdout_free_for,
)
from budew.errors import require

ImageCorpus = Annotated[
    str,
    Argument(
        metavar="IMAGES",
        help="Images of faces: a file, a folder, a shard, a Parquet file, a quoted glob pattern, or "
        "hf://OWNER/NAME.",
    ),
]
ImageEncoder = Annotated[
    str | None,
    Option(
        metavar="DIR|HUB-ID",
        help="SigLIP image encoder. Default: the encoder recorded with the heads, else the published one.",
    ),
]
ImageBatch = Annotated[
    int, Option(min=1, help="Number of images in an encoder batch; larger is faster on a GPU.")
]
app = typer.Typer(
    name="face",
    help="Emotions of faces: score images, train heads, annotate by a language model, describe a corpus."
    " For research on synthetic faces; docs/ethics.md explains what the scores do not mean.",
    **SETTINGS,
)


def _seconds(text: str | float) -> float:
    """Return the seconds in a text such as `0.5s` or `2`; ValueError for less than 10 ms."""
    if (seconds := float(str(text).removesuffix("s"))) >= 0.01:
        return seconds
    raise ValueError


@app.command("score", no_args_is_help=True)
def score_faces(
    images: Annotated[
        list[str], Argument(metavar="IMAGES", help="Files, folders, shards, Parquet files, videos.")
    ],
    model: Annotated[
        str,
        Option(
            metavar="DIR|HUB-ID",
            help="Heads: a folder with model_<name>_best.pth, or a name on the Hugging Face hub.",
        ),
    ] = "laion/Empathic-Insight-Face-Large",
    encoder: ImageEncoder = None,
    file: options.Output = None,
    html: options.HtmlFile = None,
    device: options.Device = None,
    batch_size: ImageBatch = 32,
    every: Annotated[
        float,
        Option(parser=_seconds, metavar="SECONDS", help="Interval at which a frame of a video is scored."),
    ] = 1.0,
) -> None:
    """Score the 40 emotions of faces, as JSON Lines in the published form.

    Each line has the path of an image and, for each head: raw (about 0 to 7), mean_subtracted
    (raw minus its mean over neutral faces), softmax over the emotions, and intensity (0 to 1).
    Images that cannot be read are reported, and the exit status is 1. Each image must show
    one face that fills most of it: faces are not detected. Of a video, a frame is scored at each
    interval, as NAME@SECONDS; budew caption --faces shows the scores beside the voice.

    Example: budew face score faces/ -o scores.jsonl --html faces.html
    """
    require("PIL", extra="faces", purpose="budew face score")
    refuse_to_replace(images, file, html)
    bad, page = PrintedErrors(), reports.FacesPage(f"Emotions by {model}")
    scorer = faces.FaceScorer.from_pretrained(model, encoder=encoder, device=device)

    clips = faces.read_images(images, on_bad=bad, every=every)
    with stdout_free_for(file, html), output(file) as lines, progress_bar("scoring", unit="images ") as bar:
        scored = scorer.score_clips(clips, batch_size=batch_size, on_bad=bad)
        for done, (clip, scores) in enumerate(scored, 1):
            print(as_json(scores.to_dict()), file=lines)
            if html is not None:
                page.add(clip, scores)
            bar(done)
    if html is not None:
        with output(html) as written:
            written.write(reports.report_html(page.report()))
    raise typer.Exit(bad.status)


@dataclass(frozen=True, slots=True)
class Fitting:
    """Options of train-heads for the labels of experts, the layers and the seed."""

    expert_labels: Annotated[
        Literal["mean", "agreed"],
        Option(help="Mean of experts; or agreed: three say yes, or one says no in the contrastive batch."),
    ] = "mean"
    size: Annotated[
        Literal["large", "small"],
        Option(help="Layer widths as in Empathic Insight-Face-Large (1024, 512, 256) or -Small (128, 32)."),
    ] = "large"
    seed: Annotated[int, Option(help="Random seed for validation images and initial weights.")] = 0


@app.command("train-heads", no_args_is_help=True)
@option_groups()
def train_face_heads_command(
    out: Annotated[Path, Argument(metavar="OUT", help="New folder for the heads.")],
    fitting: Fitting,
    weak: Annotated[
        str | None,
        Option(metavar="IMAGES", help="Images with labels by a model, such as hf://laion/emonet-face-big."),
    ] = None,
    expert: Annotated[
        str | None,
        Option(
            metavar="IMAGES",
            help="Images with labels by experts, such as hf://laion/emonet-face-binary; second stage.",
        ),
    ] = None,
    encoder: ImageEncoder = None,
    cache: Annotated[
        Path | None, Option(metavar="DIR", help="Folder for the embeddings. Default: OUT-embeddings.")
    ] = None,
    device: options.Device = None,
    batch_size: ImageBatch = 32,
) -> None:
    """Train heads on image embeddings: first on labels by a model, then on labels by experts.

    Embeddings are computed once and stored, so an interrupted run can be resumed. Next:
    budew face score IMAGES --model OUT -o mine.jsonl, and budew benchmark emonet-face-hq
    --data hq.csv --predictions mine.jsonl.

    Example: budew face train-heads heads/ --weak hf://laion/emonet-face-big
    """
    require("PIL", extra="faces", purpose="budew face train-heads")
    if not weak and not expert:
        raise typer.BadParameter("give --weak, --expert or both")
    widths = faces.LARGE if fitting.size == "large" else faces.SMALL
    fitted_as = faces.FaceFittingOptions(
        widths, batch=256, seed=fitting.seed, expert_labels=fitting.expert_labels
    )
    bad = PrintedErrors()
    with progress_bar("embedding", unit="images ") as bar:
        trained = faces.train_face_heads(
            out,
            faces.load_image_encoder(encoder, device=device),
            weak=weak,
            expert=expert,
            cache=cache,
            options=fitted_as,
            batch_size=batch_size,
            on_bad=bad,
            progress=bar,
        )
    for stage, quality in trained.quality.items():
        print(f"on {stage} labels")
        print_table(reports.quality_table(quality))
    sizes = ", ".join(f"{count:,} {stage} images" for stage, count in trained.images.items())
    print(f"heads: {len(trained.heads)} of {sizes}, of which {trained.neutral} are neutral, in {out}")
    raise typer.Exit(bad.status)


@app.command("annotate", no_args_is_help=True)
@option_groups(workers=0)
def annotate_by_vlm(
    source: ImageCorpus,
    out: options.CorpusFolder,
    job_options: JobOptions,
    server: ServerOptions,
    protocol: Annotated[
        Literal["multi-shot", "zero-shot"],
        Option(
            help="multi-shot: 40 ratings with reasons, at most five above 0; zero-shot: exactly 25 "
            "ratings above 0."
        ),
    ] = "multi-shot",
    turns: Annotated[
        int, Option(min=1, help="Attempts for each image; the problems of an invalid answer are sent back.")
    ] = 3,
    temperature: Annotated[float, Option(min=0, max=2, help="Sampling temperature; 0: greedy.")] = 0.0,
    seed: Annotated[int | None, Option(help="Random seed sent with each request.")] = 0,
) -> None:
    """Annotate faces by a vision-language model on a server with an OpenAI-compatible chat API.

    The ratings are added to `annotations` of each image, with the name of the model. The output
    can be annotated again by another model, or used by train-heads. The job waits while the
    server is overloaded or down. Answers are cached, so none is paid for twice. Images that
    cannot be annotated are listed in OUT/failures.jsonl. The API key is read from OPENAI_API_KEY.

    Example: budew face annotate faces/ out/ --model NAME --base-url http://localhost:8000/v1
    """
    require("PIL", extra="faces", purpose="budew face annotate")
    settings = server.settings(job_options)
    job = faces.AnnotateFaces(settings, protocol, turns, temperature, seed, account=str(out.resolve()))
    run_paid_job(job, source, out, job_options, server=settings, account=job.account)


@app.command("describe", no_args_is_help=True)
def describe_command(
    source: ImageCorpus,
    json: options.JsonFile = None,
    html: options.HtmlFile = None,
    embeddings: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            help="Folder of image embeddings, as train-heads stores them; computed if missing. Adds the mean "
            "similarity of the images in each group.",
        ),
    ] = None,
    encoder: ImageEncoder = None,
    device: options.Device = None,
) -> None:
    """Describe a corpus of faces: demographics, their balance, and emotions.

    Demographics are read from the prompts of synthetic images. With --embeddings, the mean
    cosine similarity of the images in each group is printed too.

    Example: budew face describe hf://laion/emonet-face-hq --html faces.html
    """
    require("PIL", extra="faces", purpose="budew face describe")
    refuse_to_replace([source], json, html)
    image_encoder = None
    if embeddings is not None:
        image_encoder = faces.load_image_encoder(encoder, device=device)
    bad = PrintedErrors()
    with progress_bar("reading", unit="images ") as bar:
        found = faces.describe_faces(source, image_encoder, embeddings, on_bad=bad, progress=bar)
    report = reports.description_report(source, found)
    with results(found, json, html, lambda: reports.report_html(report)):
        print_table(reports.report_tables(report))
    raise typer.Exit(bad.status)


@app.command("prompts", no_args_is_help=True)
def prompts_command(
    out: Annotated[Path, Argument(metavar="OUT", help="JSON Lines file for the prompts; - for stdout.")],
    images: Annotated[
        int, Option(metavar="N", min=1, help="Number of images; 11760: each combination once.")
    ],
    seed: options.CorpusSeed = 0,
    review: Annotated[
        Path | None,
        Option(metavar="FILE", help="CSV for the review of the images: value (yes, no), annotator, remark."),
    ] = None,
) -> None:
    """Plan images of faces: prompts balanced over emotions, ethnicities, genders and ages.

    Each line has the prompt of an image, its id (name the image ID.png), emotion, demographics
    and a seed for the image model. No image is made.

    Example: budew face prompts prompts.jsonl --images 11760 --review review.csv
    """
    refuse_to_replace([], out, review)
    with output(out) as lines, output(review) if review else nullcontext() as table:
        rows = None if table is None else DictWriter(table, faces.REVIEW_COLUMNS, extrasaction="ignore")
        if rows is not None:
            rows.writeheader()
        for number in range(images):
            row = faces.image_prompt(number, seed=seed)
            print(as_json(row), file=lines)
            if rows is not None:
                rows.writerow({**row, "path": f"{row['id']}.png"})
