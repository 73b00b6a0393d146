"""Rewriting without a language model: other sentences, words and order for what a profile says."""

from budew.paraphrase.grammar.backend import GrammarBackend

__all__ = ["GrammarBackend"]
