"""A chat model with random weights, saved like any other."""

from pathlib import Path

import pytest

from budew.captions import render
from budew.profile import VoiceProfile
from tests.chat.conftest import quick_retries, serve, start  # noqa: F401  # fixtures

TEMPLATE = """\
{%- for message in messages -%}
<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}
<|im_start|>assistant
{% endif -%}"""


@pytest.fixture
def chat_model(tmp_path: Path) -> Path:
    """A folder with a random Qwen 2 and its byte-level BPE tokenizer.

    Several tokens end an answer, as those of chat models do: chance would seldom find the one.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    folder = tmp_path / "models/tiny-chat"
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, special_tokens=special)
    profile = VoiceProfile({"Anger": 0.75}, ["Chuckle"], {"gender": "female"})
    bpe.train_from_iterator((render(profile, seed=seed) for seed in range(40)), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=TEMPLATE
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(5)
    words = len(tokenizer)
    config = Qwen2Config(
        vocab_size=words,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2_048,
        initializer_range=0.3,
        bos_token_id=0,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = Qwen2ForCausalLM(config)
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, *range(words - 15, words)]
    model.save_pretrained(folder)
    return folder
