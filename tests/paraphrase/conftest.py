"""Language models of random weights, saved as any is: a chat model, one without a template, and a T5."""

from pathlib import Path

import pytest

from budew.captions import render
from budew.paraphrase import Request
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


def rewrite_requests(count: int = 6, *, n: int = 2) -> list[Request]:
    """Requests that differ in profile, caption, length and seed."""
    profiles = [PROFILES[number % len(PROFILES)] for number in range(count)]
    return [
        Request(f"clip-{number}", render(profile, seed=number), profile, 1000 + number, n)
        for number, profile in enumerate(profiles)
    ]


def _save(model, folder: Path) -> None:
    """Several tokens end an answer, as those of chat models do: chance would seldom find the one."""
    words = model.config.vocab_size
    model.generation_config.eos_token_id = [model.config.eos_token_id, *range(words - 15, words)]
    model.save_pretrained(folder)


def _texts() -> list[str]:
    return [render(profile, seed=seed) for profile in PROFILES for seed in range(40)]


def make_chat_model(
    folder: Path, *, template: str | None = TEMPLATE, context: int = 2_048, seed: int = 5
) -> Path:
    """Write a random Qwen 2 and its tokenizer, byte-level BPE, to `folder`."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
    )
    bpe.train_from_iterator(_texts(), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=template
    )
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        initializer_range=0.3,
        bos_token_id=0,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    _save(Qwen2ForCausalLM(config), folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_t5(folder: Path) -> Path:
    """Write a random T5 and its tokenizer, a unigram model as sentencepiece has it, to `folder`."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    unigram = Tokenizer(models.Unigram())
    unigram.pre_tokenizer = pre_tokenizers.Metaspace()
    unigram.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>"
    )
    unigram.train_from_iterator(_texts(), trainer)
    unigram.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=unigram, eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    )
    torch.manual_seed(5)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        decoder_start_token_id=0,
    )
    _save(T5ForConditionalGeneration(config), folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def chat_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random chat model."""
    return make_chat_model(tmp_path_factory.mktemp("model") / "tiny-chat")


@pytest.fixture(scope="session")
def t5_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random T5."""
    return save_t5(tmp_path_factory.mktemp("model") / "tiny-t5")
