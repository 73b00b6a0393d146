"""Scores of a checkpoint on synthetic speech, compared with a permutation baseline and an upper bound.

New clips by unknown voices, from a seed that was not used for training, are captioned, and the parsed
profiles are compared with the labels. The upper bound is the prediction of gradient-boosted trees from the
settings of the synthesizer (cues, bursts, gender), which contain all that a model can find in the audio: they
too cannot separate emotions with similar vocal cues. All three are scored on the same clips.

With a checkpoint that was trained with prompts, captions of each style and part are requested too. A caption
has a style if `render` can write it in this style.

    python benchmarks/synthetic_speech.py [--model DIR] [--clips 400] [--seed 90210] [--json FILE]
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product, starmap
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import HistGradientBoostingRegressor

from budew.captions import parse, render
from budew.captions.caption_prompt import PARTS, STYLES, Parts, Style
from budew.captions.content_selection import SELECTIONS
from budew.corpora import Clip, read
from budew.errors import InputError
from budew.evaluation import Evaluation, ModelPredictor, evaluate, evaluate_corpus
from budew.evaluation.emotion_metrics import score_emotions
from budew.evaluation.pairs import Pair
from budew.inference.captioned_recording import CaptionedRecording
from budew.inference.captioner import Captioner
from budew.inference.options import ModelOptions, WritingOptions
from budew.jobs import run
from budew.model.checkpoint import Checkpoint, load_checkpoint
from budew.profile import VoiceProfile
from budew.synthesis import ClipPlan, Synthesis, plan_clip
from budew.synthesis.clip_plan import Split, cues, synthesis_table
from budew.taxonomy import EMOTIONS

SAMPLES = 32
RENDERINGS = 100
"""Number of renderings of a profile in a style; with plain words about 40 are different."""
LEARNT_FROM = 20_000  # number of plans of the training split for the trees
CHOSEN_ON = 2_000  # number of plans of the validation split for the choice of a threshold
THRESHOLDS = np.arange(0.1, 0.5, 0.05)

Matrix = npt.NDArray[np.float64]


def main() -> None:
    """Print baseline, model and ceiling."""
    arguments = _arguments()
    with TemporaryDirectory() as folder:
        run(Synthesis(arguments.seed, "test"), range(arguments.clips), folder)
        checkpoint, clips = load_checkpoint(arguments.model), list(read(folder))
        greedy = evaluate(
            _pairs(Captioner(checkpoint, WritingOptions(num_beams=1)), clips), model=checkpoint.name
        )
        chosen = ModelOptions(arguments.model)
        model = evaluate_corpus(folder, ModelPredictor(chosen))
        sampled = evaluate_corpus(folder, ModelPredictor(chosen, WritingOptions(num_samples=SAMPLES)))
        prompted = []
        if checkpoint.trained_with_prompts:
            prompted = [_asked(checkpoint, clips, style, parts) for style, parts in product(STYLES, PARTS)]
    ceiling = _ceiling(_plans(arguments.clips, arguments.seed, "test"))
    results = {
        "permutation baseline": model.baseline["spearman"].to_dict(),
        "greedy caption": greedy.mean["spearman"].to_dict(),
        "caption with its beams": model.mean["spearman"].to_dict(),
        f"mean of {SAMPLES} captions": sampled.mean["spearman"].to_dict(),
        "ceiling": ceiling.mean["spearman"].to_dict(),
    }
    _show(results, model, arguments.clips)
    if prompted:
        _show_prompted(prompted)
    if arguments.json:
        by_emotion = {row.emotion: row.estimates["spearman"].value for row in sampled.emotions}
        best = {row.emotion: row.estimates["spearman"].value for row in ceiling.emotions}
        written = results | {"emotions": by_emotion, "ceiling_emotions": best, "clips": arguments.clips}
        written["prompted"] = [asdict(asked) for asked in prompted]
        arguments.json.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class DecodingOptions:
    """Results for captions in one style and of some parts: how many follow the request, and correlation."""

    style: Style
    parts: Parts
    captions: int
    in_style: float
    of_parts: float
    spearman: float | None


def _asked(checkpoint: Checkpoint, clips: Sequence[Clip], style: Style, parts: Parts) -> DecodingOptions:
    """Caption clips with a prompt for style and parts; for bursts only clips that have any."""
    asked = [clip for clip in clips if parts != "bursts" or (clip.profile and clip.profile.bursts)]
    pairs = _pairs(Captioner(checkpoint, WritingOptions(num_beams=1, style=style, parts=parts)), asked)
    said = [(pair.caption or "", parse(pair.caption or "").profile) for pair in pairs]
    scored = evaluate(pairs, model=checkpoint.name).mean["spearman"].value if parts == "all" else None
    return DecodingOptions(
        style,
        parts,
        len(said),
        fmean(starmap(partial(_is_in_style, style, parts), said)),
        fmean(_has_parts(parts, profile) for _, profile in said),
        scored,
    )


def _pairs(captioner: Captioner, clips: Sequence[Clip]) -> list[Pair]:
    """Caption clips; return pairs of label and parsed profile."""
    captioned = [one for one in captioner.caption_clips(clips) if isinstance(one, CaptionedRecording)]
    return [
        Pair(clip.id, clip.profile, one.profile, caption=one.caption)
        for clip, one in zip(clips, captioned, strict=True)
        if clip.profile
    ]


def _is_in_style(style: Style, parts: Parts, caption: str, profile: VoiceProfile) -> bool:
    write = partial(render, profile, style=style, selection=SELECTIONS[parts], wording="plain")
    try:
        return any(caption == write(seed=way) for way in range(RENDERINGS))
    except InputError:  # the profile has nothing to express in these parts
        return False


def _has_parts(parts: Parts, profile: VoiceProfile) -> bool:
    """Return whether a caption describes the requested parts only; for "all", bursts may be missing."""
    of_speaker, of_bursts = bool(profile.traits), bool(profile.bursts)
    return {
        "all": of_speaker,
        "emotions": not of_speaker and not of_bursts,
        "bursts": of_bursts and not of_speaker and not profile.emotions,
        "speaker": of_speaker and not of_bursts and not profile.emotions,
    }[parts]


def _show_prompted(rows: Sequence[DecodingOptions]) -> None:
    shown = Table("style", "parts", "captions", "in style", "of these parts", "mean Spearman, greedy")
    for row in rows:
        score = "" if row.spearman is None else f"{row.spearman:.3f}"
        shares = (f"{share:.3f}" for share in (row.in_style, row.of_parts))
        shown.add_row(row.style, row.parts, str(row.captions), *shares, score)
    Console().print(shown)


def _ceiling(plans: Sequence[ClipPlan]) -> Evaluation:
    """Return the profiles that the trees predict from the settings of these plans."""
    train, chosen = _plans(LEARNT_FROM, 1, "train"), _plans(CHOSEN_ON, 1, "validation")
    guesses = [np.zeros((len(those), len(EMOTIONS))) for those in (chosen, plans)]
    settings, labels = _settings(train), _labels(train)
    for column in range(len(EMOTIONS)):
        trees = HistGradientBoostingRegressor(
            max_iter=150, learning_rate=0.08, max_leaf_nodes=15, random_state=0
        )
        trees.fit(settings, labels[:, column])
        for guess, those in zip(guesses, (chosen, plans), strict=True):
            guess[:, column] = trees.predict(_settings(those))
    means = [
        score_emotions(_labels(chosen), _levels(guesses[0], limit))["mean_spearman"][0]
        for limit in THRESHOLDS
    ]
    rounded = _levels(guesses[1], THRESHOLDS[int(np.argmax(means))])
    pairs = [
        Pair(plan.id, plan.profile, VoiceProfile.from_vector(row))
        for plan, row in zip(plans, rounded, strict=True)
    ]
    return evaluate(pairs, model="trees on the true settings")


def _levels(guess: Matrix, limit: float) -> Matrix:
    """Round to the five levels of captions; 0 below `limit` (else small numbers spoil the ranks)."""
    return np.where(guess < limit, 0.0, np.clip(np.round(guess * 4) / 4, 0.25, 1.0))


def _plans(count: int, seed: int, split: Split) -> list[ClipPlan]:
    return [plan_clip(number, seed=seed, split=split) for number in range(count)]


def _labels(plans: Sequence[ClipPlan]) -> Matrix:
    return np.stack([plan.profile.vector() for plan in plans]).astype(np.float64)


def _settings(plans: Sequence[ClipPlan]) -> Matrix:
    bursts = list(synthesis_table("bursts"))
    rows = [
        [*(plan.settings[cue] for cue in cues()), *(burst in plan.profile.bursts for burst in bursts)]
        for plan in plans
    ]
    return np.array(rows, dtype=np.float64)


def _show(results: dict[str, dict[str, float | None]], model: Evaluation, clips: int) -> None:
    console = Console()
    ceiling = results["ceiling"]["value"] or 1.0
    shown = Table(
        "", "mean Spearman", "95 % interval", "share of the ceiling", title=f"{clips} clips, {model.model}"
    )
    for name, result in results.items():
        value, low, high = (result[key] or 0.0 for key in ("value", "low", "high"))
        shown.add_row(name, f"{value:.3f}", f"{low:.3f} to {high:.3f}", f"{value / ceiling:.2f}")
    console.print(shown)
    console.print(f"captions from which nothing was parsed: {model.unparsed}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default=None, help="folder or hub id of a checkpoint")
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--seed", type=int, default=90210, help="random seed of the test clips")
    parser.add_argument("--json", type=Path, default=None, help="file for the results, also by emotion")
    return parser.parse_args()


if __name__ == "__main__":
    main()
