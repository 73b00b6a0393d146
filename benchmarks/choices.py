"""Cost and benefit of each choice in fine-tuning a pretrained Whisper: one table, on recordings of people.

    python benchmarks/choices.py VOICES --base openai/whisper-base [--steps 300] [--only "LoRA" ...] [--smoke]

VOICES holds the folders `emodb`, `emogator`, `librispeech`, `kerstin`, `nemo` and `urdu`, as for the recipe
`budew-base`. Each row is the recipe `recipes/ablation/choices.yaml` with a few fields changed, listed in
`benchmarks/choices.yaml`. All rows are trained for the same number of steps on the same examples. Their
greedy captions are scored on validation speakers and on two corpora that are not used for training; no test
split is read.

Everything runs on one thread, and times are CPU times, which other jobs on the machine change little.
Finished rows are stored in OUT; run the same command again to resume.
"""

import argparse
import json
import shutil
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any

import torch
from rich.markdown import Markdown
from transformers import TrainerCallback, WhisperProcessor

from budew.cli.terminal import as_json, print_table, progress_bar
from budew.corpora import Clip, read
from budew.corpora.named.named_folder import find_clips, named_folder
from budew.evaluation.benchmarks.people import CorpusResult, score_people
from budew.evaluation.caption_cache import CaptionCache
from budew.inference.options import ModelOptions
from budew.io.files import whole_file, whole_folder
from budew.io.settings import read_yaml
from budew.model.checkpoint import load_checkpoint
from budew.model.reduce import keep_vocabulary
from budew.model.saving import save_beside
from budew.randomness import derived_seed
from budew.reports.formatting import written
from budew.statistics.resampling import UNDEFINED
from budew.training.initial_model import load_base
from budew.training.preparation import prepare_corpora, prepare_states
from budew.training.recipe import Recipe, load_recipe
from budew.training.run import train

REFERENCE = Path(__file__).parents[1] / "recipes" / "ablation" / "choices.yaml"
TABLE: Mapping[str, Any] = read_yaml(Path(__file__).with_suffix(".yaml"))
ROWS: Mapping[str, Sequence[str]] = TABLE["rows"]
CLIPS: Mapping[str, int] = TABLE["clips"]
SCORES: Mapping[str, Mapping[str, str]] = TABLE["scores"]
COLUMNS = ("training", "states, s", "weights, M", "MB", "captions")
RATES = ("examples_a_second", "captions_a_second")
UNTIMED = 2
"""Number of first steps that are not timed, since memory is allocated in them."""
TIMED_CLIPS, BATCH = 64, 16
SMALL = {"optimizer.batch_size": 4, "evaluation.every_steps": 4, "evaluation.clips": 2}


@dataclass(frozen=True, slots=True)
class Setup:
    """Settings of all rows; `more` has changed fields of the recipe."""

    base: str
    out: Path
    steps: int
    sources: Mapping[str, str]
    more: Mapping[str, Any]

    def folder(self, name: str) -> Path:
        """Return the folder of the run of a row."""
        return self.out / name.replace(",", "").replace(" ", "-")

    def recipe(self, name: str) -> Recipe:
        """Return the recipe of a row."""
        reference, fields = load_recipe(REFERENCE), ROWS[name]
        heard = TABLE["heard"] if any(field.startswith("data.listener") for field in fields) else ()
        weights = {given.corpus.partition(":")[0]: given.weight for given in reference.data.train}
        changes: dict[str, Any] = {
            "name": self.folder(name).name,
            "model.base": str(self.out / "reduced-base") if "model.method=lora" in fields else self.base,
            "data.train": [
                {"corpus": self.sources[place], "weight": weight, "heard": place in heard}
                for place, weight in weights.items()
            ],
            "data.validation": [self.sources[one.partition(":")[0]] for one in reference.data.validation],
            "data.cache": str(self.out / "cache"),
            "optimizer.max_steps": self.steps,
            **self.more,
        }
        return load_recipe(REFERENCE, [*(f"{key}={json.dumps(to)}" for key, to in changes.items()), *fields])


class Clock(TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """Callback that adds up the time of training steps, without validations and checkpoints."""

    def __init__(self) -> None:
        self.steps, self.seconds, self.since = -UNTIMED, 0.0, time.process_time()

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        """Add the time since the step before."""
        self.steps += 1
        if self.steps > 0:
            self.seconds += time.process_time() - self.since
        self.since = time.process_time()

    def on_save(self, *args: Any, **kwargs: Any) -> None:
        """Restart the clock after a validation and its checkpoint."""
        self.since = time.process_time()


def main() -> None:
    """Train and score the rows that are missing, print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("voices", type=Path, help="folder with the corpora")
    parser.add_argument("--base", default="openai/whisper-base", help="folder or hub id of a Whisper")
    parser.add_argument("--out", type=Path, default=Path("runs/choices"))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument(
        "--only", nargs="+", choices=ROWS, default=ROWS, help="rows to measure, in addition to the reference"
    )
    parser.add_argument("--smoke", action="store_true", help="four steps on four clips of each corpus")
    given = parser.parse_args()
    torch.set_num_threads(1)
    out, most = (given.out / "smoke", 4) if given.smoke else (given.out, max(CLIPS.values()))
    sources = {place: sample(place, given.voices, min(CLIPS[place], most), out / "data") for place in CLIPS}
    steps, more = (UNTIMED + 2, SMALL) if given.smoke else (given.steps, {})
    setup = Setup(given.base, out, steps, sources, more)
    asked = {"reference", *given.only}
    rows = [found for name in ROWS if (found := kept(name, setup) or (name in asked and row(name, setup)))]
    print_and_write(rows, out)


def sample(place: str, voices: Path, number: int, out: Path) -> str:
    """Copy clips of a corpus, with about equal numbers of each label; return `PLACE:FOLDER` of the copy."""
    name, folder = place.partition("@")[0], out / place.replace("@", "-")
    if not folder.exists():
        source = named_folder(place, voices / name)
        tables = chain.from_iterable(find_clips(source).tables)
        clips = (Path(str(clip.audio)) for clip in balanced(list(read(str(source))), number))
        with whole_folder(folder) as made:
            for file in (*clips, *tables):
                copied = made / file.relative_to(source.folder)
                copied.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copied)
    return f"{place}:{folder}"


def balanced(clips: Sequence[Clip], number: int) -> list[Clip]:
    """Return at most `number` clips, with about equal numbers of each label."""
    labels = defaultdict[str, list[Clip]](list)
    for clip in sorted(clips, key=lambda clip: derived_seed("choices", clip.id)):
        labels[str(clip.metadata.get("label"))].append(clip)
    in_turn = chain.from_iterable(zip_longest(*(labels[label] for label in sorted(labels))))
    return list(islice((clip for clip in in_turn if clip is not None), number))


def kept(name: str, setup: Setup) -> Any:
    """Return the stored metrics of a row; None if there are none for this number of steps."""
    path = setup.folder(name) / "row.json"
    found = read_json(path) if path.exists() else {}
    return found if found.get("steps") == setup.steps else None


def row(name: str, setup: Setup) -> dict[str, Any]:
    """Train and score a row; store and return its metrics."""
    folder, recipe = setup.folder(name), setup.recipe(name)
    print(f"{name}: {', '.join(ROWS[name]) or REFERENCE.name}", flush=True)
    if recipe.model.method == "lora":
        write_reduced_base(setup)
    made = {"name": name, "steps": setup.steps, "changes": list(ROWS[name])}
    made |= {"states_seconds": states_seconds(recipe, folder), "examples_a_second": trained(recipe, folder)}
    made["bytes"] = (folder / "checkpoint" / "model.safetensors").stat().st_size
    captions = CaptionCache(folder / "captions", ModelOptions(folder / "checkpoint"), batch_size=BATCH)
    made["parameters"] = load_checkpoint(folder / "checkpoint", device="cpu").model.num_parameters()
    made["captions_a_second"] = captions_a_second(captions, setup.sources["nemo"])
    with progress_bar("captioning") as bar:
        scored = score_people([setup.sources[place] for place in SCORES], captions, progress=bar).corpora
    made["scores"] = {place: score(of, place) for place, of in zip(SCORES, scored, strict=True)}
    write_json(folder / "row.json", made)
    return made


def write_reduced_base(setup: Setup) -> None:
    """Save the base model with window, layers and vocabulary of the reference recipe, without training."""
    model, processor = load_base(setup.recipe("reference"))
    tokenizer = load_checkpoint(setup.folder("reference") / "checkpoint", device="cpu").processor.tokenizer
    keep_vocabulary(model, processor.tokenizer, tokenizer)
    model.save_pretrained(setup.out / "reduced-base")
    reduced = WhisperProcessor(processor.feature_extractor, tokenizer)
    save_beside(setup.out / "reduced-base", model.generation_config, reduced)


def states_seconds(recipe: Recipe, folder: Path) -> float | None:
    """Return how long computing the cached states took, for this row or for another with the same ones."""
    for unfinished in Path(str(recipe.data.cache)).glob("states/*.unfinished"):
        unfinished.unlink()  # so that all steps are timed
    model, processor = load_base(recipe)
    times: list[float] = []
    for used in prepare_corpora(recipe, folder, "train", processor.feature_extractor):
        start = time.process_time()
        states = prepare_states(recipe, folder, [used], model, processor.feature_extractor)[0].states
        if states is None:
            return None
        timed = states.file.with_suffix(".json")
        if not timed.exists():
            write_json(timed, time.process_time() - start)
        times.append(read_json(timed))
    return sum(times)


def trained(recipe: Recipe, folder: Path) -> Any:
    """Train, as far as it is not done; return the clips a second of the steps that were timed."""
    timed, clock = folder / "examples_a_second.json", Clock()
    train(recipe, out=folder, callbacks=[clock])
    if clock.seconds:
        write_json(timed, recipe.optimizer.batch_size * clock.steps / clock.seconds)
    return read_json(timed)


def captions_a_second(captions: CaptionCache, source: str) -> float:
    """Return how many clips are captioned per second, after a first batch."""
    clips = list(islice(read(source), TIMED_CLIPS))
    captioner = captions.predictor.captioner
    list(captioner.caption_clips(clips[:BATCH]))
    start = time.process_time()
    list(captioner.caption_clips(clips))
    return len(clips) / (time.process_time() - start)


def score(of: CorpusResult, place: str) -> dict[str, float | None]:
    """Return the metric of a corpus with its interval, in per cent."""
    if of.classes is not None:
        return of.classes.overall[SCORES[place]["metric"]].to_dict()
    false = of.evaluation.false_emotions
    return (false.share if false else UNDEFINED).to_dict()


def cells(made: Mapping[str, Any], first: Mapping[str, Any]) -> list[str]:
    """Return a row of the table, with speeds as ratios to those of the first row."""
    training, captions = (written(made[name] / first[name]) for name in RATES)
    sizes = (written(made[name] / 1e6, 1) for name in ("parameters", "bytes"))
    scores = [
        written(of["value"], 0) + (f" ({of['low']:.0f}–{of['high']:.0f})" if of["low"] is not None else "")
        for of in made["scores"].values()
    ]
    return [made["name"], training, written(made["states_seconds"], 0), *sizes, captions, *scores]


def print_and_write(rows: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Print the table, and write it as JSON and as Markdown."""
    columns = ["", *COLUMNS, *(of["heading"] for of in SCORES.values())]
    lines = [cells(made, rows[0]) for made in rows]
    write_json(out / "choices.json", {"rows": list(rows)})
    of_table = "".join(f"| {' | '.join(line)} |\n" for line in (columns, ["---"] * len(columns), *lines))
    (out / "choices.md").write_text(of_table, encoding="utf-8")
    print_table(Markdown(of_table))
    print(f"JSON: {out / 'choices.json'}\ntable: {out / 'choices.md'}")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, value: Any) -> None:
    with whole_file(path) as file:
        file.write(as_json(value, indent=1) + "\n")


if __name__ == "__main__":
    main()
