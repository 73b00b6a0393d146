"""Paraphrasing captions by a language model or offline; a gate checks that the meaning is kept."""

from budew.paraphrase.backend import Backend, Candidates, Refused, Request
from budew.paraphrase.gate import Gate, Reason, Verdict, judge
from budew.paraphrase.grammar import GrammarBackend
from budew.paraphrase.job import Paraphrase, Rewriting
from budew.paraphrase.prompts import Prompts, load_prompts
from budew.paraphrase.rewrites import Rewrite, shipped_rewrites

__all__ = [
    "Backend",
    "Candidates",
    "Gate",
    "GrammarBackend",
    "Paraphrase",
    "Prompts",
    "Reason",
    "Refused",
    "Request",
    "Rewrite",
    "Rewriting",
    "Verdict",
    "judge",
    "load_prompts",
    "shipped_rewrites",
]
