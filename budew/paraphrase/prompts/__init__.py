"""What a language model is asked, made of the data files in `paraphrase/`."""

from budew.paraphrase.prompts.loading import load_prompts
from budew.paraphrase.prompts.messages import Prompts

__all__ = ["Prompts", "load_prompts"]
