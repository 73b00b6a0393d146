"""Language models with random weights, saved like any other: a chat model, one without template, a T5."""

from pathlib import Path

import pytest

from budew.captions import render
from budew.paraphrase import RewriteRequest
from budew.profile import VoiceProfile
from tests.chat.conftest import quick_retries, serve, start  # noqa: F401  # fixtures

PROFILES = (
    VoiceProfile({"Anger": 0.75}, ["Chuckle"], {"gender": "female"}),
    VoiceProfile({"Sadness": 1.0, "Fear": 0.25}, traits={"gender": "male"}),
    VoiceProfile({"Amusement": 0.5, "Pride": 0.5}, ["Relief Sigh"]),
)
TEMPLATE = """\
{%- for message in messages -%}
<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}
<|im_start|>assistant
{% if enable_thinking is defined and not enable_thinking %}<think></think>
{% endif %}{% endif -%}"""


def rewrite_requests(count: int = 6, *, n: int = 2) -> list[RewriteRequest]:
    """Requests that differ in profile, caption, length and seed."""
    profiles = [PROFILES[number % len(PROFILES)] for number in range(count)]
    return [
        RewriteRequest(f"clip-{number}", render(profile, seed=number), profile, 1000 + number, n)
        for number, profile in enumerate(profiles)
    ]


def save_model(kind: str, folder: Path, *, template: str | None = TEMPLATE, seed: int = 5, **config) -> Path:
    """Write a random model of transformers ("Qwen2ForCausalLM") and its byte-level BPE tokenizer to `folder`.

    Several tokens end an answer, as those of chat models do: chance would seldom find the one.
    """
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, special_tokens=special)
    bpe.train_from_iterator(
        (render(profile, seed=seed) for profile in PROFILES for seed in range(40)), trainer
    )
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=template
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    ids = {"bos_token_id": 0, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    model_class, words = getattr(transformers, kind), len(tokenizer)
    model = model_class(model_class.config_class(vocab_size=words, **ids, **config))
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, *range(words - 15, words)]
    model.save_pretrained(folder)
    return folder


def make_chat_model(folder: Path, *, context: int = 2_048, **given) -> Path:
    """Write a random Qwen 2 to `folder`."""
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "initializer_range": 0.3}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": context}
    return save_model("Qwen2ForCausalLM", folder, **sizes, **heads, **given)


@pytest.fixture(scope="session")
def chat_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random chat model."""
    return make_chat_model(tmp_path_factory.mktemp("model") / "tiny-chat")


@pytest.fixture(scope="session")
def t5_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random T5."""
    sizes = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
    sizes["decoder_start_token_id"] = 0
    folder = tmp_path_factory.mktemp("model") / "tiny-t5"
    return save_model("T5ForConditionalGeneration", folder, template=None, **sizes)
