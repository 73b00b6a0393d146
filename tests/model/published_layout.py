"""A Whisper in the published layout of `openai/whisper-tiny`, with random weights: nothing is downloaded.

Sizes, special tokens and the generation config are those of the repository on the hub; the vocabulary is the
one that the package `openai-whisper` ships.
"""

import json
from importlib.util import find_spec
from pathlib import Path

import torch
from tokenizers import AddedToken
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizer,
)
from transformers.convert_slow_tokenizer import TikTokenConverter
from transformers.models.whisper.tokenization_whisper import LANGUAGES

END, START, NO_TIMESTAMPS = 50257, 50258, 50363
_LANGUAGES = list(LANGUAGES)[:99]  # the 100th came with large-v3
_SUPPRESSED = [1, 2, 7, 8, 9, 10, 14, 25, 26, 27, 28, 29, 31, 58, 59, 60, 61, 62, 63, 90, 91, 92, 93]


def published_tokenizer() -> WhisperTokenizer:
    spec = find_spec("whisper")
    assert spec is not None
    assert spec.origin is not None
    ranks = Path(spec.origin).parent / "assets" / "multilingual.tiktoken"
    vocab, merges = TikTokenConverter().extract_vocab_merges_from_model(str(ranks))
    special = [
        "<|startoftranscript|>", *(f"<|{language}|>" for language in _LANGUAGES), "<|translate|>",
        "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
    ]  # fmt: skip
    vocab["<|endoftext|>"] = END
    tokenizer = WhisperTokenizer(
        vocab=vocab, merges=merges, extra_special_tokens=special, pad_token="<|endoftext|>"
    )
    times = [f"<|{step * 0.02:.2f}|>" for step in range(1501)]
    tokenizer.add_tokens([AddedToken(time, normalized=False, special=False) for time in times])
    return tokenizer


def write_published_tiny(folder: Path, *, layers: int = 4, seed: int = 0) -> Path:
    """Write the files of the repository; `layers` makes a smaller model of the same layout."""
    tokenizer = published_tokenizer()
    assert tokenizer.convert_tokens_to_ids(["<|endoftext|>", "<|notimestamps|>"]) == [END, NO_TIMESTAMPS]
    assert len(tokenizer) == 51865
    config = WhisperConfig(
        vocab_size=51865,
        num_mel_bins=80,
        d_model=384,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=6,
        decoder_attention_heads=6,
        encoder_ffn_dim=1536,
        decoder_ffn_dim=1536,
        max_source_positions=1500,
        max_target_positions=448,
        decoder_start_token_id=START,
        bos_token_id=END,
        eos_token_id=END,
        pad_token_id=END,
        begin_suppress_tokens=[220, END],
    )
    torch.manual_seed(seed)
    model = WhisperForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        alignment_heads=[[2, 2], [3, 0], [3, 2], [3, 3], [3, 4], [3, 5]],
        begin_suppress_tokens=[220, END],
        bos_token_id=END,
        decoder_start_token_id=START,
        eos_token_id=END,
        forced_decoder_ids=[[1, None], [2, 50359]],
        is_multilingual=True,
        lang_to_id={f"<|{language}|>": START + 1 + at for at, language in enumerate(_LANGUAGES)},
        max_initial_timestamp_index=50,
        max_length=448,
        no_timestamps_token_id=NO_TIMESTAMPS,
        pad_token_id=END,
        prev_sot_token_id=50361,
        return_timestamps=False,
        suppress_tokens=_SUPPRESSED,
        task_to_id={"transcribe": 50359, "translate": 50358},
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    assert json.loads((folder / "generation_config.json").read_text())["task_to_id"]
    return folder
