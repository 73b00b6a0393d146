"""Comparison of training targets for Whisper: numbers, template captions, paraphrased captions, or both.

    python examples/ablation.py OUT
    python examples/ablation.py OUT --people VOICES --base openai/whisper-base

Trains each recipe of recipes/ablation/ (an "arm") with several seeds on the same clips, in the same order,
and compares the captions of clips by unknown voices; docs/ablation.md explains the metrics. The first command
trains from scratch on synthetic speech, in about three hours on one CPU core; the second trains a pretrained
decoder on recordings of people (ablation_people.py). Run it again to resume: finished parts are kept.
"""

import argparse
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import combinations, islice, product, starmap
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import rich
import torch
from ablation_people import (
    CLASSES,
    FEW,
    CaptionRewrites,
    People,
    base_tokens,
    class_rates,
    corpus_of,
    shares_right,
)
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from transformers import DynamicCache, EncoderDecoderCache

from budew import jobs, render
from budew.corpora import Clip, read, write_shard
from budew.evaluation.emotion_metrics import score_emotions
from budew.inference.recordings import from_clip
from budew.inference.repetition import repetition_stop, without_repetition
from budew.inference.self_consistency import consensus, sample_captions
from budew.io.files import whole_file
from budew.io.resources import data_folder
from budew.model.adapt import short_window
from budew.model.checkpoint import Checkpoint, load_checkpoint
from budew.model.generate import (
    EncoderStates,
    encode,
    features_of,
    generate,
    generation_settings,
    short_window_seconds,
    texts_of,
)
from budew.paraphrase import GrammarBackend, Paraphrase, Rewriting
from budew.paraphrase.metrics.diversity import diversity
from budew.profile import VoiceProfile, expectation, intensity_matrix
from budew.randomness import derived_seed, generator
from budew.reports.page import write_page
from budew.reports.section_layout import report_html
from budew.reports.sections import BarRow, Bars, Card, Curves, Report, Table
from budew.reports.terminal_tables import report_tables
from budew.statistics.arrays import FloatArray
from budew.statistics.resampling import Resampling, bootstrap, multinomial_draws, percentile_interval
from budew.synthesis import Synthesis
from budew.synthesis.clip_plan import SPLITS
from budew.training.dataset import collate, tokens_of, validation_dataset
from budew.training.preparation import prepare_corpora
from budew.training.recipe import Recipe, load_recipe
from budew.training.run import train
from budew.training.targets import Target, draw_target, scalars
from budew.training.training_model import IGNORED, caption_loss
from budew.training.validation import ValidationCaptions, caption_metrics, predicted_profile

ARMS = ("scalars", "template", "paraphrase", "mixed")
NEW_FRAMES = ("comes_across", "colours", "voiced_by", "recording_of", "emotion_first", "voice_first")
"""Sentence frames that no arm is trained on."""
PHRASINGS = {"new frames": "plain", "new frames and words": "varied"}
"""Wording of captions in `NEW_FRAMES`, by name; the template arm is trained on the words of "plain"."""
SCORES = ("greedy", "sampled", "sampled, plain mean")
"""Sources of scores: the greedy text; the mean over sampled texts without weak emotions; with them."""
SEED = 7
CLIPS_AT_ONCE = 16


@dataclass(frozen=True)
class Size:
    """Sizes of the comparison.

    Attributes:
        train, validation, test: number of clips in each split.
        paraphrases, samples: number of paraphrases, and of sampled texts, for each clip.
        losses: most clips of a split on which the loss is computed.
        matched: number of clips in a group whose captions are matched with the clips.
        resamples: number of bootstrap resamples.
        workers: worker processes; None for one for each core.
        changes: changed fields of the recipes, as `field=value`.
        people: recordings of people; None for synthetic speech.
    """

    train: int = 3000
    validation: int = 300
    test: int = 304
    paraphrases: int = 6
    samples: int = 16
    losses: int = 300
    matched: int = 16
    resamples: int = 1000
    workers: int | None = None
    changes: tuple[str, ...] = ()
    people: People | None = None


QUICK = Size(
    train=8,
    validation=4,
    test=8,
    paraphrases=2,
    samples=2,
    resamples=20,
    workers=0,
    changes=(
        "model.scratch.features={window_seconds: 2, mel_bins: 16}",
        "model.scratch.size={width: 16, encoder_layers: 1, decoder_layers: 1, heads: 2, "
        "longest_caption: 144}",
        "data.longer=cut",
        "optimizer={max_steps: 2, batch_size: 4}",
        "evaluation={every_steps: 2, clips: 4, keep: last}",
    ),
)
"""Sizes for a test of all stages, too small to learn anything."""
QUICK_PEOPLE = (
    "optimizer={max_steps: 2, batch_size: 4, learning_rate: 0.0004}",
    "evaluation={every_steps: 2, clips: 4, keep: last}",
)


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run all parts that are not finished, write the report and return its numbers."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")  # progress of the training
    options = _options(arguments)
    out, size = options.out, size_of(options)
    corpora = {split: captioned_clips(out, split, size) for split in SPLITS}
    tasks = [(out, arm, seed, size) for seed, arm in product(range(1, options.seeds + 1), ARMS)]
    if options.jobs == 1:
        runs = list(starmap(run, tasks))
    else:
        first = recipe_of(*tasks[0])  # files that runs share are made before they start
        for split in ("train", "validation"):
            prepare_corpora(first, out, split, first.model.scratch.features.extractor())
        workers = ProcessPoolExecutor(options.jobs, get_context("spawn"), torch.set_num_threads, (1,))
        with workers as pool:
            runs = list(pool.map(run, *zip(*tasks, strict=True)))
    results = compare(runs, list(read(corpora["test"])), size) | origins(list(read(corpora["train"])), size)
    with whole_file(out / "ablation.json") as file:
        file.write(json.dumps(results, indent=1, allow_nan=False) + "\n")
    shown = report(results)
    rich.print(report_tables(shown))
    page = write_page(report_html(shown), out / "ablation.html")
    print(f"Open the report in a browser: {page.resolve().as_uri()}")
    return results


def size_of(options: argparse.Namespace) -> Size:
    """Return the sizes for the options of the command line."""
    size = QUICK if options.quick else Size()
    if options.people is None:
        return size
    people = People(str(options.people), options.base)
    if options.quick:
        people, size = replace(people, clips=FEW), replace(size, changes=QUICK_PEOPLE)
    else:
        size = replace(size, samples=4, losses=64, matched=4)
    return replace(size, people=people, **{split: people.number(split) for split in SPLITS})


def captioned_clips(out: Path, split: str, size: Size) -> Path:
    """Return a shard of clips with several paraphrases each; written if it does not exist."""
    shard = shard_of(out, split, size)
    if not shard.exists():
        backend = CaptionRewrites() if size.people else GrammarBackend()
        job = Paraphrase(backend, Rewriting(per_clip=size.paraphrases, seed=SEED))
        done = job.run(clips_of(out, split, size), lambda id, error: print(f"{id} is left out: {error}"))
        write_shard(shard, (clip for clip in done if paraphrases(clip)))
    return shard


def clips_of(out: Path, split: str, size: Size) -> Iterator[Clip]:
    """Return the clips of a split without captions: recordings of people, or synthetic speech."""
    if size.people is not None:
        return size.people.sampled(split, seed=SEED)
    speech, clips = out / "speech" / split, getattr(size, split)
    jobs.run(Synthesis(SEED, split), range(clips), speech, workers=size.workers)
    return islice(read(speech), clips)


def shard_of(out: Path, split: str, size: Size) -> Path:
    """Return the path of the shard with the clips of a split."""
    return out / "captioned" / f"{split}-{getattr(size, split)}.tar"


def paraphrases(clip: Clip) -> tuple[str, ...]:
    """Return the paraphrases of a clip; a clip without any is left out of all arms."""
    return tuple(caption.text for caption in clip.captions if caption.made_by.get("by") == "paraphrase")


def known(clip: Clip) -> VoiceProfile:
    """Return the profile of a clip, which every clip here has."""
    assert clip.profile is not None  # noqa: S101
    return clip.profile


def recipe_of(out: Path, arm: str, seed: int, size: Size) -> Recipe:
    """Return the recipe of a run. All runs share indexes, spectrograms or states, and the order of the clips.

    For recordings of people all arms have the same recipe, except the target.
    """
    recipes, changes = data_folder("recipes") / "ablation", list[str]()
    file = recipes / f"{arm}.yaml"
    if size.people is not None:
        target = load_recipe(file).target.model_dump_json()
        file, changes = recipes / "people.yaml", [f"model.base={size.people.base}", f"target={target}"]
    return load_recipe(
        file,
        [
            *(f"data.{split}={shard_of(out, split, size)}" for split in ("train", "validation")),
            *(f"data.cache={out / 'cache'}", f"seed={seed}", f"name={arm}-{seed}"),
            *changes,
            *size.changes,
        ],
    )


def run(out: Path, arm: str, seed: int, size: Size) -> dict[str, Any]:
    """Train an arm; return its validations, its losses, and its texts for the test clips."""
    folder, recipe = out / "runs" / f"{arm}-{seed}", recipe_of(out, arm, seed, size)
    if size.people is not None:
        save_tokenizer(folder, list(read(shard_of(out, "train", size))), size.people.base)
    model = train(recipe, out=folder)
    saved, made_by = folder / "written.json", f"{recipe.to_yaml()}{size}"
    if saved.exists() and (before := json.loads(saved.read_text(encoding="utf-8")))["made_by"] == made_by:
        return dict(before)
    checkpoint = load_checkpoint(model, device="cpu")
    history = json.loads((model / "training.json").read_text(encoding="utf-8"))["history"]
    validations = [
        {name: entry[name] for name in ("step", "eval_loss", "eval_spearman")}
        for entry in history
        if "eval_loss" in entry
    ]
    found = {"arm": arm, "kind": recipe.target.kind, "made_by": made_by, "validations": validations}
    found["loss"] = {
        split: loss(checkpoint, recipe, folder, split, clips=size.losses) for split in ("train", "validation")
    }
    clips = list(read(shard_of(out, "test", size)))
    found |= write(checkpoint, recipe, clips, samples=size.samples, matched=size.matched)
    with whole_file(saved) as file:
        file.write(json.dumps(found, indent=1) + "\n")
    return found


def save_tokenizer(folder: Path, clips: Sequence[Clip], base: str) -> None:
    """Write a tokenizer with all tokens of the base model that occur in the texts of any arm.

    With tokens for its own arm only, a model would lose the embeddings of words in the texts of other arms.
    """
    if (folder / "tokenizer").is_dir():
        return
    texts = {scalars(known(clip)) for clip in clips} | {text for clip in clips for text in paraphrases(clip)}
    for clip, (seed, wording) in product(clips, enumerate(("plain", "varied") * 4)):
        texts.add(render(known(clip), seed=derived_seed("tokens", clip.id, seed), wording=wording))
    made = base_tokens(base, texts)
    made.save_pretrained(folder / "tokenizer.unfinished")
    (folder / "tokenizer.unfinished").replace(folder / "tokenizer")


def loss(checkpoint: Checkpoint, recipe: Recipe, folder: Path, split: str, *, clips: int) -> float:
    """Return the loss per token on at most `clips` clips of a split, without augmentation; windows are whole,
    or those of the cached states.
    """
    model, processor = checkpoint.model, checkpoint.processor
    corpora = prepare_corpora(recipe, folder, split, processor.feature_extractor)
    more = recipe.model_copy(update={"evaluation": recipe.evaluation.model_copy(update={"clips": clips})})
    examples = validation_dataset(more, corpora, processor, max_tokens=model.config.max_target_positions)
    padded = partial(collate, padding=processor.tokenizer.eos_token_id)
    total, tokens = 0.0, 0
    for batch in DataLoader(examples, batch_size=CLIPS_AT_ONCE, collate_fn=padded):
        labels, inputs = batch["labels"], ("input_features", "decoder_input_ids")
        frames = batch["input_features"].shape[-1]
        with torch.inference_mode(), short_window(model.get_encoder(), frames):
            outputs = model(**{name: batch[name] for name in inputs})
            total += caption_loss(outputs, labels, 1, clips=1, heads_weight=0).item()
        tokens += int((labels != IGNORED).sum())
    return total / tokens


def write(
    checkpoint: Checkpoint, recipe: Recipe, clips: Sequence[Clip], *, samples: int, matched: int
) -> dict[str, Any]:
    """Return greedy and sampled texts by clip id, and how well captions can be matched with their clips."""
    settings, texts, shares = generation_settings(checkpoint, num_beams=1), {}, dict[str, list[float]]()
    windows = {clip.id: first_window(clip, checkpoint) for clip in clips}
    rate, window = checkpoint.sampling_rate, checkpoint.window_seconds
    seconds = dict.fromkeys(windows, window)
    if recipe.data.cache_states:  # cached states have windows as short as their clips
        seconds = {id: short_window_seconds(len(of), rate=rate, window=window) for id, of in windows.items()}
    for group in groups(clips, seconds):
        some, longest = [windows[clip.id] for clip in group], max(seconds[clip.id] for clip in group)
        encoded = encode(checkpoint, some, features_of(checkpoint, some, seconds=longest))
        tokens = generate(checkpoint, settings, encoder_outputs=encoded.outputs())
        end = checkpoint.processor.tokenizer.eos_token_id
        ended = ((tokens != end).sum(dim=1) < settings.max_new_tokens).tolist()
        numbers = recipe.target.kind == "scalars"  # numbers of absent emotions are repeated
        several = sample_captions(
            checkpoint, encoded, num_samples=samples, stopping_criteria=None if numbers else repetition_stop()
        )
        for clip, *of_clip in zip(group, texts_of(checkpoint, tokens), ended, several, strict=True):
            texts[clip.id] = dict(zip(("greedy", "ended", "sampled"), of_clip, strict=True))
        for phrasing in ("own",) if numbers else ("own", *PHRASINGS):
            captions = [caption(clip, recipe, phrasing) for clip in group]
            for part in (slice(at, at + matched) for at in range(0, len(group), matched)):
                few = EncoderStates(some[part], encoded.states[part])
                shares.setdefault(phrasing, []).extend(matches(checkpoint, few, captions[part]))
    return {"texts": texts, "matched": {phrasing: fmean(found) for phrasing, found in shares.items()}}


def groups(clips: Sequence[Clip], seconds: Mapping[str, float]) -> Iterator[list[Clip]]:
    """Yield groups of clips with windows of equal length and voices of one gender, as far as possible, since
    captions could also be matched by gender.
    """
    ordered = iter(
        sorted(
            clips,
            key=lambda clip: (seconds[clip.id], str(known(clip).traits.get("gender")), clip.id),
        )
    )
    while group := list(islice(ordered, CLIPS_AT_ONCE)):
        yield group


def first_window(clip: Clip, checkpoint: Checkpoint) -> Any:
    """Return the samples (n,) of a clip, cut to the length of the window."""
    return next(from_clip(clip).cut(checkpoint.window_seconds, checkpoint.sampling_rate)).samples


def caption(clip: Clip, recipe: Recipe, phrasing: str) -> str:
    """Return a text for a clip: worded as in training ("own"), or in frames that no arm is trained on."""
    if phrasing == "own":
        drawn = draw_target(known(clip), paraphrases(clip), recipe.target, generator("own", clip.id, SEED))
        return drawn.text
    seed = derived_seed(phrasing, clip.id, SEED)
    return render(known(clip), seed=seed, frame=NEW_FRAMES, wording=PHRASINGS[phrasing])


def matches(checkpoint: Checkpoint, encoded: EncoderStates, texts: Sequence[str]) -> list[float]:
    """Return for each text the share of other clips for which it is less likely than for its own clip.

    Likelihoods are compared for the same text only, so its length and the tokenizer do not matter; chance is
    0.5. Texts without another clip in their group are left out.
    """
    model, processor, clips = checkpoint.model, checkpoint.processor, len(texts)
    if clips < 2:
        return []
    longest, silent = model.config.max_target_positions, {"input_features": torch.zeros(1, 0), "frames": 0}
    rows = [tokens_of(Target(text), processor) for text in texts]
    batch = collate(
        [silent | {"tokens": tokens[:longest], "prefix": prefix} for tokens, prefix in rows],
        padding=processor.tokenizer.eos_token_id,
    )
    inputs, labels = (batch[name].repeat(clips, 1) for name in ("decoder_input_ids", "labels"))
    with torch.inference_mode():
        first = model(encoder_outputs=encoded.outputs(), decoder_input_ids=inputs[:clips, :1], use_cache=True)
        keys = first.past_key_values.cross_attention_cache  # computed once for each clip, not for each pair
        keys.batch_repeat_interleave(clips)
        logits = model(
            encoder_outputs=encoded.outputs(clips),
            decoder_input_ids=inputs,
            past_key_values=EncoderDecoderCache(DynamicCache(), keys),
        ).logits
        of_token = cross_entropy(logits.mT.float(), labels, ignore_index=IGNORED, reduction="none")
    surprise = of_token.sum(dim=1).reshape(clips, clips)  # (clips, texts)
    own = surprise.diagonal()
    below = (surprise > own).sum(dim=0) + ((surprise == own).sum(dim=0) - 1) / 2
    shares: list[float] = (below / (clips - 1)).tolist()
    return shares


def compare(runs: Sequence[Mapping[str, Any]], clips: Sequence[Clip], size: Size) -> dict[str, Any]:
    """Return the metrics of all arms, and paired differences between arms, with intervals."""
    by_arm = {arm: [run for run in runs if run["arm"] == arm] for arm in ARMS}
    scored = {arm: scores(some, clips, size) for arm, some in by_arm.items()}
    arms = {}
    for arm, some in by_arm.items():
        by_seed = [described(run, clips) for run in some]
        arms[arm] = {
            "scores": {score: one.estimate() for score, one in scored[arm].items()},
            "scores_by_seed": {score: one.values for score, one in scored[arm].items()},
            "measures": {name: over_seeds([one.get(name) for one in by_seed]) for name in MEASURES},
            "validations": [run["validations"] for run in some],
        }
    differences = [
        {"arms": [one, other]}
        | {score: of_one.estimate(scored[other][score]) for score, of_one in scored[one].items()}
        for one, other in combinations(ARMS, 2)
    ]
    settings = {
        "seeds": len(by_arm[ARMS[0]]),
        "size": asdict(size) | {"changes": list(size.changes)},
        "test_clips": len(clips),
    }
    return settings | {"arms": arms, "differences": differences}


@dataclass(frozen=True)
class Resampled:
    """Metric of an arm: a value for each seed, and values on resamples of the test clips."""

    values: list[float]
    sampled: FloatArray

    @classmethod
    def of(
        cls, runs: Sequence[Mapping[str, Any]], clips: Sequence[Clip], score: str, size: Size
    ) -> "Resampled":
        """Score an arm. All arms and seeds have the same resamples of clips, so differences are paired."""
        reference = intensity_matrix(known(clip) for clip in clips)
        found = [intensity_matrix(predicted(run, clip.id, score) for clip in clips) for run in runs]
        values = [float(score_emotions(reference, one)["mean_spearman"][0]) for one in found]
        sampled = []
        for one in found:
            metrics = partial(score_emotions, reference, one)
            sampled.append(bootstrap(metrics, len(clips), Resampling(size.resamples, seed=SEED)))
        return cls(values, np.stack([metrics["mean_spearman"] for metrics in sampled]))

    @classmethod
    def of_classes(
        cls, runs: Sequence[Mapping[str, Any]], clips: Sequence[Clip], corpus: str, score: str, size: Size
    ) -> "Resampled":
        """Score the classes of a corpus, predicted by the strongest emotion, in per cent."""
        some = [clip for clip in clips if corpus_of(clip) == corpus]
        shares = [
            shares_right(corpus, some, [predicted(run, clip.id, score) for clip in some]) for run in runs
        ]
        drawn = multinomial_draws(np.random.default_rng(SEED), size.resamples, len(some))
        values = [float(class_rates(corpus, share, np.ones((1, len(some))))[0]) for share in shares]
        return cls(values, np.stack([class_rates(corpus, share, drawn) for share in shares]))

    def estimate(self, other: "Resampled | None" = None) -> dict[str, float | None]:
        """Return the mean over seeds, or its difference to another arm, with an interval."""
        values, sampled = np.array(self.values), self.sampled
        if other is not None:
            values, sampled = values - other.values, sampled - other.sampled
        drawn = np.random.default_rng(SEED).integers(len(sampled), size=sampled.shape)
        means = np.take_along_axis(sampled, drawn, 0).mean(axis=0)
        return percentile_interval(float(values.mean()), means).to_dict()


def scores(runs: Sequence[Mapping[str, Any]], clips: Sequence[Clip], size: Size) -> dict[str, "Resampled"]:
    """Return the `SCORES` of an arm, and for recordings of people also the `CLASSES`."""
    found = {score: Resampled.of(runs, clips, score, size) for score in SCORES}
    if size.people is not None:
        for name, (corpus, score) in CLASSES.items():
            found[name] = Resampled.of_classes(runs, clips, corpus, score, size)
    return found


def predicted(run: Mapping[str, Any], id: str, score: str) -> VoiceProfile:
    """Return the scores that a run predicts for a clip."""
    texts = run["texts"][id]
    if score == "greedy":
        return understood(texts["greedy"], run["kind"])
    expected = expectation([understood(text, run["kind"]) for text in texts["sampled"]])
    return consensus(expected) if score == "sampled" else expected


def understood(text: str, kind: str) -> VoiceProfile:
    """Return the parsed profile of a text; emotions that are not found or unrated count as absent."""
    found = predicted_profile(text, kind) or VoiceProfile({})
    return VoiceProfile(found.emotions, found.bursts, found.traits)


VARIETY = ("distinct_1", "distinct_2", "self_bleu")
WRITTEN = ("unparsed", "unparsed samples", "looping", *VARIETY)
LEARNT = ("training loss", "validation loss", "gap", "own", *PHRASINGS)
MEASURES = (*WRITTEN, *LEARNT)


def described(run: Mapping[str, Any], clips: Sequence[Clip]) -> dict[str, float]:
    """Return the `MEASURES` of a run; if its texts are numbers, without diversity and other phrasing."""
    kind, texts = run["kind"], [run["texts"][clip.id] for clip in clips]
    repetitive = [
        not one["ended"] or (kind != "scalars" and without_repetition(one["greedy"]) != one["greedy"])
        for one in texts
    ]
    greedy = ValidationCaptions([one["greedy"] for one in texts], repetitive)
    metrics = caption_metrics(greedy, [known(clip) for clip in clips], kind)
    unread = [predicted_profile(text, kind) is None for one in texts for text in one["sampled"]]
    train, validation = run["loss"]["train"], run["loss"]["validation"]
    found = {name: metrics[name] for name in ("unparsed", "looping")} | {"unparsed samples": fmean(unread)}
    found |= {"training loss": train, "validation loss": validation, "gap": validation - train}
    if kind != "scalars":
        varied = diversity(greedy.texts)
        found |= {name: getattr(varied, name) for name in VARIETY}
    return found | run["matched"]


def over_seeds(values: Sequence[float | None]) -> dict[str, float | None] | None:
    """Return the mean, the lowest and the highest value; None without values."""
    given = [value for value in values if value is not None]
    return {"value": fmean(given), "low": min(given), "high": max(given)} if given else None


def origins(clips: Sequence[Clip], size: Size) -> dict[str, Any]:
    """Return the number of paraphrases of training clips, and how many of them a language model wrote.

    Empty for synthetic clips, whose paraphrases are all by the grammar.
    """
    if size.people is None:
        return {}
    used = [caption for clip in clips for caption in clip.captions]
    by_model = [caption for caption in used if "rewrite" in caption.made_by]
    return {
        "paraphrases": {
            "all": len(used),
            "different": len({caption.text for caption in used}),
            "by a language model": len(by_model),
            "different by a language model": len({caption.text for caption in by_model}),
            "templates in place of a refused one": sum("fallback" in caption.made_by for caption in used),
        }
    }


NOTE = (
    "For captions in this phrasing, the share of other clips under which they are less likely than under "
    "their own; chance is 0.5. All measures are explained in docs/ablation.md."
)


def report(results: Mapping[str, Any]) -> Report:
    """Return the report of the results, for the page and for tables."""
    arms, size = results["arms"], results["size"]

    def table(heading: str, kind: str, columns: Sequence[str], note: str) -> Table:
        rows = [(arm, *(found[kind][name] for name in columns)) for arm, found in arms.items()]
        return Table(heading, ("arm", *columns), rows, note=note, digits=3)

    def bars(score: str) -> Bars:
        rows = []
        for arm, found in arms.items():
            marks = {f"seed {n}": value for n, value in enumerate(found["scores_by_seed"][score], 1)}
            rows.append(BarRow(arm, found["scores"][score], marks=marks))
        return Bars(f"Mean Spearman ρ, {score}", rows, measure="mean over seeds", digits=3)

    def curves(heading: str, name: str) -> Curves:
        runs = [(arm, run) for arm, found in arms.items() for run in found["validations"]]
        lines = [(arm, [(entry["step"], entry[name]) for entry in run]) for arm, run in runs]
        return Curves(heading, lines, "training step", digits=3)

    paired = [(" − ".join(row["arms"]), *(row[score] for score in SCORES)) for row in results["differences"]]
    interval, seeds = "95 % intervals over test clips and seeds", "With the lowest and the highest seed."
    sections = [
        table("Mean Spearman ρ over emotions", "scores", SCORES, f"With {interval}."),
        Table("Differences", ("arms", *SCORES), paired, note=f"Paired, with {interval}.", digits=3),
        *(classes(results) if size["people"] else ()),
        table("What is written of the test clips", "measures", WRITTEN, seeds),
        table("Loss per token, and captions matched with clips", "measures", LEARNT, seeds),
        *map(bars, SCORES[:2]),
        curves("Mean Spearman ρ of validation captions", "eval_spearman"),
        curves("Validation loss per token", "eval_loss"),
    ]
    return Report(
        "What should Whisper be trained to write?" + (" With people" if size["people"] else ""),
        f"{results['seeds']} seeds, {size['train']:,} training clips, {results['test_clips']:,} test clips",
        [
            Card(arm, found["scores"]["greedy"], note="mean ρ, greedy", digits=3)
            for arm, found in arms.items()
        ],
        sections,
        [("own, new frames, new frames and words", NOTE)],
    )


def classes(results: Mapping[str, Any]) -> list[Table]:
    """Return tables of the classes by the strongest emotion, and of the origin of the paraphrases."""
    names, interval = ("arm", *CLASSES), "95 % intervals over test clips and seeds."
    rows = [(arm, *(found["scores"][name] for name in CLASSES)) for arm, found in results["arms"].items()]
    paired = [(" − ".join(row["arms"]), *(row[name] for name in CLASSES)) for row in results["differences"]]
    return [
        Table("Classes by the strongest emotion, per cent", names, rows, note=f"With {interval}", digits=1),
        Table("Differences of these", names, paired, note=f"Paired, with {interval}", digits=1),
        Table("Paraphrases of the training clips", ("", "captions"), list(results["paraphrases"].items())),
    ]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "out", type=Path, metavar="OUT", help="folder for runs, ablation.json and ablation.html"
    )
    parser.add_argument(
        "--seeds", type=int, default=3, help="number of runs of each arm (default: %(default)s)"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        help="number of simultaneous runs, with one thread each; 1: one run on all cores",
    )
    parser.add_argument(
        "--people", type=Path, metavar="VOICES", help="folder with emodb, emogator and librispeech"
    )
    parser.add_argument("--base", default="openai/whisper-base", help="pretrained Whisper, with --people")
    parser.add_argument("--quick", action="store_true", help="tiny runs to test the script")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
