"""What a language model is asked, made of the data files in `paraphrase/`."""

from budew.paraphrase.prompts.messages import Prompts, load_prompts

__all__ = ["Prompts", "load_prompts"]
