"""A small tokenizer of our own for models trained from scratch: byte-level BPE learnt from captions, in
Whisper's own class.

With a vocabulary of a thousand nearly every word of a caption is one token, so a caption takes about 20
tokens instead of 30 and the embedding of the model is 50 times smaller than Whisper's. Any text can
still be written, since the bytes are in it. Timestamps are left out: a captioner has no use for them,
and cannot emit what it does not have.
"""

import json
from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import WhisperTokenizer

END = "<|endoftext|>"
START = "<|startoftranscript|>"
LANGUAGE = "<|en|>"
TASK = "<|transcribe|>"
NO_TIMESTAMPS = "<|notimestamps|>"
PREFIX = (START, LANGUAGE, TASK, NO_TIMESTAMPS)
# In Whisper's order: what comes after <|notimestamps|> is taken for a timestamp by everything that
# reads such a model.
SPECIAL = (
    END,
    START,
    LANGUAGE,
    "<|translate|>",
    TASK,
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    NO_TIMESTAMPS,
)


def build_tokenizer(captions: Iterable[str], *, vocabulary: int) -> WhisperTokenizer:
    """Learn a tokenizer from captions.

    Args:
        captions: a few thousand are enough.
        vocabulary: tokens in all, at least 256 bytes and 9 special ones.

    Raises:
        ValueError: the vocabulary is too small.
    """
    if vocabulary < 256 + len(SPECIAL):
        raise ValueError(
            f"a vocabulary of {vocabulary} does not hold the 256 bytes and {len(SPECIAL)} special tokens"
        )
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(captions, trainer)
    learnt = json.loads(bpe.to_str())["model"]
    return WhisperTokenizer(
        vocab=learnt["vocab"],
        merges=[tuple(merge) for merge in learnt["merges"]],
        extra_special_tokens=list(SPECIAL[1:]),
        pad_token=END,
        language="en",
        task="transcribe",
    )
