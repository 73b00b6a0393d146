"""Rewriting captions in other words, by a language model or offline, behind a gate that keeps the meaning."""

from budew.paraphrase.backend import Backend, Candidates, ParaphraseError, Request
from budew.paraphrase.gate import Reason, Verdict, judge
from budew.paraphrase.grammar import GrammarBackend
from budew.paraphrase.openai_chat import OpenAIBackend
from budew.paraphrase.rewrite import Rewriting, rewrite_clips

__all__ = [
    "Backend",
    "Candidates",
    "GrammarBackend",
    "OpenAIBackend",
    "ParaphraseError",
    "Reason",
    "Request",
    "Rewriting",
    "Verdict",
    "judge",
    "rewrite_clips",
]
