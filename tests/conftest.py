"""A Whisper of random weights, a hub of our own, and a folder that nobody can list."""

import gc
import json
import logging
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

from tests.corpora.hub_server import use_hub
from tests.trained import TINY_SYNTHETIC

os.environ["BUDEW_MODEL"] = str(TINY_SYNTHETIC)
SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
WORDS = ("a calm voice, deeply sad", "an angry man shouting", "She sounds amused and full of hope.")

ROOT = Path(__file__).parents[1]
FAULTY_CPU = ROOT / "tests" / "faulty_cpu"
"""In PYTHONPATH it makes processes of Python die of bfloat16."""

gc.disable()  # until all tests are imported
# no deadline, as the first example may load a lexicon
settings.register_profile("tests", parent=settings(), max_examples=50, deadline=None)
settings.load_profile("tests")


def save_tiny_whisper(
    folder: Path, *, seconds: int = 2, multilingual: bool = True, layers: int = 1, text_positions: int = 24
) -> Path:
    """Write a random `WhisperForConditionalGeneration` and its processor to `folder`.

    Its hop is 320 samples, as no stock Whisper's is, so that a constant of 30 s or 3,000 frames shows.
    """
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration, WhisperProcessor
    from transformers.models.whisper import WhisperFeatureExtractor

    tokenizer = _tokenizer()
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIAL}
    torch.manual_seed(3)
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        num_mel_bins=16,
        d_model=32,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_source_positions=25 * seconds,
        max_target_positions=text_positions,
        init_std=0.6,
        decoder_start_token_id=ids["<|startoftranscript|>"],
        bos_token_id=ids["<|endoftext|>"],
        eos_token_id=ids["<|endoftext|>"],
        pad_token_id=ids["<|endoftext|>"],
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config)
    model.generation_config = _generation_config(ids, multilingual=multilingual)
    extractor = WhisperFeatureExtractor(feature_size=16, hop_length=320, n_fft=800, chunk_length=seconds)
    model.save_pretrained(folder)
    WhisperProcessor(extractor, tokenizer).save_pretrained(folder)
    return folder


def _tokenizer():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import AddedToken, WhisperTokenizer

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(WORDS, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet))
    model = json.loads(bpe.to_str())["model"]
    tokenizer = WhisperTokenizer(
        vocab=model["vocab"],
        merges=[tuple(merge) for merge in model["merges"]],
        extra_special_tokens=list(SPECIAL[1:]),
    )
    tokenizer.add_tokens([AddedToken(f"<|{step * 0.02:.2f}|>", special=False) for step in range(101)])
    return tokenizer


def _generation_config(ids: dict[str, int], *, multilingual: bool):
    """What `generate` needs to make Whisper's prefix, as the config of a trained checkpoint has it."""
    from transformers import GenerationConfig

    languages = {
        "lang_to_id": {"<|en|>": ids["<|en|>"]},
        "task_to_id": {name: ids[f"<|{name}|>"] for name in ("transcribe", "translate")},
    }
    return GenerationConfig(
        decoder_start_token_id=ids["<|startoftranscript|>"],
        eos_token_id=ids["<|endoftext|>"],
        pad_token_id=ids["<|endoftext|>"],
        no_timestamps_token_id=ids["<|notimestamps|>"],
        is_multilingual=multilingual,
        **(languages if multilingual else {}),
    )


@pytest.fixture(scope="module", autouse=True)
def _garbage() -> None:
    """Leave out what is there: a trainer collects garbage, which takes a second with all modules."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def whisper_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny multilingual checkpoint: 2 s windows."""
    return save_tiny_whisper(tmp_path_factory.mktemp("whisper") / "tiny")


@pytest.fixture(scope="session")
def make_whisper() -> Callable[..., Path]:
    """`make_whisper(folder, seconds=…, multilingual=…, layers=…)` saves a tiny checkpoint of its own."""
    return save_tiny_whisper


def needs_precision(engine: str, dtype: str) -> None:
    """Skip a test where the computation of a precision is not possible, or ends the process."""
    from budew.model.cpu_precision import trials

    fault = trials(engine).faults.get(dtype)
    if fault:
        pytest.skip(f"{engine} has no {dtype} on this CPU: {fault}")


@pytest.fixture
def faulty_cpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A machine where bfloat16 ends the processes that are started, and on which nothing was tried yet."""
    from budew.model.cpu_precision import trials

    paths = [str(FAULTY_CPU), str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    trials.cache_clear()
    yield
    trials.cache_clear()


@pytest.fixture
def unlistable(tmp_path: Path) -> Path:
    """A folder with folders in it, the innermost with so long a path that not even root can list it."""
    folder = tmp_path / "deep"
    folder.mkdir()
    place = os.open(folder, os.O_RDONLY)
    for _ in range(17):
        os.mkdir("d" * 250, dir_fd=place)
        inner = os.open("d" * 250, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)
    return folder


@pytest.fixture
def at_hub(monkeypatch, tmp_path):
    """`at_hub(address, token="")`: the hub is there, as HF_ENDPOINT, HF_HOME and HF_TOKEN say at first."""
    return partial(use_hub, monkeypatch, tmp_path / "hub")


@pytest.fixture(autouse=True)
def logging_as_before():
    """Undo what a command or an example sets up: handlers would print the log of later tests."""
    loggers = [logging.getLogger(), logging.getLogger("budew")]
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers, logger.level, logger.propagate = handlers, level, propagate
