"""Conventions of the whole package, checked in its source."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import budew

PACKAGE = Path(budew.__file__).parent
DEFAULTS: dict[str, float] = {
    "AnnotateFaces.turns": 3, "Balance.temperature": 2.0, "ChatBackend.batch": 1,
    "ContentSelection.min_level": 0.0, "EvaluationSettings.clips": 200, "Features.window_seconds": 8,
    "FittingOptions.patience": 10, "FittingOptions.validation": 0.15, "OptimizerSettings.batch_size": 32,
    "ReadOptions.audio": True, "Recipe.seed": 1, "RenderingOptions.min_level": 0.0,
    "Resynthesize.longest": 5.0, "Resynthesize.per_clip": 4, "Rewriting.attempts": 3,
    "ScratchSettings.heads_weight": 1.0, "SegmentSettings.max_seconds": 30.0, "Size.dropout": 0.1,
    "Size.encoder_layers": 4, "SpeechSettings.seed": 1, "Utterance.rate": 175, "Utterance.seed": 1,
    "_Way.bare": True, "__init__.count": 3, "_closed_until": -1, "_last_to": -1, "_sentence_end": -1,
    "alpha": 64, "alpha.ge": 1, "alpha.le": 4096, "attempts.ge": 1, "axis": -1, "band_masks.le": 100,
    "batch": 64, "batch_size": 16, "batch_size.ge": 1, "bits": 16, "by_gender": True, "by_language": True,
    "cached": True, "candidates": 2, "candidates.ge": 1, "cap": 10.0, "captions.count": 1, "chance.ge": -1,
    "clip_index.workers": 1, "clips.ge": 1, "clips_per_shard": 500, "concurrency": 16, "concurrency.ge": 1,
    "consensus.min_raters": 1, "copies": 1, "corpus.min_raters": 1, "corpus.players": 24,
    "corpus.temperature": 2.0, "corpus_annotate.max_seconds": 60.0, "corpus_counts.most": 1000000,
    "corpus_jobs.captions": 1, "corpus_synthesis.per_clip": 4, "count.le": 50, "cpus": 1, "cpus.ge": 1,
    "decay": 0.01, "decoder_layers": 2, "decoder_layers.ge": 1, "decoder_layers.le": 100, "defaults": True,
    "device_batch_size.ge": 1, "digits": 2, "distinctive": True, "dropout": 0.05, "dropout.le": 0.99,
    "duplicates.workers": 1, "embeddings.batch_size": 32, "encoder_layers.ge": 1, "encoder_layers.le": 100,
    "epochs.le": 10000, "equalizer.le": 12, "evaluate.most": 4, "every": 1.0, "every_steps": 500,
    "every_steps.ge": 1, "examples": 12, "export.clips": 100, "face.batch_size": 32, "face.turns": 3,
    "face_head_training.batch_size": 32, "feelings": True, "fewest": 2, "first": 1, "fixed.ge": 1,
    "fourier": 1024, "fourier.ge": 64, "fourier.le": 16384, "from_until": -1, "gain.le": 30, "heads": 4,
    "heads.ge": 1, "heads_weight.le": 1000000.0, "hedge_until": -1, "high": 1.0, "high.ge": -1, "hop": 320,
    "hop.ge": 1, "init_lora_weights": True, "keep_refused": True, "learning_rate.ge": 1e-09,
    "least_gain": 0.005, "lists_clips": True, "longest_caption": 96, "longest_caption.ge": 16,
    "longest_caption.le": 448, "low.ge": -1, "mask_bands": 12, "mask_bands.ge": 1, "mask_bands.le": 100,
    "mask_frames": 20, "mask_frames.ge": 1, "mask_frames.le": 500, "max_pause": 0.5, "max_running": -1,
    "max_running.ge": -1, "max_seconds": 600.0, "max_steps.ge": 1, "max_wer": 0.3, "mel_bins": 128,
    "mel_bins.ge": 8, "mel_bins.le": 512, "memory": 4.0, "memory_gb": 4, "memory_gb.ge": 1, "min_level": 0.5,
    "min_raters": 2, "min_rms_dbfs.lt": 0, "min_seconds": 1.0, "min_snr_db.lt": 100, "min_speech": 0.25,
    "min_z": 1.0, "mixed_shards": 8, "mixed_shards.ge": 1, "most": 30, "most_epochs": 200, "most_words": 15,
    "most_words.ge": 1, "moved": 0.6, "n": 1, "nearest_sibling": 0.8, "nearest_source": 0.8, "needed": True,
    "noise.ge": 5, "noise.le": 60, "noise_slope.le": 2, "num_beams": 1, "num_beams.ge": 1, "num_beams.le": 64,
    "number": 1, "others_until": -1, "pad": 0.1, "patience": 600.0, "patience.ge": 1, "penalty": 0.05,
    "per_clip": 1, "per_clip.ge": 1, "permutations": 100, "pitch": 50, "port": 7860, "positions": 1,
    "range": 50, "rank": 32, "rank.ge": 1, "rank.le": 1024, "rate": 0.001, "repair": True, "repeats": 0.1,
    "resamples": 1000, "resume": True, "retries": 4, "rewritten": True, "sample": 2000,
    "scoring.batch_size": 32, "share": 0.2, "short_windows": 0.8, "shortest": 2.0, "shown": True,
    "shown.ge": 1, "shown.le": 10, "shrinkage": 0.3, "speakers.ge": 1, "speed.le": 0.15, "state_copies": 1,
    "state_copies.ge": 1, "state_copies.le": 1000, "step": 1, "stop_repetition": True, "structured": True,
    "temperature.le": 2, "test": 0.05, "threshold": 0.5, "time_masks.le": 100, "timeout": 120.0,
    "tolerance": 1, "tolerance.le": 4, "too_until": -1, "top": 30, "top_p.ge": 0.01, "train": 0.9,
    "trained_encoder_layers.le": 100, "training": True, "turns": 2, "validation": 0.05,
    "validation_clips": 200, "validation_clips.ge": 1, "value.ge": -1, "version.ge": 1, "vocabulary": 1024,
    "vocabulary.le": 200000, "warmup": 0.05, "warmup.le": 0.9, "ways": 1, "weight": 1.0, "weight.ge": 0.01,
    "weight.le": 100, "weight_decay": 0.01, "weights.temperature": 2.0, "width": 256, "width.ge": 8,
    "width.le": 8192, "window_seconds": 30.0, "window_seconds.ge": 1, "window_seconds.le": 30, "words.le": 10,
    "workers.le": 1024,
}  # fmt: skip
"""Defaults and limits of options by name, or by class or module and name where these differ."""

LIMITS = {"ge": 0, "gt": 0, "le": 1, "lt": 1}
"""Limits of fields in calls of `Field`, with their usual value."""
VARIED = {"Environment.autoescape", "Field.default", "_save_beside.adapter", "write_failures.filtered"}
"""Flags that differ between the calls of a function."""
UNEVEN = {"caption", "clip_plan", "corpus_page", "diversity", "espeak_backend", "overlap", "phrases"}
"""Modules that zip iterables of different lengths."""


@cache
def modules() -> dict[str, list[ast.AST]]:
    """Return the nodes of each module, by its path."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return {str(path): list(ast.walk(ast.parse(path.read_text(encoding="utf-8")))) for path in paths}


def data_classes(nodes: list[ast.AST]) -> Iterator[tuple[ast.ClassDef, set[str | None]]]:
    """Yield each data class of a module, and the options of its decorator that are true."""
    for node in nodes:
        for decorator in node.decorator_list if isinstance(node, ast.ClassDef) else ():
            if ast.unparse(decorator).startswith("dataclass"):
                options = decorator.keywords if isinstance(decorator, ast.Call) else []
                yield node, {option.arg for option in options if ast.literal_eval(option.value)}


def test_data_classes_have_slots_unless_they_cache_and_are_frozen_unless_their_module_assigns_fields():
    for path, nodes in modules().items():
        attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
        assigned = {node.attr for node in attributes if not isinstance(node.ctx, ast.Load)}
        for node, options in data_classes(nodes):
            fields = {ast.unparse(line.target) for line in node.body if isinstance(line, ast.AnnAssign)}
            decorators = [
                ast.unparse(one) for line in node.body for one in getattr(line, "decorator_list", ())
            ]
            assert ("slots" in options) != ("cached_property" in decorators), (path, node.name)
            assert "frozen" in options or fields & assigned or node.bases, (path, node.name)


def defaults(node: ast.AST) -> Iterator[tuple[str, float]]:
    """Yield names and default numbers of the parameters of a function, or of the fields of a class, and the
    limits of fields, such as "seed.ge".
    """
    found: list[tuple[str, ast.AST | None]] = []
    if isinstance(node, ast.arguments):
        named = [*node.posonlyargs, *node.args][::-1]
        found += [(one.arg, value) for one, value in zip(named, node.defaults[::-1], strict=False)]
        found += [(one.arg, value) for one, value in zip(node.kwonlyargs, node.kw_defaults, strict=True)]
    elif isinstance(node, ast.ClassDef):
        fields = [line for line in node.body if isinstance(line, ast.AnnAssign)]
        found += [
            (ast.unparse(field.target), field.value)
            for field in fields
            if "ClassVar" not in ast.unparse(field.annotation)
        ]
    calls = {name: value.keywords for name, value in found if isinstance(value, ast.Call)}
    for name, keywords in calls.items():
        found += [
            (name if keyword.arg == "default" else f"{name}.{keyword.arg}", keyword.value)
            for keyword in keywords
            if keyword.arg in ("default", *LIMITS)
        ]
    for name, value in found:
        number = value.operand if isinstance(value, ast.UnaryOp) else value
        if isinstance(number, ast.Constant) and isinstance(number.value, bool | int | float):
            yield name, ast.literal_eval(value)


def test_options_have_the_same_defaults_and_limits_by_their_name_which_are_zero_to_one_unless_listed():
    used = set()
    for path, nodes in modules().items():
        for node in nodes:
            for name, default in defaults(node):
                owned = f"{getattr(node, 'name', Path(path).stem)}.{name}"
                used.add(owned if owned in DEFAULTS else name)
                expected = DEFAULTS.get(owned, DEFAULTS.get(name, LIMITS.get(name.rpartition(".")[2], 0)))
                assert default == expected, f"{path}: list {name} in DEFAULTS, unless it is a mistake"
    assert used >= DEFAULTS.keys()


def test_a_flag_is_the_same_in_all_calls_of_a_function_unless_listed():
    values = defaultdict(set)
    for path, nodes in modules().items():
        for call in (node for node in nodes if isinstance(node, ast.Call)):
            function = ast.unparse(call.func).rpartition(".")[2]
            for flag in call.keywords:
                if isinstance(flag.value, ast.Constant) and isinstance(flag.value.value, bool):
                    values[f"{function}.{flag.arg}"].add((flag.value.value, Path(path).stem))
    values["zip.strict"] -= {(False, module) for module in UNEVEN}
    assert {flag for flag, uses in values.items() if len({value for value, _ in uses}) > 1} == VARIED
