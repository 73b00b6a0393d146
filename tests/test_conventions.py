"""Conventions of the whole package, checked in its source."""

import ast
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
    "alpha": 64, "axis": -1, "batch": 64, "batch_size": 16, "bits": 16, "by_gender": True,
    "by_language": True, "cached": True, "candidates": 2, "cap": 10.0, "captions.count": 1,
    "clip_index.workers": 1, "clips_per_shard": 500, "concurrency": 16,
    "consensus.min_raters": 1, "copies": 1, "corpus.min_raters": 1, "corpus.players": 24,
    "corpus.temperature": 2.0, "corpus_annotate.max_seconds": 60.0, "corpus_counts.most": 1000000,
    "corpus_jobs.captions": 1, "corpus_synthesis.per_clip": 4, "cpus": 1, "decay": 0.01, "decoder_layers": 2,
    "defaults": True, "digits": 2, "distinctive": True, "dropout": 0.05, "duplicates.workers": 1,
    "embeddings.batch_size": 32, "evaluate.most": 4, "every": 1.0, "every_steps": 500, "examples": 12,
    "export.clips": 100, "face.batch_size": 32, "face.turns": 3, "face_head_training.batch_size": 32,
    "feelings": True, "fewest": 2, "first": 1, "fourier": 1024, "from_until": -1, "heads": 4,
    "hedge_until": -1, "high": 1.0, "hop": 320, "init_lora_weights": True, "keep_refused": True,
    "least_gain": 0.005, "lists_clips": True, "longest_caption": 96, "mask_bands": 12, "mask_frames": 20,
    "max_pause": 0.5, "max_running": -1, "max_seconds": 600.0, "max_wer": 0.3, "mel_bins": 128, "memory": 4.0,
    "memory_gb": 4, "min_level": 0.5, "min_raters": 2, "min_seconds": 1.0, "min_speech": 0.25, "min_z": 1.0,
    "mixed_shards": 8, "most": 30, "most_epochs": 200, "most_words": 15, "moved": 0.6, "n": 1,
    "nearest_sibling": 0.8, "nearest_source": 0.8, "needed": True, "num_beams": 1, "number": 1,
    "others_until": -1, "pad": 0.1, "patience": 600.0, "penalty": 0.05, "per_clip": 1, "permutations": 100,
    "pitch": 50, "port": 7860, "positions": 1, "range": 50, "rank": 32, "rate": 0.001, "repair": True,
    "repeats": 0.1, "resamples": 1000, "resume": True, "retries": 4, "rewritten": True, "sample": 2000,
    "scoring.batch_size": 32, "share": 0.2, "short_windows": 0.8, "shortest": 2.0, "shown": True,
    "shrinkage": 0.3, "state_copies": 1, "step": 1, "stop_repetition": True, "structured": True, "test": 0.05,
    "threshold": 0.5, "timeout": 120.0, "tolerance": 1, "too_until": -1, "top": 30, "train": 0.9,
    "training": True, "turns": 2, "validation": 0.05, "validation_clips": 200, "vocabulary": 1024,
    "warmup": 0.05, "ways": 1, "weight": 1.0, "weight_decay": 0.01, "weights.temperature": 2.0, "width": 256,
    "window_seconds": 30.0,
}  # fmt: skip
"""Default numbers of parameters and fields by name, or by class or module and name where these differ."""


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
    """Yield names and default numbers of the parameters of a function, or of the fields of a class."""
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
    for name, value in found:
        if isinstance(value, ast.Call):
            value = next((keyword.value for keyword in value.keywords if keyword.arg == "default"), None)
        number = value.operand if isinstance(value, ast.UnaryOp) else value
        if isinstance(number, ast.Constant) and isinstance(number.value, bool | int | float):
            yield name, ast.literal_eval(value)


def test_options_have_one_default_by_their_name_which_is_off_or_zero_unless_listed():
    for path, nodes in modules().items():
        for node in nodes:
            for name, default in defaults(node):
                owner = getattr(node, "name", Path(path).stem)
                expected = DEFAULTS.get(f"{owner}.{name}", DEFAULTS.get(name, 0))
                assert default == expected, (path, name)
